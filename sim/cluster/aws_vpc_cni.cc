#include "sim/cluster/aws_vpc_cni.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/net/veth_name.h"
#include "sim/cluster/node.h"

namespace cnisim {
namespace {

constexpr const char* kNetworkName = "aws-cni";
constexpr const char* kInterfaceName = "eth0";
constexpr const char* kAgentVersion = "v1.23.1";
constexpr Duration kLongestCrashLoopBackOff = std::chrono::minutes(5);

// A throttled answer explains a shortage for as long as the SDK may still be retrying after it.
constexpr Duration kThrottleMemory = std::chrono::seconds(10);

// Time zero on the calendar, for times in tags: the beginning of 2026, UTC.
constexpr CivilEpoch kEpoch{1'767'225'600'000'000'000};

// Of the shipped conflist (its "aws-cni" entry).
NetworkConfig ShippedConfig() {
  NetworkConfig config;
  config.cni_version = "0.4.0";
  config.name = kNetworkName;
  return config;
}

IpamKey KeyOf(const Pod& pod) { return {kNetworkName, pod.sandbox_id, kInterfaceName}; }

}  // namespace

// The node's kernel, as far as the agent asks it: which pods have an interface.
class AwsVpcCni::Host final : public HostNetwork {
 public:
  explicit Host(const Node& node) : node_(node) {}

  Task<Status> SetupHost(IpAddress, std::vector<IpCidr>) override { co_return Status(); }
  Task<Status> CleanUpStaleChains() override { co_return Status(); }
  Task<Status> UpdateVpcCidrs(std::vector<IpCidr>) override { co_return Status(); }
  Task<Status> RefreshPodRules(std::vector<IpAddress>) override { co_return Status(); }
  Task<Status> SetupEni(IpAddress, int, int, int) override { co_return Status(); }
  Task<Result<int>> LinkIndex(IpAddress) override {
    co_return Fail(std::string(kLinkNotFound), "links have no numbers here");
  }
  Task<Result<std::vector<int>>> TablesOfSource(IpAddress) override {
    co_return std::vector<int>();
  }
  Task<Status> DeleteEniRule(IpAddress) override { co_return Status(); }
  Task<Status> DeleteToPodRule(IpAddress) override { co_return Status(); }
  Task<Status> DeleteFromPodRule(IpAddress) override { co_return Status(); }

  Task<Result<std::vector<std::string>>> ListLinks() override {
    std::vector<std::string> links{"lo", "eth0"};
    for (const Pod* pod : node_.pods()) {
      if (pod->ip) links.push_back("eni" + VethSuffix(node_.NamespaceOf(*pod), pod->name));
    }
    co_return links;
  }

 private:
  const Node& node_;
};

// A checkpoint file, kept as what it says.
class AwsVpcCni::Checkpoint final : public CheckpointStore {
 public:
  Result<std::optional<std::vector<Allocation>>> Load() override {
    if (!written_) return std::nullopt;
    std::vector<Allocation> all;
    for (const auto& [key, allocation] : allocations_) all.push_back(allocation);
    // The file's order is that of the table above: any. Make it a defined one.
    std::ranges::sort(all, {}, &Allocation::key);
    return all;
  }
  Status Save(const AllocationChange& change, const AllocationSource&) override {
    written_ = true;
    if (change.added != nullptr) allocations_.insert_or_assign(change.added->key, *change.added);
    if (change.removed != nullptr) allocations_.erase(*change.removed);
    return {};
  }
  Status Rewrite(const AllocationSource& all) override {
    written_ = true;
    allocations_.clear();
    for (Allocation& allocation : all.AllAllocations()) {
      allocations_.emplace(allocation.key, std::move(allocation));
    }
    return {};
  }
  size_t size() const { return allocations_.size(); }

 private:
  bool written_ = false;
  std::unordered_map<IpamKey, Allocation> allocations_;
};

class AwsVpcCni::Checkpoints final : public CheckpointStores {
 public:
  CheckpointStore& ForCard(int network_card) override { return cards_[network_card]; }
  size_t size() const {
    size_t size = 0;
    for (const auto& [card, checkpoint] : cards_) size += checkpoint.size();
    return size;
  }

 private:
  std::map<int, Checkpoint> cards_;
};

// Stands in for the network policy agent that the shipped manifest runs beside the agent: it
// enforces nothing and says so at once.
class AwsVpcCni::PolicyAgent final : public RpcChannel {
 public:
  Task<Status> Connect(Duration) override { co_return Status(); }
  Task<RpcStatus> Call(std::string_view, std::string_view, std::string* reply) override {
    rpc::EnforceNpReply answer;  // DeleteNpReply is the same
    answer.set_success(true);
    answer.SerializeToString(reply);
    co_return RpcStatus();
  }
};

// The kernel's work takes the time that the kubelet charges for it (cni.rtnlHold).
class AwsVpcCni::Driver final : public PodNetworkDriver {
 public:
  Task<Status> SetupPodNetwork(std::vector<PodInterface>, std::string, int) override {
    co_return Status();
  }
  Task<Status> TeardownPodNetwork(std::vector<PodInterface>) override { co_return Status(); }
  Task<Status> SetupBranchPodNetwork(PodInterface, std::string, BranchLink, int,
                                     EnforcingMode) override {
    co_return Status();
  }
  Task<Status> TeardownBranchPodNetwork(PodInterface, int, EnforcingMode) override {
    co_return Status();
  }
};

AwsVpcCni::AwsVpcCni(ClusterContext& context, Node& node, Ec2& ec2, InstanceIndex instance,
                     const AgentSettingsSource& settings, PoolLevels& group_levels)
    : context_(context),
      node_(node),
      ec2_(ec2),
      instance_(instance),
      settings_source_(settings),
      group_levels_(group_levels),
      host_(std::make_unique<Host>(node)),
      kubernetes_(context, node, ec2),
      checkpoints_(std::make_unique<Checkpoints>()),
      cni_config_(ShippedConfig()),
      policy_agent_(std::make_unique<PolicyAgent>()),
      driver_(std::make_unique<Driver>()),
      plugin_(kAgentVersion, {channel_, *policy_agent_, *driver_}),
      pacer_(context.simulation, ec2.metadata(instance), node.index(),
             context.scenario.park_idle_pools) {
  ec2_.metadata(instance_).set_on_change([this] { pacer_.MetadataChanged(); });
}

AwsVpcCni::~AwsVpcCni() { KillContainer(); }

void AwsVpcCni::Start(std::function<void()> on_ready) {
  on_ready_ = std::move(on_ready);
  flow_ = RunContainer(Duration::zero());
  flow_.Start();
}

void AwsVpcCni::Restart() {
  pacer_.CatchUp();
  KillContainer();
  flow_ = RunContainer(node_.Sample(context_.scenario.constants.node_agent_start, "restart"));
  flow_.Start();
}

void AwsVpcCni::Stop() {
  pacer_.CatchUp();
  KillContainer();
  FlushPoolChange();
  ec2_.metadata(instance_).set_on_change(nullptr);
  SetLevels({});
}

void AwsVpcCni::KillContainer() {
  serving_ = false;
  channel_.Disconnect(context_.simulation);
  flow_ = Task<void>();
  ipamd_.reset();
  ec2_client_.reset();
}

// Init until it succeeds, with the kubelet's restart back-off; then the pool loop, for ever.
Task<void> AwsVpcCni::RunContainer(Duration start_delay) {
  co_await context_.simulation.Sleep(start_delay);
  const InstanceType& type = node_.type();
  settings_ = settings_source_.SettingsFor(type);
  InstanceLimits limits;
  limits.max_enis = type.eni_limit;
  limits.ipv4_per_eni = type.ipv4_per_eni;
  limits.supports_prefixes = PrefixDelegationSupported(type);
  limits.network_cards = type.network_cards;
  const Choice choice = context_.scenario.network.choice == ChoicePolicy::kOldest
                            ? Choice::Oldest()
                            : Choice::Random(node_.ChoiceSeed());
  Duration back_off = node_.Sample(context_.scenario.constants.crash_loop_initial, "crash-loop");
  for (;;) {
    ec2_client_ = std::make_unique<Ec2Client>(ec2_, instance_);
    const AgentPorts ports{context_.simulation,
                           *ec2_client_,
                           ec2_.metadata(instance_),
                           *host_,
                           kubernetes_,
                           *checkpoints_,
                           pacer_,
                           Log(),
                           kEpoch};
    ipamd_ = std::make_unique<Ipamd>(kAgentVersion, ports, settings_, limits, choice, this);
    const Status ready = co_await ipamd_->Init();
    if (ready) break;
    context_.TellFinding(
        "agent-init-failed", Severity::kWarning,
        fmt::format("{}: node init failed ({}: {}); restarted after {} s", node_.name(),
                    ready.error().code, ready.error().message, back_off / std::chrono::seconds(1)));
    ipamd_.reset();
    co_await context_.simulation.Sleep(back_off);
    back_off = std::min(back_off * 2, kLongestCrashLoopBackOff);
  }
  serving_ = true;
  channel_.set_backend(ipamd_->backend());
  FindLeaks();
  on_ready_();
  co_await ipamd_->Run();
}

PodAttachment AwsVpcCni::AttachmentOf(const Pod& pod) const {
  PodArgs args;
  args.pod_namespace = node_.NamespaceOf(pod);
  args.pod_name = pod.name;
  args.infra_container_id = pod.sandbox_id;
  return {pod.sandbox_id, "/var/run/netns/" + pod.sandbox_id, kInterfaceName, std::move(args),
          cni_config_};
}

Task<Result<PodNetwork>> AwsVpcCni::Add(Pod& pod) {
  const IpamKey key = KeyOf(pod);
  const PodAttachment attachment = AttachmentOf(pod);
  const CniResult<PodResult> added = co_await plugin_.Add(attachment);
  if (!added) co_return Fail("Cni", added.error().message);
  PodNetwork network;
  network.ip = added->ips.front().ip;
  if (ipamd_ != nullptr) {
    for (const auto& pool : ipamd_->agent().state().pools) {
      if (const auto held = pool->Find(key)) network.eni = held->eni_id;
    }
  }
  co_return network;
}

WaitReason AwsVpcCni::ExplainFailure() {
  if (!serving_) return WaitReason::kAgentDown;
  AgentState& agent = ipamd_->agent().state();
  Datastore& pool = agent.default_pool();
  const PoolStats stats = pool.Stats(context_.Now());
  if (stats.available_ips() > 0) {
    return stats.cooling_ips > 0 ? WaitReason::kCooling : WaitReason::kIpamError;
  }
  if (agent.activity == PoolActivity::kWaitingForMetadata) return WaitReason::kImdsLag;
  const TimePoint throttled = ec2_client_->last_throttled();
  if (throttled != TimePoint::min() && context_.Now() - throttled <= kThrottleMemory) {
    return WaitReason::kThrottled;
  }
  if (agent.last_ec2_error.code == ec2_error::kInsufficientCidrBlocks) {
    return WaitReason::kFragmented;
  }
  if (agent.last_ec2_error.code == ec2_error::kInsufficientFreeAddresses) {
    return WaitReason::kSubnetExhausted;
  }
  const bool all_full = pool.AllocatableEnis(agent.SlotsPerEni()).empty();
  if ((all_full && !agent.HasRoomForEni(pool)) || stats.total_ips >= agent.max_pods) {
    return WaitReason::kEniLimit;
  }
  return WaitReason::kPoolEmpty;
}

Task<void> AwsVpcCni::Del(Pod& pod) {
  // Without the agent the plugin cleans up by itself and reports success. The agent will learn of
  // it from the missing interface when it restores its checkpoint, unless it has done so already.
  if (!serving_) missed_dels_.push_back(KeyOf(pod));
  const PodAttachment attachment = AttachmentOf(pod);
  const CniResult<void> deleted = co_await plugin_.Del(attachment);
  static_cast<void>(deleted);  // the kubelet's collection of dead sandboxes tries no harder
}

void AwsVpcCni::FindLeaks() {
  std::erase_if(missed_dels_, [this](const IpamKey& key) {
    return std::ranges::none_of(ipamd_->agent().state().pools,
                                [&](const auto& pool) { return pool->Find(key).has_value(); });
  });
  if (missed_dels_.size() > leaks_told_) {
    context_.TellFinding(
        "address-leaked-by-missed-del", Severity::kWarning,
        fmt::format("{}: {} pods were deleted between the agent's checkpoint restore and its first "
                    "RPC; their addresses stay assigned until its next restart",
                    node_.name(), missed_dels_.size() - leaks_told_));
  }
  leaks_told_ = missed_dels_.size();
}

void AwsVpcCni::OnPoolChanged() {
  pacer_.Poke();
  if (ipamd_ == nullptr) return;
  const TimePoint now = context_.Now();
  PoolStats stats;
  int enis = 0;
  for (const auto& pool : ipamd_->agent().state().pools) {
    const PoolStats of_card = pool->Stats(now);
    stats.total_ips += of_card.total_ips;
    stats.assigned_ips += of_card.assigned_ips;
    stats.cooling_ips += of_card.cooling_ips;
    stats.total_prefixes += of_card.total_prefixes;
    enis += static_cast<int>(pool->enis().size());
  }
  SetLevels({enis, stats.total_prefixes, stats.total_ips, stats.assigned_ips});

  if (change_pending_ && change_.time != now) FlushPoolChange();
  change_pending_ = true;
  change_.node = node_.entity();
  change_.time = now;
  change_.enis = enis;
  change_.total_ips = stats.total_ips;
  change_.assigned_ips = stats.assigned_ips;
  change_.cooling_ips = stats.cooling_ips;
  change_.prefixes = stats.total_prefixes;
}

void AwsVpcCni::SetLevels(const PoolLevels& levels) {
  const auto set = [&](int64_t PoolLevels::*level, Metric metric) {
    if (levels.*level == levels_.*level) return;
    group_levels_.*level += levels.*level - levels_.*level;
    if (context_.observer == nullptr) return;
    const auto group = static_cast<size_t>(node_.config().node_group);
    context_.observer->OnGauge(metric, context_.node_groups[group], context_.Now(),
                               group_levels_.*level);
  };
  set(&PoolLevels::enis, Metric::kPoolEnis);
  set(&PoolLevels::prefixes, Metric::kPoolPrefixes);
  set(&PoolLevels::total_ips, Metric::kPoolTotalIps);
  set(&PoolLevels::assigned_ips, Metric::kPoolAssignedIps);
  levels_ = levels;
}

void AwsVpcCni::FlushPoolChange() {
  if (change_pending_ && context_.observer != nullptr) context_.observer->OnPoolChange(change_);
  change_pending_ = false;
}

void AwsVpcCni::Tell() {
  pacer_.CatchUp();
  if (change_pending_ && change_.time >= context_.Now()) {
    FlushPoolChange();
    return;
  }
  if (context_.Now() == kTimeZero && ipamd_ != nullptr) {
    // What the warm-up left behind.
    change_pending_ = false;
    OnPoolChanged();
  }
  FlushPoolChange();
}

std::vector<std::string> AwsVpcCni::CheckPool(Datastore& pool, size_t& holders) {
  std::vector<std::string> violations;
  const PoolStats stats = pool.Stats(context_.Now());
  PoolStats recount;
  std::map<IpAddress, int> seen;
  for (const auto& eni : pool.enis()) {
    if (eni->cidrs.size() > static_cast<size_t>(node_.type().slots_per_eni())) {
      violations.push_back(fmt::format("{} has {} CIDRs", eni->attributes.id, eni->cidrs.size()));
    }
    for (const Datastore::Cidr& cidr : eni->cidrs) {
      const bool counts = !eni->excluded && cidr.kind == settings_.mode();
      int assigned = 0;
      for (const Datastore::Cidr::Slot& slot : cidr.slots) {
        assigned += slot.state == Datastore::Cidr::State::kAssigned;
        const bool cooling = slot.state == Datastore::Cidr::State::kReleased &&
                             context_.Now() - slot.unassigned <= settings_.ip_cooldown;
        recount.cooling_ips += counts && cooling;
      }
      holders += static_cast<size_t>(assigned);
      recount.free_prefixes += cidr.is_prefix() && assigned == 0;
      recount.total_prefixes += cidr.is_prefix();
      if (counts) {
        recount.total_ips += cidr.size();
        recount.assigned_ips += assigned;
      }
      if (++seen[cidr.cidr.network()] > 1) {
        violations.push_back(cidr.cidr.ToString() + " is on two ENIs");
      }
    }
  }
  // The count of prefixes is wrong by design where quirks DM-9 and EX-4 are (quirks.inc).
  const bool prefixes_exact = !settings_.quirks.forcedEniRemovalCountsTwice &&
                              !settings_.quirks.excludedCidrForgottenUncounted;
  if (recount.total_ips != stats.total_ips || recount.assigned_ips != stats.assigned_ips ||
      recount.cooling_ips != stats.cooling_ips || recount.free_prefixes != stats.free_prefixes ||
      (prefixes_exact && recount.total_prefixes != stats.total_prefixes)) {
    violations.emplace_back("the pool's statistics differ from a recount");
  }
  if (stats.assigned_ips + stats.cooling_ips > stats.total_ips) {
    violations.emplace_back("assigned and cooling addresses are more than all");
  }
  if (static_cast<int>(pool.enis().size()) > node_.type().eni_limit) {
    violations.emplace_back("more ENIs than the instance type allows");
  }
  return violations;
}

std::vector<std::string> AwsVpcCni::CheckInvariants() {
  std::vector<std::string> violations;
  if (!serving_) return violations;
  size_t holders = 0;
  for (const auto& pool : ipamd_->agent().state().pools) {
    for (std::string& text : CheckPool(*pool, holders)) violations.push_back(std::move(text));
  }
  if (holders != checkpoints_->size()) {
    violations.emplace_back("the checkpoint differs from memory");
  }

  // Every pod's address is what a datastore says, and every address belongs to a sandbox that the
  // kubelet still has, or to one whose end the agent did not hear of.
  std::set<IpamKey> known(missed_dels_.begin(), missed_dels_.end());
  for (const Pod* pod : node_.pods()) {
    if (!pod->sandbox_id.empty()) known.insert(KeyOf(*pod));
    if (!pod->ip) continue;
    const bool held = std::ranges::any_of(ipamd_->agent().state().pools, [&](const auto& pool) {
      const auto address = pool->Find(KeyOf(*pod));
      return address && address->ip == *pod->ip;
    });
    if (!held) {
      violations.push_back(fmt::format("pod {} has {}, which the datastore does not know",
                                       pod->name, pod->ip->ToString()));
    }
  }
  for (const auto& pool : ipamd_->agent().state().pools) {
    for (const Allocation& allocation : pool->AllAllocations()) {
      if (known.contains(allocation.key)) continue;
      violations.push_back("the datastore holds " + allocation.ip.ToString() +
                           " for a sandbox that is gone");
    }
  }
  for (std::string& text : violations) text = node_.name() + ": " + text;
  return violations;
}

}  // namespace cnisim
