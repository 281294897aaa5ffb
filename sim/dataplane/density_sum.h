// A sum of many densities of latency, each constant between its edges, in O(1) an edge.
//
// Each edge adds to what its bucket (sim/observe/histogram.h) holds and to the slope by which the
// sum grows in all buckets after it; one walk over the buckets in the end gives the weights. They
// are exact but for rounding, about 1e-16 of a density's weight times the ratio of the widest
// bucket in use to the density's narrowest step, and for steps narrower than 1/128 of their bucket,
// which count as points.
//
// Nanoseconds. Memory: 16 bytes a bucket up to the highest in use, at most 117 kB.
#ifndef CNISIM_SIM_DATAPLANE_DENSITY_SUM_H_
#define CNISIM_SIM_DATAPLANE_DENSITY_SUM_H_

#include <cstddef>
#include <span>
#include <vector>

#include "sim/dataplane/latency_histogram.h"

namespace cnisim {

class DensitySum {
 public:
  // weights[i] times `factor`, spread evenly over [edges[i], edges[i + 1]); weights beyond the last
  // edge lie at that edge. Edges rise from at least 0 to less than 2^63; there is one at least.
  // O(edges).
  void Add(std::span<const double> edges, std::span<const double> weights, double factor);

  // Adds the weights to the histogram's. O(buckets in use).
  void AddTo(LatencyHistogram& histogram) const;

 private:
  struct Cell {
    double weight = 0;  // of densities from their edges in this bucket to its end
    double slope = 0;   // weight a nanosecond that is added from the next bucket on
  };

  std::vector<Cell> cells_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_DENSITY_SUM_H_
