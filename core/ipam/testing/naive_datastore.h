// The slow, obvious twin of the datastore: plain lists, nothing counted ahead, oldest first.
//
// Written from the rules (DM, ST, AS, DL, RM of amazon-vpc-cni-k8s v1.23.1), not from the code it
// is compared with. Every figure is a recount.
#ifndef CNISIM_CORE_IPAM_TESTING_NAIVE_DATASTORE_H_
#define CNISIM_CORE_IPAM_TESTING_NAIVE_DATASTORE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/ipam/datastore.h"

namespace cnisim {

// Of an address that is, or was, assigned; any other is not in the map.
struct NaiveAddress {
  std::optional<IpamKey> key;
  TimePoint unassigned;
};

struct NaiveCidr {
  IpCidr cidr;
  PoolMode kind = PoolMode::kSecondaryIps;  // the mode in which it serves pods
  std::map<IpAddress, NaiveAddress> addresses;

  int pods() const;
};

struct NaiveEni {
  EniAttributes attributes;
  TimePoint created;
  bool excluded = false;
  std::vector<NaiveCidr> cidrs;

  int pods() const;
};

struct NaiveDatastore {
  PoolMode mode = PoolMode::kSecondaryIps;
  Quirks quirks;
  Duration cooldown = std::chrono::seconds(30);
  std::vector<NaiveEni> enis;
  int64_t lost_ips = 0;   // subtracted twice (DM-9), or forgotten (EX-4, below zero)
  int lost_prefixes = 0;  // the same

  NaiveEni* FindEni(std::string_view id);
  NaiveCidr* FindCidr(std::string_view eni, IpCidr cidr);

  bool AddEni(EniAttributes attributes, TimePoint now);
  bool RemoveEni(std::string_view id, bool force);
  bool AddCidr(std::string_view eni, IpCidr cidr);
  bool DeleteCidr(std::string_view eni, IpCidr cidr, bool force);
  bool DeleteUnusedCidrOfExcluded(std::string_view eni, IpCidr cidr);
  std::vector<IpCidr> Freeable(const NaiveEni& eni, TimePoint now) const;

  std::optional<PodAddress> Find(const IpamKey& key);
  // Whether an ADD may answer with this address.
  bool MayServe(std::string_view eni, IpAddress ip, TimePoint now);
  // What an ADD that takes the oldest first answers.
  std::optional<PodAddress> Pick(TimePoint now);
  // `saved` is whether the checkpoint could be written.
  void Serve(const PodAddress& address, const IpamKey& key, TimePoint now, bool saved);
  bool Release(const IpamKey& key, TimePoint now);

  PoolStats Stats(TimePoint now) const;
  int64_t RawTotal() const;
  bool Cooling(const NaiveAddress& address, TimePoint now) const;
  // Whether RM-3 lets this ENI go.
  bool MayRemove(const NaiveEni& eni, const Datastore::RemovalTargets& targets,
                 TimePoint now) const;
};

// Every difference between the two, and every broken invariant of the real one; empty if none.
std::string CompareBooks(Datastore& real, const NaiveDatastore& naive, TimePoint now);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_TESTING_NAIVE_DATASTORE_H_
