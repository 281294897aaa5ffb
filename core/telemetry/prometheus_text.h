// The Prometheus text exposition format, version 0.0.4 (prometheus.io/docs/instrumenting/
// exposition_formats): a page of metric families, each with its series.
//
//   PrometheusText page;
//   page.Begin("awscni_eni_max", MetricType::kGauge, "ENIs that the node may have");
//   page.Sample({}, 4);
//   page.Take();
//
// Families and series appear in the order of the calls; a family's calls follow its Begin. Names
// of metrics and labels are taken as they are; label values and help texts may hold anything.
#ifndef CNISIM_CORE_TELEMETRY_PROMETHEUS_TEXT_H_
#define CNISIM_CORE_TELEMETRY_PROMETHEUS_TEXT_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace cnisim {

// A page's media type.
inline constexpr std::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

enum class MetricType { kCounter, kGauge, kHistogram, kSummary };

// A summary without quantiles.
struct SumAndCount {
  double sum = 0;
  uint64_t count = 0;

  void Observe(double value) {
    sum += value;
    ++count;
  }
};

// Seconds, in the client libraries' default buckets (client_golang, DefBuckets).
class SecondsHistogram {
 public:
  static constexpr std::array<double, 11> kUpperBounds{.005, .01, .025, .05, .1, .25,
                                                       .5,   1,   2.5,  5,   10};

  void Observe(double seconds);
  // Observations of at most kUpperBounds[i].
  uint64_t CountUpTo(size_t i) const;
  const SumAndCount& all() const { return all_; }

 private:
  std::array<uint32_t, kUpperBounds.size()> buckets_{};  // what is in no lower one
  SumAndCount all_;
};

class PrometheusText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void Begin(std::string_view name, MetricType type, std::string_view help);
  // One series of the family begun last, by its type.
  void Sample(Labels labels, double value);
  void Summary(Labels labels, const SumAndCount& summary);
  void Histogram(Labels labels, const SecondsHistogram& histogram);

  // The page; nothing is left.
  std::string Take() { return std::move(page_); }

 private:
  // `extra`, if it has a name, is a further label.
  void Line(std::string_view suffix, Labels labels,
            std::pair<std::string_view, std::string_view> extra, double value);

  std::string page_;
  std::string name_;  // of the family begun last
};

}  // namespace cnisim

#endif  // CNISIM_CORE_TELEMETRY_PROMETHEUS_TEXT_H_
