// The slow, obvious twin of the whole agent, over the naive datastore: node init, pool loop and
// reconcile of one node with untagged subnets, choice oldest, metadata that never lags.
//
// It lives in a world of its own and is asked the same at the same times; then the EC2 calls, their
// times, and everything that both hold must be equal. Rules of amazon-vpc-cni-k8s v1.23.1.
#ifndef CNISIM_CORE_IPAM_TESTING_NAIVE_AGENT_H_
#define CNISIM_CORE_IPAM_TESTING_NAIVE_AGENT_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/ipam/testing/fake_world.h"
#include "core/ipam/testing/naive_datastore.h"

namespace cnisim {

class NaiveNode {
 public:
  NaiveNode(FakeWorld& world, AgentSettings settings, InstanceLimits limits)
      : world_(world),
        settings_(std::move(settings)),
        slots_(limits.ipv4_per_eni - 1),
        max_enis_(limits.max_enis) {}

  void Start();
  bool ready() const { return ready_; }
  NaiveDatastore& book() { return book_; }
  std::map<IpamKey, IpAddress>& checkpoint() { return checkpoint_; }

  // nullopt: no address.
  std::optional<IpAddress> Add(const IpamKey& key);
  bool Del(const IpamKey& key);

 private:
  enum class Outcome { kDone, kNothing, kFailed };

  TimePoint Now() const { return world_.clock.Now(); }
  Task<void> Live();
  Task<bool> Init();
  Task<void> Update();
  Task<void> Reconcile();
  Task<void> ReconcileItems(MetadataEni eni, bool prefixes);

  Task<bool> Grow();  // false: EC2 refused in a way that ends node init
  Task<Outcome> GrowExisting();
  Task<void> GrowNew(int quantity);
  Task<void> Shrink(int budget);
  Task<void> Free(std::string eni);
  Task<bool> Delete(std::string eni);
  Task<bool> Setup(MetadataEni eni);
  Task<Result<std::vector<NetworkInterface>>> DescribeAll();
  Task<Result<AssignedAddresses>> Assign(std::string eni, int quantity);
  void Enter(const std::string& eni, const std::vector<Ipv4Address>& ips,
             const std::vector<Ipv4Cidr>& prefixes);

  bool targets_defined() const {
    return settings_.warm_ip_target > 0 || settings_.minimum_ip_target > 0;
  }
  int Short() const;  // in addresses, or prefixes
  int Over() const;   // the same
  bool TooLow() const;
  int Wanted() const;  // CIDRs to ask for, whatever the room

  FakeWorld& world_;
  AgentSettings settings_;
  int slots_;
  int max_enis_;

  NaiveDatastore book_;
  std::map<IpamKey, IpAddress> checkpoint_;  // survives restarts
  std::map<IpCidr, TimePoint> released_at_;
  std::optional<TimePoint> last_action_;
  std::optional<TimePoint> last_shrink_;
  std::optional<TimePoint> last_insufficient_;
  bool ready_ = false;
  Task<void> life_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_TESTING_NAIVE_AGENT_H_
