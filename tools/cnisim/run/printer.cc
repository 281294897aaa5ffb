#include "tools/cnisim/run/printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "results/statistics.h"
#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

constexpr size_t kColumns = 100;
constexpr size_t kMaxFindings = 10;

using Lines = std::vector<std::vector<std::string>>;

// The first column to the left, the others to the right.
std::string AlignFigures(const Lines& lines) {
  size_t columns = 0;
  for (const auto& line : lines) columns = std::max(columns, line.size());
  std::vector<bool> right(columns, true);
  right[0] = false;
  return Align(lines, right);
}

std::string Shorten(std::string_view text, size_t width) {
  if (Width(text) <= width) return std::string(text);
  std::string shortened;
  for (const char c : text) {
    // Cut between characters, never inside one.
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80 && Width(shortened) + 1 >= width) break;
    shortened += c;
  }
  return shortened + "…";
}

std::string LatencyCell(const std::optional<double>& seconds) {
  return seconds ? DurationText(*seconds) : "-";
}

std::string EventsText(uint64_t events) {
  const auto count = static_cast<double>(events);
  if (count < 1e6) return Grouped(static_cast<int64_t>(events));
  return count < 1e9 ? fmt::format("{:.1f} M", count / 1e6) : fmt::format("{:.1f} G", count / 1e9);
}

std::string SpeedText(Duration simulated, double wall_seconds, uint64_t events) {
  const double wall = std::max(wall_seconds, 1e-9);
  return fmt::format("{} simulated in {} ({}x real time) · {} events, {:.2f} M/s",
                     DurationText(ToSeconds(simulated)), DurationText(wall_seconds),
                     Grouped(std::llround(ToSeconds(simulated) / wall)), EventsText(events),
                     static_cast<double>(events) / wall / 1e6);
}

std::string StatusText(RunStatus status) {
  return status == RunStatus::kOk ? "" : fmt::format(" · {}", NameOf(status));
}

std::string PodsText(const RunFigures& run) {
  Lines lines{{"PODS", "pods", "p50", "p90", "p99", "max"}};
  const auto add = [&](const char* name, const LatencyFigures& l) {
    lines.push_back({name, Grouped(l.count), LatencyCell(l.p50), LatencyCell(l.p90),
                     LatencyCell(l.p99), LatencyCell(l.max)});
  };
  add("wait for address", run.ip_wait);
  add("creation to running", run.pod_start);
  std::string out = AlignFigures(lines);

  std::string counts =
      fmt::format("started {} · running {} · pending {}", Grouped(run.pods_started),
                  Grouped(run.pods_running), Grouped(run.pods_pending));
  if (run.pods_without_ip > 0) {
    counts += fmt::format(" · never got an address {}", Grouped(run.pods_without_ip));
  }
  out += counts + '\n';

  // Why ADDs failed; "none" means that the first one succeeded.
  std::vector<size_t> reasons;
  for (size_t i = 1; i < run.wait_reasons.size(); ++i) {
    if (run.wait_reasons[i] > 0) reasons.push_back(i);
  }
  std::ranges::stable_sort(
      reasons, [&](size_t a, size_t b) { return run.wait_reasons[a] > run.wait_reasons[b]; });
  if (!reasons.empty()) {
    std::string waited = "waited because of";
    for (const size_t i : reasons) {
      waited += fmt::format("{} {} {}", i == reasons.front() ? "" : " ·",
                            NameOf(static_cast<WaitReason>(i)), Grouped(run.wait_reasons[i]));
    }
    out += Shorten(waited, kColumns) + '\n';
  }
  return out;
}

// What the pools hold. IPv6 prefixes have more addresses than anybody wants to count.
std::string PoolText(const RunFigures& run) {
  constexpr int64_t kBeyondIpv4 = int64_t{1} << 32;
  if (run.pool > kBeyondIpv4) {
    return fmt::format("in pools: IPv6 prefixes, {} addresses used by pods", Grouped(run.assigned));
  }
  const int64_t idle = run.pool - run.assigned;
  std::string share;
  if (run.pool > 0) {
    share = fmt::format(
        " ({} %)", std::llround(100.0 * static_cast<double>(idle) / static_cast<double>(run.pool)));
  }
  return fmt::format("in pools {}: {} used by pods, {} idle{}", Grouped(run.pool),
                     Grouped(run.assigned), Grouped(idle), share);
}

std::string AddressesText(const RunFigures& run) {
  std::string prefixes;
  if (run.prefixes > 0) prefixes = fmt::format(" · prefixes {}", Grouped(run.prefixes));
  std::string out = fmt::format(
      "NODES ready {} (most {}) · ENIs {} (most {}){}\n"
      "ADDRESSES held {} (most {}) · {}\n",
      Grouped(run.nodes_ready), Grouped(run.nodes_most), Grouped(run.enis), Grouped(run.enis_most),
      prefixes, Grouped(run.held), Grouped(run.held_most), PoolText(run));
  if (run.subnets.empty()) return out;
  Lines lines{{"SUBNET", "cidr", "size", "used", "free", "lowest free", "at"}};
  for (const SubnetFigures& s : run.subnets) {
    lines.push_back({Shorten(s.name, 30), s.cidr.ToString(), Grouped(s.size),
                     Grouped(s.size - s.free_at_end), Grouped(s.free_at_end),
                     Grouped(s.lowest_free), ClockText(s.lowest_at)});
  }
  return out + '\n' + Align(lines, {false, false, true, true, true, true, true});
}

std::string ApiText(const RunFigures& run) {
  if (run.actions.empty()) return "EC2 was not called\n";
  Lines lines{{"EC2", "requests", "ok", "throttled", "failed", "mean"}};
  for (const ActionFigures& a : run.actions) {
    const ApiTotals& t = a.totals;
    lines.push_back(
        {a.name, Grouped(t.total()), Grouped(t.ok), Grouped(t.throttled), Grouped(t.failed),
         DurationText(static_cast<double>(t.latency_ns) / 1e9 / static_cast<double>(t.total()))});
  }
  std::string out = AlignFigures(lines);
  if (run.throttled_nodes > 0) {
    out += fmt::format("throttled on {} of {} that called EC2\n", Grouped(run.throttled_nodes),
                       Counted(run.calling_nodes, "node"));
  }
  return out;
}

std::string TrafficText(const RunFigures& run) {
  Lines lines{{"TRAFFIC", "requests/s", "Gbit/s", "p50", "p99", "p99.9", "could do/s"}};
  for (const TrafficFigures& t : run.traffic) {
    lines.push_back({Shorten(t.name, 30), NumberText(t.requests_per_second),
                     NumberText(t.gigabits_per_second), DurationText(t.p50), DurationText(t.p99),
                     DurationText(t.p999),
                     t.saturation_per_second == 0 ? "-" : NumberText(t.saturation_per_second)});
  }
  std::string out = AlignFigures(lines);
  for (const TrafficFigures& t : run.traffic) {
    if (t.bottleneck.empty()) continue;
    out += Shorten(fmt::format("{} is limited by {}, busy {:.0f} % of the time", t.name,
                               t.bottleneck, 100 * t.bottleneck_utilisation),
                   kColumns) +
           '\n';
  }
  if (std::ranges::any_of(run.traffic, &TrafficFigures::saturated)) {
    out += "more is asked for than can be carried: latencies grow as long as one looks\n";
  }
  const NodeNetworkFigures& n = run.node_network;
  out += fmt::format("networking takes {} CPUs of a node on average", NumberText(n.mean_cpu));
  if (n.cpu_per_million_packets > 0) {
    out +=
        fmt::format(", {} of a CPU for a million packets", DurationText(n.cpu_per_million_packets));
  }
  return out + '\n';
}

std::string Verdict(const ExpectationResult& e) {
  if (e.passed) return Green("pass");
  return e.warn_only ? "warn" : Red("FAIL");
}

std::string ExpectationsText(const RunFigures& run) {
  std::string out = "EXPECTATIONS\n";
  Lines lines;
  for (const ExpectationResult& e : run.expectations) {
    lines.push_back({Shorten(e.name, 28), Shorten(e.assertion, 42), ObservedText(e)});
  }
  // Colour codes would upset the alignment, so the verdict goes in front.
  const std::string aligned = Align(lines, {false, false, false});
  size_t begin = 0;
  for (const ExpectationResult& e : run.expectations) {
    const size_t end = aligned.find('\n', begin);
    out += fmt::format("{}  {}\n", Verdict(e), aligned.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string FindingsText(const std::vector<FindingFigures>& findings) {
  std::string out = "FINDINGS\n";
  for (size_t i = 0; i < std::min(findings.size(), kMaxFindings); ++i) {
    const FindingFigures& f = findings[i];
    const std::string line =
        fmt::format("{} {}{}: {}", NameOf(f.severity), f.code,
                    f.times > 1 ? fmt::format(" ({} times)", Grouped(f.times)) : "", f.first_text);
    out += Shorten(Escaped(line), kColumns) + '\n';
  }
  if (findings.size() > kMaxFindings) {
    out += fmt::format("and {} more; `cnisim query FILE findings` lists them\n",
                       findings.size() - kMaxFindings);
  }
  return out;
}

// "42..51" if they follow on one another.
std::string SeedsText(std::span<const RunFigures> runs) {
  for (size_t i = 1; i < runs.size(); ++i) {
    if (runs[i].seed != runs[i - 1].seed + 1) {
      return fmt::format("{}, ..., {}", runs.front().seed, runs.back().seed);
    }
  }
  return fmt::format("{}..{}", runs.front().seed, runs.back().seed);
}

std::string FiguresTable(std::span<const RunFigures> runs) {
  std::vector<std::vector<NamedFigure>> all;
  for (const RunFigures& run : runs) all.push_back(NamedFigures(run));
  Lines lines;
  std::string section;
  for (size_t i = 0; i < all.front().size(); ++i) {
    const NamedFigure& first = all.front()[i];
    std::vector<double> values;
    for (const auto& figures : all) {
      if (i < figures.size() && !std::isnan(figures[i].value)) values.push_back(figures[i].value);
    }
    if (first.section != section) {
      if (!section.empty()) lines.push_back({""});
      section = first.section;
      lines.push_back({Capitals(section), "mean", "± 95 %", "min", "max"});
    }
    if (values.empty()) {
      lines.push_back({first.name, "-", "-", "-", "-"});
      continue;
    }
    const Estimate estimate = EstimateMean(values);
    const auto [min, max] = std::ranges::minmax(values);
    lines.push_back({Shorten(first.name, 45), ValueText(estimate.mean, first.unit),
                     ValueText(estimate.half_width, first.unit), ValueText(min, first.unit),
                     ValueText(max, first.unit)});
  }
  return AlignFigures(lines);
}

std::string RepeatedExpectationsText(std::span<const RunFigures> runs) {
  std::string out = "EXPECTATIONS\n";
  const auto& first = runs.front().expectations;
  Lines lines;
  std::vector<std::string> verdicts;
  for (size_t i = 0; i < first.size(); ++i) {
    size_t passed = 0, judged = 0;
    std::vector<double> observed;
    for (const RunFigures& run : runs) {
      if (i >= run.expectations.size()) continue;
      ++judged;
      if (run.expectations[i].passed) ++passed;
      if (run.expectations[i].observed) observed.push_back(*run.expectations[i].observed);
    }
    std::string seen = "nothing measured";
    if (!observed.empty()) {
      const auto [min, max] = std::ranges::minmax(observed);
      seen = fmt::format("{} to {}", ValueText(min, first[i].unit), ValueText(max, first[i].unit));
    }
    ExpectationResult overall = first[i];
    overall.passed = passed == judged;
    verdicts.push_back(Verdict(overall));
    lines.push_back({fmt::format("{}/{}", passed, judged), Shorten(first[i].name, 24),
                     Shorten(first[i].assertion, 32), seen});
  }
  const std::string aligned = Align(lines, {true, false, false, false});
  size_t begin = 0;
  for (const std::string& verdict : verdicts) {
    const size_t end = aligned.find('\n', begin);
    out += fmt::format("{}  {}\n", verdict, aligned.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace

std::string ObservedText(const ExpectationResult& e) {
  if (!e.observed) return "nothing measured";
  if (e.unit == "seconds") return DurationText(*e.observed);
  return fmt::format("{} {}", NumberText(*e.observed), e.unit);
}

std::string SummaryText(const RunFigures& run) {
  std::string out =
      fmt::format("{} · {}seed {}{}\n", Shorten(run.scenario, 60),
                  run.network.empty() ? "" : run.network + " · ", run.seed, StatusText(run.status));
  out += fmt::format("{} · peak RSS {}\n", SpeedText(run.simulated, run.wall_seconds, run.events),
                     BytesText(run.peak_rss_bytes));
  if (run.measure_from.count() > 0) {
    out += fmt::format("figures from {} on\n", ClockText(run.measure_from));
  }
  out += '\n' + PodsText(run) + '\n' + AddressesText(run) + '\n' + ApiText(run);
  if (!run.traffic.empty()) out += '\n' + TrafficText(run);
  if (!run.expectations.empty()) out += '\n' + ExpectationsText(run);
  if (!run.findings.empty()) out += '\n' + FindingsText(run.findings);
  return out;
}

std::string RepetitionsText(std::span<const RunFigures> runs) {
  const RunFigures& first = runs.front();
  double wall = 0;
  uint64_t events = 0;
  int64_t peak = 0;
  Duration simulated{};
  size_t incomplete = 0;
  for (const RunFigures& run : runs) {
    wall += run.wall_seconds;
    events += run.events;
    simulated += run.simulated;
    peak = std::max(peak, run.peak_rss_bytes);
    if (run.status != RunStatus::kOk) ++incomplete;
  }
  std::string out =
      fmt::format("{} · {}{} repetitions, seeds {}{}\n", Shorten(first.scenario, 50),
                  first.network.empty() ? "" : first.network + " · ", runs.size(), SeedsText(runs),
                  incomplete > 0 ? fmt::format(" · {} incomplete", incomplete) : "");
  out += fmt::format("{} · peak RSS {}\n\n", SpeedText(simulated, wall, events), BytesText(peak));
  out += FiguresTable(runs);
  if (!first.expectations.empty()) out += '\n' + RepeatedExpectationsText(runs);

  std::vector<FindingFigures> findings;
  for (const RunFigures& run : runs) {
    for (const FindingFigures& f : run.findings) {
      const auto known = std::ranges::find(findings, f.code, &FindingFigures::code);
      if (known == findings.end()) {
        findings.push_back(f);
      } else {
        known->times += f.times;
        known->severity = std::max(known->severity, f.severity);
      }
    }
  }
  if (!findings.empty()) out += '\n' + FindingsText(findings);
  return out;
}

}  // namespace cnisim
