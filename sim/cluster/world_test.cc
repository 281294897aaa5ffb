// Whole worlds: parked pool loops against honest polling, determinism, and what a run must show.
#include "sim/cluster/world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "core/net/hash.h"

namespace cnisim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Writes down everything it is told, one line a record.
class Transcript : public Observer {
 public:
  void OnEntity(const EntityRecord& e) override {
    names_[e.id] = std::string(e.name);
    Add("entity {} {} {} {}", e.id, NameOf(e.kind), e.name, e.parent);
  }
  void OnNode(const NodeRecord& n) override {
    Add("node {} {} {} {} {} {} {}", n.node, n.instance_type, n.subnet, n.max_pods, T(n.joined),
        T(n.ready), T(n.removed));
  }
  void OnPod(const PodRecord& p) override {
    Add("pod {} {} {} {} {} {} {} {} {} {} {} {} {}", p.pod, p.name, p.node, p.eni,
        p.ip ? p.ip->ToString() : "-", T(p.created), T(p.scheduled), T(p.first_add),
        T(p.ip_assigned), T(p.running), T(p.deleted), p.add_attempts, NameOf(p.wait_reason));
    ++reasons_[p.wait_reason];
  }
  void OnTenure(const AddressTenure& t) override {
    Add("tenure {} {} {} {} {}", t.ip.ToString(), t.pod, t.node, T(t.from), T(t.to));
  }
  void OnPoolChange(const PoolChange& c) override {
    Add("pool {} {} {} {} {} {} {}", c.node, T(c.time), c.enis, c.total_ips, c.assigned_ips,
        c.cooling_ips, c.prefixes);
  }
  void OnApiAttempt(const ApiAttempt& a) override {
    Add("api {} {} {} {} {}", a.action, a.node, T(a.sent), a.latency.count(),
        static_cast<int>(a.outcome));
    throttled_ += a.outcome == ApiOutcome::kThrottled;
  }
  void OnFinding(const Finding& f) override { Add("finding {} {} {}", f.code, T(f.time), f.text); }
  void OnGauge(Metric m, EntityId e, TimePoint t, int64_t level) override {
    Add("gauge {} {} {} {}", InfoOf(m).name, e, T(t), level);
    levels_[{m, names_[e]}] = level;
    const auto [it, first] = highest_.try_emplace({m, names_[e]}, level);
    it->second = std::max(it->second, level);
  }
  void OnCount(Metric m, EntityId e, TimePoint t, int64_t n) override {
    Add("count {} {} {} {}", InfoOf(m).name, e, T(t), n);
  }
  void OnSample(Metric m, EntityId e, TimePoint t, Duration d, bool end) override {
    Add("sample {} {} {} {} {}", InfoOf(m).name, e, T(t), d.count(), end);
    if (m == Metric::kPodAddSeconds) adds_.push_back(d);
  }
  void OnEnd(TimePoint t) override { Add("end {}", T(t)); }

  const std::vector<std::string>& lines() const { return lines_; }
  int64_t Level(Metric metric, const std::string& entity) const {
    return levels_.at({metric, entity});
  }
  int64_t Highest(Metric metric, const std::string& entity) const {
    return highest_.at({metric, entity});
  }
  bool Told(Metric metric) const {
    return std::ranges::any_of(levels_, [&](const auto& l) { return l.first.first == metric; });
  }
  int Waited(WaitReason reason) const {
    const auto it = reasons_.find(reason);
    return it == reasons_.end() ? 0 : it->second;
  }
  int throttled() const { return throttled_; }
  const std::vector<Duration>& adds() const { return adds_; }

 private:
  static int64_t T(TimePoint t) { return t.time_since_epoch().count(); }
  static int64_t T(std::optional<TimePoint> t) { return t ? T(*t) : -1; }
  template <typename... Args>
  void Add(fmt::format_string<Args...> format, Args&&... args) {
    lines_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  std::vector<std::string> lines_;
  std::map<EntityId, std::string> names_;
  std::map<std::pair<Metric, std::string>, int64_t> levels_;
  std::map<std::pair<Metric, std::string>, int64_t> highest_;
  std::map<WaitReason, int> reasons_;
  std::vector<Duration> adds_;
  int throttled_ = 0;
};

Distribution Exponential(Duration mean) { return Distribution::Exponential(mean).value(); }

SubnetSpec MakeSubnet(std::string name, const char* cidr) {
  SubnetSpec subnet;
  subnet.name = std::move(name);
  subnet.availability_zone = "us-east-1a";
  subnet.cidr = *Ipv4Cidr::Parse(cidr);
  return subnet;
}

WorkloadSpec MakeDeployment(std::string name, int replicas, std::optional<Duration> lifetime = {}) {
  WorkloadSpec workload;
  workload.name = std::move(name);
  DeploymentSpec deployment;
  deployment.replicas = replicas;
  if (lifetime) deployment.pod_lifetime = Exponential(*lifetime);
  workload.kind = deployment;
  return workload;
}

// A cluster with churn: pods come and go, a burst, and an agent restart.
Scenario Churn(int nodes, const char* instance_type, int replicas) {
  Scenario s;
  s.name = "churn";
  s.duration = hours(1);
  s.vpc.cidr_blocks = {*Ipv4Cidr::Parse("10.0.0.0/16")};
  s.vpc.subnets = {MakeSubnet("a", "10.0.0.0/22"), MakeSubnet("b", "10.0.4.0/22")};
  NodeGroupSpec group;
  group.name = "workers";
  group.instance_type = instance_type;
  group.desired_capacity = nodes;
  group.max_size = nodes + 4;
  group.subnets = {0, 1};
  s.node_groups = {group};
  s.workloads = {MakeDeployment("api", replicas, minutes(20))};
  s.events.push_back({TimePoint(minutes(15)), ScaleWorkload{0, replicas * 2}});
  s.events.push_back({TimePoint(minutes(25)), RestartAgent{"workers-1"}});
  s.events.push_back({TimePoint(minutes(30)), ScaleWorkload{0, replicas / 2}});
  s.events.push_back({TimePoint(minutes(35)), ScaleNodeGroup{0, nodes + 2}});
  s.events.push_back({TimePoint(minutes(45)), ScaleNodeGroup{0, nodes - 1}});
  return s;
}

Transcript RunChecked(const Scenario& scenario, uint64_t seed) {
  Transcript transcript;
  WorldOptions options;
  options.check_invariants = true;
  const WorldResult result = RunWorld(scenario, seed, transcript, options);
  EXPECT_TRUE(result.violations.empty()) << result.violations.front();
  EXPECT_EQ(result.ended, kTimeZero + scenario.duration);
  return transcript;
}

std::vector<std::string> WordsOf(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

void ExpectSameLines(const Transcript& a, const Transcript& b) {
  const size_t n = std::min(a.lines().size(), b.lines().size());
  for (size_t i = 0; i < n; ++i) {
    ASSERT_EQ(a.lines()[i], b.lines()[i]) << "record " << i;
  }
  ASSERT_EQ(a.lines().size(), b.lines().size());
}

struct Setting {
  const char* name;
  const char* instance_type;
  std::map<std::string, std::optional<std::string>> env;
  ChoicePolicy choice = ChoicePolicy::kRandom;
  // What else is different from Churn.
  void (*change)(Scenario&) = nullptr;
};

void ToggleMode(Scenario& s) {
  s.events.push_back({TimePoint(minutes(10)), SetEnv{{{"ENABLE_PREFIX_DELEGATION", "true"}}}});
  s.events.push_back({TimePoint(minutes(40)), SetEnv{{{"ENABLE_PREFIX_DELEGATION", "false"}}}});
}

void RepairAll(Scenario& s) { s.network.quirks = AllRepaired(); }

void LoseNodes(Scenario& s) { s.node_groups[0].node_lifetime = Exponential(minutes(12)); }

void PutPodsElsewhere(Scenario& s) {
  s.vpc.subnets.push_back(MakeSubnet("pods", "10.0.64.0/20"));
  s.network.env["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] = "true";
  s.network.eni_configs = {{"default", 2, {}}};
}

void ExcludeNodeSubnets(Scenario& s) {
  s.vpc.subnets[0].tags = s.vpc.subnets[1].tags = {{"kubernetes.io/role/cni", "0"}};
  s.vpc.subnets.push_back(MakeSubnet("pods", "10.0.64.0/20"));
  s.vpc.subnets[2].tags = {{"kubernetes.io/role/cni", "1"}};
}

void UseIpv6(Scenario& s) {
  s.vpc.ipv6_cidr = Ipv6Cidr::Parse("2600:1f13:0:ff00::/56");
  for (SubnetSpec& subnet : s.vpc.subnets) {
    const uint64_t number = subnet.name == "a" ? 0 : 1;
    subnet.ipv6_cidr = Ipv6Cidr(Ipv6Address(0x26001f130000ff00 | number, 0), 64);
  }
  s.network.env["ENABLE_IPv4"] = "false";
  s.network.env["ENABLE_IPv6"] = "true";
}

// Beside the others, pods on branch ENIs: at times more than the four nodes' trunks carry (36).
void UseBranchEnis(Scenario& s) {
  s.network.env["ENABLE_POD_ENI"] = "true";
  WorkloadSpec db = MakeDeployment("db", 24, minutes(10));
  db.pod.security_groups = {"sg-db"};
  s.workloads.push_back(db);
  const auto index = static_cast<int>(s.workloads.size()) - 1;
  s.events.push_back({TimePoint(minutes(20)), ScaleWorkload{index, 60}});
  s.events.push_back({TimePoint(minutes(40)), ScaleWorkload{index, 10}});
}

void UseBranchEnisOnSpot(Scenario& s) {
  UseBranchEnis(s);
  LoseNodes(s);
}

void UseBranchEnisElsewhere(Scenario& s) {
  UseBranchEnis(s);
  PutPodsElsewhere(s);
}

// Pods of either kind while the feature is off, too.
void ToggleBranchEnis(Scenario& s) {
  UseBranchEnis(s);
  s.network.env["ENABLE_POD_ENI"] = "false";
  s.events.push_back({TimePoint(minutes(10)), SetEnv{{{"ENABLE_POD_ENI", "true"}}}});
  s.events.push_back({TimePoint(minutes(30)), SetEnv{{{"ENABLE_POD_ENI", "false"}}}});
  s.events.push_back({TimePoint(minutes(44)), SetEnv{{{"ENABLE_POD_ENI", "true"}}}});
}

void PrintTo(const Setting& setting, std::ostream* os) { *os << setting.name; }

class PolicyTest : public testing::TestWithParam<Setting> {
 protected:
  Scenario Make() const {
    Scenario s = Churn(4, GetParam().instance_type, 60);
    s.network.env = GetParam().env;
    s.network.choice = GetParam().choice;
    if (GetParam().change != nullptr) GetParam().change(s);
    return s;
  }
};

TEST_P(PolicyTest, ParkedLoopsTellTheSameAsHonestPolling) {
  Scenario scenario = Make();
  for (const uint64_t seed : {1, 2, 3}) {
    scenario.park_idle_pools = true;
    const Transcript parked = RunChecked(scenario, seed);
    scenario.park_idle_pools = false;
    const Transcript polled = RunChecked(scenario, seed);
    ExpectSameLines(parked, polled);
  }
}

TEST_P(PolicyTest, SameSeedSameRecordsOtherSeedOthers) {
  const Scenario scenario = Make();
  const Transcript first = RunChecked(scenario, 7);
  ExpectSameLines(first, RunChecked(scenario, 7));
  EXPECT_NE(first.lines(), RunChecked(scenario, 8).lines());
}

INSTANTIATE_TEST_SUITE_P(
    World, PolicyTest,
    testing::Values(
        Setting{"default", "m5.large", {}},
        Setting{"oldest", "m5.large", {}, ChoicePolicy::kOldest},
        Setting{"warm_eni_0", "m5.large", {{"WARM_ENI_TARGET", "0"}}},
        Setting{"ip_targets", "m5.xlarge", {{"WARM_IP_TARGET", "3"}, {"MINIMUM_IP_TARGET", "10"}}},
        Setting{"prefixes", "m5.large", {{"ENABLE_PREFIX_DELEGATION", "true"}}},
        Setting{"prefixes_ip_targets",
                "t3.small",
                {{"ENABLE_PREFIX_DELEGATION", "true"}, {"WARM_IP_TARGET", "5"}}},
        Setting{"no_cooldown", "m5.large", {{"IP_COOLDOWN_PERIOD", "0"}}},
        Setting{"no_discovery", "m5.large", {{"ENABLE_SUBNET_DISCOVERY", "false"}}},
        Setting{"mode_toggles", "m5.large", {}, ChoicePolicy::kRandom, ToggleMode},
        Setting{
            "repaired", "m5.large", {{"WARM_IP_TARGET", "2"}}, ChoicePolicy::kRandom, RepairAll},
        Setting{"spot", "m5.large", {}, ChoicePolicy::kRandom, LoseNodes},
        Setting{"custom_networking", "m5.xlarge", {}, ChoicePolicy::kRandom, PutPodsElsewhere},
        Setting{"excluded_subnets", "m5.large", {}, ChoicePolicy::kRandom, ExcludeNodeSubnets},
        Setting{"branch_enis", "m5.large", {}, ChoicePolicy::kRandom, UseBranchEnis},
        Setting{"branch_enis_annotated",
                "m5.large",
                {{"ANNOTATE_POD_IP", "true"}, {"POD_SECURITY_GROUP_ENFORCING_MODE", "standard"}},
                ChoicePolicy::kOldest,
                UseBranchEnis},
        Setting{"branch_enis_spot", "m5.large", {}, ChoicePolicy::kRandom, UseBranchEnisOnSpot},
        Setting{"branch_enis_custom_networking",
                "m5.xlarge",
                {},
                ChoicePolicy::kRandom,
                UseBranchEnisElsewhere},
        Setting{"branch_enis_toggled", "m5.large", {}, ChoicePolicy::kRandom, ToggleBranchEnis},
        Setting{"ipv6",
                "m5.large",
                {{"ENABLE_PREFIX_DELEGATION", "true"}},
                ChoicePolicy::kRandom,
                UseIpv6}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(World, ExhaustedSubnetsKeepParkedLoopsHonestToo) {
  for (const bool discovery : {true, false}) {
    Scenario scenario = Churn(4, "m5.large", 60);
    scenario.vpc.subnets = {MakeSubnet("a", "10.0.0.0/26"), MakeSubnet("b", "10.0.1.0/26")};
    scenario.network.env["ENABLE_SUBNET_DISCOVERY"] = discovery ? "true" : "false";
    const Transcript parked = RunChecked(scenario, 5);
    EXPECT_GT(parked.Waited(WaitReason::kSubnetExhausted), 0);
    scenario.park_idle_pools = false;
    ExpectSameLines(parked, RunChecked(scenario, 5));
  }
}

TEST(World, SlowMetadataKeepsParkedLoopsHonestToo) {
  Scenario scenario = Churn(3, "m5.large", 40);
  scenario.constants.imds_request =
      Distribution::Uniform(std::chrono::milliseconds(1), std::chrono::milliseconds(30)).value();
  scenario.constants.imds_lag = Distribution::Lognormal(seconds(5), seconds(100)).value();
  scenario.network.env["WARM_IP_TARGET"] = "1";
  const Transcript parked = RunChecked(scenario, 11);
  EXPECT_GT(parked.Waited(WaitReason::kImdsLag), 0);
  scenario.park_idle_pools = false;
  ExpectSameLines(parked, RunChecked(scenario, 11));
}

TEST(World, AnotherNodeGroupLeavesTheFirstOnesDrawsAlone) {
  Scenario scenario = Churn(3, "m5.large", 40);
  scenario.workloads[0].pod.node_groups = std::vector<int>{0};
  const Transcript alone = RunChecked(scenario, 3);
  NodeGroupSpec idle = scenario.node_groups[0];
  idle.name = "idle";
  scenario.node_groups.push_back(idle);
  const Transcript both = RunChecked(scenario, 3);
  // The same pods start at the same moments.
  const auto starts = [](const Transcript& t) {
    std::vector<std::string> result;
    for (const std::string& line : t.lines()) {
      if (!line.starts_with("sample pod_start_seconds")) continue;
      result.push_back(line.substr(line.find(' ', line.find(' ', 7) + 1)));
    }
    return result;
  };
  EXPECT_EQ(starts(alone), starts(both));
}

TEST(World, EveryPodThatNeverRanIsPartOfThePodStarts) {
  // More pods than the nodes hold; those that wait are deleted, and others wait when the run ends.
  Scenario scenario = Churn(2, "m5.large", 40);
  scenario.events = {{TimePoint(minutes(10)), ScaleWorkload{0, 200}},
                     {TimePoint(minutes(20)), ScaleWorkload{0, 100}}};
  const Transcript t = RunChecked(scenario, 1);
  int deleted = 0, left = 0, censored = 0;
  for (const std::string& line : t.lines()) {
    const std::vector<std::string> words = WordsOf(line);
    if (words[0] == "sample" && words[1] == "pod_start_seconds") censored += words[5] == "true";
    // "pod ID NAME NODE [ENI] IP CREATED SCHEDULED ADD ASSIGNED RUNNING DELETED ATTEMPTS REASON"
    if (words[0] != "pod" || words[words.size() - 4] != "-1") continue;
    ++(words[words.size() - 3] == "-1" ? left : deleted);
  }
  EXPECT_GT(deleted, 50);
  EXPECT_GT(left, 10);
  EXPECT_EQ(censored, deleted + left);
}

TEST(World, SettledStartHasPoolsAndPodsInPlace) {
  Scenario scenario = Churn(4, "m5.large", 40);
  scenario.events.clear();
  scenario.workloads[0] = MakeDeployment("api", 40);
  scenario.network.choice = ChoicePolicy::kOldest;
  scenario.network.env["DISABLE_LEAKED_ENI_CLEANUP"] = "true";  // which calls EC2 every hour
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 40);
  EXPECT_EQ(t.Level(Metric::kPodsPending, "churn"), 0);
  EXPECT_EQ(t.Level(Metric::kNodesReady, "churn"), 4);
  // 10 pods a node: three ENIs of nine addresses (vector G1).
  EXPECT_EQ(t.Level(Metric::kPoolEnis, "workers"), 12);
  EXPECT_EQ(t.Level(Metric::kPoolTotalIps, "workers"), 108);
  EXPECT_EQ(t.Level(Metric::kPoolAssignedIps, "workers"), 40);
  EXPECT_EQ(t.Level(Metric::kVpcAddressesHeld, "churn"), 120);
  EXPECT_EQ(std::ranges::count_if(t.lines(), [](const auto& l) { return l.starts_with("api"); }),
            0);
}

TEST(World, PodsBeginWhereTheScenarioPlacesThem) {
  Scenario scenario = Churn(3, "m5.large", 40);
  scenario.events.clear();
  scenario.workloads[0] = MakeDeployment("api", 20);
  // The last one does not fit: an m5.large has 29 slots.
  std::get<DeploymentSpec>(scenario.workloads[0].kind).placed_on = {{0, 3, 11}, {0, 1, 2}};
  scenario.workloads.push_back(MakeDeployment("web", 18));
  std::get<DeploymentSpec>(scenario.workloads[1].kind).placed_on = {{0, 3, 17}};
  scenario.node_groups.push_back(scenario.node_groups[0]);
  scenario.node_groups[1].name = "tainted";
  scenario.workloads[0].pod.node_groups = std::vector<int>{0};
  scenario.workloads[1].pod.node_groups = std::vector<int>{0};
  WorkloadSpec agent;
  agent.name = "agent";
  agent.kind = DaemonSetSpec{};
  agent.pod.node_groups = std::vector<int>{1};
  scenario.workloads.push_back(agent);
  std::map<std::pair<std::string, int>, int> pods;  // by node and workload
  LookAtWorld(scenario, 1, kTimeZero, [&](WorldView& world) {
    for (const PodView& pod : world.Pods()) ++pods[{pod.node, pod.workload}];
  });
  EXPECT_EQ((pods[{"workers-3", 0}]), 11);
  EXPECT_EQ((pods[{"workers-3", 1}]), 16);  // and not 17
  // The seven that nobody placed, and the three of web, go to the emptier nodes.
  EXPECT_GE((pods[{"workers-1", 0}]), 2);
  EXPECT_EQ((pods[{"workers-1", 0}]) + (pods[{"workers-1", 1}]), 6);
  EXPECT_EQ((pods[{"workers-2", 0}]) + (pods[{"workers-2", 1}]), 5);
  EXPECT_EQ((pods[{"workers-1", 2}]), 0);
  EXPECT_EQ((pods[{"tainted-2", 2}]), 1);
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(std::ranges::count(t.lines(),
                               "finding placed-pods-do-not-fit 0 1 pods of web had no room on the "
                               "node that placedOn gives them; the scheduler placed them"),
            1);
}

TEST(World, ColdStartBootsBeforeItServes) {
  Scenario scenario = Churn(2, "m5.large", 10);
  scenario.initial_state = InitialState::kCold;
  scenario.events.clear();
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kNodesReady, "churn"), 2);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 10);
  EXPECT_GT(std::ranges::count_if(t.lines(), [](const auto& l) { return l.starts_with("api"); }),
            0);
}

TEST(World, DaemonSetsAndHostNetworkPods) {
  Scenario scenario = Churn(3, "m5.large", 6);
  WorkloadSpec agent;
  agent.name = "agent";
  agent.kind = DaemonSetSpec{};
  WorkloadSpec exporter;
  exporter.name = "exporter";
  exporter.pod.host_network = true;
  exporter.kind = DaemonSetSpec{};
  scenario.workloads.push_back(agent);
  scenario.workloads.push_back(exporter);
  scenario.events = {{TimePoint(minutes(10)), ScaleNodeGroup{0, 5}}};
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 6 + 5 + 5);
  EXPECT_EQ(t.Level(Metric::kPoolAssignedIps, "workers"), 6 + 5);
}

TEST(World, AScaleDownDoesNotHoldUpTheNextScaleUp) {
  Scenario scenario = Churn(10, "m5.large", 0);
  scenario.workloads[0].kind = DeploymentSpec{200, std::nullopt, std::nullopt};
  const TimePoint up{minutes(15)};
  scenario.events = {{TimePoint(minutes(10)), ScaleWorkload{0, 20}}, {up, ScaleWorkload{0, 40}}};
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 40);
  int late = 0;
  for (const std::string& line : t.lines()) {
    if (!line.starts_with("pod ")) continue;
    // "pod ID NAME NODE ENI IP CREATED ..."
    const TimePoint created{Duration(std::stoll(WordsOf(line)[6]))};
    late += created >= up;
    EXPECT_LT(created, up + seconds(2)) << line;  // 20 pods at 50 a second, or faster
  }
  EXPECT_EQ(late, 20);
}

TEST(World, CronJobsRunToTheirEnd) {
  Scenario scenario = Churn(3, "m5.large", 0);
  scenario.events.clear();
  scenario.workloads[0].name = "etl";
  CronJobSpec cron;
  cron.every = minutes(5);
  cron.parallelism = 10;
  cron.active_for = Distribution::Fixed(seconds(30)).value();
  scenario.workloads[0].kind = cron;
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 0);
  // Batches at 5, 10, ..., 55 min have run; that of 60 min has just been asked for.
  const auto started = [](const std::string& line) {
    return line.starts_with("sample pod_start") && line.ends_with("false");
  };
  EXPECT_EQ(std::ranges::count_if(t.lines(), started), 11 * 10);
}

TEST(World, ThePublishedBurstOf30PodsOnOneNode) {
  // amazon-vpc-cni-k8s commit 2fb3b67: ADD p50 0.75 s, and 5.0 s with the older veth move.
  for (const auto& [hold_ms, expected] : {std::pair{48, 0.75}, std::pair{320, 5.0}}) {
    Scenario scenario = Churn(1, "m5.8xlarge", 1);
    scenario.events = {{TimePoint(minutes(5)), ScaleWorkload{0, 31}}};
    scenario.workloads[0] = MakeDeployment("api", 1);
    scenario.constants.controller_rate = 1000;
    scenario.constants.cni_rtnl_hold =
        Distribution::Fixed(std::chrono::milliseconds(hold_ms)).value();
    scenario.constants.kubelet_sync = Distribution();
    scenario.constants.kubelet_sandbox =
        Distribution::Fixed(std::chrono::milliseconds(100)).value();
    const Transcript t = RunChecked(scenario, 1);
    std::vector<Duration> adds = t.adds();
    ASSERT_EQ(adds.size(), 30u);
    std::ranges::sort(adds);
    EXPECT_NEAR(ToSeconds(adds[15]), expected, 0.15 * expected);
  }
}

TEST(World, ThrottlingIsSharedByAllNodes) {
  Scenario scenario = Churn(0, "m5.large", 0);
  scenario.vpc.subnets = {MakeSubnet("a", "10.0.0.0/18")};
  scenario.node_groups[0].subnets = {0};
  scenario.node_groups[0].max_size = 200;
  scenario.constants.node_boot = Distribution::Fixed(seconds(30)).value();
  scenario.events = {{TimePoint(minutes(1)), ScaleNodeGroup{0, 150}}};
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kNodesReady, "churn"), 150);
  EXPECT_GT(t.throttled(), 0);
}

TEST(World, NothingIsLeftOfBranchEnisWhenTheirPodsAreGone) {
  Scenario scenario = Churn(4, "m5.large", 20);
  scenario.events.clear();
  scenario.workloads[0] = MakeDeployment("api", 20);
  const Transcript without = RunChecked(scenario, 1);
  EXPECT_FALSE(without.Told(Metric::kBranchEnis));
  UseBranchEnis(scenario);
  scenario.events.push_back({TimePoint(minutes(45)), ScaleWorkload{1, 0}});
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_GT(t.Highest(Metric::kBranchEnis, "workers"), 20);
  EXPECT_EQ(t.Level(Metric::kBranchEnis, "workers"), 0);
  EXPECT_EQ(t.Level(Metric::kEnisAvailable, "churn"), 0);
  // A trunk ENI with its address on each node is all that there is more.
  EXPECT_EQ(t.Level(Metric::kPoolAssignedIps, "workers"), 20);
  EXPECT_EQ(t.Level(Metric::kEnisAttached, "churn"), t.Level(Metric::kPoolEnis, "workers"));
}

TEST(World, BranchEnisOfNodesThatGoAreDeleted) {
  Scenario scenario = Churn(4, "m5.large", 0);
  scenario.events.clear();
  UseBranchEnis(scenario);
  scenario.network.env["DISABLE_LEAKED_ENI_CLEANUP"] = "true";
  scenario.events = {{TimePoint(minutes(10)), ScaleNodeGroup{0, 0}}};
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_GE(t.Highest(Metric::kBranchEnis, "workers"), 24);
  EXPECT_EQ(t.Level(Metric::kBranchEnis, "workers"), 0);
  EXPECT_EQ(t.Level(Metric::kVpcAddressesHeld, "churn"), 0);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 0);
}

TEST(World, PodsWithBranchEnisAreBoundedByTheTrunk) {
  Scenario scenario = Churn(1, "m5.large", 0);
  scenario.events.clear();
  UseBranchEnis(scenario);
  scenario.events.clear();
  const Transcript t = RunChecked(scenario, 1);
  // An m5.large's trunk carries 9. Cooling ones keep their places, so that pods which come after
  // others wait for one.
  EXPECT_EQ(t.Highest(Metric::kPodsRunning, "churn"), 9);
  EXPECT_EQ(t.Highest(Metric::kBranchEnis, "workers"), 9);
  EXPECT_GE(t.Level(Metric::kPodsUnschedulable, "churn"), 14);
  EXPECT_GT(t.Waited(WaitReason::kBranchEni), 0);
}

TEST(World, PodsWithSecurityGroupsRunOnlyWhereATrunkIs) {
  Scenario scenario = Churn(2, "m5.large", 0);
  NodeGroupSpec small = scenario.node_groups[0];
  small.name = "small";
  small.instance_type = "t3.medium";  // has no trunk
  scenario.node_groups.push_back(small);
  UseBranchEnis(scenario);
  scenario.workloads[1].kind = DeploymentSpec{12, std::nullopt, std::nullopt};
  scenario.events.clear();
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 12);
  EXPECT_EQ(t.Level(Metric::kBranchEnis, "workers"), 12);
  EXPECT_EQ(t.Level(Metric::kBranchEnis, "small"), 0);
  EXPECT_EQ(t.Level(Metric::kPoolAssignedIps, "workers"), 0);
}

// LO-4: a slot is kept for the trunk, also on types that are not known to have one.
TEST(World, ATrunkTakesASlotOfThePool) {
  for (const auto& [type, enis, addresses] :
       {std::tuple{"m5.large", 3, 18}, {"t3.medium", 3, 15}, {"bmn-sf1.metal", 14, 14 * 49}}) {
    Scenario scenario = Churn(1, type, 0);
    scenario.events.clear();
    scenario.network.env["ENABLE_POD_ENI"] = "true";
    scenario.network.env["WARM_IP_TARGET"] = "1000";
    scenario.node_groups[0].max_pods = 1000;
    const Transcript t = RunChecked(scenario, 1);
    EXPECT_EQ(t.Level(Metric::kPoolEnis, "workers"), enis) << type;
    EXPECT_EQ(t.Level(Metric::kPoolTotalIps, "workers"), addresses) << type;
  }
}

TEST(World, ABranchEniKeepsItsPlaceOnTheTrunkForACooldown) {
  for (const Duration cooldown : {seconds(0), seconds(60)}) {
    Scenario scenario = Churn(1, "m5.large", 0);
    UseBranchEnis(scenario);
    scenario.constants.resource_controller_cooldown = Distribution::Fixed(cooldown).value();
    scenario.workloads[1].kind = DeploymentSpec{9, std::nullopt, std::nullopt};
    // The old pods are gone after a few seconds; the new ones want their places.
    scenario.events = {{TimePoint(minutes(10)), ScaleWorkload{1, 0}},
                       {TimePoint(minutes(10) + seconds(20)), ScaleWorkload{1, 9}}};
    const Transcript t = RunChecked(scenario, 1);
    EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 9);
    std::vector<Duration> starts;
    for (const std::string& line : t.lines()) {
      const std::vector<std::string> words = WordsOf(line);
      if (words[1] == "pod_start_seconds") starts.push_back(Duration(std::stoll(words[4])));
    }
    ASSERT_EQ(starts.size(), 9u);
    EXPECT_EQ(*std::ranges::min_element(starts) >= seconds(38), cooldown > Duration::zero());
  }
}

TEST(World, TheVpcResourceControllerKeepsItsRates) {
  Scenario scenario = Churn(10, "m5.xlarge", 0);
  UseBranchEnis(scenario);
  scenario.constants.controller_rate = 1000;
  scenario.workloads[1].kind = DeploymentSpec{0, std::nullopt, std::nullopt};
  scenario.events = {{TimePoint(minutes(10)), ScaleWorkload{1, 170}}};
  for (const char* action : {"CreateNetworkInterface", "AssociateTrunkInterface"}) {
    scenario.ec2.throttles[action] = {1000, 1000};  // no retries
  }
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 170);
  std::vector<Duration> sent;
  for (const std::string& line : t.lines()) {
    const std::vector<std::string> words = WordsOf(line);
    const bool of_no_node = words[0] == "api" && words[2] == std::to_string(kNoEntity);
    if (of_no_node) sent.push_back(Duration(std::stoll(words[3])));
  }
  ASSERT_EQ(sent.size(), 2u * 170);
  std::ranges::sort(sent);
  // Two clients, each of 12 calls/s and 18 at once.
  constexpr size_t kWindow = 120;
  constexpr Duration kShortest = milliseconds(1000 * (kWindow - 2 * 18) / (2 * 12));
  Duration shortest = hours(1);
  for (size_t i = kWindow; i < sent.size(); ++i) {
    shortest = std::min(shortest, sent[i] - sent[i - kWindow]);
  }
  EXPECT_GE(shortest, kShortest);
  EXPECT_LE(shortest, 2 * kShortest);
}

TEST(World, BranchEnisWaitForAddressesOfTheSubnet) {
  Scenario scenario = Churn(4, "m5.large", 0);
  UseBranchEnis(scenario);
  scenario.vpc.subnets = {MakeSubnet("a", "10.0.0.0/26"), MakeSubnet("b", "10.0.1.0/26")};
  scenario.network.env["WARM_IP_TARGET"] = "18";
  scenario.workloads[1].kind = DeploymentSpec{36, std::nullopt, std::nullopt};
  // The agents give back what they held warm.
  scenario.events = {{TimePoint(minutes(20)), SetEnv{{{"WARM_IP_TARGET", "1"}}}}};
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 36);
  EXPECT_GT(t.Waited(WaitReason::kBranchEni), 0);
  const auto failed = [](const std::string& line) {
    return line.starts_with("count ec2_api_failed_total");
  };
  EXPECT_GT(std::ranges::count_if(t.lines(), failed), 10);
  scenario.park_idle_pools = false;
  ExpectSameLines(t, RunChecked(scenario, 1));
}

// Calls of the controller are refused for a while: all is made up for afterwards.
TEST(World, AThrottledAccountDelaysBranchEnisOnly) {
  Scenario scenario = Churn(4, "m5.large", 20);
  UseBranchEnis(scenario);
  scenario.workloads[1].kind = DeploymentSpec{0, std::nullopt, std::nullopt};
  scenario.events = {{TimePoint(minutes(10)), ScaleWorkload{1, 30}},
                     {TimePoint(minutes(30)), ScaleWorkload{1, 0}}};
  for (const char* action :
       {"CreateNetworkInterface", "AssociateTrunkInterface", "DeleteNetworkInterface"}) {
    scenario.ec2.throttles[action] = {1, 0.05};
  }
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_GT(t.throttled(), 30);
  EXPECT_GT(t.Waited(WaitReason::kBranchEni), 10);
  EXPECT_EQ(t.Level(Metric::kBranchEnis, "workers"), 0);
  EXPECT_EQ(t.Level(Metric::kEnisAvailable, "churn"), 0);
}

TEST(World, CalicoTakesNoVpcAddresses) {
  Scenario scenario = Churn(4, "m5.large", 60);
  scenario.network.plugin = Plugin::kCalico;
  IpPoolSpec pool;
  pool.name = "default";
  pool.cidr = *Ipv4Cidr::Parse("192.168.0.0/16");
  scenario.network.calico.ip_pools = {pool};
  const Transcript t = RunChecked(scenario, 1);
  EXPECT_EQ(t.Level(Metric::kPodsRunning, "churn"), 30);
  EXPECT_EQ(t.Level(Metric::kVpcAddressesHeld, "churn"), 3);
  ExpectSameLines(t, RunChecked(scenario, 1));
}

// Nodes in two subnets.
Scenario CalicoWith(Encapsulation encapsulation, bool disables_check) {
  Scenario scenario = Churn(4, "m5.large", 20);
  scenario.network.plugin = Plugin::kCalico;
  IpPoolSpec pool;
  pool.name = "default";
  pool.cidr = *Ipv4Cidr::Parse("192.168.0.0/16");
  pool.encapsulation = encapsulation;
  scenario.network.calico.ip_pools = {pool};
  scenario.network.calico.disables_src_dst_check = disables_check;
  return scenario;
}

// Of a checked run.
std::set<std::string> NetworkFindingsOf(const Scenario& scenario) {
  Transcript transcript;
  WorldOptions options;
  options.check_invariants = true;
  const WorldResult result = RunWorld(scenario, 1, transcript, options);
  EXPECT_TRUE(result.violations.empty()) << result.violations.front();
  std::set<std::string> codes;
  for (const NetworkFinding& finding : result.network_findings) codes.insert(finding.code);
  return codes;
}

using Codes = std::set<std::string>;

TEST(World, FindsWhatAVpcDoesNotCarry) {
  const auto found = [](Encapsulation encapsulation, bool disables_check) {
    return NetworkFindingsOf(CalicoWith(encapsulation, disables_check));
  };
  EXPECT_EQ(found(Encapsulation::kVxlan, false), Codes());
  EXPECT_EQ(found(Encapsulation::kIpip, false), Codes());
  EXPECT_EQ(found(Encapsulation::kVxlanCrossSubnet, false), Codes{"source-dest-check"});
  EXPECT_EQ(found(Encapsulation::kVxlanCrossSubnet, true), Codes());
  EXPECT_EQ(found(Encapsulation::kIpipCrossSubnet, true), Codes());
  EXPECT_EQ(found(Encapsulation::kNone, true), Codes{"no-route-across-subnets"});
}

// The links of nodes, tunnels and pods, and what comes of pods' that are too large.
TEST(World, CalicosLinksHaveTheScenariosMtus) {
  struct Case {
    Encapsulation encapsulation;
    int mtu;
    std::optional<int> pod_mtu;
    int tunnel;
    int pod;
    Codes codes;
  };
  const Case cases[] = {
      {Encapsulation::kVxlan, 9001, std::nullopt, 8951, 8951, {}},
      {Encapsulation::kVxlan, 1500, std::nullopt, 1450, 1450, {}},
      {Encapsulation::kIpip, 1500, std::nullopt, 1480, 1480, {}},
      {Encapsulation::kVxlan, 1500, 1400, 1400, 1400, {}},
      {Encapsulation::kIpip, 9001, 1450, 1450, 1450, {}},
      {Encapsulation::kVxlan, 1500, 1500, 1450, 1500, {"pod-mtu-too-big"}},
      {Encapsulation::kIpip, 9001, 9001, 8981, 9001, {"pod-mtu-too-big"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(fmt::format("link {}, pods {}", c.mtu, c.pod));
    Scenario scenario = CalicoWith(c.encapsulation, false);
    scenario.network.mtu = c.mtu;
    scenario.network.calico.pod_mtu = c.pod_mtu;
    Transcript transcript;
    WorldOptions options;
    options.inspect_at = TimePoint(minutes(10));
    std::map<std::string, std::set<int>> mtus;  // by kind of link
    options.inspect = [&](WorldView& world) {
      for (const std::string& node : world.NodeNames()) {
        const HostState* kernel = world.NetworkOf(node)->Kernel();
        ASSERT_NE(kernel, nullptr);
        for (const auto& [name, link] : kernel->net.links) {
          const bool tunnel = name == "vxlan.calico" || name == "tunl0";
          const bool pods = name.starts_with("cali");
          if (name != "lo") mtus[tunnel ? "tunnel" : pods ? "pod" : "node"].insert(link.mtu);
        }
        for (const auto& [netns, pod] : kernel->pods) mtus["pod"].insert(pod.links.at("eth0").mtu);
      }
    };
    RunWorld(scenario, 1, transcript, options);
    EXPECT_EQ(mtus["node"], std::set{c.mtu});
    EXPECT_EQ(mtus["tunnel"], std::set{c.tunnel});
    EXPECT_EQ(mtus["pod"], std::set{c.pod});
    EXPECT_EQ(NetworkFindingsOf(scenario), c.codes);
  }
}

// A pool so small that nodes borrow from each other, on nodes that come and go and leave blocks
// without an owner behind.
TEST(World, BorrowedAddressesAndBlocksWithoutAnOwnerAreReached) {
  Scenario scenario = Churn(6, "m5.large", 60);
  scenario.network.plugin = Plugin::kCalico;
  IpPoolSpec pool;
  pool.name = "small";
  pool.cidr = *Ipv4Cidr::Parse("192.168.0.0/24");
  pool.block_size = 28;
  scenario.network.calico.ip_pools = {pool};
  scenario.node_groups[0].node_lifetime = *Distribution::Exponential(minutes(4));
  RunChecked(scenario, 1);
}

TEST(World, ASettingThatLeadsPodsAstrayIsAFindingAndNoViolation) {
  Scenario scenario = Churn(4, "m5.large", 60);
  scenario.network.env["AWS_EXTERNAL_SERVICE_CIDRS"] = "10.0.0.0/16";
  Transcript transcript;
  WorldOptions options;
  options.check_invariants = true;
  const WorldResult result = RunWorld(scenario, 1, transcript, options);
  EXPECT_TRUE(result.violations.empty()) << result.violations.front();
  ASSERT_FALSE(result.network_findings.empty());
  EXPECT_EQ(result.network_findings.front().code, "external-services-cover-pods");
}

TEST(World, CanBeLookedIntoAtAnyMoment) {
  const Scenario scenario = Churn(4, "m5.large", 60);
  for (const Duration at : {Duration(minutes(0)), Duration(minutes(15)), Duration(minutes(47))}) {
    Transcript transcript;
    WorldOptions options;
    options.inspect_at = TimePoint(at);
    int looks = 0;
    options.inspect = [&](WorldView& world) {
      ++looks;
      EXPECT_EQ(world.Now(), TimePoint(at));
      std::map<std::string, int> routed;  // pods with an address, by node
      for (const PodView& pod : world.Pods()) {
        if (!pod.ip) continue;
        const HostState* kernel = world.NetworkOf(pod.node)->Kernel();
        ASSERT_NE(kernel, nullptr);
        EXPECT_TRUE(kernel->net.routes.contains({kMainTable, IpCidr(*pod.ip), 0})) << pod.name;
        EXPECT_TRUE(kernel->pods.contains(pod.netns)) << pod.name;
        ++routed[pod.node];
      }
      EXPECT_FALSE(routed.empty());
      for (const std::string& node : world.NodeNames()) {
        const HostState* kernel = world.NetworkOf(node)->Kernel();
        const auto to_pods = std::ranges::count(kernel->net.rules, 512, &Rule::priority);
        EXPECT_EQ(to_pods, routed[node]) << node;
      }
    };
    const WorldResult result = RunWorld(scenario, 1, transcript, options);
    EXPECT_EQ(looks, 1);
    EXPECT_EQ(result.ended, TimePoint(at));
  }
}

TEST(World, AnInterruptKeepsWhatThereIs) {
  const Scenario scenario = Churn(4, "m5.large", 60);
  std::atomic<bool> interrupt{false};
  Transcript transcript;
  WorldOptions options;
  options.interrupt = &interrupt;
  options.progress = [&](const Progress& p) {
    if (p.now > TimePoint(minutes(10))) interrupt = true;
  };
  const WorldResult result = RunWorld(scenario, 1, transcript, options);
  EXPECT_TRUE(result.interrupted);
  EXPECT_LT(result.ended, TimePoint(minutes(11)));
  EXPECT_TRUE(transcript.lines().back().starts_with("end"));
}

}  // namespace
}  // namespace cnisim
