#include "tools/cnisim/figures.h"

#include <algorithm>
#include <limits>
#include <map>

namespace cnisim {
namespace {

constexpr int64_t kReservedAddresses = 5;  // of every subnet, by AWS

int64_t Whole(const std::optional<double>& value) {
  return value ? static_cast<int64_t>(*value) : 0;
}

LatencyFigures LatencyOf(const Summary& summary, Metric metric) {
  LatencyFigures figures;
  figures.count = Whole(summary.Value(metric, Statistic::kCount));
  figures.p50 = summary.Value(metric, Statistic::kP50);
  figures.p90 = summary.Value(metric, Statistic::kP90);
  figures.p99 = summary.Value(metric, Statistic::kP99);
  figures.max = summary.Value(metric, Statistic::kMax);
  return figures;
}

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json LatencyJson(const LatencyFigures& l) {
  return Json{{"count", l.count},
              {"p50Seconds", OrNull(l.p50)},
              {"p90Seconds", OrNull(l.p90)},
              {"p99Seconds", OrNull(l.p99)},
              {"maxSeconds", OrNull(l.max)}};
}

}  // namespace

bool RunFigures::expectation_failed() const {
  return std::ranges::any_of(expectations, &ExpectationResult::fails_run);
}

RunFigures FiguresOf(const Scenario& scenario, const Summary& summary) {
  RunFigures run;
  run.scenario = scenario.name;
  run.simulated = summary.end().time_since_epoch();
  run.measure_from = scenario.measure_from;

  const auto last = [&](Metric m) { return Whole(summary.Value(m, Statistic::kLast)); };
  const auto most = [&](Metric m) { return Whole(summary.Value(m, Statistic::kMax)); };
  run.pods_started = summary.pods_started();
  run.pods_without_ip = summary.pods_without_ip();
  run.pods_running = last(Metric::kPodsRunning);
  run.pods_pending = last(Metric::kPodsPending);
  run.ip_wait = LatencyOf(summary, Metric::kPodIpWaitSeconds);
  run.pod_start = LatencyOf(summary, Metric::kPodStartSeconds);
  for (const auto& [workload, counts] : summary.wait_reasons()) {
    for (size_t i = 0; i < counts.size(); ++i) run.wait_reasons[i] += counts[i];
  }
  run.nodes_ready = last(Metric::kNodesReady);
  run.nodes_most = most(Metric::kNodesReady);
  run.enis = last(Metric::kEnisAttached);
  run.enis_most = most(Metric::kEnisAttached);
  run.prefixes = last(Metric::kPrefixesAttached);
  run.held = last(Metric::kVpcAddressesHeld);
  run.held_most = most(Metric::kVpcAddressesHeld);
  run.pool = last(Metric::kPoolTotalIps);
  run.assigned = last(Metric::kPoolAssignedIps);

  for (const SubnetSpec& spec : scenario.vpc.subnets) {
    const auto entity = summary.FindEntity(EntityKind::kSubnet, spec.name);
    if (!entity) continue;
    const auto at = summary.MinimumAt(Metric::kSubnetFreeIps, *entity);
    if (!at) continue;
    SubnetFigures subnet;
    subnet.name = spec.name;
    subnet.cidr = spec.cidr;
    subnet.size = static_cast<int64_t>(spec.cidr.size()) - kReservedAddresses;
    subnet.free_at_end = Whole(summary.Value(Metric::kSubnetFreeIps, *entity, Statistic::kLast));
    subnet.lowest_free = Whole(summary.Value(Metric::kSubnetFreeIps, *entity, Statistic::kMin));
    subnet.lowest_at = at->time_since_epoch();
    run.subnets.push_back(subnet);
  }

  for (const auto& [action, totals] : summary.api_totals()) {
    run.actions.push_back({summary.entities().at(action).name, totals});
  }
  run.calling_nodes = summary.calling_nodes();
  run.throttled_nodes = summary.throttled_nodes();

  std::map<std::string, FindingFigures> findings;
  for (const KeptFinding& kept : summary.findings()) {
    FindingFigures& finding = findings[kept.code];
    if (finding.times++ == 0) {
      finding = {kept.code, kept.severity, 1, kept.text};
    }
    finding.severity = std::max(finding.severity, kept.severity);
  }
  for (auto& [code, finding] : findings) run.findings.push_back(std::move(finding));
  return run;
}

Json ToJson(const RunFigures& run) {
  Json reasons = Json::object();
  for (size_t i = 0; i < run.wait_reasons.size(); ++i) {
    if (run.wait_reasons[i] > 0) {
      reasons[std::string(NameOf(static_cast<WaitReason>(i)))] = run.wait_reasons[i];
    }
  }
  Json subnets = Json::array();
  for (const SubnetFigures& s : run.subnets) {
    subnets.push_back({{"name", s.name},
                       {"cidr", s.cidr.ToString()},
                       {"size", s.size},
                       {"freeAtEnd", s.free_at_end},
                       {"lowestFree", s.lowest_free},
                       {"lowestFreeAtSeconds", ToSeconds(s.lowest_at)}});
  }
  Json actions = Json::array();
  for (const ActionFigures& a : run.actions) {
    actions.push_back({{"action", a.name},
                       {"ok", a.totals.ok},
                       {"throttled", a.totals.throttled},
                       {"failed", a.totals.failed}});
  }
  Json expectations = Json::array();
  for (const ExpectationResult& e : run.expectations) {
    expectations.push_back({{"name", e.name},
                            {"assert", e.assertion},
                            {"severity", e.warn_only ? "warn" : "error"},
                            {"observed", OrNull(e.observed)},
                            {"passed", e.passed}});
  }
  Json findings = Json::array();
  for (const FindingFigures& f : run.findings) {
    findings.push_back({{"code", f.code},
                        {"severity", NameOf(f.severity)},
                        {"times", f.times},
                        {"text", f.first_text}});
  }
  return Json{{"scenario", run.scenario},
              {"seed", run.seed},
              {"repetition", run.repetition},
              {"status", NameOf(run.status)},
              {"simulatedSeconds", ToSeconds(run.simulated)},
              {"pods",
               {{"started", run.pods_started},
                {"withoutAddress", run.pods_without_ip},
                {"runningAtEnd", run.pods_running},
                {"pendingAtEnd", run.pods_pending},
                {"addressWait", LatencyJson(run.ip_wait)},
                {"start", LatencyJson(run.pod_start)},
                {"waitReasons", reasons}}},
              {"nodes", {{"readyAtEnd", run.nodes_ready}, {"most", run.nodes_most}}},
              {"enis", {{"atEnd", run.enis}, {"most", run.enis_most}}},
              {"addresses",
               {{"heldAtEnd", run.held},
                {"heldMost", run.held_most},
                {"prefixesAtEnd", run.prefixes},
                {"poolAtEnd", run.pool},
                {"assignedAtEnd", run.assigned}}},
              {"subnets", subnets},
              {"ec2",
               {{"actions", actions},
                {"callingNodes", run.calling_nodes},
                {"throttledNodes", run.throttled_nodes}}},
              {"expectations", expectations},
              {"findings", findings},
              {"events", run.events},
              {"wallSeconds", run.wall_seconds},
              {"peakRssBytes", run.peak_rss_bytes},
              {"fingerprint", run.fingerprint}};
}

std::vector<NamedFigure> NamedFigures(const RunFigures& run) {
  std::vector<NamedFigure> figures;
  const auto add = [&](std::string section, std::string name, std::string unit, double value) {
    figures.push_back({std::move(section), std::move(name), std::move(unit), value});
  };
  const auto count = [&](std::string section, std::string name, int64_t value) {
    add(std::move(section), std::move(name), "", static_cast<double>(value));
  };
  const auto latency = [&](const std::string& name, const LatencyFigures& l) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    add("pods", name + " p50", "seconds", l.p50.value_or(kNone));
    add("pods", name + " p90", "seconds", l.p90.value_or(kNone));
    add("pods", name + " p99", "seconds", l.p99.value_or(kNone));
    add("pods", name + " max", "seconds", l.max.value_or(kNone));
  };
  count("pods", "started", run.pods_started);
  count("pods", "never got an address", run.pods_without_ip);
  latency("address wait", run.ip_wait);
  latency("start", run.pod_start);
  count("nodes", "ready at the end", run.nodes_ready);
  count("nodes", "most ready", run.nodes_most);
  count("nodes", "most ENIs", run.enis_most);
  count("addresses", "most held", run.held_most);
  count("addresses", "pool at the end", run.pool);
  count("addresses", "assigned at the end", run.assigned);
  for (const SubnetFigures& s : run.subnets) {
    count("addresses", "lowest free in " + s.name, s.lowest_free);
  }
  int64_t calls = 0, throttled = 0, failed = 0;
  for (const ActionFigures& a : run.actions) {
    calls += a.totals.total();
    throttled += a.totals.throttled;
    failed += a.totals.failed;
  }
  count("EC2", "requests", calls);
  count("EC2", "throttled", throttled);
  count("EC2", "failed", failed);
  count("EC2", "throttled nodes", run.throttled_nodes);
  return figures;
}

}  // namespace cnisim
