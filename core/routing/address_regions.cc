#include "core/routing/address_regions.h"

#include <algorithm>
#include <map>

namespace cnisim {
namespace {

Ipv6Address LastOf(const IpCidr& cidr) {
  const int length = cidr.is_v4() ? cidr.length() + 96 : cidr.length();
  const auto ones = [](int n) { return n <= 0 ? ~uint64_t{0} : n >= 64 ? 0 : ~uint64_t{0} >> n; };
  const Ipv6Address first = cidr.network().bits();
  return {first.high() | ones(length), first.low() | ones(length - 64)};
}

constexpr Ipv6Address kLastAddress{~uint64_t{0}, ~uint64_t{0}};

}  // namespace

AddressRegions::AddressRegions(std::vector<std::pair<IpCidr, Criterion>> blocks) {
  // Blocks nest or are apart, so outer ones come before inner ones.
  std::ranges::sort(blocks);
  std::map<std::vector<Criterion>, int> regions;
  struct Open {
    Ipv6Address last;
    Criterion criterion;
  };
  std::vector<Open> open;
  const auto begin_range = [&](Ipv6Address first) {
    std::vector<Criterion> criteria;
    for (const Open& block : open) criteria.push_back(block.criterion);
    std::ranges::sort(criteria);
    const auto repeated = std::ranges::unique(criteria);
    criteria.erase(repeated.begin(), repeated.end());
    const int region =
        regions.try_emplace(std::move(criteria), static_cast<int>(regions.size())).first->second;
    // What begins at the same address is inside of what began there before.
    if (!ranges_.empty() && ranges_.back().first.bits() == first) ranges_.pop_back();
    if (ranges_.empty() || ranges_.back().region != region) ranges_.push_back({first, region});
  };
  const auto close_before = [&](Ipv6Address address) {
    while (!open.empty() && open.back().last < address) {
      const Ipv6Address last = open.back().last;
      while (!open.empty() && open.back().last == last) open.pop_back();
      begin_range(last.Offset(1));
    }
  };
  begin_range(Ipv6Address());
  for (size_t i = 0; i < blocks.size();) {
    const IpCidr cidr = blocks[i].first;
    close_before(cidr.network().bits());
    for (; i < blocks.size() && blocks[i].first == cidr; ++i) {
      open.push_back({LastOf(cidr), blocks[i].second});
    }
    begin_range(cidr.network().bits());
  }
  close_before(kLastAddress);
  size_ = static_cast<int>(regions.size());
}

int AddressRegions::RegionOf(IpAddress address) const {
  const auto after = std::ranges::upper_bound(ranges_, address, {},
                                              [](const Range& range) { return range.first; });
  return std::prev(after)->region;
}

}  // namespace cnisim
