#include "sim/cluster/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "sim/cloud/ec2.h"
#include "sim/cluster/network_factory.h"
#include "sim/cluster/node_manager.h"
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

Ec2Config CloudOf(const Scenario& scenario, uint64_t seed) {
  Ec2Config config;
  config.seed = seed;
  config.vpc = scenario.vpc;
  config.ec2 = scenario.ec2;
  config.timing = {scenario.constants.imds_request, scenario.constants.imds_lag,
                   scenario.constants.eni_detach};
  return config;
}

class World {
 public:
  World(const Scenario& scenario, uint64_t seed, Observer& observer, const WorldOptions& options)
      : scenario_(scenario),
        observer_(observer),
        options_(options),
        simulation_(scenario.initial_state == InitialState::kSettled ? kTimeZero - kWarmUp
                                                                     : kTimeZero),
        context_{scenario, seed, simulation_, nullptr, options.logs, false, {}, {}, {}},
        ec2_(simulation_, CloudOf(scenario, seed)),
        pods_(context_),
        vpc_resources_(context_, ec2_, pods_, [this] { workloads_.scheduler().RetryLater(); }),
        networks_(MakeNetworkFactory(context_, ec2_, vpc_resources_)),
        workloads_(context_, pods_, vpc_resources_),
        nodes_(context_, ec2_, *networks_, workloads_,
               [this](EntityKind kind, std::string_view name, EntityId parent) {
                 return NewEntity(kind, name, parent);
               }) {
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
  ~World() {
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
    const bool complete = RunUntil(kTimeZero + scenario_.duration);
    return Finish(!complete);
  }

 private:
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
        if (!Check()) return false;
      }
      const TimePoint chunk_end = std::min(end, simulation_.Now() + kChunk);
      if (!simulation_.Run(chunk_end, options_.interrupt)) return false;
      if (options_.progress) {
        options_.progress({simulation_.Now(), simulation_.events_executed(), pods_.running()});
      }
    }
    return !options_.check_invariants || Check();
  }

  static bool ForgotAddresses(const Pod& pod) { return pod.node->network->ForgotAddresses(); }

  bool Check() {
    const auto add = [this](std::vector<std::string> found) {
      std::ranges::move(found, std::back_inserter(violations_));
    };
    add(ec2_.CheckInvariants());
    add(networks_->CheckInvariants());
    for (const auto& node : nodes_.nodes()) {
      if (node != nullptr && node->network != nullptr) add(node->network->CheckInvariants());
    }
    // Every pod with an address of its own.
    std::map<IpAddress, const Pod*> holders;
    for (const Pod* pod : pods_.All()) {
      if (!pod->ip) continue;
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
  int64_t imds_requests_before_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace

WorldResult RunWorld(const Scenario& scenario, uint64_t seed, Observer& observer,
                     const WorldOptions& options) {
  return World(scenario, seed, observer, options).Run();
}

}  // namespace cnisim
