#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "results/database.h"
#include "results/embedded_sql.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/format/json_schema.h"

namespace cnisim {

Command AddSchema(CLI::App& app) {
  const auto what = std::make_shared<std::string>("results");
  app.add_option("WHAT", *what,
                 "results: the SQL of results files (default);\nscenario: JSON Schema of scenarios")
      ->check(CLI::IsMember({"results", "scenario"}).description(""))
      ->type_name("");
  app.footer(
      "  cnisim schema scenario > scenario.schema.json\n\n"
      "Editors with yaml-language-server check a scenario whose first line is\n"
      "  # yaml-language-server: $schema=scenario.schema.json");
  return [what] {
    if (*what == "scenario") {
      fmt::print("{}", FormatDocument(ScenarioJsonSchema(), OutputFormat::kJson));
      return ExitCode::kOk;
    }
    fmt::print("{}\n{}\nPRAGMA application_id = {};\nPRAGMA user_version = {};\n", SchemaSql(),
               IndexesSql(), kApplicationId, kSchemaVersion);
    Say("every table, column and unit is explained in results/SCHEMA.md\n");
    return ExitCode::kOk;
  };
}

}  // namespace cnisim
