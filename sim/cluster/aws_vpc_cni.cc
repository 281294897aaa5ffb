#include "sim/cluster/aws_vpc_cni.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <set>

#include "core/ipam/agent_pages.h"
#include "sim/cluster/node.h"
#include "sim/cluster/pool_invariants.h"

namespace cnisim {
namespace {

constexpr const char* kNetworkName = "aws-cni";
constexpr const char* kInterfaceName = "eth0";
constexpr const char* kAgentVersion = "v1.23.1";
constexpr Duration kLongestCrashLoopBackOff = std::chrono::minutes(5);

// A throttled answer explains a shortage for as long as the SDK may still be retrying after it.
constexpr Duration kThrottleMemory = std::chrono::seconds(10);

// Of the shipped conflist (its "aws-cni" entry).
NetworkConfig ShippedConfig() {
  NetworkConfig config;
  config.cni_version = "0.4.0";
  config.name = kNetworkName;
  return config;
}

IpamKey KeyOf(const Pod& pod) { return {kNetworkName, pod.sandbox_id, kInterfaceName}; }

}  // namespace

AwsVpcCni::AwsVpcCni(ClusterContext& context, Node& node, Ec2& ec2, InstanceIndex instance,
                     VpcResourceController& vpc_resources, const AgentSettingsSource& settings,
                     PoolLevels& group_levels, QuirkTally& quirks)
    : context_(context),
      node_(node),
      ec2_(ec2),
      instance_(instance),
      settings_source_(settings),
      group_levels_(group_levels),
      quirks_(quirks),
      kernel_(context.track_kernels
                  ? std::make_unique<NodeKernel>(context, node, ec2, instance,
                                                 settings.SettingsFor(node.type()))
                  : nullptr),
      host_(node),
      kubernetes_(context, node, ec2, vpc_resources),
      cni_config_(ShippedConfig()),
      logs_(MakeLogs()),
      plugin_(kAgentVersion, {channel_, policy_agent_, Driver(),
                              logs_ ? Log(logs_->plugin, LogLevel::kDebug) : Log()}),
      pacer_(context.simulation, ec2.metadata(instance), node.index(),
             context.scenario.park_idle_pools && logs_ == nullptr) {
  ec2_.metadata(instance_).set_on_change([this] { pacer_.MetadataChanged(); });
}

AwsVpcCni::~AwsVpcCni() { KillContainer(); }

HostNetwork& AwsVpcCni::Host() {
  if (kernel_ != nullptr) return kernel_->host();
  return host_;
}

PodNetworkDriver& AwsVpcCni::Driver() {
  if (kernel_ != nullptr) return kernel_->host();
  return driver_;
}

std::unique_ptr<AwsVpcCni::Logs> AwsVpcCni::MakeLogs() const {
  const std::string& name = node_.name();
  if (context_.logs == nullptr || !context_.logs->Wants(name)) return nullptr;
  return std::make_unique<Logs>(
      Logs{NodeLogSink(*context_.logs, context_.simulation, name, NodeLogFile::kIpamd),
           NodeLogSink(*context_.logs, context_.simulation, name, NodeLogFile::kPlugin)});
}

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
  WriteConflist();
  if (kernel_ != nullptr) kernel_->set_settings(settings_);
  InstanceLimits limits;
  limits.max_enis = type.eni_limit;
  limits.ipv4_per_eni = type.ipv4_per_eni;
  limits.supports_prefixes = PrefixDelegationSupported(type);
  limits.network_cards = type.network_cards;
  limits.trunk_compatible = CountsAsTrunkCompatible(type);
  const Choice choice = context_.scenario.network.choice == ChoicePolicy::kOldest
                            ? Choice::Oldest()
                            : Choice::Random(node_.ChoiceSeed());
  Duration back_off = node_.Sample(context_.scenario.constants.crash_loop_initial, "crash-loop");
  for (;;) {
    ec2_client_ = std::make_unique<Ec2Client>(ec2_, instance_);
    const AgentPorts ports{context_.simulation,
                           *ec2_client_,
                           ec2_.metadata(instance_),
                           Host(),
                           kubernetes_,
                           checkpoints_,
                           pacer_,
                           logs_ ? Log(logs_->ipamd, LogLevel::kDebug) : Log(),
                           kCalendar};
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

// What the entrypoint makes of the environment.
void AwsVpcCni::WriteConflist() {
  const HostNetworkSettings& network = settings_.network;
  cni_config_.enforcing_mode = network.enforcing;
  cni_config_.veth_prefix = network.veth_prefix;
  cni_config_.mtu = std::to_string(network.pod_mtu != 0 ? network.pod_mtu : network.mtu);
}

PodAttachment AwsVpcCni::AttachmentOf(const Pod& pod) const {
  PodArgs args;
  args.pod_namespace = node_.NamespaceOf(pod);
  args.pod_name = pod.name;
  args.infra_container_id = pod.sandbox_id;
  args.pod_uid = SimKubernetes::UidOf(pod);
  const auto kept = branch_configs_.find(pod.sandbox_id);
  return {pod.sandbox_id, "/var/run/netns/" + pod.sandbox_id, kInterfaceName, std::move(args),
          kept == branch_configs_.end() ? cni_config_ : kept->second};
}

Task<Result<PodNetwork>> AwsVpcCni::Add(Pod& pod) {
  const IpamKey key = KeyOf(pod);
  const PodAttachment attachment = AttachmentOf(pod);
  const CniResult<PodResult> added = co_await plugin_.Add(attachment);
  if (!added) co_return Fail("Cni", added.error().message);
  PodNetwork network;
  network.ip = added->ips.front().ip;
  if (pod.branch_eni && network.ip == pod.branch_eni->ip) {
    network.eni = pod.branch_eni->id;
    NetworkConfig& kept = branch_configs_[pod.sandbox_id];
    kept = cni_config_;
    kept.previous_result = *added;
    co_return network;
  }
  if (ipamd_ != nullptr) {
    for (const auto& pool : ipamd_->agent().state().pools) {
      if (const auto held = pool->Find(key)) network.eni = held->eni_id;
    }
  }
  co_return network;
}

WaitReason AwsVpcCni::ExplainFailure(const Pod& pod) {
  if (!serving_) return WaitReason::kAgentDown;
  if (settings_.enable_pod_eni && pod.wants_branch_eni) return WaitReason::kBranchEni;
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
  branch_configs_.erase(pod.sandbox_id);
  static_cast<void>(deleted);  // the kubelet's collection of dead sandboxes tries no harder
  if (kernel_ != nullptr) {
    const Status removed = kernel_->host().RemoveSandbox(attachment.netns);
    assert(removed);
    static_cast<void>(removed);
  }
}

void AwsVpcCni::FindLeaks() {
  std::erase_if(missed_dels_, [this](const IpamKey& key) {
    return std::ranges::none_of(ipamd_->agent().state().pools,
                                [&](const auto& pool) { return pool->Find(key).has_value(); });
  });
  for (size_t i = leaks_told_; i < missed_dels_.size() && settings_.quirks.missedDelsLeak; ++i) {
    OnQuirk(&Quirks::missedDelsLeak);
  }
  leaks_told_ = missed_dels_.size();
}

void AwsVpcCni::OnQuirk(Quirk quirk) {
  quirks_.Strike(quirk, node_);
  forgot_addresses_ |=
      quirk == &Quirks::subnetLookupBlocksSetup || quirk == &Quirks::trunkWaitDropsReused;
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

void AwsVpcCni::TellPages() {
  if (logs_ == nullptr || !serving_) return;
  for (const NodeLogFile file :
       {NodeLogFile::kEnis, NodeLogFile::kEniConfig, NodeLogFile::kIpamdEnv,
        NodeLogFile::kNetworkUtilsEnv, NodeLogFile::kMetrics}) {
    context_.logs->Append(node_.name(), file, AgentPage(file));
  }
}

std::string AwsVpcCni::AgentPage(NodeLogFile file) {
  if (!serving_) return "";
  AgentState& agent = ipamd_->agent().state();
  if (file == NodeLogFile::kMetrics) {
    return MetricsPageOf(agent, ipamd_->backend()->counts(), {kAgentVersion, "cnisim"});
  }
  for (const auto& [page_file, path] :
       {std::pair(NodeLogFile::kEnis, "/v1/enis"),
        std::pair(NodeLogFile::kEniConfig, "/v1/eni-configs"),
        std::pair(NodeLogFile::kIpamdEnv, "/v1/ipamd-env-settings"),
        std::pair(NodeLogFile::kNetworkUtilsEnv, "/v1/networkutils-env-settings")}) {
    if (file != page_file) continue;
    Task<HttpReply> page = IntrospectionPageOf(agent, path);
    page.Start();
    if (page.done()) return page.TakeValue().body;  // Kubernetes answers at once
  }
  return "";
}

std::vector<PoolSnapshot> AwsVpcCni::Pools() const {
  std::vector<PoolSnapshot> pools;
  if (!serving_) return pools;
  for (const auto& pool : ipamd_->agent().state().pools) {
    pools.push_back(SnapshotOf({pool->network_card(), pool.get()}));
  }
  return pools;
}

std::vector<std::string> AwsVpcCni::CheckInvariants() {
  std::vector<std::string> violations;
  if (!serving_) return violations;
  size_t holders = 0;
  for (const auto& pool : ipamd_->agent().state().pools) {
    for (std::string& text :
         PoolViolations(*pool, settings_, node_.type(), context_.Now(), holders))
      violations.push_back(std::move(text));
  }
  if (holders != checkpoints_.size()) {
    violations.emplace_back("the checkpoint differs from memory");
  }

  // Every pod's address is what a datastore says, or that of its branch ENI on this node's trunk;
  // and every address belongs to a sandbox that the kubelet still has, or to one whose end the
  // agent did not hear of.
  std::set<IpamKey> known(missed_dels_.begin(), missed_dels_.end());
  for (const Pod* pod : node_.pods()) {
    if (!pod->sandbox_id.empty()) known.insert(KeyOf(*pod));
    if (!pod->ip) continue;
    if (pod->UsesBranchEni()) {
      const std::optional<BranchPlace> place = ec2_.FindBranch(pod->branch_eni->id);
      if (!place || place->instance != instance_ || pod->ip != IpAddress(place->ip)) {
        violations.push_back(fmt::format("pod {} has {}, which no branch ENI of the node has",
                                         pod->name, pod->ip->ToString()));
      }
      continue;
    }
    const bool held = std::ranges::any_of(ipamd_->agent().state().pools, [&](const auto& pool) {
      const auto address = pool->Find(KeyOf(*pod));
      return address && address->ip == *pod->ip;
    });
    if (!held && !forgot_addresses_) {
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
