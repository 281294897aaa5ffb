// All that a network card's datastore holds, as plain values: what introspection and metrics show.
//
// The only place that reads a datastore for them. ENIs and CIDRs are oldest first, addresses in
// numerical order. Linear in what the datastore holds.
#ifndef CNISIM_CORE_IPAM_POOL_SNAPSHOT_H_
#define CNISIM_CORE_IPAM_POOL_SNAPSHOT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/ipam/datastore.h"
#include "core/net/ip.h"
#include "core/ports/checkpoint_store.h"
#include "core/ports/clock.h"

namespace cnisim {

// A managed network card and its datastore.
struct CardDatastore {
  int card = 0;
  const Datastore* datastore = nullptr;
};

struct PoolSnapshot {
  // One that a pod has, or had and that was not used since (ST-1).
  struct Address {
    IpAddress ip;
    IpamKey key;  // empty once released
    IpamMetadata metadata;
    std::optional<TimePoint> assigned;    // not known of released ones
    std::optional<TimePoint> unassigned;  // of released ones
  };
  struct Cidr {
    IpCidr cidr;
    bool is_prefix = false;
    int assigned = 0;
    std::vector<Address> addresses;
  };
  struct Eni {
    EniAttributes attributes;
    bool excluded = false;
    std::vector<Cidr> cidrs;

    int assigned() const;
  };

  int card = 0;
  int64_t total_ips = 0;  // of all CIDRs, whatever their mode (DM-6)
  int assigned_ips = 0;
  int prefixes = 0;
  int forced_removals_of_enis = 0;
  int forced_removals_of_ips = 0;
  std::vector<Eni> enis;
};

PoolSnapshot SnapshotOf(const CardDatastore& card);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_POOL_SNAPSHOT_H_
