// `cnisim inspect ... export DIR`: the cluster of a moment as files that `cnisim import` reads.
#ifndef CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_EXPORT_H_
#define CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_EXPORT_H_

#include <string>

#include "core/ports/result.h"
#include "sim/cluster/world_view.h"

namespace cnisim {

// Code "usage" unless it is a new or an empty folder.
Status CheckExportFolder(const std::string& folder);

// Makes the folder and returns the files' paths, one a line. Code "cannot-write" if it cannot.
Result<std::string> ExportTo(WorldView& world, const std::string& folder);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_EXPORT_H_
