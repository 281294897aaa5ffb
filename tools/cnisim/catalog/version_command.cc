#include <fmt/format.h>
#include <sqlite3.h>

#include <cstdio>

#include "results/database.h"
#include "tools/cnisim/base/commands.h"

namespace cnisim {
namespace {

#if defined(__clang__)
constexpr std::string_view kCompiler = "Clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "GCC " __VERSION__;
#endif

}  // namespace

Command AddVersion(CLI::App&) {
  return [] {
    fmt::print("cnisim {}\n{}, {} build, SQLite {}, results format {}\n", CNISIM_VERSION, kCompiler,
               CNISIM_BUILD_TYPE, sqlite3_libversion(), kSchemaVersion);
    return ExitCode::kOk;
  };
}

}  // namespace cnisim
