#include "core/ipam/testing/slow_world.h"

#include <algorithm>

namespace cnisim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kLongestLocalCall = milliseconds(100);
// Metadata does not show an ENI until so long after it was first asked while the ENI was attached.
constexpr Duration kMetadataLag = milliseconds(1500);

std::string_view SleepName(Duration d) {
  if (d == kPoolLoopHalfPeriod) return "half period";
  if (d == kPolledMetadataInterval) return "metadata poll";
  if (d == seconds(2)) return "after Detach";
  if (d == seconds(5)) return "CIDR of excluded ENI";
  if (d >= std::chrono::hours(1)) return "next leaked-ENI run";
  return d > seconds(1) && d % seconds(1) == Duration::zero() ? "first leaked-ENI run" : "back-off";
}

}  // namespace

// --- Calls ---

template <typename T>
struct SlowWorld::EffectOf final : Effect {
  EffectOf(SlowWorld& world, std::string name, Task<T> task)
      : world(world), name(std::move(name)), task(std::move(task)) {}

  void Fire() override {
    task.Start();  // the fakes never wait
    value.emplace(task.TakeValue());
    // The agent that called may be gone.
    if (!caller.expired()) world.Pass(name + " done");
    std::erase_if(world.in_flight_, [this](const auto& effect) { return effect.get() == this; });
  }

  SlowWorld& world;
  std::string name;
  Task<T> task;
  std::optional<T> value;
  std::weak_ptr<int> caller;
};

template <typename T>
Task<T> SlowWorld::Call(std::string name, Duration longest, Task<T> effect) {
  const auto caller = std::make_shared<int>();
  const auto call = std::make_shared<EffectOf<T>>(*this, name, std::move(effect));
  call->caller = caller;
  const Duration until_effect = DrawDuration(milliseconds(1), longest / 2);
  const Duration until_reply = until_effect + DrawDuration(milliseconds(1), longest / 2);
  if (!dead_) {
    Pass(name);
    in_flight_.push_back(call);  // what was sent has its effect
    world.clock.StartTimer(world.clock.Now() + until_effect, *call);
  }
  calling_ = true;
  co_await clock.Sleep(until_reply);
  co_return *std::move(call->value);
}

class SlowWorld::Ec2 final : public Ec2Api {
 public:
  explicit Ec2(SlowWorld& world) : world_(world), ec2_(world.world.ec2) {}

  Task<Result<NetworkInterface>> CreateNetworkInterface(
      CreateNetworkInterfaceRequest request) override {
    return Call("Create", ec2_.CreateNetworkInterface(std::move(request)));
  }
  Task<Result<std::string>> AttachNetworkInterface(AttachNetworkInterfaceRequest request) override {
    return Call("Attach", ec2_.AttachNetworkInterface(std::move(request)));
  }
  Task<Status> DetachNetworkInterface(std::string attachment_id) override {
    return Call("Detach", ec2_.DetachNetworkInterface(std::move(attachment_id)));
  }
  Task<Status> DeleteNetworkInterface(std::string id) override {
    return Call("Delete", ec2_.DeleteNetworkInterface(std::move(id)));
  }
  Task<Status> ModifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) override {
    return Call("Modify", ec2_.ModifyNetworkInterfaceAttribute(std::move(request)));
  }
  Task<Result<std::vector<NetworkInterface>>> DescribeNetworkInterfaces(
      std::vector<std::string> ids) override {
    return Call("DescribeInterfaces", ec2_.DescribeNetworkInterfaces(std::move(ids)));
  }
  Task<Result<std::vector<int>>> DescribeInstanceDevices(std::string instance, int card) override {
    return Call("DescribeDevices", ec2_.DescribeInstanceDevices(std::move(instance), card));
  }
  Task<Result<std::vector<Subnet>>> DescribeSubnets(std::string vpc, std::string zone) override {
    return Call("DescribeSubnets", ec2_.DescribeSubnets(std::move(vpc), std::move(zone)));
  }
  Task<Result<AssignedAddresses>> AssignPrivateIpAddresses(
      AssignPrivateIpAddressesRequest request) override {
    return Call("Assign", ec2_.AssignPrivateIpAddresses(std::move(request)));
  }
  Task<Status> UnassignPrivateIpAddresses(UnassignPrivateIpAddressesRequest request) override {
    return Call("Unassign", ec2_.UnassignPrivateIpAddresses(std::move(request)));
  }
  Task<Status> CreateTags(std::string id, Tags tags) override {
    return Call("Tag", ec2_.CreateTags(std::move(id), std::move(tags)));
  }
  Task<Result<NetworkInterfacePage>> FindNetworkInterfaces(NetworkInterfaceFilter filter,
                                                           std::string token) override {
    return Call("Find", ec2_.FindNetworkInterfaces(std::move(filter), std::move(token)));
  }
  Task<Result<std::vector<Ipv6Cidr>>> AssignIpv6Prefixes(std::string id, int count) override {
    return Call("AssignIpv6", ec2_.AssignIpv6Prefixes(std::move(id), count));
  }
  Task<Status> UnassignIpv6Prefixes(std::string id, std::vector<Ipv6Cidr> prefixes) override {
    return Call("UnassignIpv6", ec2_.UnassignIpv6Prefixes(std::move(id), std::move(prefixes)));
  }
  Task<Result<InstanceTypeNetwork>> DescribeInstanceType(std::string type) override {
    return Call("DescribeType", ec2_.DescribeInstanceType(std::move(type)));
  }

 private:
  template <typename T>
  Task<T> Call(const char* name, Task<T> effect) {
    return world_.Call(name, kLongestCall, std::move(effect));
  }

  SlowWorld& world_;
  FakeEc2& ec2_;
};

class SlowWorld::Metadata final : public InstanceMetadata {
 public:
  explicit Metadata(SlowWorld& world) : world_(world), metadata_(world.world.metadata) {}

  Task<Result<InstanceIdentity>> GetIdentity() override {
    return world_.Call("identity", kLongestLocalCall, metadata_.GetIdentity());
  }
  Task<Result<std::vector<MetadataEni>>> GetAttachedEnis() override {
    return world_.Call("attached ENIs", kLongestLocalCall, ShownEnis());
  }
  Task<Result<std::vector<IpCidr>>> GetVpcCidrs(bool ipv6) override {
    return world_.Call("VPC CIDRs", kLongestLocalCall, metadata_.GetVpcCidrs(ipv6));
  }
  Task<Result<std::vector<std::string>>> GetSecurityGroups() override {
    return world_.Call("security groups", kLongestLocalCall, metadata_.GetSecurityGroups());
  }

 private:
  Task<Result<std::vector<MetadataEni>>> ShownEnis() {
    Result<std::vector<MetadataEni>> enis = co_await metadata_.GetAttachedEnis();
    const TimePoint now = world_.world.clock.Now();
    std::erase_if(*enis, [&](const MetadataEni& eni) {
      const auto [first_seen, inserted] = attached_since_.emplace(eni.id, now);
      return eni.device_number > 0 && now - first_seen->second < kMetadataLag;
    });
    co_return enis;
  }

  SlowWorld& world_;
  FakeMetadata& metadata_;
  std::map<std::string, TimePoint> attached_since_;
};

class SlowWorld::Host final : public HostNetwork {
 public:
  explicit Host(SlowWorld& world) : world_(world), host_(world.world.host) {}

  Task<Status> SetupHost(IpAddress primary, std::vector<IpCidr> vpc) override {
    return Call("SetupHost", host_.SetupHost(primary, std::move(vpc)));
  }
  Task<Status> CleanUpStaleChains() override {
    return Call("CleanUpStaleChains", host_.CleanUpStaleChains());
  }
  Task<Status> UpdateVpcCidrs(std::vector<IpCidr> vpc) override {
    return Call("UpdateVpcCidrs", host_.UpdateVpcCidrs(std::move(vpc)));
  }
  Task<Status> RefreshPodRules(std::vector<IpAddress> pods) override {
    return Call("RefreshPodRules", host_.RefreshPodRules(std::move(pods)));
  }
  Task<Status> SetupEni(IpAddress primary, int device, int card, int table) override {
    return Call("SetupEni", host_.SetupEni(primary, device, card, table));
  }
  Task<Result<int>> LinkIndex(IpAddress primary) override {
    return Call("LinkIndex", host_.LinkIndex(primary));
  }
  Task<Result<std::vector<int>>> TablesOfSource(IpAddress source) override {
    return Call("TablesOfSource", host_.TablesOfSource(source));
  }
  Task<Status> DeleteEniRule(IpAddress primary) override {
    return Call("DeleteEniRule", host_.DeleteEniRule(primary));
  }
  Task<Result<std::vector<std::string>>> ListLinks() override {
    return Call("ListLinks", host_.ListLinks());
  }
  Task<Status> DeleteToPodRule(IpAddress pod) override {
    return Call("DeleteToPodRule", host_.DeleteToPodRule(pod));
  }
  Task<Status> DeleteFromPodRule(IpAddress pod) override {
    return Call("DeleteFromPodRule", host_.DeleteFromPodRule(pod));
  }

 private:
  template <typename T>
  Task<T> Call(const char* name, Task<T> effect) {
    return world_.Call(name, kLongestLocalCall, std::move(effect));
  }

  SlowWorld& world_;
  FakeHost& host_;
};

class SlowWorld::Kubernetes final : public KubernetesApi {
 public:
  explicit Kubernetes(SlowWorld& world) : world_(world), api_(world.world.kubernetes) {}

  Task<Result<PodObject>> GetPod(std::string pod_namespace, std::string name) override {
    return Call("GetPod", api_.GetPod(std::move(pod_namespace), std::move(name)));
  }
  Task<Status> PatchPodAnnotation(std::string pod_namespace, std::string name, std::string key,
                                  std::string value) override {
    return Call("PatchPodAnnotation",
                api_.PatchPodAnnotation(std::move(pod_namespace), std::move(name), std::move(key),
                                        std::move(value)));
  }
  Task<Result<NodeObject>> GetNode() override { return Call("GetNode", api_.GetNode()); }
  Task<Result<EniConfig>> GetEniConfig(std::string name) override {
    return Call("GetEniConfig", api_.GetEniConfig(std::move(name)));
  }
  Task<Status> PatchCniNode(std::vector<CniNodeFeature> features) override {
    return Call("PatchCniNode", api_.PatchCniNode(std::move(features)));
  }

 private:
  template <typename T>
  Task<T> Call(const char* name, Task<T> effect) {
    return world_.Call(name, kLongestLocalCall, std::move(effect));
  }

  SlowWorld& world_;
  FakeKubernetes& api_;
};

// --- Clock, pacer, checkpoint ---

TimePoint PointClock::Now() const { return world_.world.clock.Now(); }

TimerId PointClock::StartTimer(TimePoint at, Timer& timer) {
  if (!std::exchange(world_.calling_, false)) world_.Pass(SleepName(at - Now()));
  return world_.world.clock.StartTimer(at, timer);
}

void PointClock::CancelTimer(TimerId id) { world_.world.clock.CancelTimer(id); }

Task<void> SlowPacer::HalfPeriod() { co_await world_.clock.Sleep(slowness * kPoolLoopHalfPeriod); }

Task<IdleEnd> SlowPacer::SkipIdle(IdleOffer offer) {
  co_await HalfPeriod();
  IdleEnd end;
  end.last_pool_action = offer.last_pool_action;
  co_return end;
}

Task<void> SlowPacer::UntilRead(PolledMetadata) {
  co_await world_.clock.Sleep(slowness * kPolledMetadataInterval);
}

Result<std::optional<std::vector<Allocation>>> MortalCheckpointStore::Load() {
  return store_.Load();
}

Status MortalCheckpointStore::Save(const AllocationChange& change, const AllocationSource& all) {
  world_.Pass("before a save");
  if (world_.dead()) return Fail("Dead", "killed");
  Status saved = store_.Save(change, all);
  world_.Pass("after a save");
  return saved;
}

Status MortalCheckpointStore::Rewrite(const AllocationSource& all) {
  world_.Pass("before a rewrite");
  if (world_.dead()) return Fail("Dead", "killed");
  Status saved = store_.Rewrite(all);
  world_.Pass("after a rewrite");
  return saved;
}

MortalCheckpointStore& MortalCheckpointStores::ForCard(int network_card) {
  return stores_.try_emplace(network_card, world_, world_.world.checkpoints.ForCard(network_card))
      .first->second;
}

// --- World ---

SlowWorld::SlowWorld(FakeInstance instance, std::vector<FakeSubnet> subnets, uint64_t seed,
                     Death death)
    : world(instance, std::move(subnets)),
      pacer(*this),
      clock(*this),
      random_(seed),
      death_(std::move(death)),
      checkpoints_(*this),
      ec2_(std::make_unique<Ec2>(*this)),
      metadata_(std::make_unique<Metadata>(*this)),
      host_(std::make_unique<Host>(*this)),
      kubernetes_(std::make_unique<Kubernetes>(*this)) {}

SlowWorld::~SlowWorld() = default;

AgentPorts SlowWorld::ports() {
  return {clock,        *ec2_, *metadata_, *host_,      *kubernetes_,
          checkpoints_, pacer, world.log,  CivilEpoch{}};
}

Duration SlowWorld::DrawDuration(Duration from, Duration to) {
  return from + Duration(static_cast<int64_t>(Draw(static_cast<uint64_t>((to - from).count()))));
}

void SlowWorld::Pass(std::string_view name) {
  if (dead_) return;
  auto it = seen_.find(name);
  if (it == seen_.end()) it = seen_.try_emplace(std::string(name)).first;
  ++it->second;
  ++passed_;
  const bool counts = death_.point.empty() || death_.point == name;
  if (!counts || (death_.point.empty() ? passed_ : it->second) != death_.count) return;
  dead_ = true;
  died_at_ = name;
}

bool SlowWorld::RunUntilDeathFor(Duration d) {
  struct End final : Timer {
    void Fire() override { fired = true; }
    bool fired = false;
  } end;
  const TimerId id = world.clock.StartTimer(world.clock.Now() + d, end);
  while (!end.fired && !dead_) world.clock.Step();
  if (!end.fired) world.clock.CancelTimer(id);
  return dead_;
}

void SlowWorld::Bury() {
  dead_ = false;
  calling_ = false;
  death_.count = 0;
}

}  // namespace cnisim
