// The catalogue of everything a run measures. Names follow Prometheus habits, the unit last.
//
// kGauge: a level that holds until it changes; statistics are weighted by time.
// kCounter: grows; `sum` and `last` are its total.
// kDistribution: one value per occurrence, in nanoseconds where the unit is seconds.
// A metric has one label at most: the kind of the entity it belongs to.
#ifndef CNISIM_SIM_OBSERVE_METRICS_H_
#define CNISIM_SIM_OBSERVE_METRICS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace cnisim {

enum class MetricKind : uint8_t { kGauge, kCounter, kDistribution };

// What a label names; kCluster is the run as a whole and has no label.
enum class EntityKind : uint8_t {
  kCluster,
  kSubnet,
  kNodeGroup,
  kNode,
  kWorkload,
  kAction,
  kTraffic
};

enum class Metric : uint8_t {
  // Addresses
  kSubnetFreeIps,
  kVpcAddressesHeld,
  kEnisAttached,
  kEnisAvailable,
  kPrefixesAttached,
  kPoolEnis,
  kPoolPrefixes,
  kPoolTotalIps,
  kPoolAssignedIps,
  // Pods and nodes
  kPodsRunning,
  kPodsPending,
  kNodesReady,
  kPodIpWaitSeconds,
  kPodStartSeconds,
  kPodAddSeconds,
  kNodeReadySeconds,
  kPodsUnschedulable,
  kSandboxFailuresTotal,
  // EC2 and instance metadata
  kEc2ApiCallsTotal,
  kEc2ApiThrottledTotal,
  kEc2ApiFailedTotal,
  kEc2ApiAttemptSeconds,
  kImdsRequestsTotal,
  // Security groups for pods. Numbers go into fingerprints: new metrics come last.
  kBranchEnis,
  // Traffic
  kRequestLatencySeconds,
  kRequestsPerSecond,
  kLostPairs,
};
inline constexpr size_t kMetricCount = static_cast<size_t>(Metric::kLostPairs) + 1;

struct MetricInfo {
  Metric id;
  std::string_view name;
  MetricKind kind;
  EntityKind label;
  std::string_view unit;
  std::string_view help;
};

// Every metric, in the order of the enum.
std::span<const MetricInfo> AllMetrics();
const MetricInfo& InfoOf(Metric metric);
std::optional<Metric> FindMetric(std::string_view name);

// "cluster", "subnet", "node_group", "node", "workload", "action": the label key in expectations
// and the `kind` column of the entity table.
std::string_view NameOf(EntityKind kind);

// "gauge", "counter", "distribution".
std::string_view NameOf(MetricKind kind);

}  // namespace cnisim

#endif  // CNISIM_SIM_OBSERVE_METRICS_H_
