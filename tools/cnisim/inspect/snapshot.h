// A scenario, or a run of a results file, simulated anew up to a moment and shown to somebody.
//
// A run of a results file is what the file says of it: the resolved scenario and the seed. Only the
// version that wrote it simulates it the same way, so a file of another one is refused.
#ifndef CNISIM_TOOLS_CNISIM_INSPECT_SNAPSHOT_H_
#define CNISIM_TOOLS_CNISIM_INSPECT_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/clock.h"
#include "core/ports/result.h"
#include "sim/cluster/world_view.h"
#include "sim/scenario/loader.h"
#include "tools/cnisim/base/exit_code.h"

namespace cnisim {

struct SnapshotOptions {
  std::string source;  // a scenario or a results file
  std::vector<std::string> sets;
  std::optional<uint64_t> seed;
  int64_t run = 0;              // of a results file; 0: its only run
  std::optional<TimePoint> at;  // the end, if not set
};

struct SnapshotSource {
  LoadedScenario loaded;
  uint64_t seed = 0;
};

// Nothing if the source cannot be had; why has been told, with the code to exit with.
std::optional<SnapshotSource> LoadSnapshotSource(const SnapshotOptions& options, ExitCode& code);

// Runs it and calls `look` at the moment. An error of code "usage" if that is not of the run.
Status Look(const SnapshotSource& source, const SnapshotOptions& options,
            const std::function<void(WorldView&)>& look);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_INSPECT_SNAPSHOT_H_
