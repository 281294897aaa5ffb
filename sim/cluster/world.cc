#include "sim/cluster/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "sim/cloud/ec2.h"
#include "sim/cluster/link_name.h"
#include "sim/cluster/network_factory.h"
#include "sim/cluster/network_model.h"
#include "sim/cluster/node_kernel.h"
#include "sim/cluster/node_manager.h"
#include "sim/cluster/traffic_report.h"
#include "sim/cluster/vpc_resource_controller.h"
#include "sim/cluster/workload_controller.h"

namespace cnisim {
namespace {

// How long a settled start lets nodes and pools come to rest before time zero. 15 ENIs take about
// 2 minutes to attach one by one, and an ENI too many may go only after one more.
constexpr Duration kWarmUp = std::chrono::minutes(15);
// When in the warm-up all nodes are there, so that the scheduler has its choice.
constexpr Duration kNodesUp = std::chrono::minutes(2);
// How often the run looks up from its events.
constexpr Duration kChunk = std::chrono::seconds(10);
constexpr Duration kCheckInterval = std::chrono::minutes(1);
constexpr int kChecksPerWholeNetwork = 10;

Ec2Config CloudOf(const Scenario& scenario, uint64_t seed) {
  Ec2Config config;
  config.seed = seed;
  config.vpc = scenario.vpc;
  config.ec2 = scenario.ec2;
  config.timing = {scenario.constants.imds_request, scenario.constants.imds_lag,
                   scenario.constants.eni_detach};
  return config;
}

std::string StatusOf(const Node& node) {
  const std::string ready = node.ready ? "Ready" : "NotReady";
  return node.draining ? ready + ",SchedulingDisabled" : ready;
}

std::string_view StatusOf(PodPhase phase) {
  switch (phase) {
    case PodPhase::kPending:
      return "Pending";
    case PodPhase::kStarting:
      return "ContainerCreating";
    case PodPhase::kRunning:
      return "Running";
    case PodPhase::kTerminating:
      return "Terminating";
  }
  return "";
}

class World final : public WorldView {
 public:
  World(const Scenario& scenario, uint64_t seed, Observer& observer, const WorldOptions& options)
      : scenario_(scenario),
        observer_(observer),
        options_(options),
        simulation_(scenario.initial_state == InitialState::kSettled ? kTimeZero - kWarmUp
                                                                     : kTimeZero),
        context_{.scenario = scenario,
                 .seed = seed,
                 .simulation = simulation_,
                 .logs = options.logs,
                 .track_kernels =
                     options.check_invariants || options.inspect || !scenario.traffic.empty(),
                 .subnets = {},
                 .node_groups = {},
                 .workloads = {}},
        ec2_(simulation_, CloudOf(scenario, seed)),
        pods_(context_),
        vpc_resources_(context_, ec2_, pods_, [this] { workloads_.scheduler().RetryLater(); }),
        networks_(MakeNetworkFactory(context_, ec2_, vpc_resources_)),
        workloads_(context_, pods_, vpc_resources_),
        nodes_(context_, ec2_, *networks_, workloads_,
               [this](EntityKind kind, std::string_view name, EntityId parent) {
                 return NewEntity(kind, name, parent);
               }) {
    if (options.check_invariants) {
      network_model_ = std::make_unique<NetworkModel>(*this);
      context_.network_model = network_model_.get();
      ec2_.set_on_interfaces_changed(
          [this](InstanceIndex instance) { network_model_->OnInterfacesChanged(instance); });
    }
    NewEntity(EntityKind::kCluster, scenario.name, kNoEntity);
    for (const SubnetSpec& subnet : scenario.vpc.subnets) {
      context_.subnets.push_back(NewEntity(EntityKind::kSubnet, subnet.name, kNoEntity));
    }
    for (const NodeGroupSpec& group : scenario.node_groups) {
      context_.node_groups.push_back(NewEntity(EntityKind::kNodeGroup, group.name, kNoEntity));
    }
    for (const WorkloadSpec& workload : scenario.workloads) {
      context_.workloads.push_back(NewEntity(EntityKind::kWorkload, workload.name, kNoEntity));
    }
    for (const TrafficSpec& traffic : scenario.traffic) {
      traffic_.push_back(NewEntity(EntityKind::kTraffic, traffic.name, kNoEntity));
    }
    for (const Ec2ActionInfo& action : AllEc2Actions()) {
      // Nobody else calls it, so that the records of other scenarios do not know it.
      if (action.action == Ec2Action::kAssociateTrunkInterface &&
          !HasPodsWithBranchEnis(scenario)) {
        continue;
      }
      actions_[static_cast<size_t>(action.action)] =
          NewEntity(EntityKind::kAction, action.name, kNoEntity);
    }
  }

  // Flows refer to everything else: they go first.
  ~World() override {
    pods_.StopFlows();
    nodes_.StopFlows();
  }

  WorldResult Run() {
    if (scenario_.initial_state == InitialState::kSettled) {
      context_.warming_up = true;
      ec2_.endpoint().SetThrottling(false);
      nodes_.Start();
      if (!RunUntil(simulation_.Now() + kNodesUp)) return Finish(true);
      workloads_.Start();
      if (!RunUntil(kTimeZero)) return Finish(true);
      context_.warming_up = false;
      ec2_.endpoint().SetThrottling(true);
      BeginTelling();
    } else {
      BeginTelling();
      nodes_.Start();
      workloads_.Start();
    }
    workloads_.StartMeasured();
    PlanEvents();
    TimePoint end = kTimeZero + scenario_.duration;
    if (options_.inspect) end = std::clamp(options_.inspect_at, kTimeZero, end);
    PlanTraffic(end);
    const bool complete = RunUntil(end);
    if (complete && options_.inspect) options_.inspect(*this);
    return Finish(!complete);
  }

 private:
  // --- WorldView ---

  const Scenario& scenario() const override { return scenario_; }
  TimePoint Now() const override { return simulation_.Now(); }

  std::vector<NodeView> Nodes() const override {
    std::vector<NodeView> views;
    for (const auto& node : nodes_.nodes()) {
      if (node == nullptr || !node->instance) continue;
      NodeView view;
      view.entity = node->entity();
      view.name = node->name();
      view.instance_id = ec2_.instance_id(*node->instance);
      view.instance_type = node->type().name;
      view.node_group = node->config().node_group;
      view.subnet = node->config().subnet;
      view.enis = ec2_.InterfacesOf(*node->instance);
      view.ip = view.enis.front().eni.primary_ip;
      view.status = StatusOf(*node);
      view.max_pods = node->config().max_pods;
      views.push_back(std::move(view));
    }
    return views;
  }

  std::vector<PodView> Pods() const override {
    std::vector<PodView> views;
    for (const Pod* pod : pods_.All()) {
      PodView view;
      view.ns = scenario_.workloads[static_cast<size_t>(pod->workload)].pod.ns;
      view.name = pod->name;
      view.status = StatusOf(pod->phase);
      if (pod->node != nullptr) view.node = pod->node->name();
      if (!pod->host_network) view.netns = pod->sandbox_id;
      view.eni = pod->eni;
      view.ip = pod->ip;
      if (pod->host_network && pod->node != nullptr && pod->node->instance) {
        view.ip = ec2_.PrimaryInterfaceOf(*pod->node->instance).eni.primary_ip;
      }
      view.workload = pod->workload;
      views.push_back(std::move(view));
    }
    return views;
  }

  std::string VpcId() const override { return ec2_.vpc_id(); }

  std::vector<SubnetView> Subnets() const override {
    std::vector<SubnetView> views;
    for (size_t i = 0; i < scenario_.vpc.subnets.size(); ++i) {
      views.push_back({ec2_.subnet_id(i), ec2_.subnet(i).free_count()});
    }
    return views;
  }

  std::vector<NetworkInterface> Interfaces() const override {
    return ec2_.DescribeNetworkInterfaces({}).value();
  }

  const Node* FindNode(std::string_view name) const {
    for (const auto& node : nodes_.nodes()) {
      if (node != nullptr && node->name() == name) return node.get();
    }
    return nullptr;
  }

  NodeNetwork* NetworkOf(std::string_view name) const override {
    const Node* node = FindNode(name);
    return node == nullptr || !node->booted ? nullptr : node->network.get();
  }

  std::vector<KubeServicePort> Services() const override {
    std::vector<KubeServicePort> services;
    if (scenario_.services.empty()) return services;
    std::map<int, std::vector<IpAddress>> running;  // by workload
    for (const PodView& pod : Pods()) {
      if (pod.ip && pod.status == StatusOf(PodPhase::kRunning)) {
        running[pod.workload].push_back(*pod.ip);
      }
    }
    for (const ServiceSpec& spec : scenario_.services) {
      KubeServicePort service;
      const WorkloadSpec& workload = scenario_.workloads[static_cast<size_t>(spec.workload)];
      service.name = fmt::format("{}/{}", workload.pod.ns, spec.name);
      service.cluster_ip = spec.cluster_ip;
      service.protocol = spec.protocol;
      service.port = static_cast<uint16_t>(spec.port);
      service.node_port = static_cast<uint16_t>(spec.node_port.value_or(0));
      for (const IpAddress ip : running[spec.workload]) {
        service.endpoints.push_back({ip, static_cast<uint16_t>(spec.target_port)});
      }
      services.push_back(std::move(service));
    }
    return services;
  }

  std::optional<std::string> NodeOf(InstanceIndex instance) const override {
    for (const auto& node : nodes_.nodes()) {
      if (node != nullptr && node->instance == instance) return node->name();
    }
    return std::nullopt;
  }

  std::vector<std::string> NodeNames() const override {
    std::vector<std::string> names;
    for (const auto& node : nodes_.nodes()) {
      if (node != nullptr && node->instance) names.push_back(node->name());
    }
    return names;
  }

  std::vector<VpcInterface> InterfacesOf(std::string_view name) const override {
    std::vector<VpcInterface> interfaces;
    const Node* found = FindNode(name);
    if (found == nullptr || !found->instance) return interfaces;
    const Node& node = *found;
    const NodeImage image =
        scenario_.node_groups[static_cast<size_t>(node.config().node_group)].image;
    const NetworkSpec& network = scenario_.network;
    const bool check = network.plugin != Plugin::kCalico || !network.calico.disables_src_dst_check;
    for (const AttachedInterface& attached : ec2_.InterfacesOf(*node.instance)) {
      const NetworkInterface& eni = attached.eni;
      VpcInterface interface;
      interface.node = node.name();
      interface.link = attached.vlan ? fmt::format("vlan.eth.{}", *attached.vlan)
                                     : LinkNameOf(image, eni.network_card_index, eni.device_index);
      const SubnetSpec& subnet = scenario_.vpc.subnets[attached.subnet];
      interface.subnets.push_back(subnet.cidr);
      if (subnet.ipv6_cidr) interface.subnets.push_back(*subnet.ipv6_cidr);
      if (const auto ipv6 = PrimaryIpv6Of(subnet, eni); ipv6 && !attached.vlan) {
        interface.addresses.emplace_back(*ipv6);
      }
      interface.addresses.emplace_back(IpAddress(eni.primary_ip));
      for (const Ipv4Address ip : eni.secondary_ips) {
        interface.addresses.emplace_back(IpAddress(ip));
      }
      for (const Ipv4Cidr& prefix : eni.ipv4_prefixes) interface.addresses.push_back(prefix);
      for (const Ipv6Cidr& prefix : eni.ipv6_prefixes) interface.addresses.push_back(prefix);
      interface.source_dest_check = check;
      interfaces.push_back(std::move(interface));
    }
    return interfaces;
  }

  EntityId NewEntity(EntityKind kind, std::string_view name, EntityId parent) {
    const auto id = static_cast<EntityId>(entities_.size());
    entities_.push_back({kind, std::string(name), parent});
    if (context_.observer != nullptr) TellEntity(id);
    return id;
  }

  void TellEntity(EntityId id) {
    const Entity& entity = entities_[id];
    EntityRecord record;
    record.id = id;
    record.kind = entity.kind;
    record.name = entity.name;
    record.parent = entity.parent;
    observer_.OnEntity(record);
  }

  // Time zero: what exists is told, and everything that happens from now on.
  void BeginTelling() {
    context_.observer = &observer_;
    for (EntityId id = 0; id < entities_.size(); ++id) TellEntity(id);
    CloudEntities cloud;
    cloud.subnets = context_.subnets;
    cloud.actions = actions_;
    ec2_.SetObserver(&observer_, std::move(cloud));
    ec2_.TellAll();
    networks_->TellLevels();
    pods_.TellLevels();
    nodes_.TellAtStart();
    imds_requests_before_ = ec2_.metadata_requests();
  }

  void PlanEvents() {
    for (const EventSpec& event : scenario_.events) {
      simulation_.Call(event.at, [this, &event] { Execute(event); });
    }
  }

  // What traffic experiences is looked at, and changes nothing. Who inspects is not told.
  void PlanTraffic(TimePoint end) {
    if (scenario_.traffic.empty() || options_.inspect) return;
    std::vector<TimePoint> moments = scenario_.data_plane.at;
    if (moments.empty()) moments.push_back(end);
    for (const TimePoint at : moments) {
      simulation_.Call(at, [this] {
        TellTraffic(*this, context_.seed, traffic_, observer_, options_.interrupt);
      });
    }
  }

  void Execute(const EventSpec& event) {
    if (const auto* scale = std::get_if<ScaleWorkload>(&event.action)) {
      workloads_.Scale(scale->workload, scale->replicas);
    } else if (const auto* group = std::get_if<ScaleNodeGroup>(&event.action)) {
      nodes_.Scale(group->node_group, group->desired_capacity);
    } else if (const auto* restart = std::get_if<RestartAgent>(&event.action)) {
      nodes_.RestartAgent(restart->node);
    } else {
      networks_->SetEnv(std::get<SetEnv>(event.action).env);
      nodes_.RollOut();
    }
  }

  // False if it was interrupted or an invariant broke.
  bool RunUntil(TimePoint end) {
    TimePoint next_check = simulation_.Now();
    while (simulation_.Now() < end) {
      if (options_.check_invariants && simulation_.Now() >= next_check) {
        next_check = simulation_.Now() + kCheckInterval;
        const bool whole = checks_++ % kChecksPerWholeNetwork == 0;
        if (!Check(whole)) return false;
      }
      const TimePoint chunk_end = std::min(end, simulation_.Now() + kChunk);
      if (!simulation_.Run(chunk_end, options_.interrupt)) return false;
      if (options_.progress) {
        options_.progress({simulation_.Now(), simulation_.events_executed(), pods_.running()});
      }
    }
    return !options_.check_invariants || Check(/*whole_network=*/true);
  }

  static bool ForgotAddresses(const Pod& pod) { return pod.node->network->ForgotAddresses(); }

  bool Check(bool whole_network) {
    if (whole_network) network_model_->DecideAll();
    const auto add = [this](std::vector<std::string> found) {
      std::ranges::move(found, std::back_inserter(violations_));
    };
    add(ec2_.CheckInvariants());
    add(networks_->CheckInvariants());
    add(network_model_->TakeViolations());
    for (const auto& node : nodes_.nodes()) {
      if (node != nullptr && node->network != nullptr) add(node->network->CheckInvariants());
    }
    // Every pod with an address of its own.
    std::map<IpAddress, const Pod*> holders;
    for (const Pod* pod : pods_.All()) {
      if (!pod->ip || pod->disconnected) continue;
      const auto [it, unique] = holders.emplace(*pod->ip, pod);
      if (!unique && !ForgotAddresses(*pod) && !ForgotAddresses(*it->second)) {
        violations_.push_back(fmt::format("pods {} and {} both have {}", it->second->name,
                                          pod->name, pod->ip->ToString()));
      }
    }
    return violations_.empty();
  }

  WorldResult Finish(bool cut_short) {
    if (context_.observer != nullptr) {
      networks_->TellFindings();
      nodes_.TellRemaining();
      pods_.TellRemaining();
      observer_.OnCount(Metric::kImdsRequestsTotal, kClusterEntity, simulation_.Now(),
                        ec2_.metadata_requests() - imds_requests_before_);
      observer_.OnEnd(simulation_.Now());
    }
    WorldResult result;
    result.ended = std::max(simulation_.Now(), kTimeZero);
    result.interrupted = cut_short && violations_.empty();
    result.events = simulation_.events_executed();
    result.violations = std::move(violations_);
    if (network_model_ != nullptr) result.network_findings = network_model_->findings();
    return result;
  }

  struct Entity {
    EntityKind kind;
    std::string name;
    EntityId parent;
  };

  const Scenario& scenario_;
  Observer& observer_;
  const WorldOptions& options_;
  Simulation simulation_;
  ClusterContext context_;
  Ec2 ec2_;
  PodStore pods_;
  VpcResourceController vpc_resources_;
  std::unique_ptr<NetworkFactory> networks_;
  WorkloadController workloads_;
  NodeManager nodes_;
  std::vector<Entity> entities_;
  PerEc2Action<EntityId> actions_{};
  std::vector<EntityId> traffic_;  // of the scenario's entries
  int64_t imds_requests_before_ = 0;
  std::vector<std::string> violations_;
  std::unique_ptr<NetworkModel> network_model_;  // null unless the run is checked
  int checks_ = 0;
};

}  // namespace

WorldResult RunWorld(const Scenario& scenario, uint64_t seed, Observer& observer,
                     const WorldOptions& options) {
  return World(scenario, seed, observer, options).Run();
}

void LookAtWorld(const Scenario& scenario, uint64_t seed, TimePoint at,
                 std::function<void(WorldView&)> look) {
  WorldOptions options;
  options.inspect = std::move(look);
  options.inspect_at = at;
  Observer nobody;
  RunWorld(scenario, seed, nobody, options);
}

}  // namespace cnisim
