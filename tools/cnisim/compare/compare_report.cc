#include "tools/cnisim/compare/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "tools/cnisim/base/text.h"

namespace cnisim {
namespace {

// Sections of NamedFigures that are compared whole, and figures of others.
bool IsCompared(const NamedFigure& figure) {
  if (figure.section.starts_with("traffic ") || figure.section == "networking of a node") {
    return true;
  }
  static const std::set<std::string> kOthers = {
      "address wait p50", "address wait p99", "never got an address",
      "most held",        "requests",         "throttled"};
  return kOthers.contains(figure.name);
}

double ValueOf(std::span<const NamedFigure> figures, const NamedFigure& name) {
  const auto found = std::ranges::find_if(figures, [&name](const NamedFigure& figure) {
    return figure.section == name.section && figure.name == name.name;
  });
  return found == figures.end() ? kNoFigure : found->value;
}

double MeanOf(std::span<const double> values) {
  return values.empty() ? kNoFigure : EstimateMean(values).mean;
}

// Relative to the first network's mean: "+6.3 % ±0.4".
std::string DifferenceText(const ComparedFigure& figure, size_t network) {
  const double first = figure.values.front();
  const Estimate& difference = figure.differences[network];
  if (difference.n == 0 || first == 0 || !std::isfinite(difference.mean) || !std::isfinite(first)) {
    return "";
  }
  const double percent = 100 * difference.mean / first;
  if (std::abs(percent) < 0.05) return "same";
  std::string text = fmt::format("{:+.{}f} %", percent, std::abs(percent) < 10 ? 1 : 0);
  if (difference.n > 1) {
    text += fmt::format(" ±{:.1f}", 100 * difference.half_width / std::abs(first));
  }
  return text;
}

double OfCarried(const TrafficResult& result, double figure) {
  const bool carried =
      result.lost.pairs == 0 && !result.saturated && result.requests.requests_per_second > 0;
  return carried ? figure : std::numeric_limits<double>::infinity();
}

// What is less than this apart is called the same.
constexpr double kSame = 0.01;

struct Best {
  size_t network = 0;
  double value = 0;
  bool alone = true;  // no other network is about as good
};

// The least; the first of equals.
Best LeastOf(const ComparedFigure& figure) {
  Best best{0, figure.values.front(), true};
  for (size_t i = 1; i < figure.values.size(); ++i) {
    if (figure.values[i] < best.value) best = {i, figure.values[i], true};
  }
  for (size_t i = 0; i < figure.values.size(); ++i) {
    // Chance may have made what several seeds do not tell apart.
    const double chance = figure.differences[i].n > 1 ? figure.differences[i].half_width : 0;
    const double apart = figure.values[i] - best.value;
    if (i != best.network && (apart < kSame * best.value || apart < chance)) best.alone = false;
  }
  return best;
}

std::string Percent(double share) {
  const double percent = 100 * share;
  return fmt::format("{:.{}f} %", percent, percent < 10 ? 1 : 0);
}

class VerdictWriter {
 public:
  VerdictWriter(std::span<const ComparedNetwork> networks, std::span<const SurveyedNetwork> surveys)
      : networks_(networks), surveys_(surveys), figures_(CompareFigures(networks)) {}

  std::string Text() {
    const std::vector<TrafficSpec>& traffic = surveys_.front().scenario->traffic;
    for (size_t t = 0; t < traffic.size(); ++t) Traffic(traffic[t], t);
    Cpu();
    Addresses();
    return Written();
  }

 private:
  template <typename... Args>
  void Say(fmt::format_string<Args...> format, Args&&... args) {
    lines_.push_back({fmt::format(format, std::forward<Args>(args)...), "", nullptr});
  }
  // What was said last is that `best` is, by `figure`: which constants would overturn that follows
  // it. The analysis gives the figure: what the constants change is in it.
  void Claim(const Best& best, TrafficFigure figure) {
    if (!best.alone) return;
    lines_.back().winner = networks_[best.network].name;
    lines_.back().figure = std::move(figure);
  }
  // "NAME words, NAME words" of all networks but one.
  std::string OfOthers(size_t but, const std::function<std::string(size_t)>& words) const {
    std::string others;
    for (size_t i = 0; i < networks_.size(); ++i) {
      if (i == but) continue;
      others += fmt::format("{}{} {}", others.empty() ? "" : ", ", networks_[i].name, words(i));
    }
    return others;
  }

  const ComparedFigure* Find(std::string_view section, std::string_view name) const {
    for (const ComparedFigure& figure : figures_) {
      if (figure.section == section && figure.name == name) return &figure;
    }
    return nullptr;
  }

  // Whether a network carries all of an entry's traffic, with every seed; else figures of what it
  // does carry say nothing.
  bool Carries(size_t network, size_t traffic) const {
    return std::ranges::all_of(networks_[network].runs, [traffic](const RunFigures& run) {
      if (traffic >= run.traffic.size()) return false;
      const TrafficFigures& t = run.traffic[traffic];
      return t.lost_pairs == 0 && !t.saturated && t.requests_per_second > 0;
    });
  }

  // The figure, infinite where the network does not carry the traffic.
  ComparedFigure OfCarriers(const ComparedFigure& figure, size_t traffic) const {
    ComparedFigure result = figure;
    for (size_t i = 0; i < networks_.size(); ++i) {
      if (Carries(i, traffic)) continue;
      result.values[i] = std::numeric_limits<double>::infinity();
      result.differences[i] = Estimate();
    }
    return result;
  }

  void TellLosses(const std::string& section, size_t index) {
    for (const ComparedNetwork& network : networks_) {
      for (const RunFigures& run : network.runs) {
        if (index < run.traffic.size()) continue;
        const auto why =
            std::ranges::find(run.findings, "traffic-not-evaluated", &FindingFigures::code);
        Say("{} could not be evaluated: {}.", network.name,
            why == run.findings.end() ? "there are no figures" : why->first_text);
        break;
      }
    }
    const ComparedFigure* lost = Find(section, "lost pairs");
    for (size_t i = 0; i < networks_.size(); ++i) {
      if (lost == nullptr || !(lost->values[i] > 0)) continue;
      Say("{} loses the traffic of {} pairs of pods: its other figures are of those that are left.",
          networks_[i].name, NumberText(lost->values[i]));
    }
  }

  void Traffic(const TrafficSpec& spec, size_t index) {
    const std::string section = "traffic " + spec.name;
    TellLosses(section, index);
    if (std::holds_alternative<BulkLoad>(spec.load)) return Stream(spec.name, section, index);
    const ComparedFigure* all = Find(section, "latency p99");
    if (all == nullptr) return;
    const ComparedFigure p99 = OfCarriers(*all, index);
    const Best best = LeastOf(p99);
    if (std::isinf(best.value)) {
      Say("{}: no network can carry it.", spec.name);
      return;
    }
    Say("{}: p99 is {} {}, {}; {}.", spec.name, best.alone ? "least on" : "about least on",
        networks_[best.network].name, DurationText(best.value), MoreOnOthers(p99, best));
    Claim(best, [index](const TrafficEvaluation& e) {
      const TrafficResult& result = e.traffic[index];
      return OfCarried(result, result.requests.latency.Quantile(0.99));
    });
  }

  // As the time that a gigabit takes, so that less is better here, too.
  void Stream(const std::string& name, const std::string& section, size_t index) {
    const ComparedFigure* speed = Find(section, "Gbit/s of payload");
    if (speed == nullptr) return;
    ComparedFigure time = *speed;
    for (double& value : time.values) value = 1 / value;
    for (Estimate& difference : time.differences) difference = Estimate();
    time = OfCarriers(time, index);
    const Best best = LeastOf(time);
    if (std::isinf(best.value)) {
      Say("{}: no network can carry it.", name);
      return;
    }
    const std::string others = OfOthers(best.network, [&](size_t i) {
      const double less = 1 - best.value / time.values[i];
      if (std::isinf(time.values[i])) return std::string("cannot carry it");
      return less < kSame ? "the same" : Percent(less) + " less";
    });
    Say("{}: {} is carried {} {}; {}.", name, NumberText(1 / best.value) + " Gbit/s",
        best.alone ? "on" : "on, among others,", networks_[best.network].name, others);
    Claim(best, [index](const TrafficEvaluation& e) {
      const TrafficResult& result = e.traffic[index];
      return OfCarried(result, 1 / result.gigabits_per_second);
    });
  }

  std::string MoreOnOthers(const ComparedFigure& figure, const Best& best) const {
    return OfOthers(best.network, [&](size_t i) -> std::string {
      const double more = figure.values[i] / best.value - 1;
      if (std::isinf(more)) return "cannot carry it";
      return more < kSame ? "the same" : Percent(more) + " more";
    });
  }

  // For the requests that the first network carries, whatever the others carry.
  void Cpu() {
    ComparedFigure cpu{"", "", "seconds", std::vector<double>(networks_.size()),
                       std::vector<Estimate>(networks_.size())};
    std::vector<double> rates;
    const std::vector<TrafficSpec>& traffic = surveys_.front().scenario->traffic;
    for (size_t t = 0; t < traffic.size(); ++t) {
      const ComparedFigure* rate = Find("traffic " + traffic[t].name, "requests a second");
      const ComparedFigure* all = Find("traffic " + traffic[t].name, "CPU of a request");
      if (rate == nullptr || all == nullptr) return;
      const ComparedFigure cost = OfCarriers(*all, t);
      rates.push_back(rate->values.front());
      for (size_t i = 0; i < networks_.size(); ++i) cpu.values[i] += rates.back() * cost.values[i];
    }
    const Best best = LeastOf(cpu);
    if (!(best.value > 0) || std::isinf(best.value)) return;
    Say("The same requests take {} CPU time on {}, {} CPUs of all nodes; {}.",
        best.alone ? "least" : "about least", networks_[best.network].name, NumberText(best.value),
        MoreOnOthers(cpu, best));
    Claim(best, [rates](const TrafficEvaluation& e) {
      double sum = 0;
      for (size_t i = 0; i < rates.size(); ++i) {
        const TrafficCost& cost = e.traffic[i].cost;
        sum += OfCarried(e.traffic[i], rates[i] * (cost.client_cpu_ns + cost.server_cpu_ns));
      }
      return sum;
    });
  }

  void Addresses() {
    const ComparedFigure* held = Find("addresses", "most held");
    if (held == nullptr) return;
    const auto number = [held](size_t i) { return NumberText(held->values[i]); };
    Say("Addresses of the VPC held at most: {}.", OfOthers(networks_.size(), number));
  }

  static std::string Overturned(const std::string& winner, const Sensitivity& study) {
    if (study.winner.empty()) {
      return "  By queueing theory no network could: the difference is one of chance.\n";
    }
    if (study.winner != winner) {
      return fmt::format(
          "  By queueing theory it would be {}: the difference is one of queues, not of costs.\n",
          study.winner);
    }
    if (study.overturns.empty()) {
      return "  No constant alone, anywhere in its range, makes another network better.\n";
    }
    std::string text;
    for (const Overturn& overturn : study.overturns) {
      text += fmt::format("  Overturned for {} if {} were {} ns instead of {}.\n", overturn.winner,
                          InfoOf(overturn.cost).name, NumberText(overturn.value),
                          NumberText(overturn.profile));
    }
    return text;
  }

  std::string Written() const {
    std::vector<TrafficFigure> claimed;
    for (const Line& line : lines_) {
      if (line.figure) claimed.push_back(line.figure);
    }
    const std::vector<Sensitivity> studies = StudySensitivity(surveys_, claimed);
    std::string text;
    size_t study = 0;
    for (const Line& line : lines_) {
      text += line.text + '\n';
      if (line.figure) text += Overturned(line.winner, studies[study++]);
    }
    return text;
  }

  struct Line {
    std::string text;
    std::string winner;
    TrafficFigure figure;  // by which `winner` is best; empty if nobody is said to be
  };

  std::span<const ComparedNetwork> networks_;
  std::span<const SurveyedNetwork> surveys_;
  std::vector<ComparedFigure> figures_;
  std::vector<Line> lines_;
};

}  // namespace

std::vector<ComparedFigure> CompareFigures(std::span<const ComparedNetwork> networks) {
  // By network and seed. A run whose traffic could not be evaluated has fewer figures.
  std::vector<std::vector<std::vector<NamedFigure>>> all;
  const std::vector<NamedFigure>* names = nullptr;
  for (const ComparedNetwork& network : networks) {
    auto& runs = all.emplace_back();
    for (const RunFigures& run : network.runs) runs.push_back(NamedFigures(run));
  }
  for (const auto& runs : all) {
    for (const std::vector<NamedFigure>& run : runs) {
      if (names == nullptr || run.size() > names->size()) names = &run;
    }
  }
  std::vector<ComparedFigure> compared;
  for (const NamedFigure& name : *names) {
    if (!IsCompared(name)) continue;
    ComparedFigure figure{name.section, name.name, name.unit, {}, {}};
    for (const auto& runs : all) {
      std::vector<double> values, differences;
      for (size_t s = 0; s < runs.size(); ++s) {
        const double value = ValueOf(runs[s], name);
        const double first = ValueOf(all.front()[s], name);
        if (!std::isnan(value)) values.push_back(value);
        if (!std::isnan(value - first)) differences.push_back(value - first);
      }
      figure.values.push_back(MeanOf(values));
      figure.differences.push_back(differences.empty() ? Estimate() : EstimateMean(differences));
    }
    compared.push_back(std::move(figure));
  }
  return compared;
}

std::string ComparisonText(std::span<const ComparedNetwork> networks,
                           std::span<const ComparedFigure> figures) {
  std::vector<std::vector<std::string>> lines;
  std::vector<bool> right{false, true};
  std::vector<std::string> head{"", networks.front().name};
  for (size_t i = 1; i < networks.size(); ++i) {
    head.push_back(networks[i].name);
    head.emplace_back();
    right.push_back(true);
    right.push_back(true);
  }
  lines.push_back(std::move(head));
  std::string section;
  for (const ComparedFigure& figure : figures) {
    if (figure.section != section) {
      section = figure.section;
      lines.push_back({""});
      lines.push_back({Capitals(section)});
    }
    std::vector<std::string> line{figure.name};
    for (size_t i = 0; i < networks.size(); ++i) {
      const double value = figure.values[i];
      line.push_back(std::isnan(value) ? "-" : ValueText(value, figure.unit));
      if (i > 0) line.push_back(DifferenceText(figure, i));
    }
    lines.push_back(std::move(line));
  }
  return Align(lines, right);
}

Table ComparisonTable(std::span<const ComparedNetwork> networks,
                      std::span<const ComparedFigure> figures) {
  Table table;
  table.columns = {
      "section", "figure", "unit", "network", "value", "difference", "half_width_95_percent",
      "seeds"};
  for (const ComparedFigure& figure : figures) {
    for (size_t i = 0; i < networks.size(); ++i) {
      const auto number = [](double value) { return std::isnan(value) ? Json() : Json(value); };
      const Estimate& difference = figure.differences[i];
      const bool compared = difference.n > 0;
      table.rows.push_back({figure.section, figure.name, figure.unit, networks[i].name,
                            number(figure.values[i]), compared ? number(difference.mean) : Json(),
                            compared ? number(difference.half_width) : Json(), difference.n});
    }
  }
  return table;
}

std::string VerdictText(std::span<const ComparedNetwork> networks,
                        std::span<const SurveyedNetwork> surveys) {
  return VerdictWriter(networks, surveys).Text();
}

}  // namespace cnisim
