// `cnisim inspect ... path FROM TO`: follows a packet and its answer through the tables of all
// nodes on the way, and tells each step.
#ifndef CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_PATH_H_
#define CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_PATH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "core/ports/result.h"
#include "sim/cluster/world_view.h"

namespace cnisim {

struct PathOptions {
  std::string from;                     // a pod, node/NODE for the node itself, or "outside"
  std::string to;                       // a pod, svc/SERVICE, node/NODE, an address, or "outside"
  std::optional<std::string> protocol;  // the service's, or tcp
  std::optional<uint16_t> port;         // the service's, or 80
  int size = 100;                       // of the IP packet, in bytes
};

// Each step of both ways, and what they come to. An error of code "usage" if there is no such end.
Result<std::string> PathText(WorldView& world, const PathOptions& options);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_PATH_H_
