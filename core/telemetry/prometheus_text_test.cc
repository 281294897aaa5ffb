#include "core/telemetry/prometheus_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/telemetry/prometheus_parser_testing.h"

namespace cnisim {
namespace {

using testing::ElementsAre;

TEST(PrometheusText, WritesAPage) {
  PrometheusText page;
  page.Begin("errors", MetricType::kCounter, "handled");
  page.Sample({{"fn", "a"}}, 3);
  page.Sample({{"fn", "b"}, {"kind", "c"}}, 0.5);
  page.Begin("free", MetricType::kGauge, "none");
  page.Begin("wait", MetricType::kSummary, "ms");
  page.Summary({}, {12.25, 2});
  EXPECT_EQ(page.Take(),
            "# HELP errors handled\n"
            "# TYPE errors counter\n"
            "errors{fn=\"a\"} 3\n"
            "errors{fn=\"b\",kind=\"c\"} 0.5\n"
            "# HELP free none\n"
            "# TYPE free gauge\n"
            "# HELP wait ms\n"
            "# TYPE wait summary\n"
            "wait_sum 12.25\n"
            "wait_count 2\n");
  EXPECT_EQ(page.Take(), "");
}

TEST(PrometheusText, AnyLabelValueAndHelpComeBack) {
  std::mt19937_64 random(1);
  const std::string alphabet = "\\\"\n{}=, n€#";
  for (int i = 0; i < 5000; ++i) {
    std::string texts[3];
    for (std::string& text : texts) {
      for (uint64_t n = random() % 8; n > 0; --n) text += alphabet[random() % alphabet.size()];
    }
    PrometheusText page;
    page.Begin("m", MetricType::kGauge, texts[0]);
    page.Sample({{"x", texts[1]}, {"y", texts[2]}}, 1);
    const auto families = ParsePrometheusText(page.Take());
    ASSERT_EQ(families.size(), 1u);
    EXPECT_EQ(families[0].help, texts[0]);
    EXPECT_EQ(families[0].type, "gauge");
    EXPECT_THAT(families[0].samples,
                ElementsAre(ParsedSample{"m", {{"x", texts[1]}, {"y", texts[2]}}, "1"}));
  }
}

TEST(PrometheusText, NumbersComeBackExactly) {
  std::mt19937_64 random(2);
  std::vector<double> values{0, -0.0, 1e300, 5e-324, INFINITY, -INFINITY, 281474976710656};
  for (int i = 0; i < 2000; ++i)
    values.push_back(std::ldexp(double(random()), int(random() % 200) - 150));
  PrometheusText page;
  page.Begin("m", MetricType::kGauge, "");
  for (const double value : values) page.Sample({}, value);
  page.Sample({}, NAN);
  const auto families = ParsePrometheusText(page.Take());
  ASSERT_EQ(families[0].samples.size(), values.size() + 1);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::strtod(families[0].samples[i].value.c_str(), nullptr), values[i]);
  }
  EXPECT_EQ(families[0].samples[4].value, "+Inf");
  EXPECT_EQ(families[0].samples[5].value, "-Inf");
  EXPECT_EQ(families[0].samples.back().value, "NaN");
}

// Against counting every observation anew for every bound.
TEST(PrometheusText, HistogramsCountCumulatively) {
  std::mt19937_64 random(3);
  std::vector<double> seen;
  SecondsHistogram histogram;
  double sum = 0;
  for (int i = 0; i < 3000; ++i) {
    // Bounds themselves belong below; some observations lie beyond the last.
    const double value = i % 5 == 0 ? SecondsHistogram::kUpperBounds[random() % 11]
                                    : static_cast<double>(random() % 16'000) / 1000;
    seen.push_back(value);
    sum += value;
    histogram.Observe(value);
  }
  PrometheusText page;
  page.Begin("t", MetricType::kHistogram, "");
  page.Histogram({{"success", "true"}}, histogram);
  const auto families = ParsePrometheusText(page.Take());
  const auto& samples = families[0].samples;
  ASSERT_EQ(samples.size(), 14u);
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(samples[i].name, "t_bucket");
    ASSERT_EQ(samples[i].labels.size(), 2u);
    EXPECT_EQ(samples[i].labels[1].first, "le");
    const double bound = std::stod(samples[i].labels[1].second);
    EXPECT_EQ(std::stol(samples[i].value),
              std::ranges::count_if(seen, [&](double value) { return value <= bound; }));
  }
  EXPECT_EQ(samples[11].labels[1].second, "+Inf");
  EXPECT_EQ(samples[12], (ParsedSample{"t_sum", {{"success", "true"}}, samples[12].value}));
  EXPECT_EQ(std::stod(samples[12].value), sum);
  EXPECT_EQ(samples[13], (ParsedSample{"t_count", {{"success", "true"}}, "3000"}));
}

}  // namespace
}  // namespace cnisim
