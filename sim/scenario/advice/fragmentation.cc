#include "sim/scenario/advice/fragmentation.h"

#include <algorithm>

#include "core/ports/ec2_api.h"
#include "sim/cloud/subnet_allocator.h"

namespace cnisim {
namespace {

constexpr int64_t kBlock = kAddressesPerPrefix;
constexpr int64_t kReservedAtFront = 4;  // and one at the end

}  // namespace

WholeBlocks ExpectedBlocks(const SubnetSpec& subnet, int64_t singles, int64_t prefixes) {
  const auto size = static_cast<int64_t>(subnet.cidr.size());
  WholeBlocks result;
  // The first and the last block hold reserved addresses; of a /28 they are the same.
  result.in_all = std::max<int64_t>(size / kBlock - 2, 0);
  double whole = static_cast<double>(result.in_all);
  auto free = static_cast<double>(size - SubnetAllocator::kReservedAddresses);
  const auto take_single = [&] {
    if (free < 1) return;
    whole -= std::min(whole * static_cast<double>(kBlock) / free, whole);
    free -= 1;
  };
  if (subnet.used_layout == UsedLayout::kDense) {
    const int64_t touched = (subnet.used_at_start + kReservedAtFront + kBlock - 1) / kBlock;
    whole = static_cast<double>(
        std::max<int64_t>(std::min(result.in_all, size / kBlock - 1 - touched), 0));
    free -= static_cast<double>(subnet.used_at_start);
  } else {
    for (int64_t i = 0; i < subnet.used_at_start; ++i) take_single();
  }
  result.at_start = whole;
  int64_t taken = 0;
  for (int64_t p = 0; p < prefixes; ++p) {
    // As many singles as go before this prefix.
    const int64_t before = singles * (p + 1) / prefixes;
    for (; taken < before; ++taken) take_single();
    const double given = std::clamp(whole, 0.0, 1.0);
    result.prefixes_given += given;
    whole -= given;
    free -= given * static_cast<double>(kBlock);
  }
  return result;
}

}  // namespace cnisim
