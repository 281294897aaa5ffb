#include "sim/observe/metrics.h"

#include <array>

namespace cnisim {
namespace {

using enum MetricKind;
using enum EntityKind;

constexpr std::array<MetricInfo, kMetricCount> kMetrics{{
    {Metric::kSubnetFreeIps, "subnet_free_ips", kGauge, kSubnet, "addresses",
     "Addresses that EC2 can still hand out in the subnet (AvailableIpAddressCount)"},
    {Metric::kVpcAddressesHeld, "vpc_addresses_held", kGauge, kCluster, "addresses",
     "ENI primary and secondary addresses plus 16 per prefix, over all nodes"},
    {Metric::kEnisAttached, "enis_attached", kGauge, kCluster, "ENIs",
     "ENIs attached to instances, primary ones included"},
    {Metric::kEnisAvailable, "enis_available", kGauge, kCluster, "ENIs",
     "ENIs attached to nothing: being made or freed, or left behind"},
    {Metric::kPrefixesAttached, "prefixes_attached", kGauge, kCluster, "prefixes",
     "/28 prefixes on attached ENIs"},
    {Metric::kPoolEnis, "pool_enis", kGauge, kNodeGroup, "ENIs",
     "ENIs in the pools of the group's nodes"},
    {Metric::kPoolPrefixes, "pool_prefixes", kGauge, kNodeGroup, "prefixes",
     "/28 prefixes in the pools of the group's nodes"},
    {Metric::kPoolTotalIps, "pool_total_ips", kGauge, kNodeGroup, "addresses",
     "Addresses in the pools of the group's nodes, ENI primaries left out"},
    {Metric::kPoolAssignedIps, "pool_assigned_ips", kGauge, kNodeGroup, "addresses",
     "Addresses of the pools that pods hold"},
    {Metric::kPodsRunning, "pods_running", kGauge, kCluster, "pods", "Pods whose containers run"},
    {Metric::kPodsPending, "pods_pending", kGauge, kCluster, "pods",
     "Pods created but not running yet"},
    {Metric::kNodesReady, "nodes_ready", kGauge, kCluster, "nodes", "Nodes that are Ready"},
    {Metric::kPodIpWaitSeconds, "pod_ip_wait_seconds", kDistribution, kWorkload, "seconds",
     "From a pod's first CNI ADD until it has an address"},
    {Metric::kPodStartSeconds, "pod_start_seconds", kDistribution, kWorkload, "seconds",
     "From a pod's creation until it runs"},
    {Metric::kPodAddSeconds, "pod_add_seconds", kDistribution, kWorkload, "seconds",
     "Duration of one successful CNI ADD"},
    {Metric::kNodeReadySeconds, "node_ready_seconds", kDistribution, kNodeGroup, "seconds",
     "From a node's launch until it is Ready"},
    {Metric::kPodsUnschedulable, "pods_unschedulable", kGauge, kCluster, "pods",
     "Pods that fit on no node"},
    {Metric::kSandboxFailuresTotal, "sandbox_failures_total", kCounter, kWorkload, "failures",
     "CNI ADDs that failed"},
    {Metric::kEc2ApiCallsTotal, "ec2_api_calls_total", kCounter, kAction, "calls",
     "EC2 API requests over HTTP, retries included"},
    {Metric::kEc2ApiThrottledTotal, "ec2_api_throttled_total", kCounter, kAction, "calls",
     "EC2 API requests answered RequestLimitExceeded"},
    {Metric::kEc2ApiFailedTotal, "ec2_api_failed_total", kCounter, kAction, "calls",
     "EC2 API requests answered with any other error"},
    {Metric::kEc2ApiAttemptSeconds, "ec2_api_attempt_seconds", kDistribution, kAction, "seconds",
     "Duration of one EC2 API request over HTTP"},
    {Metric::kImdsRequestsTotal, "imds_requests_total", kCounter, kCluster, "requests",
     "Requests to instance metadata"},
    {Metric::kBranchEnis, "branch_enis", kGauge, kNodeGroup, "ENIs",
     "Branch ENIs of single pods on the group's nodes, those included that cool after their pod"},
    {Metric::kRequestLatencySeconds, "request_latency_seconds", kDistribution, kTraffic, "seconds",
     "From a request's sending until its answer is read; each evaluation of an entry tells 10,000 "
     "equally likely ones"},
    {Metric::kRequestsPerSecond, "requests_per_second", kGauge, kTraffic, "requests/s",
     "Requests that are answered, as the last evaluation found"},
    {Metric::kLostPairs, "lost_pairs", kGauge, kTraffic, "pairs",
     "Pairs of pods that should exchange the traffic and cannot reach one another"},
}};

constexpr bool InEnumOrder() {
  for (size_t i = 0; i < kMetrics.size(); ++i) {
    if (static_cast<size_t>(kMetrics[i].id) != i) return false;
  }
  return true;
}
static_assert(InEnumOrder());

}  // namespace

std::span<const MetricInfo> AllMetrics() { return kMetrics; }

const MetricInfo& InfoOf(Metric metric) { return kMetrics[static_cast<size_t>(metric)]; }

std::optional<Metric> FindMetric(std::string_view name) {
  for (const MetricInfo& info : kMetrics) {
    if (info.name == name) return info.id;
  }
  return std::nullopt;
}

std::string_view NameOf(EntityKind kind) {
  switch (kind) {
    case kCluster:
      return "cluster";
    case kSubnet:
      return "subnet";
    case kNodeGroup:
      return "node_group";
    case kNode:
      return "node";
    case kWorkload:
      return "workload";
    case kAction:
      return "action";
    case kTraffic:
      return "traffic";
  }
  return "";
}

std::string_view NameOf(MetricKind kind) {
  switch (kind) {
    case kGauge:
      return "gauge";
    case kCounter:
      return "counter";
    case kDistribution:
      return "distribution";
  }
  return "";
}

}  // namespace cnisim
