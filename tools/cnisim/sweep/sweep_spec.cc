#include "tools/cnisim/sweep/sweep_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/scenario/yaml_reader.h"
#include "tools/cnisim/base/options.h"

namespace cnisim {
namespace {

constexpr std::string_view kInclude = "include";
constexpr std::string_view kExclude = "exclude";

std::optional<std::string> ReadValue(Field field) {
  if (!field.present()) return "null";
  return field.Text();
}

SweepCell ReadCell(Field item) {
  SweepCell cell;
  MapReader map = item.Required().Map(item.label());
  for (const YamlEntry& entry : map.entries()) {
    if (const auto value = ReadValue(map.Get(entry.key))) cell.emplace_back(entry.key, *value);
  }
  if (cell.empty() && item.is_mapping()) item.Error("missing-value", item.label() + " is empty");
  return cell;
}

SweepAxis ReadAxis(Field field, const std::string& setting) {
  SweepAxis axis{setting, {}};
  std::vector<Field> values = field.Required().List("value");
  for (Field& value : values) {
    const std::optional<std::string> text = ReadValue(value);
    if (!text) continue;
    if (std::ranges::find(axis.values, *text) != axis.values.end()) {
      value.Error("repeated-value", fmt::format("'{}' is there twice", *text));
    }
    axis.values.push_back(*text);
  }
  if (values.empty() && field.present()) {
    field.Error("missing-value", fmt::format("{} has no values", field.label()));
  }
  return axis;
}

void ReadMatrix(Field field, SweepSpec& spec) {
  MapReader matrix = field.Required().Map("'matrix' of the sweep");
  for (Field& item : matrix.Get(kExclude).List("exclusion")) spec.exclude.push_back(ReadCell(item));
  for (Field& item : matrix.Get(kInclude).List("inclusion")) spec.include.push_back(ReadCell(item));
  for (const YamlEntry& entry : matrix.entries()) {
    if (entry.key == kInclude || entry.key == kExclude) continue;
    spec.axes.push_back(ReadAxis(matrix.Get(entry.key), entry.key));
  }
  for (const SweepCell& cell : spec.exclude) {
    for (const auto& [setting, value] : cell) {
      const auto axis = std::ranges::find(spec.axes, setting, &SweepAxis::setting);
      if (axis != spec.axes.end() && std::ranges::find(axis->values, value) != axis->values.end()) {
        continue;
      }
      matrix.Get(kExclude).Error("unknown-reference",
                                 fmt::format("no cell of the matrix has {}={}", setting, value));
    }
  }
  if (spec.axes.empty() && spec.include.empty() && field.is_mapping()) {
    field.Error("missing-value", "the matrix varies nothing");
  }
}

// Every combination, the last axis fastest.
std::vector<SweepCell> Product(std::span<const SweepAxis> axes) {
  std::vector<SweepCell> cells{{}};
  for (const SweepAxis& axis : axes) {
    std::vector<SweepCell> longer;
    for (const SweepCell& cell : cells) {
      for (const std::string& value : axis.values) {
        longer.push_back(cell);
        longer.back().emplace_back(axis.setting, value);
      }
    }
    cells = std::move(longer);
    if (cells.size() > kMaxCells) break;
  }
  return axes.empty() ? std::vector<SweepCell>() : cells;
}

bool Has(const SweepCell& cell, const SweepCell& part) {
  return std::ranges::all_of(part, [&cell](const auto& setting) {
    return std::ranges::find(cell, setting) != cell.end();
  });
}

}  // namespace

bool IsSweep(std::string_view text) {
  Diagnostics ignored("");
  const std::optional<YamlNode> document = ParseYaml(text, 0, ignored);
  const YamlNode* kind = document ? document->Find("kind") : nullptr;
  return kind != nullptr && kind->text == "Sweep";
}

SweepSpec ReadSweep(std::string_view text, const std::filesystem::path& directory,
                    Diagnostics& diagnostics) {
  SweepSpec spec;
  const std::optional<YamlNode> document = ParseYaml(text, 0, diagnostics);
  if (!document) return spec;
  MapReader root(&*document, document->where, "the sweep", diagnostics);
  root.Get("apiVersion").Required().OneOf<int>({{"cnisim.dev/v1alpha1", 1}});
  root.Get("kind").Required().OneOf<int>({{"Sweep", 1}});
  MapReader metadata = root.Get("metadata").Required().Map("metadata");
  spec.name = metadata.Get("name").Required().DnsLabel().value_or("");
  metadata.Done();
  MapReader map = root.Get("spec").Required().Map("spec");
  Field base = map.Get("base");
  if (const auto path = base.Required().String()) spec.base = directory / *path;
  Field seeds = map.Get("seeds");
  if (seeds.present()) {
    spec.seeds = seeds.Text().value_or("");
    const auto parsed = ParseSeeds(spec.seeds);
    if (!spec.seeds.empty() && !parsed) seeds.Error("bad-value", parsed.error().message);
  }
  ReadMatrix(map.Get("matrix"), spec);
  map.Done();
  root.Done();
  return spec;
}

Result<SweepAxis> ParseVary(std::string_view text) {
  const auto bad = [&](std::string_view what) {
    return Fail("usage",
                fmt::format("--vary {}: {}; write network.env.WARM_IP_TARGET=2,5,10", text, what));
  };
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return bad("not SETTING=VALUE,VALUE");
  SweepAxis axis{std::string(text.substr(0, equals)), {}};
  for (std::string_view rest = text.substr(equals + 1);;) {
    const size_t comma = rest.find(',');
    const std::string value(rest.substr(0, comma));
    if (value.empty()) return bad("a value is empty");
    if (std::ranges::find(axis.values, value) != axis.values.end()) {
      return bad(fmt::format("'{}' is there twice", value));
    }
    axis.values.push_back(value);
    if (comma == std::string_view::npos) return axis;
    rest.remove_prefix(comma + 1);
  }
}

Result<std::vector<SweepCell>> CellsOf(const SweepSpec& spec) {
  std::vector<SweepCell> cells = Product(spec.axes);
  if (cells.size() <= kMaxCells) {
    std::erase_if(cells, [&spec](const SweepCell& cell) {
      return std::ranges::any_of(spec.exclude,
                                 [&cell](const SweepCell& part) { return Has(cell, part); });
    });
    cells.insert(cells.end(), spec.include.begin(), spec.include.end());
  }
  if (cells.size() > kMaxCells) {
    return Fail("usage", fmt::format("the sweep has more than {} cells", kMaxCells));
  }
  if (cells.empty()) return Fail("usage", "the sweep has no cells: nothing is varied");
  std::set<SweepCell> seen;
  for (SweepCell cell : cells) {
    std::ranges::sort(cell);
    const std::string told = CellText(cell);
    if (!seen.insert(std::move(cell)).second) {
      return Fail("usage", fmt::format("the cell {} is there twice", told));
    }
  }
  return cells;
}

std::string_view ShortName(std::string_view setting) {
  const size_t point = setting.rfind('.');
  return point == std::string_view::npos ? setting : setting.substr(point + 1);
}

std::string CellText(const SweepCell& cell) {
  std::string text;
  for (const auto& [setting, value] : cell) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", ShortName(setting), value);
  }
  return text;
}

}  // namespace cnisim
