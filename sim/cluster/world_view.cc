#include "sim/cluster/world_view.h"

#include <utility>

namespace cnisim {

VpcFabric FabricOf(const WorldView& world) {
  std::vector<VpcInterface> interfaces;
  for (const std::string& node : world.NodeNames()) {
    for (VpcInterface& interface : world.InterfacesOf(node)) {
      interfaces.push_back(std::move(interface));
    }
  }
  return {BlocksOf(world.scenario().vpc), std::move(interfaces)};
}

const HostState* FindNodeKernel(const WorldView& world, std::string_view node) {
  NodeNetwork* network = world.NetworkOf(node);
  return network == nullptr ? nullptr : network->Kernel();
}

}  // namespace cnisim
