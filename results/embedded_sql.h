// The SQL that is compiled in: the schema and the saved queries.
#ifndef CNISIM_RESULTS_EMBEDDED_SQL_H_
#define CNISIM_RESULTS_EMBEDDED_SQL_H_

#include <string>
#include <string_view>
#include <vector>

namespace cnisim {

std::string_view SchemaSql();   // tables and views
std::string_view IndexesSql();  // made after the rows are in

// A parameter `:name` of a saved query.
struct SavedParameter {
  std::string_view name;  // without the colon
  bool number = false;    // else any text
  bool optional = false;
};

// saved_queries/NAME.sql. Its first line is `-- description`; the second, if it has parameters,
// `-- parameters: :a text, :b number or none`.
struct SavedQuery {
  std::string_view name;
  std::string_view description;
  std::string_view sql;
  std::vector<SavedParameter> parameters;
};
// By name.
const std::vector<SavedQuery>& SavedQueries();

}  // namespace cnisim

#endif  // CNISIM_RESULTS_EMBEDDED_SQL_H_
