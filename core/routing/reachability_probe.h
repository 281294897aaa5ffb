// The packets by which reachability is judged.
#ifndef CNISIM_CORE_ROUTING_REACHABILITY_PROBE_H_
#define CNISIM_CORE_ROUTING_REACHABILITY_PROBE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/routing/forwarding_walk.h"
#include "core/routing/reachability.h"

namespace cnisim {

// No service, and no node port (30000 to 32767), is at a pod's address and this port.
inline constexpr uint16_t kProbedPort = 80;

// The first packet of a connection between two pods.
Packet ProbePacket(IpAddress from, IpAddress to);
// The biggest that the pod may send there.
Packet FullProbePacket(const std::map<std::string, const HostState*>& nodes, const ClusterPod& from,
                       IpAddress to);

// Ends a walk where it comes to the fabric, and begins one there.
class FabricEdge final : public Fabric {
 public:
  explicit FabricEdge(FabricVerdict entry = {}) : entry_(std::move(entry)) {}

  FabricVerdict Carry(const FabricFrame& frame) const override {
    if (frame.node.empty()) return entry_;
    frame_ = frame;
    return {};
  }
  const std::optional<FabricFrame>& frame() const { return frame_; }

 private:
  FabricVerdict entry_;
  mutable std::optional<FabricFrame> frame_;
};

// Whether the biggest packet gets to the fabric, if it gets there at all, and in one piece.
bool FitsTheWay(const std::map<std::string, const HostState*>& nodes, const ClusterPod& from,
                IpAddress to);

// A node's agents, as a pod without name and namespace.
ClusterPod AgentOf(const std::string& node);

// Whether the packet is where the sender wanted it, with the addresses that it was sent with. Any
// address is an agent's.
bool IsRight(const WalkResult& walk, const ClusterPod& from, const ClusterPod& to);

// A probe of the node's agent to a pod of its own, and the answer.
struct AgentWalk {
  WalkResult walk;  // the answer's; the probe's if that was lost
  bool is_answer = false;
  bool right = false;
};
AgentWalk WalkAgent(const std::map<std::string, const HostState*>& nodes, const Fabric& fabric,
                    const ClusterPod& pod,
                    ForwardingWalk::Detail detail = ForwardingWalk::Detail::kEnd);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_REACHABILITY_PROBE_H_
