#include "sim/engine/distribution.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace cnisim {
namespace {

// The 99 % quantile of the standard normal distribution.
constexpr double kZ99 = 2.3263478740408408;

tl::unexpected<Error> Invalid(std::string message) {
  return Fail("InvalidDistribution", std::move(message));
}

Duration FromNanoseconds(double ns) {
  constexpr double kTooLong = 0x1p63;
  if (!(ns < kTooLong - 1024)) return Duration::max();
  return Duration(static_cast<int64_t>(std::max(ns, 0.0) + 0.5));
}

double Nanoseconds(Duration d) { return static_cast<double>(d.count()); }

// 64 bits to a double strictly between 0 and 1: the middle of one of 2^52 equal cells.
double OpenUnitDouble(uint64_t bits) { return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52; }

// In the largest unit that needs no fraction.
std::string Text(Duration d) {
  struct Unit {
    int64_t ns;
    const char* name;
  };
  constexpr Unit kUnits[] = {{3'600'000'000'000, "h"},
                             {60'000'000'000, "m"},
                             {1'000'000'000, "s"},
                             {1'000'000, "ms"},
                             {1'000, "us"}};
  for (const Unit& unit : kUnits) {
    if (d.count() != 0 && d.count() % unit.ns == 0) {
      return fmt::format("{}{}", d.count() / unit.ns, unit.name);
    }
  }
  return d.count() == 0 ? "0s" : fmt::format("{}ns", d.count());
}

template <size_t N>
double Polynomial(const double (&coefficients)[N], double x) {
  double sum = 0;
  for (size_t i = N; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

}  // namespace

double InverseNormal(double p) {
  // Coefficients and split points of AS 241, PPND16.
  constexpr double kA[] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                           1.9715909503065514427e3, 1.3731693765509461125e4,
                           4.5921953931549871457e4, 6.7265770927008700853e4,
                           3.3430575583588128105e4, 2.5090809287301226727e3};
  constexpr double kB[] = {1.0,
                           4.2313330701600911252e1,
                           6.8718700749205790830e2,
                           5.3941960214247511077e3,
                           2.1213794301586595867e4,
                           3.9307895800092710610e4,
                           2.8729085735721942674e4,
                           5.2264952788528545610e3};
  constexpr double kC[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                           5.76949722146069140550e0,  3.64784832476320460504e0,
                           1.27045825245236838258e0,  2.41780725177450611770e-1,
                           2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr double kD[] = {1.0,
                           2.05319162663775882187e0,
                           1.67638483018380384940e0,
                           6.89767334985100004550e-1,
                           1.48103976427480074590e-1,
                           1.51986665636164571966e-2,
                           5.47593808499534494600e-4,
                           1.05075007164441684324e-9};
  constexpr double kE[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                           1.78482653991729133580e0,  2.96560571828504891230e-1,
                           2.65321895265761230930e-2, 1.24266094738807843860e-3,
                           2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr double kF[] = {1.0,
                           5.99832206555887937690e-1,
                           1.36929880922735805310e-1,
                           1.48753612908506148525e-2,
                           7.86869131145613259100e-4,
                           1.84631831751005468180e-5,
                           1.42151175831644588870e-7,
                           2.04426310338993978564e-15};
  assert(p > 0 && p < 1);
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * Polynomial(kA, r) / Polynomial(kB, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double z = r <= 5 ? Polynomial(kC, r - 1.6) / Polynomial(kD, r - 1.6)
                          : Polynomial(kE, r - 5) / Polynomial(kF, r - 5);
  return q < 0 ? -z : z;
}

Result<Distribution> Distribution::Fixed(Duration value) {
  if (value < Duration::zero()) return Invalid("a fixed duration must not be negative");
  return Distribution(Kind::kFixed, value, {});
}

Result<Distribution> Distribution::Uniform(Duration min, Duration max) {
  if (min < Duration::zero()) return Invalid("uniform: min must not be negative");
  if (max < min) return Invalid("uniform: max must not be less than min");
  return Distribution(Kind::kUniform, min, max);
}

Result<Distribution> Distribution::Exponential(Duration mean) {
  if (mean < Duration::zero()) return Invalid("exponential: mean must not be negative");
  return Distribution(Kind::kExponential, mean, {});
}

Result<Distribution> Distribution::Lognormal(Duration p50, Duration p99) {
  if (p50 <= Duration::zero()) return Invalid("lognormal: p50 must be positive");
  if (p99 < p50) return Invalid("lognormal: p99 must not be less than p50");
  Distribution d(Kind::kLognormal, p50, p99);
  d.mu_ = std::log(Nanoseconds(p50));
  d.sigma_ = (std::log(Nanoseconds(p99)) - d.mu_) / kZ99;
  return d;
}

Result<Distribution> Distribution::Empirical(std::vector<Point> points) {
  if (points.empty()) return Invalid("empirical: needs at least one value");
  for (const Point& point : points) {
    if (point.value < Duration::zero()) return Invalid("empirical: values must not be negative");
    if (!(point.weight >= 0) || std::isinf(point.weight)) {
      return Invalid("empirical: weights must be finite and not negative");
    }
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.value < b.value; });
  auto table = std::make_shared<Table>();
  double total = 0;
  for (const Point& point : points) table->cumulative.push_back(total += point.weight);
  if (!(total > 0) || std::isinf(total)) {
    return Invalid("empirical: the sum of weights must be positive and finite");
  }
  table->points = std::move(points);
  Distribution d(Kind::kEmpirical, {}, {});
  d.table_ = std::move(table);
  return d;
}

Duration Distribution::Sample(uint64_t bits) const {
  switch (kind_) {
    case Kind::kFixed:
      return a_;
    case Kind::kUniform: {
      const unsigned __int128 values = static_cast<uint64_t>((b_ - a_).count()) + 1;
      return a_ + Duration(static_cast<int64_t>(values * bits >> 64));
    }
    case Kind::kExponential:
      return FromNanoseconds(-Nanoseconds(a_) * std::log(1 - UnitDouble(bits)));
    case Kind::kLognormal:
      return FromNanoseconds(std::exp(mu_ + sigma_ * InverseNormal(OpenUnitDouble(bits))));
    case Kind::kEmpirical: {
      // The first point whose cumulative weight exceeds the target; one of weight 0 never does.
      // Rounding can lift the target to the total, which belongs to the last point with a weight.
      const std::vector<double>& sums = table_->cumulative;
      const double target = UnitDouble(bits) * sums.back();
      auto it = std::upper_bound(sums.begin(), sums.end(), target);
      if (it == sums.end()) it = std::lower_bound(sums.begin(), sums.end(), sums.back());
      return table_->points[static_cast<size_t>(it - sums.begin())].value;
    }
  }
  return {};
}

Duration Distribution::Mean() const {
  switch (kind_) {
    case Kind::kFixed:
    case Kind::kExponential:
      return a_;
    case Kind::kUniform:
      return a_ + (b_ - a_) / 2;
    case Kind::kLognormal:
      return FromNanoseconds(std::exp(mu_ + sigma_ * sigma_ / 2));
    case Kind::kEmpirical:
      return FromNanoseconds(ComputeMoments().mean);
  }
  return {};
}

Distribution::Moments Distribution::ComputeMoments() const {
  switch (kind_) {
    case Kind::kFixed:
      return {Nanoseconds(a_), 0, 0};
    case Kind::kUniform: {
      const double values = Nanoseconds(b_ - a_) + 1;
      return {(Nanoseconds(a_) + Nanoseconds(b_)) / 2, (values * values - 1) / 12, 0};
    }
    case Kind::kExponential: {
      const double mean = Nanoseconds(a_);
      return {mean, mean * mean, 2 * mean * mean * mean};
    }
    case Kind::kLognormal: {
      const double mean = std::exp(mu_ + sigma_ * sigma_ / 2);
      const double excess = std::expm1(sigma_ * sigma_);
      return {mean, mean * mean * excess, mean * mean * mean * excess * excess * (excess + 3)};
    }
    case Kind::kEmpirical: {
      Moments moments;
      const auto sum_up = [this](auto power) {
        double sum = 0;
        for (const Point& point : table_->points) {
          sum += power(Nanoseconds(point.value)) * (point.weight / table_->cumulative.back());
        }
        return sum;
      };
      const double mean = sum_up([](double x) { return x; });
      moments.mean = mean;
      moments.variance = sum_up([mean](double x) { return (x - mean) * (x - mean); });
      moments.third_central =
          sum_up([mean](double x) { return (x - mean) * (x - mean) * (x - mean); });
      return moments;
    }
  }
  return {};
}

std::string Distribution::ToString() const {
  switch (kind_) {
    case Kind::kFixed:
      return Text(a_);
    case Kind::kUniform:
      return fmt::format("{{uniform: {{min: {}, max: {}}}}}", Text(a_), Text(b_));
    case Kind::kExponential:
      return fmt::format("{{exponential: {{mean: {}}}}}", Text(a_));
    case Kind::kLognormal:
      return fmt::format("{{lognormal: {{p50: {}, p99: {}}}}}", Text(a_), Text(b_));
    case Kind::kEmpirical: {
      std::string list;
      for (const Point& point : table_->points) {
        fmt::format_to(std::back_inserter(list), "{}{{value: {}, weight: {}}}",
                       list.empty() ? "" : ", ", Text(point.value), point.weight);
      }
      return fmt::format("{{empirical: [{}]}}", list);
    }
  }
  return {};
}

bool operator==(const Distribution& a, const Distribution& b) {
  if (a.kind_ != b.kind_ || a.a_ != b.a_ || a.b_ != b.b_) return false;
  return a.kind_ != Distribution::Kind::kEmpirical || a.table_->points == b.table_->points;
}

}  // namespace cnisim
