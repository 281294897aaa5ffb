#include "results/embedded_sql.h"

#include <algorithm>

namespace cnisim {
namespace {

struct File {
  std::string_view name;
  std::string_view text;
};
constexpr File kFiles[] = {
#include "embedded_sql.inc"
};

std::string_view TextOf(std::string_view name) {
  return std::ranges::find(kFiles, name, &File::name)->text;
}

// Of the query's second line.
std::vector<SavedParameter> ParametersOf(std::string_view text) {
  constexpr std::string_view kBegin = "\n-- parameters: ";
  std::vector<SavedParameter> parameters;
  const size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return parameters;
  std::string_view rest = text.substr(begin + kBegin.size());
  rest = rest.substr(0, rest.find('\n'));
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(", "));
    const size_t space = one.find(' ');
    parameters.push_back({one.substr(1, space - 1), one.substr(space + 1).starts_with("number"),
                          one.ends_with(" or none")});
    rest.remove_prefix(std::min(rest.size(), one.size() + 2));
  }
  return parameters;
}

std::vector<SavedQuery> MakeSavedQueries() {
  constexpr std::string_view kPrefix = "saved_queries/", kSuffix = ".sql", kComment = "-- ";
  std::vector<SavedQuery> queries;
  for (const File& file : kFiles) {
    if (!file.name.starts_with(kPrefix)) continue;
    std::string_view name = file.name.substr(kPrefix.size());
    name.remove_suffix(kSuffix.size());
    std::string_view description = file.text.substr(0, file.text.find('\n'));
    description.remove_prefix(kComment.size());
    queries.push_back({name, description, file.text, ParametersOf(file.text)});
  }
  return queries;
}

}  // namespace

std::string_view SchemaSql() { return TextOf("schema.sql"); }
std::string_view IndexesSql() { return TextOf("indexes.sql"); }

const std::vector<SavedQuery>& SavedQueries() {
  static const std::vector<SavedQuery> kQueries = MakeSavedQueries();
  return kQueries;
}

}  // namespace cnisim
