// Figures of trials that are repeated in rounds.
#ifndef CNISIM_TOOLS_KERNEL_LAB_MEASURE_STATISTICS_H_
#define CNISIM_TOOLS_KERNEL_LAB_MEASURE_STATISTICS_H_

#include <cstddef>
#include <vector>

namespace cnisim {

// The middle one, or the mean of the two in the middle. `values` are not empty.
double Median(std::vector<double> values);

// The smallest value that is not exceeded by less than a share `q` of all (nearest rank). `sorted`
// is ascending and not empty; 0 < q <= 1.
double Percentile(const std::vector<double>& sorted, double q);

// 0..count-1 in a circle; each round begins one later, so that none is always first or last.
std::vector<size_t> RotatedOrder(size_t round, size_t count);

struct Ratio {
  double median = 0;
  double low = 0;
  double high = 0;
};

// Of the rounds' quotients: what is measured back to back is compared, so that a machine that is
// slower for a while does not show. Both have as many values, and not none.
Ratio RatioOverRounds(const std::vector<double>& figures, const std::vector<double>& reference);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_MEASURE_STATISTICS_H_
