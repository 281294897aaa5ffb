// How the kernel of a node's image names the link of an ENI: eth0, eth1, ... or, by PCI slot, of
// which the primary ENI's is the fifth, ens5, ens6, ...
#ifndef CNISIM_SIM_CLUSTER_LINK_NAME_H_
#define CNISIM_SIM_CLUSTER_LINK_NAME_H_

#include <fmt/format.h>

#include <string>

#include "core/net/node_image.h"

namespace cnisim {

inline std::string LinkNameOf(NodeImage image, int network_card, int device_index) {
  // No rule tells the slots of further cards' ENIs; a block of its own for each keeps names apart.
  const int slot = 16 * network_card + device_index;
  return image == NodeImage::kAl2 ? fmt::format("eth{}", slot) : fmt::format("ens{}", 5 + slot);
}

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_LINK_NAME_H_
