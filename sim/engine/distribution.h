// Distributions of durations, as scenarios name them.
//
// A sample is a function of one uniform draw, by the inverse of the distribution function, and
// never falls as the draw rises. So two runs that draw the same bits stay paired (common random
// numbers) even if their distributions differ, and a sample costs exactly one draw.
//
// Invariants: samples are never negative; one beyond int64 nanoseconds (292 years) is cut to
// Duration::max(). Same bits on every compiler that links the same libm (exp, log, sqrt).
// Errors: factories refuse parameters that make no distribution, code "InvalidDistribution".
// A value type; copies of an empirical distribution share its points. Sample is O(1), empirical
// O(log points).
#ifndef CNISIM_SIM_ENGINE_DISTRIBUTION_H_
#define CNISIM_SIM_ENGINE_DISTRIBUTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/clock.h"
#include "core/ports/result.h"
#include "sim/engine/random.h"

namespace cnisim {

// The inverse of the standard normal distribution function for p in (0, 1): algorithm AS 241
// (PPND16) of Wichura 1988, relative error about 1e-16.
double InverseNormal(double p);

class Distribution {
 public:
  struct Point {
    Duration value{};
    double weight = 1;

    friend bool operator==(const Point&, const Point&) = default;
  };

  // Always zero.
  Distribution() = default;

  static Result<Distribution> Fixed(Duration value);
  // Every nanosecond in [min, max] alike.
  static Result<Distribution> Uniform(Duration min, Duration max);
  static Result<Distribution> Exponential(Duration mean);
  // By its median and its 99th percentile, 0 < p50 <= p99.
  static Result<Distribution> Lognormal(Duration p50, Duration p99);
  // One of the observed values, in proportion to the weights. In any order; at least one weight is
  // positive.
  static Result<Distribution> Empirical(std::vector<Point> points);

  Duration Sample(RandomStream& random) const { return Sample(random.NextU64()); }
  // The sample that belongs to 64 uniform random bits.
  Duration Sample(uint64_t bits) const;

  // The expected value, to the nearest nanosecond.
  Duration Mean() const;

  // In nanoseconds and their powers, of the distribution as it is before samples are rounded to
  // nanoseconds or cut. Infinite where a double ends.
  struct Moments {
    double mean = 0;
    double variance = 0;
    double third_central = 0;  // E[(X - mean)^3]
  };
  Moments ComputeMoments() const;

  // As scenarios write it: "5s", "{uniform: {min: 1s, max: 2s}}", "{exponential: {mean: 4h}}",
  // "{lognormal: {p50: 20s, p99: 90s}}", "{empirical: [{value: 1s, weight: 2}, ...]}".
  std::string ToString() const;

  // Same kind and parameters.
  friend bool operator==(const Distribution& a, const Distribution& b);

 private:
  enum class Kind { kFixed, kUniform, kExponential, kLognormal, kEmpirical };

  // Sorted by value; `cumulative[i]` is the weight of points 0..i.
  struct Table {
    std::vector<Point> points;
    std::vector<double> cumulative;
  };

  Distribution(Kind kind, Duration a, Duration b) : kind_(kind), a_(a), b_(b) {}

  Kind kind_ = Kind::kFixed;
  Duration a_{};   // value, min, mean or p50
  Duration b_{};   // max or p99
  double mu_ = 0;  // lognormal: of the logarithm of nanoseconds
  double sigma_ = 0;
  std::shared_ptr<const Table> table_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_ENGINE_DISTRIBUTION_H_
