// Statistics over repetitions of a run.
#ifndef CNISIM_RESULTS_STATISTICS_H_
#define CNISIM_RESULTS_STATISTICS_H_

#include <span>

namespace cnisim {

struct Estimate {
  double mean = 0;
  // Half the width of the 95 % confidence interval of the mean: t(0.975, n-1) s / sqrt(n). Not a
  // number with fewer than two values or where one is infinite.
  double half_width = 0;
  int n = 0;
};

// Student's t over independent values; `values` is not empty.
Estimate EstimateMean(std::span<const double> values);

}  // namespace cnisim

#endif  // CNISIM_RESULTS_STATISTICS_H_
