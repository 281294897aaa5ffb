#include <fmt/format.h>

#include <cstdio>

#include "results/database.h"
#include "results/embedded_sql.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/say.h"

namespace cnisim {

Command AddSchema(CLI::App&) {
  return [] {
    fmt::print("{}\n{}\nPRAGMA application_id = {};\nPRAGMA user_version = {};\n", SchemaSql(),
               IndexesSql(), kApplicationId, kSchemaVersion);
    Say("every table, column and unit is explained in results/SCHEMA.md\n");
    return ExitCode::kOk;
  };
}

}  // namespace cnisim
