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

std::vector<SavedQuery> MakeSavedQueries() {
  constexpr std::string_view kPrefix = "saved_queries/", kSuffix = ".sql", kComment = "-- ";
  std::vector<SavedQuery> queries;
  for (const File& file : kFiles) {
    if (!file.name.starts_with(kPrefix)) continue;
    std::string_view name = file.name.substr(kPrefix.size());
    name.remove_suffix(kSuffix.size());
    std::string_view description = file.text.substr(0, file.text.find('\n'));
    description.remove_prefix(kComment.size());
    queries.push_back({name, description, file.text});
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
