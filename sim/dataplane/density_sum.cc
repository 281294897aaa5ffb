#include "sim/dataplane/density_sum.h"

#include <algorithm>
#include <cassert>
#include <cstdint>

namespace cnisim {
namespace {

// What is spread over less than this share of its bucket counts as a point.
constexpr double kNarrowest = 1.0 / 128;

size_t IndexOf(double x) { return static_cast<size_t>(BucketIndexOf(static_cast<int64_t>(x))); }

}  // namespace

void DensitySum::Add(std::span<const double> edges, std::span<const double> weights,
                     double factor) {
  assert(!edges.empty() && edges.front() >= 0 && edges.back() < 0x1p63);
  const size_t last = IndexOf(edges.back());
  if (last >= cells_.size()) cells_.resize(last + 1);
  double density = 0;
  for (size_t i = 0; i < edges.size(); ++i) {
    const size_t index = IndexOf(edges[i]);
    const Bucket bucket = BucketAt(static_cast<int>(index));
    const double narrowest = kNarrowest * static_cast<double>(bucket.high - bucket.low);
    Cell& cell = cells_[index];
    double next = 0;
    if (i + 1 < edges.size() && edges[i + 1] - edges[i] >= narrowest) {
      next = factor * weights[i] / (edges[i + 1] - edges[i]);
    } else if (i < weights.size()) {
      cell.weight += factor * weights[i];
    }
    const double change = next - density;
    cell.weight += change * (static_cast<double>(bucket.high) - edges[i]);
    cell.slope += change;
    density = next;
  }
}

void DensitySum::AddTo(LatencyHistogram& histogram) const {
  double slope = 0;
  for (size_t i = 0; i < cells_.size(); ++i) {
    const Bucket bucket = BucketAt(static_cast<int>(i));
    const double weight = cells_[i].weight + slope * static_cast<double>(bucket.high - bucket.low);
    // Rounding leaves a little less than nothing in places.
    histogram.Add(bucket.low, std::max(0.0, weight));
    slope += cells_[i].slope;
  }
}

}  // namespace cnisim
