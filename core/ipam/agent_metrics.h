// What an agent counts and measures, and its page for Prometheus.
//
// Names, types, labels and their values are those of amazon-vpc-cni-k8s v1.23.1 (utils/
// prometheusmetrics), so that dashboards made for the real agent work. The Go runtime's own metrics
// are absent, and those of connection marks never count: that is the business of the host's driver.
// A reconcile that a pacer leaves out (pool_loop_pacer.h) counts nothing.
//
// Plain data, one object an agent, gone with it. Counting is an array access, or for series with
// open sets of labels a binary search among the few that exist. There are thousands of agents in a
// process: one that counted nothing yet holds no memory but itself, below 1 KiB.
#ifndef CNISIM_CORE_IPAM_AGENT_METRICS_H_
#define CNISIM_CORE_IPAM_AGENT_METRICS_H_

#include <array>
#include <boost/container/flat_map.hpp>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/ipam/pool_snapshot.h"
#include "core/ports/clock.h"
#include "core/telemetry/prometheus_text.h"
#include "core/telemetry/request_counts.h"

namespace cnisim {

// --- Label values ---
// Each list X(enumerator, "value as the real agent writes it") becomes an enum and its texts.

#define CNISIM_IPAMD_ERRORS(X)                                       \
  X(kIncreaseAllocEni, "increaseIPPoolAllocENI")                     \
  X(kIncreaseAllocAddresses, "increaseIPPoolAllocIPAddressesFailed") \
  X(kIncreaseGetAddresses, "increaseIPPoolGetENIaddressesFailed")    \
  X(kIncreaseGetPrefixes, "increaseIPPoolGetENIprefixedFailed")      \
  X(kIncreaseWaitAttached, "increaseIPPoolwaitENIAttachedFailed")    \
  X(kIncreaseSetupEni, "increaseIPPoolsetupENIFailed")               \
  X(kWaitAttachedMaxRetry, "waitENIAttachedMaxRetryExceeded")        \
  X(kDecrease, "decreaseIPPool")                                     \
  X(kDecreaseFreeEni, "decreaseIPPoolFreeENIFailed")                 \
  X(kFreeEniDeleteRules, "freeENIDeleteRulesFailed")                 \
  X(kAddSecondaryIps, "addENIsecondaryIPsToDataStoreFailed")         \
  X(kAddIpv4Prefixes, "addENIv4prefixesToDataStoreFailed")           \
  X(kAddIpv6Prefixes, "addENIv6prefixesToDataStoreFailed")           \
  X(kReconcileGetEnis, "reconcileFailedGetENIs")                     \
  X(kReconcileAddEni, "eniReconcileAdd")                             \
  X(kReconcileDeleteEni, "eniReconcileDel")                          \
  X(kReconcileAddIp, "ipReconcileAdd")                               \
  X(kReconcileDeleteIp, "ipReconcileDel")                            \
  X(kReconcileAddPrefix, "prefixReconcileAdd")

#define CNISIM_IPAMD_ACTIONS(X)             \
  X(kNodeInit, "nodeInit")                  \
  X(kIncreasePool, "increaseDatastorePool") \
  X(kDecreasePool, "decreaseDatastorePool") \
  X(kReconcile, "nodeIPPoolReconcile")

#define CNISIM_RECONCILE_ACTIONS(X)       \
  X(kAddEni, "eniReconcileAdd")           \
  X(kDeleteEni, "eniReconcileDel")        \
  X(kDeleteCidr, "eniIPPoolReconcileDel") \
  X(kAddCidr, "eniDataStorePoolReconcileAdd")

#define CNISIM_POD_ENI_ERRORS(X) \
  X(kNodeInit, "nodeInit")       \
  X(kEnableSecurityGroups, "tryEnableSecurityGroupsForPods")

#define CNISIM_AWS_UTILS_ERRORS(X)                         \
  X(kAllocEniDelete, "AllocENIDeleteErr")                  \
  X(kCleanupAfterModify, "ENICleanupUponModifyNetworkErr") \
  X(kGetAttachmentId, "getENIAttachmentIDFailed")          \
  X(kFreeEniDelete, "FreeENIDeleteErr")                    \
  X(kCleanUpLeakedDelete, "cleanUpLeakedENIDeleteErr")

#define CNISIM_AWS_APIS(X)                                               \
  X(kAssignIpv6Addresses, "AssignIpv6Addresses")                         \
  X(kAssignPrivateIpAddresses, "AssignPrivateIpAddresses")               \
  X(kAttachNetworkInterface, "AttachNetworkInterface")                   \
  X(kCreateNetworkInterface, "CreateNetworkInterface")                   \
  X(kCreateTags, "CreateTags")                                           \
  X(kDeleteNetworkInterface, "DeleteNetworkInterface")                   \
  X(kDescribeInstanceTypes, "DescribeInstanceTypes")                     \
  X(kDescribeInstances, "DescribeInstances")                             \
  X(kDescribeNetworkInterfaces, "DescribeNetworkInterfaces")             \
  X(kDescribeSubnets, "DescribeSubnets")                                 \
  X(kDetachNetworkInterface, "DetachNetworkInterface")                   \
  X(kModifyNetworkInterfaceAttribute, "ModifyNetworkInterfaceAttribute") \
  X(kUnassignIpv6Addresses, "UnassignIpv6Addresses")                     \
  X(kUnassignPrivateIpAddresses, "UnassignPrivateIpAddresses")           \
  X(kWaitForEniAndIps, "waitForENIAndIPsAttached")

#define CNISIM_STARTUP_FAILURES(X)         \
  X(kNone, "")                             \
  X(kApiServer, "api_server_connectivity") \
  X(kNodeInit, "node_initialization")

#define CNISIM_CONNMARK_BACKENDS(X) \
  X(kIptables, "iptables")          \
  X(kNftables, "nftables")

#define CNISIM_CONNMARK_RESULTS(X) \
  X(kSuccess, "success")           \
  X(kError, "error")

#define CNISIM_ENUMERATOR(enumerator, text) enumerator,
#define CNISIM_TEXT(enumerator, text) std::string_view(text),
#define CNISIM_LABEL(Label, LIST)                         \
  enum class Label : uint8_t { LIST(CNISIM_ENUMERATOR) }; \
  constexpr auto TextsOf(Label) { return std::to_array({LIST(CNISIM_TEXT)}); }

CNISIM_LABEL(IpamdError, CNISIM_IPAMD_ERRORS)
CNISIM_LABEL(IpamdAction, CNISIM_IPAMD_ACTIONS)
CNISIM_LABEL(ReconcileAction, CNISIM_RECONCILE_ACTIONS)
CNISIM_LABEL(PodEniError, CNISIM_POD_ENI_ERRORS)
CNISIM_LABEL(AwsUtilsError, CNISIM_AWS_UTILS_ERRORS)
CNISIM_LABEL(AwsApi, CNISIM_AWS_APIS)  // EC2's, and the agent's wait for an ENI
CNISIM_LABEL(StartupFailure, CNISIM_STARTUP_FAILURES)
CNISIM_LABEL(ConnmarkBackendLabel, CNISIM_CONNMARK_BACKENDS)
CNISIM_LABEL(ConnmarkResult, CNISIM_CONNMARK_RESULTS)

#undef CNISIM_LABEL
#undef CNISIM_TEXT
#undef CNISIM_ENUMERATOR

template <typename Label>
constexpr std::string_view TextOf(Label label) {
  return TextsOf(label)[static_cast<size_t>(label)];
}

// A number for each value of a label.
template <typename Label, typename Number = uint64_t>
class PerLabel {
 public:
  static constexpr size_t kSize = TextsOf(Label{}).size();

  Number& operator[](Label label) { return numbers_[static_cast<size_t>(label)]; }
  Number operator[](Label label) const { return numbers_[static_cast<size_t>(label)]; }

 private:
  std::array<Number, kSize> numbers_{};
};

struct AgentMetrics {
  template <typename Labels, typename Number>
  using Series = boost::container::flat_map<Labels, Number>;

  PerLabel<IpamdError> ipamd_errors;
  PerLabel<IpamdAction, int32_t> actions_in_progress;
  int32_t eni_max = 0;  // what the node may have (UM-2)
  int32_t ip_max = 0;
  PerLabel<ReconcileAction> reconciles;
  int card_written_last = 0;  // whose ENIs came or went last

  uint64_t no_available_addresses = 0;

  PerLabel<PodEniError> pod_eni_errors;
  PerLabel<ConnmarkResult> connmark_reconciles;
  PerLabel<ConnmarkBackendLabel, bool> connmark_backend;  // at most one

  PerLabel<AwsApi> ec2_requests;
  PerLabel<AwsApi> ec2_errors;
  struct ApiOutcome {
    AwsApi api;
    bool error = false;
    uint16_t http_status = 200;  // 0 if there was no answer

    friend auto operator<=>(const ApiOutcome&, const ApiOutcome&) = default;
  };
  Series<ApiOutcome, SumAndCount> api_latency_ms;
  // By API or metadata key that failed, and error code.
  Series<std::pair<std::string, std::string>, uint64_t> api_errors;
  Series<std::pair<AwsUtilsError, std::string>, uint64_t> aws_utils_errors;

  struct StartupOutcome {
    bool success = false;
    bool with_api_server = false;
    StartupFailure failure = StartupFailure::kNone;

    friend auto operator<=>(const StartupOutcome&, const StartupOutcome&) = default;
  };
  Series<StartupOutcome, SecondsHistogram> startup_seconds;
  Series<bool, SecondsHistogram> node_init_seconds;  // by success

  // A call, or the wait for an ENI, that came back after `took`.
  void ObserveLatency(AwsApi api, Duration took, uint16_t http_status, bool failed) {
    api_latency_ms[{api, failed, http_status}].Observe(ToSeconds(took) * 1000);
  }
  // One logical EC2 call that came back after `took`; `error_code` is empty if it succeeded.
  void CountEc2Call(AwsApi api, Duration took, uint16_t http_status, std::string_view error_code);
  void CountAwsUtilsError(AwsUtilsError error, std::string code) {
    ++aws_utils_errors[{error, std::move(code)}];
  }
};
static_assert(sizeof(AgentMetrics) < 1024);

// While it lives, an action is in progress.
class ActionInProgress {
 public:
  ActionInProgress(AgentMetrics& metrics, IpamdAction action)
      : running_(metrics.actions_in_progress[action]) {
    ++running_;
  }
  ~ActionInProgress() { --running_; }
  ActionInProgress(const ActionInProgress&) = delete;
  ActionInProgress& operator=(const ActionInProgress&) = delete;

 private:
  int32_t& running_;
};

struct BuildInfo {
  std::string_view version;
  // Of the Go toolchain in the real agent; here of the compiler.
  std::string_view toolchain;
};

// The page: families by name, series by label value. As with the real agent, a counter's series
// appears with its first event; a family without series has its head alone. The pool's gauges are
// taken from `pools` and summed, but for eni_allocated if only the card written last shall show.
std::string MetricsPage(const AgentMetrics& metrics, const RequestCounts& requests,
                        std::span<const PoolSnapshot> pools, const BuildInfo& build,
                        bool enis_of_last_card);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_AGENT_METRICS_H_
