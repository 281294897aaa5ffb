#include "core/ipam/pool_snapshot.h"

namespace cnisim {
namespace {

PoolSnapshot::Cidr SnapshotOf(const Datastore::Cidr& cidr) {
  PoolSnapshot::Cidr result{cidr.cidr, cidr.is_prefix(), cidr.assigned, {}};
  for (size_t i = 0; i < cidr.slots.size(); ++i) {
    const Datastore::Cidr::Slot& slot = cidr.slots[i];
    if (slot.state == Datastore::Cidr::State::kAbsent) continue;
    PoolSnapshot::Address address;
    address.ip = cidr.cidr.network().Offset(i);
    if (slot.state == Datastore::Cidr::State::kAssigned) {
      const auto& [key, holder] = *slot.holder;
      address.key = key;
      address.metadata = holder.metadata;
      address.assigned = holder.allocated;
    } else {
      address.unassigned = slot.unassigned;
    }
    result.addresses.push_back(std::move(address));
  }
  return result;
}

}  // namespace

int PoolSnapshot::Eni::assigned() const {
  int sum = 0;
  for (const Cidr& cidr : cidrs) sum += cidr.assigned;
  return sum;
}

PoolSnapshot SnapshotOf(const CardDatastore& card) {
  const Datastore& datastore = *card.datastore;
  PoolSnapshot result;
  result.card = card.card;
  result.total_ips = datastore.raw_total_ips();
  result.forced_removals_of_enis = datastore.forced_removals_of_enis();
  result.forced_removals_of_ips = datastore.forced_removals_of_ips();
  for (const auto& eni : datastore.enis()) {
    PoolSnapshot::Eni& shown = result.enis.emplace_back();
    shown.attributes = eni->attributes;
    shown.excluded = eni->excluded;
    for (const Datastore::Cidr& cidr : eni->cidrs) {
      shown.cidrs.push_back(SnapshotOf(cidr));
      result.prefixes += cidr.is_prefix() ? 1 : 0;
    }
    result.assigned_ips += shown.assigned();
  }
  return result;
}

}  // namespace cnisim
