// One node's world in memory, for tests of the agent: every port of core/ports, under a clock that
// the test moves by hand.
//
// EC2 does at once what it is asked, keeps its limits, and fails when the test says so. Metadata
// shows what EC2 holds unless it is told otherwise. Nothing is shared between two worlds, and two
// worlds that are treated alike stay equal. Small and cheap: a world is made for every test case.
#ifndef CNISIM_CORE_IPAM_TESTING_FAKE_WORLD_H_
#define CNISIM_CORE_IPAM_TESTING_FAKE_WORLD_H_

#include <array>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ipam/agent.h"

namespace cnisim {

class FakeClock final : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  TimerId StartTimer(TimePoint at, Timer& timer) override;
  void CancelTimer(TimerId id) override;

  // Fires the timers up to now + d in (time, start) order, then it is now + d.
  void Advance(Duration d);
  // Fires the next timer, at its time. False if there is none.
  bool Step();

 private:
  struct Entry {
    TimePoint at;
    TimerId id;
    Timer* timer;
  };
  // Of the next timer to fire; timers_.end() if none is set.
  std::vector<Entry>::iterator Next();
  void Fire(std::vector<Entry>::iterator entry);

  std::vector<Entry> timers_;
  TimePoint now_ = kTimeZero;
  TimerId last_id_ = 0;
};

enum class FakeEc2Action {
  kCreate,
  kAttach,
  kDetach,
  kDelete,
  kModify,
  kDescribeInterfaces,
  kDescribeDevices,
  kDescribeSubnets,
  kAssign,
  kUnassign,
  kTag,
  kFind,
  kAssignIpv6,
  kUnassignIpv6,
  kDescribeType,
};
inline constexpr size_t kEc2Actions = 15;

std::string_view NameOf(FakeEc2Action action);
std::optional<FakeEc2Action> Ec2ActionNamed(std::string_view name);

// One logical call as it came in, whether it succeeded or not.
struct Ec2Call {
  TimePoint at;
  FakeEc2Action action = FakeEc2Action::kCreate;
  std::string target;           // ENI; of Create the subnet, of Detach the attachment
  int number = 0;               // how many items, or the device index
  std::vector<Ipv4Cidr> cidrs;  // of Unassign

  friend bool operator==(const Ec2Call&, const Ec2Call&) = default;
  // "Assign(eni-2,14)".
  std::string ToString() const;
};

struct FakeSubnet {
  FakeSubnet(std::string id, Ipv4Cidr cidr, Tags tags = {});

  std::string id;
  Ipv4Cidr cidr;
  Tags tags;
  std::vector<bool> taken;  // AWS keeps the first four addresses and the last

  friend bool operator==(const FakeSubnet&, const FakeSubnet&) = default;
};

// The instance: how many ENIs each network card takes, and what each may hold besides its primary
// address.
struct FakeInstance {
  int max_enis = 4;
  int slots_per_eni = 14;
  bool with_primary_eni = true;

  InstanceLimits limits() const {
    InstanceLimits limits;
    limits.max_enis = max_enis;
    limits.ipv4_per_eni = slots_per_eni + 1;
    limits.supports_prefixes = true;
    return limits;
  }
};

class FakeEc2 final : public Ec2Api {
 public:
  FakeEc2(const Clock& clock, FakeInstance instance, std::vector<FakeSubnet> subnets);

  // --- What the test does and reads ---
  void FailNext(FakeEc2Action action, int times, std::string_view code);
  void FailAlways(FakeEc2Action action, std::string_view code);
  void StopFailing();
  // Puts an ENI where it is wanted, without a call. Addresses outside of all subnets are fine.
  NetworkInterface& AttachByHand(std::string id, int device, Ipv4Address primary_ip);
  void DetachByHand(std::string_view id);
  NetworkInterface* Find(std::string_view id);
  const std::vector<NetworkInterface>& enis() const { return enis_; }  // attached or not
  std::vector<FakeSubnet>& subnets() { return subnets_; }
  // Besides those of prefixes.
  int Ipv6AddressesOf(const std::string& id) const {
    const auto it = ipv6_addresses_.find(id);
    return it == ipv6_addresses_.end() ? 0 : it->second;
  }
  const std::vector<Ec2Call>& calls() const { return calls_; }
  void ForgetCalls() { calls_.clear(); }

  // --- Ec2Api ---
  Task<Result<NetworkInterface>> CreateNetworkInterface(
      CreateNetworkInterfaceRequest request) override;
  Task<Result<std::string>> AttachNetworkInterface(AttachNetworkInterfaceRequest request) override;
  Task<Status> DetachNetworkInterface(std::string attachment_id) override;
  Task<Status> DeleteNetworkInterface(std::string network_interface_id) override;
  Task<Status> ModifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) override;
  Task<Result<std::vector<NetworkInterface>>> DescribeNetworkInterfaces(
      std::vector<std::string> ids) override;
  Task<Result<std::vector<int>>> DescribeInstanceDevices(std::string instance_id,
                                                         int network_card_index) override;
  Task<Result<std::vector<Subnet>>> DescribeSubnets(std::string vpc_id,
                                                    std::string availability_zone) override;
  Task<Result<AssignedAddresses>> AssignPrivateIpAddresses(
      AssignPrivateIpAddressesRequest request) override;
  Task<Status> UnassignPrivateIpAddresses(UnassignPrivateIpAddressesRequest request) override;
  Task<Status> CreateTags(std::string resource_id, Tags tags) override;
  Task<Result<NetworkInterfacePage>> FindNetworkInterfaces(NetworkInterfaceFilter filter,
                                                           std::string token) override;
  Task<Result<std::vector<Ipv6Cidr>>> AssignIpv6Prefixes(std::string network_interface_id,
                                                         int count) override;
  Task<Status> UnassignIpv6Prefixes(std::string network_interface_id,
                                    std::vector<Ipv6Cidr> prefixes) override;
  Task<Result<InstanceTypeNetwork>> DescribeInstanceType(std::string type) override;

  InstanceTypeNetwork type;  // what DescribeInstanceType answers
  size_t page_size = kInterfacesPerPage;

 private:
  struct Script {
    int times = 0;  // -1: always
    std::string code;
  };

  // Records the call; an error if it is to fail.
  Status Receive(FakeEc2Action action, std::string target, int number = 0,
                 std::vector<Ipv4Cidr> cidrs = {});
  FakeSubnet* SubnetOf(Ipv4Address ip);
  // Lowest free addresses and aligned free /28s; all that is asked for or nothing.
  Status Take(FakeSubnet& subnet, int ips, int prefixes, NetworkInterface& eni,
              AssignedAddresses* assigned);
  void GiveBack(Ipv4Cidr cidr);

  const Clock& clock_;
  FakeInstance instance_;
  std::vector<FakeSubnet> subnets_;
  std::vector<NetworkInterface> enis_;
  int created_enis_ = 0;
  int attachments_ = 0;
  int ipv6_prefixes_ = 0;
  std::map<std::string, int> ipv6_addresses_;  // by ENI
  std::array<Script, kEc2Actions> scripts_;
  std::vector<Ec2Call> calls_;
};

class FakeMetadata final : public InstanceMetadata {
 public:
  explicit FakeMetadata(FakeEc2& ec2) : ec2_(ec2) {}

  InstanceIdentity identity;
  bool failing = false;
  std::optional<std::vector<MetadataEni>> view;  // shown instead of what EC2 holds
  // Secondary addresses, and prefixes, that are shown of an ENI.
  size_t most_items = std::numeric_limits<size_t>::max();
  std::vector<IpCidr> vpc_cidrs{Ipv4Cidr({10, 0, 0, 0}, 16)};
  std::vector<std::string> security_groups{"sg-1"};

  std::vector<MetadataEni> Truth() const;

  Task<Result<InstanceIdentity>> GetIdentity() override;
  Task<Result<std::vector<MetadataEni>>> GetAttachedEnis() override;
  Task<Result<std::vector<IpCidr>>> GetVpcCidrs(bool ipv6) override;
  Task<Result<std::vector<std::string>>> GetSecurityGroups() override;

 private:
  FakeEc2& ec2_;
};

class FakeHost final : public HostNetwork {
 public:
  std::vector<std::string> links;
  bool eni_setup_fails = false;
  bool rule_deletion_fails = false;
  bool link_listing_fails = false;
  bool links_vanish_once_listed = false;
  bool link_missing = false;       // SetupEni finds no link
  std::vector<int> source_tables;  // TablesOfSource, whatever the source
  std::vector<std::string> calls;  // of deletions, updates, and set-ups of ENIs

  Task<Status> SetupHost(IpAddress primary_ip, std::vector<IpCidr> vpc_cidrs) override;
  Task<Status> CleanUpStaleChains() override;
  Task<Status> UpdateVpcCidrs(std::vector<IpCidr> vpc_cidrs) override;
  Task<Status> RefreshPodRules(std::vector<IpAddress> pods) override;
  Task<Status> SetupEni(IpAddress eni_primary_ip, int device_number, int network_card,
                        int route_table) override;
  Task<Result<int>> LinkIndex(IpAddress eni_primary_ip) override;
  Task<Result<std::vector<int>>> TablesOfSource(IpAddress source) override;
  Task<Status> DeleteEniRule(IpAddress eni_primary_ip) override;
  Task<Result<std::vector<std::string>>> ListLinks() override;
  Task<Status> DeleteToPodRule(IpAddress pod) override;
  Task<Status> DeleteFromPodRule(IpAddress pod) override;
};

class MemoryCheckpointStore final : public CheckpointStore {
 public:
  bool failing = false;
  std::optional<std::vector<Allocation>> saved;
  // How often the announced change was not the difference to what was saved before.
  int wrong_changes = 0;

  Result<std::optional<std::vector<Allocation>>> Load() override;
  Status Save(const AllocationChange& change, const AllocationSource& all) override;
  Status Rewrite(const AllocationSource& all) override;
};

// A store for each card, made when first asked for.
class MemoryCheckpointStores final : public CheckpointStores {
 public:
  MemoryCheckpointStore& ForCard(int network_card) override { return stores_[network_card]; }

 private:
  std::map<int, MemoryCheckpointStore> stores_;
};

// One node object, any ENIConfigs and pods.
class FakeKubernetes final : public KubernetesApi {
 public:
  NodeObject node;
  bool failing = false;
  std::optional<Error> pod_error;  // of every GetPod
  std::map<std::string, EniConfig> eni_configs;
  std::map<std::string, PodObject> pods;  // by "namespace/name"
  int conflicts = 0;                      // how many patches of a pod to come meet one
  int pod_patches = 0;
  std::vector<CniNodeFeature> features;  // of the CNINode; one of a name replaces its like
  int cni_node_patches = 0;

  Task<Result<PodObject>> GetPod(std::string pod_namespace, std::string name) override;
  Task<Status> PatchPodAnnotation(std::string pod_namespace, std::string name, std::string key,
                                  std::string value) override;
  Task<Result<NodeObject>> GetNode() override;
  Task<Result<EniConfig>> GetEniConfig(std::string name) override;
  Task<Status> PatchCniNode(std::vector<CniNodeFeature> patched) override;
};

// Never leaves out an iteration.
class PollingPacer final : public PoolLoopPacer {
 public:
  explicit PollingPacer(Clock& clock) : clock_(clock) {}

  Task<void> HalfPeriod() override;
  Task<IdleEnd> SkipIdle(IdleOffer offer) override;
  Task<void> UntilRead(PolledMetadata what) override;

 private:
  Clock& clock_;
};

struct FakeWorld {
  explicit FakeWorld(FakeInstance instance = {},
                     std::vector<FakeSubnet> subnets = {{"subnet-a", Ipv4Cidr({10, 0, 0, 0}, 24)}});

  FakeClock clock;
  FakeEc2 ec2;
  FakeMetadata metadata;
  FakeHost host;
  FakeKubernetes kubernetes;
  MemoryCheckpointStores checkpoints;
  MemoryCheckpointStore& checkpoint = checkpoints.ForCard(0);
  PollingPacer pacer;
  Log log;

  AgentPorts ports() {
    return {clock, ec2, metadata, host, kubernetes, checkpoints, pacer, log, CivilEpoch{}};
  }

  // Moves the clock until the task is done.
  template <typename T>
  T Run(Task<T> task) {
    task.Start();
    while (!task.done()) {
      if (!clock.Step()) std::abort();  // it waits for nothing
    }
    return task.TakeValue();
  }
};

// The agent as a container that is started again 10 s after a fatal error.
class FakeNode {
 public:
  FakeNode(FakeWorld& world, AgentSettings settings, InstanceLimits limits,
           Choice choice = Choice::Oldest())
      : world_(world), settings_(std::move(settings)), limits_(limits), choice_(choice) {}

  // Kills the agent if it runs, and starts a new one.
  void Start();
  // Null until node init has succeeded.
  Agent* agent() { return ready_ ? agent_.get() : nullptr; }

 private:
  Task<void> Live();

  FakeWorld& world_;
  AgentSettings settings_;
  InstanceLimits limits_;
  Choice choice_;
  bool ready_ = false;
  std::unique_ptr<Agent> agent_;
  Task<void> life_;  // destroyed before the agent
};

inline constexpr Duration kCrashPause = std::chrono::seconds(10);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_TESTING_FAKE_WORLD_H_
