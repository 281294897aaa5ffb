// A pod of the simulated cluster, from its creation until its sandbox is gone.
#ifndef CNISIM_SIM_CLUSTER_POD_H_
#define CNISIM_SIM_CLUSTER_POD_H_

#include <map>
#include <optional>
#include <string>

#include "core/net/ip.h"
#include "core/ports/clock.h"
#include "core/ports/task.h"
#include "sim/observe/observer.h"

namespace cnisim {

class Node;

enum class PodPhase : uint8_t { kPending, kStarting, kRunning, kTerminating };

// The branch ENI that the VPC resource controller has made for a pod.
struct PodBranchEni {
  std::string id;
  IpAddress ip;
};

struct Pod {
  PodId id = 0;
  int workload = 0;  // index into Scenario::workloads
  std::string name;
  PodPhase phase = PodPhase::kPending;
  int64_t cpu_milli = 0;
  int64_t memory_mib = 0;
  bool host_network = false;
  bool wants_branch_eni = false;  // limit vpc.amazonaws.com/pod-eni: 1
  Node* node = nullptr;           // once scheduled
  size_t index_on_node = 0;
  size_t index_in_workload = 0;
  bool deletion_planned = false;  // by a scale-down that waits for its turn

  std::map<std::string, std::string> annotations;
  std::optional<PodBranchEni> branch_eni;  // once the annotation tells of it

  // The sandbox of the last CNI ADD and what it got.
  std::string sandbox_id;
  std::optional<IpAddress> ip;
  TimePoint ip_since;
  bool disconnected = false;  // its DEL has given the address back; the kubelet does not know yet
  std::string eni;
  std::optional<IpAddress> last_ip;

  // Its address is that of its branch ENI.
  bool UsesBranchEni() const { return ip && branch_eni && *ip == branch_eni->ip; }

  TimePoint created;
  std::optional<TimePoint> scheduled;
  std::optional<TimePoint> first_add;
  std::optional<TimePoint> ip_assigned;
  std::optional<TimePoint> running;
  int add_attempts = 0;
  WaitReason wait_reason = WaitReason::kNone;

  // How long it runs before it ends by itself.
  std::optional<Duration> lifetime;
  // What the kubelet is doing with it now. Replacing it ends what was going on.
  Task<void> flow;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_POD_H_
