#include "sim/scenario/distribution_reader.h"

#include <algorithm>
#include <array>

#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

constexpr std::array<std::string_view, 5> kShapes{"fixed", "uniform", "exponential", "lognormal",
                                                  "empirical"};

std::optional<Distribution> Checked(Field& field, Result<Distribution> made) {
  if (made) return *std::move(made);
  field.Error("bad-distribution", fmt::format("{}: {}", field.label(), made.error().message));
  return std::nullopt;
}

std::optional<Duration> Time(Field field) { return field.Required().Time({}, kLongest); }

std::optional<Distribution> ReadPair(Field& field, MapReader& map, std::string_view low,
                                     std::string_view high,
                                     Result<Distribution> (*make)(Duration, Duration)) {
  const std::optional<Duration> a = Time(map.Get(low));
  const std::optional<Duration> b = Time(map.Get(high));
  map.Done();
  if (!a || !b) return std::nullopt;
  return Checked(field, make(*a, *b));
}

std::optional<Distribution> ReadEmpirical(Field& field, Field list) {
  std::vector<Distribution::Point> points;
  bool good = true;
  for (Field& item : list.Required().List(fmt::format("value of {}: item", field.label()))) {
    Distribution::Point point;
    std::optional<Duration> value;
    if (item.is_mapping()) {
      MapReader map = item.Map(item.label());
      value = Time(map.Get("value"));
      point.weight = map.Get("weight").Number(0, 1e12).value_or(1);
      map.Done();
    } else {
      value = item.Required().Time({}, kLongest);
    }
    good = good && value;
    point.value = value.value_or(Duration{});
    points.push_back(point);
  }
  if (!good) return std::nullopt;
  return Checked(field, Distribution::Empirical(std::move(points)));
}

}  // namespace

std::optional<Distribution> ReadDistribution(Field field) {
  field.DescribeAs("distribution");
  if (!field.is_mapping()) {
    const std::optional<Duration> fixed = field.Time({}, kLongest);
    return fixed ? Checked(field, Distribution::Fixed(*fixed)) : std::nullopt;
  }
  MapReader map = field.Map(field.label());
  if (map.Has("p50") || map.Has("p99")) {
    return ReadPair(field, map, "p50", "p99", &Distribution::Lognormal);
  }
  const std::string_view shape = map.LoneKey(kShapes);
  if (shape.empty()) {
    const std::string written = field.node()->entries.empty() ? "" : field.node()->entries[0].key;
    field.Error("bad-distribution",
                fmt::format("{} must be a duration or one of {{fixed}}, {{uniform}}, "
                            "{{exponential}}, {{lognormal}}, {{empirical}}",
                            field.label()),
                written, written.empty() ? std::span<const std::string_view>() : kShapes);
    return std::nullopt;
  }
  Field value = map.Get(shape);
  const std::string what = fmt::format("'{}' of {}", shape, field.label());
  if (shape == "fixed") {
    const std::optional<Duration> fixed = value.Required().Time({}, kLongest);
    return fixed ? Checked(field, Distribution::Fixed(*fixed)) : std::nullopt;
  }
  if (shape == "empirical") return ReadEmpirical(field, value);
  MapReader parameters = value.Required().Map(what);
  if (shape == "uniform") return ReadPair(field, parameters, "min", "max", &Distribution::Uniform);
  if (shape == "lognormal") {
    return ReadPair(field, parameters, "p50", "p99", &Distribution::Lognormal);
  }
  const std::optional<Duration> mean = Time(parameters.Get("mean"));
  parameters.Done();
  return mean ? Checked(field, Distribution::Exponential(*mean)) : std::nullopt;
}

}  // namespace cnisim
