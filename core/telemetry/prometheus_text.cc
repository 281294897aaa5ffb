#include "core/telemetry/prometheus_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

namespace cnisim {
namespace {

std::string_view NameOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kSummary:
      return "summary";
  }
  return "untyped";
}

// Backslash and line feed are escaped everywhere, quotes only in label values.
void AppendEscaped(std::string& out, std::string_view text, bool quoted) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quoted && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void SecondsHistogram::Observe(double seconds) {
  all_.Observe(seconds);
  const auto* const bound = std::ranges::lower_bound(kUpperBounds, seconds);
  if (bound != kUpperBounds.end()) ++buckets_[static_cast<size_t>(bound - kUpperBounds.begin())];
}

uint64_t SecondsHistogram::CountUpTo(size_t i) const {
  return std::accumulate(buckets_.begin(), buckets_.begin() + static_cast<ptrdiff_t>(i) + 1,
                         uint64_t{0});
}

void PrometheusText::Begin(std::string_view name, MetricType type, std::string_view help) {
  name_ = name;
  page_ += fmt::format("# HELP {} ", name);
  AppendEscaped(page_, help, false);
  page_ += fmt::format("\n# TYPE {} {}\n", name, NameOf(type));
}

void PrometheusText::Sample(Labels labels, double value) { Line("", labels, {}, value); }

void PrometheusText::Summary(Labels labels, const SumAndCount& summary) {
  Line("_sum", labels, {}, summary.sum);
  Line("_count", labels, {}, static_cast<double>(summary.count));
}

void PrometheusText::Histogram(Labels labels, const SecondsHistogram& histogram) {
  for (size_t i = 0; i < SecondsHistogram::kUpperBounds.size(); ++i) {
    Line("_bucket", labels, {"le", Number(SecondsHistogram::kUpperBounds[i])},
         static_cast<double>(histogram.CountUpTo(i)));
  }
  Line("_bucket", labels, {"le", "+Inf"}, static_cast<double>(histogram.all().count));
  Summary(labels, histogram.all());
}

void PrometheusText::Line(std::string_view suffix, Labels labels,
                          std::pair<std::string_view, std::string_view> extra, double value) {
  page_ += name_;
  page_ += suffix;
  char separator = '{';
  const auto append = [&](const auto& label) {
    page_ += separator;
    page_ += label.first;
    page_ += "=\"";
    AppendEscaped(page_, label.second, true);
    page_ += '"';
    separator = ',';
  };
  std::ranges::for_each(labels, append);
  if (!extra.first.empty()) append(extra);
  if (separator == ',') page_ += '}';
  page_ += ' ';
  page_ += Number(value);
  page_ += '\n';
}

}  // namespace cnisim
