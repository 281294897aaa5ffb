// Rows of values, printed as an aligned table, JSON, YAML or CSV.
#ifndef CNISIM_TOOLS_CNISIM_BASE_TABLE_H_
#define CNISIM_TOOLS_CNISIM_BASE_TABLE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cnisim/base/options.h"

namespace cnisim {

using Json = nlohmann::ordered_json;

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Json>> rows;  // null, numbers, booleans and strings
};

// Every format ends with a newline. Table: columns of numbers to the right, the others to the left,
// two spaces between. JSON: a list of objects. CSV as RFC 4180 has it, but lines end with "\n".
// Infinity is "Inf" (in JSON a string, as JSON has no such number); bytes that are no UTF-8 become
// U+FFFD in JSON and YAML.
std::string Format(const Table& table, OutputFormat format);

// A list of objects, one a row.
Json ToJson(const Table& table);
// Lists and objects of any depth, as JSON or YAML: other formats are of tables.
constexpr bool IsDocument(OutputFormat format) {
  return format == OutputFormat::kJson || format == OutputFormat::kYaml;
}
std::string FormatDocument(const Json& value, OutputFormat format);

// Columns of text, two spaces between, control characters escaped; `right` says which are aligned
// to the right. Lines have no trailing spaces.
std::string Align(const std::vector<std::vector<std::string>>& cells,
                  const std::vector<bool>& right);
// Characters, not bytes.
size_t Width(std::string_view text);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_TABLE_H_
