#include "sim/scenario/expectation_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "sim/scenario/quantities.h"
#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

using enum Statistic;

struct StatisticInfo {
  std::string_view name;
  Statistic statistic;
  bool gauge, counter, distribution;  // the metric kinds it suits
};
constexpr std::array<StatisticInfo, 11> kStatistics{{{"min", kMin, true, false, true},
                                                     {"max", kMax, true, false, true},
                                                     {"mean", kMean, true, false, true},
                                                     {"p50", kP50, false, false, true},
                                                     {"p90", kP90, false, false, true},
                                                     {"p95", kP95, false, false, true},
                                                     {"p99", kP99, false, false, true},
                                                     {"p999", kP999, false, false, true},
                                                     {"last", kLast, true, true, false},
                                                     {"sum", kSum, false, true, true},
                                                     {"count", kCount, false, false, true}}};

constexpr std::array<std::pair<std::string_view, Comparison>, 5> kComparisons{
    {{"<=", Comparison::kLessEqual},
     {">=", Comparison::kGreaterEqual},
     {"==", Comparison::kEqual},
     {"<", Comparison::kLess},
     {">", Comparison::kGreater}}};

bool Suits(const StatisticInfo& info, MetricKind kind) {
  switch (kind) {
    case MetricKind::kGauge:
      return info.gauge;
    case MetricKind::kCounter:
      return info.counter;
    case MetricKind::kDistribution:
      return info.distribution;
  }
  return false;
}

std::string_view Article(MetricKind kind) {
  switch (kind) {
    case MetricKind::kGauge:
      return "a level";
    case MetricKind::kCounter:
      return "a counter";
    case MetricKind::kDistribution:
      return "a distribution";
  }
  return "";
}

class Parser {
 public:
  Parser(std::string_view text, const LabelChecker& check_label)
      : rest_(text), check_label_(check_label) {
    spec_.assertion = std::string(text);
  }

  tl::expected<ExpectationSpec, ExpectationError> Parse() {
    if (ParseParts() && ParseComparison() && ParseBound()) return std::move(spec_);
    return tl::unexpected<ExpectationError>(std::move(error_));
  }

  tl::expected<FigureSpec, ExpectationError> ParseFigureAlone() {
    if (ParseParts() && ParseEnd()) return std::move(spec_.figure);
    return tl::unexpected<ExpectationError>(std::move(error_));
  }

 private:
  static constexpr std::string_view kForm =
      "an assertion reads metric.statistic <= bound, such as pod_ip_wait_seconds.p99 <= 5s";

  bool Fail(std::string message, std::string suggestion = "") {
    error_ = {std::move(message), std::move(suggestion)};
    return false;
  }

  void SkipSpaces() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }

  bool Take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string_view TakeWord() {
    const auto in_word = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-';
    };
    size_t n = 0;
    while (n < rest_.size() && in_word(rest_[n])) ++n;
    const std::string_view word = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return word;
  }

  bool ParseParts() { return ParseMetric() && ParseLabel() && ParseStatistic(); }

  bool ParseEnd() {
    SkipSpaces();
    return rest_.empty() || Fail(fmt::format("'{}' is too much", rest_),
                                 "a figure reads metric.statistic, such as subnet_free_ips.min");
  }

  bool ParseMetric() {
    SkipSpaces();
    const std::string_view name = TakeWord();
    if (name.empty()) return Fail("there is no metric", std::string(kForm));
    const std::optional<Metric> metric = FindMetric(name);
    if (!metric) {
      std::vector<std::string_view> names;
      for (const MetricInfo& info : AllMetrics()) names.push_back(info.name);
      return Fail(fmt::format("unknown metric '{}'", name), DidYouMean(name, names));
    }
    spec_.figure.metric = *metric;
    return true;
  }

  bool ParseLabel() {
    if (!Take("{")) return true;
    const MetricInfo& metric = InfoOf(spec_.figure.metric);
    SkipSpaces();
    const std::string_view key = TakeWord();
    const std::string_view wanted = NameOf(metric.label);
    if (metric.label == EntityKind::kCluster) {
      return Fail(fmt::format("metric '{}' has no labels", metric.name));
    }
    if (key != wanted) {
      return Fail(fmt::format("metric '{}' has no label '{}'", metric.name, key),
                  fmt::format("its label is '{}'", wanted));
    }
    SkipSpaces();
    const bool opened = Take("=") && (SkipSpaces(), Take("\""));
    const size_t end = rest_.find('"');
    if (!opened || end == std::string_view::npos) {
      return Fail(fmt::format("the label must be written {{{}=\"NAME\"}}", wanted));
    }
    const std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    SkipSpaces();
    if (!Take("}")) return Fail("a '}' is missing after the label");
    const LabelCheck check = check_label_(metric.label, value);
    if (!check.known) {
      return Fail(fmt::format("there is no {} '{}'", wanted, value), check.suggestion);
    }
    spec_.figure.entity = value;
    return true;
  }

  bool ParseStatistic() {
    const MetricInfo& metric = InfoOf(spec_.figure.metric);
    std::vector<std::string_view> suitable;
    for (const StatisticInfo& info : kStatistics) {
      if (Suits(info, metric.kind)) suitable.push_back(info.name);
    }
    const std::string choice = fmt::format("one of {}", fmt::join(suitable, ", "));
    if (!Take(".")) {
      return Fail(fmt::format("a statistic must follow metric '{}', after a point", metric.name),
                  choice);
    }
    const std::string_view name = TakeWord();
    const auto info = std::ranges::find(kStatistics, name, &StatisticInfo::name);
    if (info == kStatistics.end()) {
      return Fail(fmt::format("unknown statistic '{}'", name), DidYouMean(name, suitable));
    }
    if (!Suits(*info, metric.kind)) {
      return Fail(fmt::format("statistic '{}' does not suit '{}', which is {}", name, metric.name,
                              Article(metric.kind)),
                  choice);
    }
    spec_.figure.statistic = info->statistic;
    return true;
  }

  bool ParseComparison() {
    SkipSpaces();
    for (const auto& [token, comparison] : kComparisons) {
      if (!Take(token)) continue;
      spec_.comparison = comparison;
      SkipSpaces();
      if (!rest_.starts_with('=') && !rest_.starts_with('<') && !rest_.starts_with('>'))
        return true;
      break;
    }
    return Fail("there is no comparison",
                rest_.starts_with("= ") ? "did you mean '=='?" : "one of <=, <, >=, >, ==");
  }

  bool ParseBound() {
    SkipSpaces();
    while (rest_.ends_with(' ')) rest_.remove_suffix(1);
    if (rest_.empty()) return Fail("there is no bound after the comparison");
    if (const std::optional<double> number = ParseNumber(rest_)) {
      spec_.bound = *number;
      return true;
    }
    const MetricInfo& metric = InfoOf(spec_.figure.metric);
    if (metric.unit != "seconds" || spec_.figure.statistic == kCount) {
      return Fail(fmt::format("the bound '{}' is not a number (of {})", rest_,
                              spec_.figure.statistic == kCount ? "occurrences" : metric.unit));
    }
    const Quantity<Duration> duration = ParseDuration(rest_);
    if (!duration) {
      return Fail(fmt::format("the bound '{}' {}", rest_, duration.error().message),
                  duration.error().suggestion);
    }
    spec_.bound = ToSeconds(*duration);
    return true;
  }

  std::string_view rest_;
  const LabelChecker& check_label_;
  ExpectationSpec spec_;
  ExpectationError error_;
};

}  // namespace

tl::expected<ExpectationSpec, ExpectationError> ParseExpectation(std::string_view assertion,
                                                                 const LabelChecker& check_label) {
  return Parser(assertion, check_label).Parse();
}

tl::expected<FigureSpec, ExpectationError> ParseFigure(std::string_view text,
                                                       const LabelChecker& check_label) {
  return Parser(text, check_label).ParseFigureAlone();
}

}  // namespace cnisim
