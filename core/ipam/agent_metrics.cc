#include "core/ipam/agent_metrics.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace cnisim {
namespace {

using Type = MetricType;

std::string_view TextOf(bool value) { return value ? "true" : "false"; }

// Label values in the order of their text.
template <typename Label>
std::vector<Label> Sorted() {
  std::vector<Label> labels;
  for (size_t i = 0; i < TextsOf(Label{}).size(); ++i) labels.push_back(static_cast<Label>(i));
  std::ranges::sort(labels, {}, [](Label label) { return TextOf(label); });
  return labels;
}

class Page {
 public:
  void Begin(std::string_view name, Type type, std::string_view help) {
    text_.Begin("awscni_" + std::string(name), type, help);
  }

  void Single(std::string_view name, Type type, std::string_view help, double value) {
    Begin(name, type, help);
    text_.Sample({}, value);
  }

  // One counter a label value; those that never counted are left out.
  template <typename Label>
  void Counters(std::string_view name, std::string_view label_name, std::string_view help,
                const PerLabel<Label>& counters) {
    Begin(name, Type::kCounter, help);
    for (const Label label : Sorted<Label>()) {
      if (counters[label] == 0) continue;
      text_.Sample({{label_name, TextOf(label)}}, static_cast<double>(counters[label]));
    }
  }

  PrometheusText& text() { return text_; }

 private:
  PrometheusText text_;
};

// The pool's gauges, summed over the network cards; the number of ENIs, if so wanted, of one only.
struct PoolGauges {
  PoolGauges(std::span<const PoolSnapshot> pools, std::optional<int> only_enis_of) {
    for (const PoolSnapshot& pool : pools) {
      if (!only_enis_of || *only_enis_of == pool.card)
        enis += static_cast<double>(pool.enis.size());
      total_ips += static_cast<double>(pool.total_ips);
      assigned_ips += pool.assigned_ips;
      prefixes += pool.prefixes;
      forced_enis += pool.forced_removals_of_enis;
      forced_ips += pool.forced_removals_of_ips;
      for (const PoolSnapshot::Eni& eni : pool.enis) {
        per_eni[eni.attributes.id] += eni.assigned();
        for (const PoolSnapshot::Cidr& cidr : eni.cidrs) {
          per_cidr[cidr.cidr.ToString()] += cidr.assigned;
        }
      }
    }
  }

  double enis = 0;
  double total_ips = 0;
  double assigned_ips = 0;
  double prefixes = 0;
  double forced_enis = 0;
  double forced_ips = 0;
  std::map<std::string, int> per_eni;
  std::map<std::string, int> per_cidr;
};

void ApiLatency(Page& page, const AgentMetrics& metrics) {
  page.Begin("aws_api_latency_ms", Type::kSummary, "Milliseconds that calls of AWS APIs took");
  std::map<std::tuple<std::string_view, std::string_view, std::string>, SumAndCount> series;
  for (const auto& [outcome, latency] : metrics.api_latency_ms) {
    series.emplace(std::tuple(TextOf(outcome.api), TextOf(outcome.error),
                              outcome.http_status == 0 ? "" : std::to_string(outcome.http_status)),
                   latency);
  }
  for (const auto& [labels, latency] : series) {
    const auto& [api, error, status] = labels;
    page.text().Summary({{"api", api}, {"error", error}, {"status", status}}, latency);
  }
}

void AwsUtilsErrors(Page& page, const AgentMetrics& metrics) {
  page.Begin("aws_utils_error_count", Type::kCounter, "Errors that cleaning up ENIs met");
  std::map<std::pair<std::string_view, std::string_view>, uint64_t> series;  // error, fn
  for (const auto& [labels, count] : metrics.aws_utils_errors) {
    series.emplace(std::pair(std::string_view(labels.second), TextOf(labels.first)), count);
  }
  for (const auto& [labels, count] : series) {
    page.text().Sample({{"error", labels.first}, {"fn", labels.second}},
                       static_cast<double>(count));
  }
}

void Startup(Page& page, const AgentMetrics& metrics) {
  page.Begin("ipamd_node_initialization_duration_seconds", Type::kHistogram,
             "Seconds that initialising the node took");
  for (const auto& [success, histogram] : metrics.node_init_seconds) {
    page.text().Histogram({{"success", TextOf(success)}}, histogram);
  }
  page.Begin("ipamd_startup_duration_seconds", Type::kHistogram,
             "Seconds from the agent's start until it served");
  std::map<std::tuple<std::string_view, bool, bool>, const SecondsHistogram*> series;
  for (const auto& [outcome, histogram] : metrics.startup_seconds) {
    series.emplace(std::tuple(TextOf(outcome.failure), outcome.success, outcome.with_api_server),
                   &histogram);
  }
  for (const auto& [labels, histogram] : series) {
    const auto& [failure, success, with_api_server] = labels;
    page.text().Histogram({{"failure_reason", failure},
                           {"success", TextOf(success)},
                           {"with_api_server", TextOf(with_api_server)}},
                          *histogram);
  }
}

}  // namespace

void AgentMetrics::CountEc2Call(AwsApi api, Duration took, uint16_t http_status,
                                std::string_view error_code) {
  const bool failed = !error_code.empty();
  ++ec2_requests[api];
  ObserveLatency(api, took, http_status, failed);
  if (!failed) return;
  ++ec2_errors[api];
  ++api_errors[{std::string(TextOf(api)), std::string(error_code)}];
}

std::string MetricsPage(const AgentMetrics& metrics, const RequestCounts& requests,
                        std::span<const PoolSnapshot> pools, const BuildInfo& build,
                        bool enis_of_last_card) {
  std::optional<int> only_enis_of;
  if (enis_of_last_card) only_enis_of = metrics.card_written_last;
  const PoolGauges gauges(pools, only_enis_of);
  Page page;

  page.Single("add_ip_req_count", Type::kCounter, "AddNetwork requests",
              static_cast<double>(requests.adds));
  page.Single("assigned_ip_addresses", Type::kGauge, "Addresses that pods have",
              gauges.assigned_ips);
  page.Begin("assigned_ip_per_cidr", Type::kGauge, "Addresses that pods have, by CIDR");
  for (const auto& [cidr, pods] : gauges.per_cidr) page.text().Sample({{"cidr", cidr}}, pods);
  page.Begin("assigned_ip_per_eni", Type::kGauge, "Addresses that pods have, by ENI");
  for (const auto& [eni, pods] : gauges.per_eni) page.text().Sample({{"eni", eni}}, pods);
  page.Begin("aws_api_error_count", Type::kCounter, "Error codes that AWS APIs answered with");
  for (const auto& [labels, count] : metrics.api_errors) {
    page.text().Sample({{"api", labels.first}, {"error", labels.second}},
                       static_cast<double>(count));
  }
  ApiLatency(page, metrics);
  AwsUtilsErrors(page, metrics);
  page.Begin("build_info", Type::kGauge, "Constant 1; the labels tell the version");
  page.text().Sample({{"goversion", build.toolchain}, {"version", build.version}}, 1);
  page.Begin("connmark_backend", Type::kGauge, "1 for the backend that sets connection marks");
  for (const ConnmarkBackendLabel backend : Sorted<ConnmarkBackendLabel>()) {
    if (metrics.connmark_backend[backend]) page.text().Sample({{"backend", TextOf(backend)}}, 1);
  }
  page.Counters("connmark_reconcile_total", "result", "Times that connection marks were set up",
                metrics.connmark_reconciles);
  page.Begin("del_ip_req_count", Type::kCounter, "DelNetwork requests");
  for (const auto& [reason, count] : requests.dels_by_reason) {
    page.text().Sample({{"reason", reason}}, static_cast<double>(count));
  }
  page.Counters("ec2api_error_count", "fn", "EC2 calls that failed", metrics.ec2_errors);
  page.Counters("ec2api_req_count", "fn", "EC2 calls, the SDK's own retries aside",
                metrics.ec2_requests);
  page.Single("eni_allocated", Type::kGauge, "ENIs in the pool", gauges.enis);
  page.Single("eni_max", Type::kGauge, "ENIs that the node may have", metrics.eni_max);
  page.Single("force_removed_enis", Type::kCounter, "ENIs removed although pods used them",
              gauges.forced_enis);
  page.Single("force_removed_ips", Type::kCounter, "Addresses removed although pods used them",
              gauges.forced_ips);
  page.Single("ip_max", Type::kGauge, "Addresses that the node may have", metrics.ip_max);
  page.Begin("ipamd_action_inprogress", Type::kGauge, "Procedures that are running");
  for (const IpamdAction action : Sorted<IpamdAction>()) {
    page.text().Sample({{"fn", TextOf(action)}}, metrics.actions_in_progress[action]);
  }
  page.Counters("ipamd_error_count", "fn", "Failures that the agent handled", metrics.ipamd_errors);
  Startup(page, metrics);
  page.Single("no_available_ip_addresses", Type::kCounter, "Requests that found no free address",
              static_cast<double>(metrics.no_available_addresses));
  page.Counters("pod_eni_error_count", "fn", "Failures around ENIs of single pods",
                metrics.pod_eni_errors);
  page.Counters("reconcile_count", "fn", "What reconciling with instance metadata did",
                metrics.reconciles);
  page.Single("total_ip_addresses", Type::kGauge, "Addresses in the pool", gauges.total_ips);
  page.Single("total_ipv4_prefixes", Type::kGauge, "Prefixes in the pool", gauges.prefixes);
  return page.text().Take();
}

}  // namespace cnisim
