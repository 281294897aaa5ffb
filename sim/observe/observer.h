// What the world tells about itself: typed records, pushed in the order in which things happen.
//
// The world calls one Observer; stores, summaries and fingerprints implement it. Same scenario,
// seed and version give the same sequence of calls with the same arguments, on any build. Nothing
// of the warm-up before time zero is told; what existed at time zero is told with that time.
#ifndef CNISIM_SIM_OBSERVE_OBSERVER_H_
#define CNISIM_SIM_OBSERVE_OBSERVER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/ip.h"
#include "core/ports/clock.h"
#include "sim/observe/metrics.h"

namespace cnisim {

// Dense, in order of creation; entity 0 is the cluster. Nodes, subnets, node groups, workloads,
// traffic and EC2 actions share one numbering; pods have a numbering of their own.
using EntityId = uint32_t;
using PodId = uint32_t;
inline constexpr EntityId kClusterEntity = 0;
inline constexpr EntityId kNoEntity = ~EntityId{0};

struct EntityRecord {
  EntityId id = kClusterEntity;
  EntityKind kind = EntityKind::kCluster;
  std::string_view name;
  EntityId parent = kNoEntity;  // a node's node group
};

// One per node, when it is gone or the run ends.
struct NodeRecord {
  EntityId node = kNoEntity;
  std::string_view instance_type;
  std::string_view zone;
  EntityId subnet = kNoEntity;
  int max_pods = 0;
  TimePoint joined;
  std::optional<TimePoint> ready;
  std::optional<TimePoint> removed;
};

// Why a pod's address came late: the reason of its last failed CNI ADD.
enum class WaitReason : uint8_t {
  kNone,
  kCooling,
  kPoolEmpty,
  kThrottled,
  kSubnetExhausted,
  kFragmented,
  kEniLimit,
  kImdsLag,
  kAgentDown,
  kIpamError,
  kBranchEni,
};
std::string_view NameOf(WaitReason reason);

// One per pod, when it is gone or the run ends. Pods that existed at time zero have all their times
// there and no first_add.
struct PodRecord {
  PodId pod = 0;
  std::string_view ns;
  std::string_view name;
  EntityId workload = kNoEntity;
  EntityId node = kNoEntity;
  bool host_network = false;
  std::string_view eni;         // empty for plugins without ENIs
  std::optional<IpAddress> ip;  // the last one it held
  TimePoint created;
  std::optional<TimePoint> scheduled;
  std::optional<TimePoint> first_add;
  std::optional<TimePoint> ip_assigned;
  std::optional<TimePoint> running;
  std::optional<TimePoint> deleted;
  int add_attempts = 0;
  WaitReason wait_reason = WaitReason::kNone;
};

// A pod's possession of an address, told when it ends; `to` is empty if the run ended first.
struct AddressTenure {
  IpAddress ip;
  PodId pod = 0;
  EntityId node = kNoEntity;
  TimePoint from;
  std::optional<TimePoint> to;
};

// A node's pool after a change.
struct PoolChange {
  EntityId node = kNoEntity;
  TimePoint time;
  int enis = 0;
  int64_t total_ips = 0;
  int64_t assigned_ips = 0;
  int64_t cooling_ips = 0;
  int prefixes = 0;
};

enum class ApiOutcome : uint8_t { kOk, kThrottled, kFailed };

// One HTTP request to EC2, told when its answer arrives.
struct ApiAttempt {
  EntityId action = kNoEntity;
  EntityId node = kNoEntity;
  TimePoint sent;
  Duration latency{};
  ApiOutcome outcome = ApiOutcome::kOk;
};

// What an entry of the scenario's traffic experiences at one moment. Requests of bulk streams are
// packets of up to 64 KiB. Latencies are those of a round trip, the server's work included.
struct TrafficRecord {
  EntityId traffic = kNoEntity;
  TimePoint time;
  std::string_view network;       // "aws-vpc-cni", "calico:VXLAN"
  bool by_events = false;         // simulated request by request; else by queueing theory
  bool saturated = false;         // a station on its way cannot keep up: latencies grow on and on
  int64_t pairs = 0;              // of pods, lost ones included
  int64_t lost_pairs = 0;         // that cannot reach one another
  int64_t too_large_pairs = 0;    // whose full-sized packets are lost on the way
  std::string_view lost_because;  // of the first lost pair
  double requests_per_second = 0;
  double gigabits_per_second = 0;  // of payload
  Duration mean{};
  Duration p50{};
  Duration p90{};
  Duration p99{};
  Duration p999{};
  double saturation_per_second = 0;  // the rate that its busiest station could do; 0: unknown
  std::string_view bottleneck;       // that station
  double bottleneck_utilisation = 0;
  // Of a request with its answer: CPU time on networking, bytes and packets on the wire.
  double client_cpu_ns = 0;
  double server_cpu_ns = 0;
  double payload_bytes = 0;
  double wire_bytes = 0;
  double wire_packets = 0;
};

// What that traffic costs a node, and what its kernel holds.
struct NodeTrafficRecord {
  EntityId node = kNoEntity;
  TimePoint time;
  double cpu_seconds_per_second = 0;       // on networking
  double wire_cpu_seconds_per_second = 0;  // of that, for what leaves or enters the node
  double busiest_cpu = 0;                  // utilisation, the pods' own work for requests included
  double packets_per_second = 0;           // in and out
  double conntrack_entries = 0;
  int64_t ip_rules = 0;
  int64_t routes = 0;
  int64_t iptables_rules = 0;
};

enum class Severity : uint8_t { kInfo, kWarning, kError };
std::string_view NameOf(Severity severity);

struct Finding {
  std::string_view code;  // stable, e.g. "env-value-ignored"
  Severity severity = Severity::kWarning;
  TimePoint time;
  std::string_view text;
};

class Observer {
 public:
  virtual ~Observer() = default;

  virtual void OnEntity(const EntityRecord&) {}
  virtual void OnNode(const NodeRecord&) {}
  virtual void OnPod(const PodRecord&) {}
  virtual void OnTenure(const AddressTenure&) {}
  virtual void OnPoolChange(const PoolChange&) {}
  virtual void OnApiAttempt(const ApiAttempt&) {}
  virtual void OnFinding(const Finding&) {}
  virtual void OnTraffic(const TrafficRecord&) {}
  virtual void OnNodeTraffic(const NodeTrafficRecord&) {}
  // A gauge has a new level. Told once for every gauge and entity at time zero or when the entity
  // appears, then on every change.
  virtual void OnGauge(Metric, EntityId, TimePoint, int64_t /*level*/) {}
  virtual void OnCount(Metric, EntityId, TimePoint, int64_t /*increment*/) {}
  // One value of a distribution. `end_of_run`: the thing measured had not happened yet when the run
  // ended or its pod went, so `value` is a lower bound (right-censored).
  virtual void OnSample(Metric, EntityId, TimePoint, Duration /*value*/, bool /*end_of_run*/) {}
  // Nothing is told after this.
  virtual void OnEnd(TimePoint) {}
};

}  // namespace cnisim

#endif  // CNISIM_SIM_OBSERVE_OBSERVER_H_
