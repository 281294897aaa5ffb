#include "tools/cnisim/base/table.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>

#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

std::string CellText(const Json& cell) {
  if (cell.is_null()) return "";
  if (cell.is_string()) return cell.get<std::string>();
  if (cell.is_number_float()) {
    const double value = cell.get<double>();
    if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
    return fmt::format("{}", value);
  }
  return cell.dump();
}

std::string CsvField(const Json& cell) {
  const std::string text = CellText(cell);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

template <typename Fields, typename ToText>
void AppendCsvLine(std::string& out, const Fields& fields, ToText to_text) {
  bool first = true;
  for (const auto& field : fields) {
    if (!first) out += ',';
    first = false;
    out += to_text(field);
  }
  out += '\n';
}

std::string FormatCsv(const Table& table) {
  std::string out;
  AppendCsvLine(out, table.columns, [](const std::string& name) { return CsvField(name); });
  for (const auto& row : table.rows) AppendCsvLine(out, row, CsvField);
  return out;
}

std::string FormatTable(const Table& table) {
  std::vector<bool> right(table.columns.size());
  for (size_t c = 0; c < right.size(); ++c) {
    bool number = false, text = false;
    for (const auto& row : table.rows) {
      number |= row[c].is_number();
      text |= row[c].is_string();
    }
    right[c] = number && !text;
  }
  std::vector<std::vector<std::string>> lines{table.columns};
  for (const auto& row : table.rows) {
    auto& line = lines.emplace_back();
    for (const Json& cell : row) line.push_back(CellText(cell));
  }
  return Align(lines, right);
}

void EmitYaml(YAML::Emitter& out, const Json& value) {
  if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, member] : value.items()) {
      out << YAML::Key << key << YAML::Value;
      EmitYaml(out, member);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const Json& element : value) EmitYaml(out, element);
    out << YAML::EndSeq;
  } else if (value.is_null()) {
    out << YAML::Null;
  } else if (value.is_string()) {
    // Text that YAML would take for something else stays text.
    const std::string text = value.get<std::string>();
    const bool plain = !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
                       text != "true" && text != "false" && text != "null" && text != "yes" &&
                       text != "no" && text != "on" && text != "off" && text != "Inf";
    if (!plain) out << YAML::DoubleQuoted;
    out << text;
  } else if (value.is_number_float() && std::isinf(value.get<double>())) {
    out << (value.get<double>() > 0 ? ".inf" : "-.inf");
  } else {
    out << CellText(value);
  }
}

// JSON has no infinity.
Json WithoutInfinity(Json value) {
  if (value.is_structured()) {
    for (Json& member : value) member = WithoutInfinity(std::move(member));
  } else if (value.is_number_float() && std::isinf(value.get<double>())) {
    return CellText(value);
  }
  return value;
}

}  // namespace

size_t Width(std::string_view text) {
  // Continuation bytes of UTF-8 take no room.
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string Align(const std::vector<std::vector<std::string>>& cells,
                  const std::vector<bool>& right) {
  std::vector<size_t> widths(right.size());
  std::vector<std::vector<std::string>> lines = cells;
  for (auto& line : lines) {
    for (std::string& cell : line) cell = Escaped(cell);
    for (size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], Width(line[c]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (size_t c = 0; c < line.size(); ++c) {
      if (c > 0) text += "  ";
      const std::string padding(widths[c] - Width(line[c]), ' ');
      text += right[c] ? padding + line[c] : line[c] + padding;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  }
  return out;
}

Json ToJson(const Table& table) {
  Json list = Json::array();
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (size_t c = 0; c < row.size(); ++c) object[table.columns[c]] = row[c];
    list.push_back(std::move(object));
  }
  return list;
}

std::string FormatDocument(const Json& value, OutputFormat format) {
  assert(IsDocument(format));
  if (format == OutputFormat::kJson) {
    return WithoutInfinity(value).dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  YAML::Emitter out;
  EmitYaml(out, value);
  return std::string(out.c_str()) + '\n';
}

std::string Format(const Table& table, OutputFormat format) {
  if (format == OutputFormat::kTable) return FormatTable(table);
  if (format == OutputFormat::kCsv) return FormatCsv(table);
  return FormatDocument(ToJson(table), format);
}

}  // namespace cnisim
