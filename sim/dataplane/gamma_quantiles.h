// Gamma distributions, spread over latencies quickly.
//
// Quantiles of the standardised gamma distribution (mean 0, deviation 1) are tabulated by shape: in
// rows of 2^(1/8) between shapes, interpolated linearly in the logarithm of the shape, for
// probabilities between which weight is spread evenly. The probabilities include 0.5, 0.9, 0.99,
// 0.999 and 0.9999; a shape of 1, the exponential distribution, has a row of its own. So these
// quantiles of an exponential distribution are exact but for the histogram's buckets, others above
// the median within 0.2 % of its mean. Shapes are cut to [2^-10, 2^14]: above, the distribution is
// all but normal (skewness 0.016).
//
// Memory: 130 kB. Making it takes milliseconds (Boost's inverse of the incomplete gamma function);
// Spread is O(knots), 80.
#ifndef CNISIM_SIM_DATAPLANE_GAMMA_QUANTILES_H_
#define CNISIM_SIM_DATAPLANE_GAMMA_QUANTILES_H_

#include <vector>

#include "sim/dataplane/density_sum.h"

namespace cnisim {

class GammaQuantiles {
 public:
  // The only one, made when first asked for; it never changes.
  static const GammaQuantiles& Get();

  // Adds the weight of `shift_ns` plus a gamma-distributed time of that mean and variance.
  void Spread(double shift_ns, double mean_ns, double variance, double weight,
              DensitySum& sum) const;

 private:
  GammaQuantiles();

  std::vector<double> weights_;  // between one knot and the next, and beyond the last
  std::vector<double> knots_;    // weights_.size() a row: (quantile - mean) / deviation
};

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_GAMMA_QUANTILES_H_
