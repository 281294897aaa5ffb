#include "tools/cnisim/inspect/inspect_export.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/import/cluster_export.h"
#include "tools/cnisim/base/whole_file.h"

namespace cnisim {

namespace fs = std::filesystem;

Status CheckExportFolder(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return {};
  if (!fs::is_directory(folder, error)) {
    return Fail("usage", fmt::format("{} is no folder", folder));
  }
  if (!fs::is_empty(folder, error)) {
    return Fail("usage", fmt::format("{} is not empty; export makes a folder of its own", folder));
  }
  return {};
}

Result<std::string> ExportTo(WorldView& world, const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Fail("cannot-write", fmt::format("{}: {}", folder, error.message()));
  std::string paths;
  for (const ExportedFile& file : ExportCluster(world)) {
    const std::string path = (fs::path(folder) / file.name).string();
    if (const Status written = WriteWholeFile(path, file.text); !written) {
      return tl::unexpected(written.error());
    }
    paths += path + "\n";
  }
  return paths;
}

}  // namespace cnisim
