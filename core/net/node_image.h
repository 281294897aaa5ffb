// The Linux distribution of a node, as far as its network differs: Amazon Linux 2 names ENIs eth0
// and has the legacy iptables, Amazon Linux 2023 names them ens5, has systemd-networkd's routes,
// and its iptables is nf_tables.
#ifndef CNISIM_CORE_NET_NODE_IMAGE_H_
#define CNISIM_CORE_NET_NODE_IMAGE_H_

#include <cstdint>

namespace cnisim {

enum class NodeImage : uint8_t { kAl2, kAl2023 };

}  // namespace cnisim

#endif  // CNISIM_CORE_NET_NODE_IMAGE_H_
