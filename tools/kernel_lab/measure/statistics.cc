#include "tools/kernel_lab/measure/statistics.h"

#include <algorithm>
#include <cmath>

namespace cnisim {

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double Percentile(const std::vector<double>& sorted, double q) {
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::clamp(rank, size_t{1}, sorted.size()) - 1];
}

std::vector<size_t> RotatedOrder(size_t round, size_t count) {
  std::vector<size_t> order;
  for (size_t n = 0; n < count; ++n) order.push_back((round + n) % count);
  return order;
}

Ratio RatioOverRounds(const std::vector<double>& figures, const std::vector<double>& reference) {
  std::vector<double> ratios;
  for (size_t n = 0; n < figures.size(); ++n) ratios.push_back(figures[n] / reference[n]);
  const auto [low, high] = std::ranges::minmax(ratios);
  return {Median(ratios), low, high};
}

}  // namespace cnisim
