#include "sim/dataplane/analytic_evaluation.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "sim/dataplane/event_evaluation.h"
#include "sim/dataplane/random_network_testing.h"
#include "sim/dataplane/test_networks.h"

namespace cnisim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Evaluation Evaluate(const QueueNetwork& network) {
  const Result<Evaluation> evaluation = EvaluateAnalytically(network);
  EXPECT_TRUE(evaluation) << evaluation.error().message;
  return *evaluation;
}

Evaluation ByEvents(const QueueNetwork& network, double seconds) {
  EventSettings settings;
  settings.seed = 11;
  settings.warm_up = Duration(static_cast<int64_t>(seconds * 1e8));
  settings.window = Duration(static_cast<int64_t>(seconds * 1e9));
  return *EvaluateByEvents(network, settings);
}

TEST(Probe, Random) {
  for (double u : {0.3, 0.5, 0.7}) for (uint64_t classes : {8, 60}) {
    double worst_mean = 0, worst99 = 0, worst50 = 0, sum_mean = 0, sum99 = 0; int n = 0;
    for (uint64_t seed = 0; seed < 6; ++seed) {
      RandomNetworkShape shape;
      shape.utilisation = u;
      shape.classes = classes;
      shape.stations = 12;
      const QueueNetwork network = MakeRandomNetwork(seed, shape);
      const Evaluation a = Evaluate(network);
      const Evaluation e = ByEvents(network, 4);
      for (size_t g = 0; g < a.groups.size(); ++g) {
        const double mean = a.groups[g].mean_latency_ns / e.groups[g].mean_latency_ns - 1;
        const double q50 = a.groups[g].latency.Quantile(.5) / e.groups[g].latency.Quantile(.5) - 1;
        const double q99 = a.groups[g].latency.Quantile(.99) / e.groups[g].latency.Quantile(.99) - 1;
        if (std::abs(mean) > std::abs(worst_mean)) worst_mean = mean;
        if (std::abs(q99) > std::abs(worst99)) worst99 = q99;
        if (std::abs(q50) > std::abs(worst50)) worst50 = q50;
        sum_mean += std::abs(mean); sum99 += std::abs(q99); ++n;
      }
    }
    std::printf("u %.1f classes %lu: worst mean %.3f p50 %.3f p99 %.3f; avg mean %.4f p99 %.4f\n", u, classes, worst_mean, worst50, worst99, sum_mean / n, sum99 / n);
  }
}

TEST(Probe, Closed) {
  struct Case { const char* name; bool fixed; int64_t think; int stations; };
  for (const Case& c : {Case{"exp balanced", false, 0, 3}, {"det balanced", true, 0, 3}, {"exp think", false, 10'000, 3}, {"det think", true, 10'000, 3}, {"exp 1", false, 0, 1}, {"det 1", true, 0, 1}, {"det 1 think", true, 5000, 1}}) {
    for (uint32_t n : {1, 2, 4, 8, 16, 64}) {
      NetworkBuilder b;
      const uint32_t exp = b.Exponential(1'000);
      std::vector<Visit> visits;
      for (int i = 0; i < c.stations; ++i) {
        const uint32_t q = b.Queue();
        visits.push_back(c.fixed ? Visit{q, kNone, 1'000} : Visit{q, exp, 0});
      }
      b.AddClass(visits, ClosedLoop{n, c.think ? b.Exponential(c.think) : kNone});
      const Evaluation a = Evaluate(b.network);
      const Evaluation e = ByEvents(b.network, 0.5);
      const auto r = [](double x, double y) { return x / y - 1; };
      std::printf("%s n=%u X %.3f mean %.3f p50 %.3f p99 %.3f  util %.4f L %.4f\n", c.name, n, r(a.groups[0].requests_per_second, e.groups[0].requests_per_second), r(a.groups[0].mean_latency_ns, e.groups[0].mean_latency_ns),
        r(a.groups[0].latency.Quantile(.5), e.groups[0].latency.Quantile(.5)), r(a.groups[0].latency.Quantile(.99), e.groups[0].latency.Quantile(.99)), a.stations[0].utilisation, a.stations[0].mean_jobs);
    }
  }
}

}  // namespace
}  // namespace cnisim
