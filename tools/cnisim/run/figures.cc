#include "tools/cnisim/run/figures.h"

#include <algorithm>
#include <cmath>
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

double SecondsOf(Duration duration) {
  return duration == Duration::max() ? std::numeric_limits<double>::infinity()
                                     : ToSeconds(duration);
}

TrafficFigures FiguresOf(const KeptTraffic& kept, std::string name) {
  const TrafficRecord& r = kept.record;
  TrafficFigures figures;
  figures.name = std::move(name);
  figures.pairs = r.pairs;
  figures.lost_pairs = r.lost_pairs;
  figures.lost_because = kept.lost_because;
  figures.by_events = r.by_events;
  figures.saturated = r.saturated;
  figures.requests_per_second = r.requests_per_second;
  figures.gigabits_per_second = r.gigabits_per_second;
  if (r.p50 > Duration::zero()) {
    figures.mean = SecondsOf(r.mean);
    figures.p50 = SecondsOf(r.p50);
    figures.p90 = SecondsOf(r.p90);
    figures.p99 = SecondsOf(r.p99);
    figures.p999 = SecondsOf(r.p999);
  }
  figures.saturation_per_second = r.saturation_per_second;
  figures.bottleneck = kept.bottleneck;
  figures.bottleneck_utilisation = r.bottleneck_utilisation;
  figures.cpu_seconds = (r.client_cpu_ns + r.server_cpu_ns) / 1e9;
  if (r.payload_bytes > 0) figures.wire_bytes_per_byte = r.wire_bytes / r.payload_bytes;
  figures.wire_packets = r.wire_packets;
  return figures;
}

NodeNetworkFigures FiguresOf(const std::vector<NodeTrafficRecord>& records) {
  NodeNetworkFigures figures;
  figures.nodes = static_cast<int64_t>(records.size());
  if (records.empty()) return figures;
  double cpu = 0;
  double wire_cpu = 0;
  double packets = 0;
  for (const NodeTrafficRecord& r : records) {
    cpu += r.cpu_seconds_per_second;
    wire_cpu += r.wire_cpu_seconds_per_second;
    packets += r.packets_per_second;
    figures.busiest_cpu = std::max(figures.busiest_cpu, r.busiest_cpu);
    figures.most_conntrack_entries = std::max(figures.most_conntrack_entries, r.conntrack_entries);
    figures.most_ip_rules = std::max(figures.most_ip_rules, r.ip_rules);
    figures.most_routes = std::max(figures.most_routes, r.routes);
    figures.most_iptables_rules = std::max(figures.most_iptables_rules, r.iptables_rules);
  }
  figures.mean_cpu = cpu / static_cast<double>(records.size());
  // Each packet leaves one node and comes to another.
  if (packets > 0) figures.cpu_per_million_packets = wire_cpu / (packets / 2) * 1e6;
  return figures;
}

// JSON has neither infinity nor what is no number.
Json LatencyOrNull(double seconds) { return std::isfinite(seconds) ? Json(seconds) : Json(); }

Json ToJson(const TrafficFigures& t) {
  return Json{{"name", t.name},
              {"pairs", t.pairs},
              {"lostPairs", t.lost_pairs},
              {"lostBecause", t.lost_because.empty() ? Json() : Json(t.lost_because)},
              {"saturated", t.saturated},
              {"evaluatedBy", t.by_events ? "events" : "analysis"},
              {"requestsPerSecond", t.requests_per_second},
              {"gigabitsPerSecond", t.gigabits_per_second},
              {"meanSeconds", LatencyOrNull(t.mean)},
              {"p50Seconds", LatencyOrNull(t.p50)},
              {"p90Seconds", LatencyOrNull(t.p90)},
              {"p99Seconds", LatencyOrNull(t.p99)},
              {"p999Seconds", LatencyOrNull(t.p999)},
              {"saturationPerSecond", t.saturation_per_second},
              {"bottleneck", t.bottleneck},
              {"bottleneckUtilisation", t.bottleneck_utilisation},
              {"cpuSecondsPerRequest", t.cpu_seconds},
              {"wireBytesPerByte", t.wire_bytes_per_byte},
              {"wirePacketsPerRequest", t.wire_packets}};
}

Json ToJson(const NodeNetworkFigures& n) {
  return Json{{"nodes", n.nodes},
              {"meanCpuSecondsPerSecond", n.mean_cpu},
              {"cpuSecondsPerMillionPackets", n.cpu_per_million_packets},
              {"busiestCpu", n.busiest_cpu},
              {"mostConntrackEntries", n.most_conntrack_entries},
              {"mostIpRules", n.most_ip_rules},
              {"mostRoutes", n.most_routes},
              {"mostIptablesRules", n.most_iptables_rules}};
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

  for (const KeptTraffic& kept : summary.traffic()) {
    run.traffic.push_back(FiguresOf(kept, summary.entities().at(kept.record.traffic).name));
  }
  run.node_network = FiguresOf(summary.node_traffic());

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
  Json traffic = Json::array();
  for (const TrafficFigures& t : run.traffic) traffic.push_back(ToJson(t));
  return Json{{"scenario", run.scenario},
              {"network", run.network.empty() ? Json() : Json(run.network)},
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
              {"traffic", traffic},
              {"nodeNetwork", ToJson(run.node_network)},
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
    add("pods", name + " p50", "seconds", l.p50.value_or(kNoFigure));
    add("pods", name + " p90", "seconds", l.p90.value_or(kNoFigure));
    add("pods", name + " p99", "seconds", l.p99.value_or(kNoFigure));
    add("pods", name + " max", "seconds", l.max.value_or(kNoFigure));
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
  for (const TrafficFigures& t : run.traffic) {
    const std::string section = "traffic " + t.name;
    add(section, "requests a second", "", t.requests_per_second);
    add(section, "Gbit/s of payload", "", t.gigabits_per_second);
    add(section, "latency mean", "seconds", t.mean);
    add(section, "latency p50", "seconds", t.p50);
    add(section, "latency p90", "seconds", t.p90);
    add(section, "latency p99", "seconds", t.p99);
    add(section, "latency p99.9", "seconds", t.p999);
    add(section, "could do a second", "", t.saturation_per_second);
    count(section, "overloaded", t.saturated ? 1 : 0);
    add(section, "CPU of a request", "seconds", t.cpu_seconds);
    add(section, "wire bytes a byte", "", t.wire_bytes_per_byte);
    count(section, "lost pairs", t.lost_pairs);
  }
  if (!run.traffic.empty()) {
    const NodeNetworkFigures& n = run.node_network;
    add("networking of a node", "CPUs busy, mean", "", n.mean_cpu);
    add("networking of a node", "CPU of a million packets", "seconds", n.cpu_per_million_packets);
    add("networking of a node", "busiest CPU's utilisation", "", n.busiest_cpu);
    add("networking of a node", "most conntrack entries", "", n.most_conntrack_entries);
    count("networking of a node", "most ip rules", n.most_ip_rules);
    count("networking of a node", "most routes", n.most_routes);
    count("networking of a node", "most iptables rules", n.most_iptables_rules);
  }
  return figures;
}

}  // namespace cnisim
