#include "sim/scenario/loader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "sim/cloud/ec2_defaults.h"
#include "sim/scenario/file_reader.h"
#include "sim/scenario/loader_testing.h"

namespace cnisim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The resolved text is a scenario that resolves to itself.
void ExpectResolvedIsFixedPoint(const LoadedScenario& loaded) {
  const LoadResult again = LoadScenarioText(loaded.resolved_yaml, "resolved", kDirectory);
  ASSERT_TRUE(again) << Told(again.error()) << loaded.resolved_yaml;
  EXPECT_EQ(again->resolved_yaml, loaded.resolved_yaml);
}

TEST(LoadScenario, EveryValidDocumentResolvesToAFixedPoint) {
  int documents = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    SCOPED_TRACE(entry.path());
    ExpectResolvedIsFixedPoint(Load(entry.path().stem()));
    ++documents;
  }
  EXPECT_EQ(documents, 8);
}

TEST(LoadScenario, FillsInDefaults) {
  const Scenario s = Load("minimal").scenario;
  EXPECT_EQ(s.name, "minimal");
  EXPECT_EQ(s.duration, minutes(10));
  EXPECT_EQ(s.seed, 1u);
  EXPECT_EQ(s.repetitions, 1);
  EXPECT_EQ(s.measure_from, Duration::zero());
  EXPECT_EQ(s.initial_state, InitialState::kSettled);
  EXPECT_TRUE(s.system_pods);
  EXPECT_TRUE(s.park_idle_pools);
  EXPECT_TRUE(s.ec2.throttles.empty());
  EXPECT_TRUE(s.ec2.latency.empty());
  ASSERT_EQ(s.vpc.subnets.size(), 1u);
  EXPECT_EQ(s.vpc.subnets[0].used_at_start, 0);
  EXPECT_EQ(s.vpc.subnets[0].used_layout, UsedLayout::kScattered);
  ASSERT_EQ(s.node_groups.size(), 1u);
  EXPECT_EQ(s.node_groups[0].max_size, 1);
  EXPECT_EQ(s.node_groups[0].subnets, std::vector<int>{0});
  EXPECT_EQ(s.node_groups[0].max_pods, std::nullopt);
  EXPECT_EQ(s.network.plugin, Plugin::kAwsVpcCni);
  EXPECT_EQ(s.network.choice, ChoicePolicy::kRandom);
  EXPECT_TRUE(s.network.env.empty());
  EXPECT_EQ(s.scheduler.placement, Placement::kSpread);
  EXPECT_TRUE(s.workloads.empty() && s.events.empty() && s.expectations.empty());
  EXPECT_EQ(s.record.interval, seconds(10));
  EXPECT_EQ(s.record.pods, PodRows::kAll);
}

TEST(LoadScenario, ReadsEveryKey) {
  const LoadedScenario loaded = Load("everything");
  const Scenario& s = loaded.scenario;
  EXPECT_EQ(Told(loaded.warnings), "");
  EXPECT_EQ(s.name, "everything");
  EXPECT_EQ(s.duration, minutes(90));
  EXPECT_EQ(s.seed, ~uint64_t{0});
  EXPECT_EQ(s.repetitions, 3);
  EXPECT_EQ(s.measure_from, minutes(5));
  EXPECT_EQ(s.initial_state, InitialState::kCold);
  EXPECT_FALSE(s.system_pods);
  EXPECT_FALSE(s.park_idle_pools);

  ASSERT_EQ(s.vpc.cidr_blocks.size(), 2u);
  EXPECT_EQ(s.vpc.cidr_blocks[1], Ipv4Cidr::Parse("100.64.0.0/16"));
  ASSERT_EQ(s.vpc.subnets.size(), 2u);
  const SubnetSpec& a = s.vpc.subnets[0];
  EXPECT_EQ(a.name, "Private_A.1");
  EXPECT_EQ(a.availability_zone, "us-east-1a");
  EXPECT_EQ(a.cidr, Ipv4Cidr::Parse("10.0.0.0/22"));
  EXPECT_EQ(a.used_at_start, 120);
  EXPECT_EQ(a.used_layout, UsedLayout::kDense);
  EXPECT_EQ(a.tags, (std::map<std::string, std::string>{{"kubernetes.io/role/cni", "1"},
                                                        {"team", "net & \"ops\""}}));

  EXPECT_EQ(s.ec2.throttles.at("AssignPrivateIpAddresses").bucket, 100.5);
  EXPECT_EQ(s.ec2.throttles.at("AssignPrivateIpAddresses").refill_per_second, 0.25);
  EXPECT_EQ(s.ec2.throttles.size(), 2u);
  EXPECT_EQ(s.ec2.latency.at("AttachNetworkInterface"),
            Distribution::Lognormal(milliseconds(700), seconds(2)).value());
  EXPECT_EQ(s.ec2.latency.at("CreateTags"),
            Distribution::Empirical({{milliseconds(10), 1}, {milliseconds(20), 3}, {seconds(1), 1}})
                .value());
  EXPECT_EQ(s.constants.node_boot, Distribution::Uniform(seconds(10), seconds(20)).value());
  EXPECT_EQ(s.constants.scheduler_rate, 100);
  EXPECT_EQ(s.constants.controller_rate, Constants().controller_rate);

  ASSERT_EQ(s.node_groups.size(), 2u);
  EXPECT_EQ(s.node_groups[0].instance_type, "m5.large");
  EXPECT_EQ(s.node_groups[0].desired_capacity, 12);
  EXPECT_EQ(s.node_groups[0].max_size, 200);
  EXPECT_EQ(s.node_groups[0].subnets, (std::vector<int>{1, 0}));
  EXPECT_EQ(s.node_groups[0].max_pods, 29);
  EXPECT_EQ(s.node_groups[1].max_size, 7);  // from the event that scales it
  EXPECT_EQ(s.node_groups[1].subnets, (std::vector<int>{0, 1}));

  EXPECT_EQ(s.network.choice, ChoicePolicy::kOldest);
  EXPECT_EQ(s.network.env, (std::map<std::string, std::optional<std::string>>{
                               {"WARM_ENI_TARGET", std::nullopt},
                               {"WARM_IP_TARGET", "5"},
                               {"MINIMUM_IP_TARGET", "10"},
                               {"ADDITIONAL_ENI_TAGS", "{\"owner\": \"net\"}"}}));
  EXPECT_EQ(s.scheduler.placement, Placement::kPack);

  ASSERT_EQ(s.workloads.size(), 4u);
  const auto& api = std::get<DeploymentSpec>(s.workloads[0].kind);
  EXPECT_EQ(s.workloads[0].pod.ns, "shop");
  EXPECT_EQ(s.workloads[0].pod.cpu_milli, 250);
  EXPECT_EQ(s.workloads[0].pod.memory_mib, 512);
  EXPECT_FALSE(s.workloads[0].pod.host_network);
  EXPECT_EQ(api.replicas, 200);
  EXPECT_EQ(api.pod_lifetime, Distribution::Exponential(hours(4)).value());
  EXPECT_EQ(api.start_at, kTimeZero + minutes(1));
  const auto& etl = std::get<CronJobSpec>(s.workloads[1].kind);
  EXPECT_EQ(etl.every, minutes(1));
  EXPECT_EQ(etl.poisson_rate_per_second, std::nullopt);
  EXPECT_EQ(etl.parallelism, 20);
  EXPECT_EQ(etl.active_for, Distribution::Lognormal(seconds(20), seconds(90)).value());
  EXPECT_EQ(etl.start_at, kTimeZero + minutes(2));
  const auto& burst = std::get<CronJobSpec>(s.workloads[2].kind);
  EXPECT_EQ(burst.every, std::nullopt);
  EXPECT_EQ(burst.poisson_rate_per_second, 5.0 / 60);
  EXPECT_EQ(burst.parallelism, 1);
  EXPECT_EQ(burst.active_for, Distribution::Fixed(seconds(30)).value());
  EXPECT_EQ(burst.start_at, std::nullopt);
  EXPECT_TRUE(std::holds_alternative<DaemonSetSpec>(s.workloads[3].kind));
  EXPECT_TRUE(s.workloads[3].pod.host_network);

  ASSERT_EQ(s.events.size(), 3u);  // by time
  EXPECT_EQ(s.events[0].at, kTimeZero + minutes(20));
  EXPECT_EQ(std::get<ScaleWorkload>(s.events[0].action).workload, 0);
  EXPECT_EQ(std::get<ScaleWorkload>(s.events[0].action).replicas, 900);
  EXPECT_EQ(std::get<ScaleNodeGroup>(s.events[1].action).node_group, 1);
  EXPECT_EQ(std::get<ScaleNodeGroup>(s.events[1].action).desired_capacity, 7);
  EXPECT_EQ(std::get<RestartAgent>(s.events[2].action).node, "spot-7");

  ASSERT_EQ(s.expectations.size(), 3u);
  EXPECT_EQ(s.expectations[0].name, "pod start SLO");
  EXPECT_EQ(s.expectations[0].figure.metric, Metric::kPodIpWaitSeconds);
  EXPECT_EQ(s.expectations[0].figure.entity, "api");
  EXPECT_EQ(s.expectations[0].figure.statistic, Statistic::kP99);
  EXPECT_EQ(s.expectations[0].comparison, Comparison::kLessEqual);
  EXPECT_EQ(s.expectations[0].bound, 0.5);
  EXPECT_TRUE(s.expectations[0].warn_only);
  EXPECT_EQ(s.expectations[1].figure.entity, "b");
  EXPECT_EQ(s.expectations[1].comparison, Comparison::kGreater);
  EXPECT_EQ(s.expectations[1].bound, 64);
  EXPECT_FALSE(s.expectations[1].warn_only);
  EXPECT_EQ(s.expectations[2].figure.statistic, Statistic::kSum);
  EXPECT_EQ(s.record.interval, seconds(1));
  EXPECT_EQ(s.record.pods, PodRows::kNone);
}

TEST(LoadScenario, ReadsCalico) {
  const Scenario s = Load("calico").scenario;
  const CalicoSpec& calico = s.network.calico;
  EXPECT_EQ(s.network.plugin, Plugin::kCalico);
  EXPECT_TRUE(calico.strict_affinity);
  EXPECT_EQ(calico.max_blocks_per_host, 4);
  ASSERT_EQ(calico.ip_pools.size(), 2u);
  EXPECT_EQ(calico.ip_pools[0].name, "blue");
  EXPECT_EQ(calico.ip_pools[0].encapsulation, Encapsulation::kIpipCrossSubnet);
  EXPECT_EQ(calico.ip_pools[0].block_size, 28);
  EXPECT_FALSE(calico.ip_pools[0].nat_outgoing);
  EXPECT_EQ(calico.ip_pools[1].name, "ippool-2");
  EXPECT_EQ(calico.ip_pools[1].cidr, Ipv4Cidr::Parse("192.168.128.0/17"));
  EXPECT_EQ(calico.ip_pools[1].encapsulation, Encapsulation::kVxlan);

  const Scenario defaults = Load("minimal", {"network.plugin=calico"}).scenario;
  ASSERT_EQ(defaults.network.calico.ip_pools.size(), 1u);
  EXPECT_EQ(defaults.network.calico.ip_pools[0].cidr, Ipv4Cidr::Parse("192.168.0.0/16"));
}

TEST(LoadScenario, ReadsTracesAnchorsAndMergeKeys) {
  const LoadedScenario loaded = Load("traces");
  const Scenario& s = loaded.scenario;
  EXPECT_EQ(s.vpc.subnets[1].name, "b");
  EXPECT_EQ(s.vpc.subnets[1].availability_zone, "us-east-1a");
  EXPECT_EQ(s.node_groups[0].nodes.size(), 3u);
  EXPECT_EQ(s.node_groups[0].desired_capacity, 3);
  EXPECT_EQ(s.node_groups[0].max_size, 3);
  EXPECT_EQ(s.node_groups[1].max_size, 4);
  EXPECT_EQ(s.node_groups[1].instance_type, "m5.large");
  EXPECT_EQ(std::get<TraceSpec>(s.workloads[0].kind).pods.size(), 3u);
  EXPECT_EQ(std::get<TraceSpec>(s.workloads[1].kind).pods.size(), 3u);
  EXPECT_EQ(std::get<CronJobSpec>(s.workloads[2].kind).every, hours(1));
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_EQ(loaded.warnings[0].code, "trace-longer-than-run");
  EXPECT_EQ(loaded.warnings[0].line, 18);
  EXPECT_NE(loaded.resolved_yaml.find("contentHash: \"fnv1a64:"), std::string::npos);
}

// A key whose value changes, changes the resolved text, which stays a fixed point: nothing is left
// out of it.
TEST(ResolvedYaml, HoldsEveryKey) {
  const std::string base = Load("everything").resolved_yaml;
  for (const char* set : {"metadata.name=other",
                          "duration=2h",
                          "seed=7",
                          "repetitions=4",
                          "measureFrom=6m",
                          "initialState=settled",
                          "systemPods=default",
                          "vpc.cidrBlocks[1]=100.64.0.0/17",
                          "vpc.subnets[Private_A.1].tags.team=x",
                          "vpc.subnets[b].availabilityZone=us-east-1c",
                          "vpc.subnets[b].cidr=100.64.8.0/22",
                          "vpc.subnets[b].usedAtStart=3",
                          "vpc.subnets[b].usedLayout=dense",
                          "vpc.subnets[b].tags.x=y",
                          "ec2.throttles.DescribeSubnets.bucket=11",
                          "ec2.throttles.DescribeSubnets.refillPerSecond=2",
                          "ec2.latency.AttachNetworkInterface.p99=3s",
                          "ec2.latency.CreateTags={fixed: 1s}",
                          "constants.node.boot=5s",
                          "constants.scheduler.podsPerSecond=101",
                          "nodeGroups[workers].instanceType=m5.xlarge",
                          "nodeGroups[workers].desiredCapacity=13",
                          "nodeGroups[workers].maxSize=201",
                          "nodeGroups[workers].subnets=[b]",
                          "nodeGroups[workers].maxPods=auto",
                          "nodeGroups[0].name=w",
                          "network.choice=random",
                          "network.env.WARM_IP_TARGET=6",
                          "network.env.WARM_ENI_TARGET=2",
                          "network.env.MAX_ENI=null",
                          "scheduler.placement=spread",
                          "workloads[api].namespace=web",
                          "workloads[api].replicas=201",
                          "workloads[api].podLifetime=5h",
                          "workloads[api].podLifetime=null",
                          "workloads[api].startAt=2m",
                          "workloads[api].startAt=null",
                          "workloads[api].hostNetwork=true",
                          "workloads[api].resources.requests.cpu=1",
                          "workloads[api].resources.requests.memory=1Gi",
                          "workloads[etl].every=2m",
                          "workloads[etl].parallelism=21",
                          "workloads[etl].activeFor=1s",
                          "workloads[etl].startAt=3m",
                          "workloads[etl].name=elt",
                          "workloads[burst].arrivals.poisson.rate=7/m",
                          "workloads[logs].hostNetwork=false",
                          "events[0].at=61m",
                          "events[0].restart.agent=spot-6",
                          "events[1].scale.replicas=901",
                          "events[1].scale={nodeGroup: spot, desiredCapacity: 1}",
                          "events[2].scale.desiredCapacity=8",
                          "expectations[0].name=slo",
                          "expectations[0].assert=pods_running.min > 1",
                          "expectations[0].severity=error",
                          "record.interval=2s",
                          "record.pods=all",
                          "engine.parkIdlePools=true"}) {
    SCOPED_TRACE(set);
    const LoadedScenario changed = Load("everything", {set});
    EXPECT_NE(changed.resolved_yaml, base);
    ExpectResolvedIsFixedPoint(changed);
  }
}

// Strings that YAML would take for something else, or that would end a line.
TEST(ResolvedYaml, QuotesWhatNeedsIt) {
  for (const std::string value :
       {"true", "null", "~",   "1", "1e3", "",   " x ", "a: b", "- a", "# c",
        "'",    "\\\\", "{a}", "é", "yes", "*a", "&a",  "!a",   "0x1", ".nan"}) {
    SCOPED_TRACE(value);
    const LoadedScenario loaded = Load("minimal", {"vpc.subnets[a].tags.k=\"" + value + "\"",
                                                   "network.env.CLUSTER_NAME=\"" + value + "\""});
    const std::string expected = value == "\\\\" ? "\\" : value;
    EXPECT_EQ(loaded.scenario.vpc.subnets[0].tags.at("k"), expected);
    EXPECT_EQ(loaded.scenario.network.env.at("CLUSTER_NAME"), expected);
    const LoadResult again = LoadScenarioText(loaded.resolved_yaml, "resolved", kDirectory);
    ASSERT_TRUE(again) << Told(again.error());
    EXPECT_EQ(again->scenario.vpc.subnets[0].tags.at("k"), expected);
    EXPECT_EQ(again->scenario.network.env.at("CLUSTER_NAME"), expected);
  }
  const LoadedScenario loaded = Load("minimal", {"vpc.subnets[a].tags.k=\"a\\n\\t\\x01\\\"b\""});
  EXPECT_EQ(loaded.scenario.vpc.subnets[0].tags.at("k"), "a\n\t\x01\"b");
  ExpectResolvedIsFixedPoint(loaded);
}

// Every constant can be overridden with its own default and with both ends of its range.
TEST(LoadScenario, TakesEveryConstantOverItsRange) {
  const Constants defaults;
  for (const ConstantInfo& info : AllConstants()) {
    SCOPED_TRACE(info.name);
    const bool number = info.number != nullptr;
    const std::string own =
        number ? fmt::format("{}", defaults.*info.number) : (defaults.*info.duration).ToString();
    const auto text = [&](double value) {
      return number ? fmt::format("{}", value) : fmt::format("{}ns", std::llround(value * 1e9));
    };
    const std::string key = fmt::format("constants.{}=", info.name);
    const LoadedScenario same = Load("minimal", {key + own});
    EXPECT_EQ(same.resolved_yaml.find("constants:"), std::string::npos);
    for (const double end : {info.low, info.high}) {
      ExpectResolvedIsFixedPoint(Load("minimal", {key + text(end)}));
    }
    EXPECT_NE(ErrorsOf("minimal", {key + text(info.high * 1.01 + 1)}), "");
  }
}

TEST(LoadScenario, ReadsSecurityGroupsOfPods) {
  const LoadedScenario loaded = Load("security-groups");
  EXPECT_EQ(Told(loaded.warnings), "");
  const Scenario& s = loaded.scenario;
  using Groups = std::vector<std::string>;
  EXPECT_EQ(s.workloads[0].pod.security_groups, Groups());
  EXPECT_EQ(s.workloads[1].pod.security_groups, (Groups{"sg-db", "sg 2"}));
  EXPECT_EQ(s.workloads[2].pod.security_groups, Groups{"sg-etl"});
  EXPECT_TRUE(HasPodsWithBranchEnis(s));
  EXPECT_FALSE(HasPodsWithBranchEnis(Load("minimal").scenario));
}

TEST(LoadScenario, PodEnisMayBeSwitchedOnByAnEvent) {
  const std::string off = "network.env.ENABLE_POD_ENI=false";
  EXPECT_NE(ErrorsOf("security-groups", {off}), "");
  EXPECT_EQ(
      ErrorsOf("security-groups", {off, "events=[{at: 1m, setEnv: {ENABLE_POD_ENI: \"true\"}}]"}),
      "");
}

TEST(LoadScenario, TakesEveryEc2Action) {
  for (const Ec2ActionInfo& action : AllEc2Actions()) {
    const LoadedScenario loaded =
        Load("minimal",
             {fmt::format("ec2.latency.{}=1s", action.name),
              fmt::format("ec2.throttles.{}={{bucket: 5, refillPerSecond: 1}}", action.name)});
    EXPECT_TRUE(loaded.scenario.ec2.latency.contains(std::string(action.name)));
    EXPECT_TRUE(loaded.scenario.ec2.throttles.contains(std::string(action.name)));
  }
}

TEST(LoadScenario, BadTargetsAreWarningsAsTheAgentStarts) {
  const LoadedScenario loaded = Load("minimal", {"network.env.WARM_IP_TARGET=lots"});
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_EQ(loaded.warnings[0].ToString(),
            "--set network.env.WARM_IP_TARGET: warning: WARM_IP_TARGET=\"lots\" is not a number of "
            "at least 0; 0 is used [env-value-ignored]");
}

TEST(LoadScenario, PrefixModeOnXenIsAWarning) {
  const LoadedScenario loaded = Load("minimal", {"network.env.ENABLE_PREFIX_DELEGATION=true",
                                                 "nodeGroups[workers].instanceType=m4.large"});
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_EQ(loaded.warnings[0].code, "prefixes-need-nitro");
}

TEST(LoadScenario, MissingFilesAndDirectoriesAreErrors) {
  for (const char* path : {"no-such-file.yaml", "."}) {
    const LoadResult result = LoadScenario(kDirectory / path);
    ASSERT_FALSE(result);
    ASSERT_EQ(result.error().size(), 1u);
    EXPECT_EQ(result.error()[0].code, "cannot-read");
  }
}

TEST(LoadScenario, IgnoresAByteOrderMarkAndForeignLineEnds) {
  const std::string text = ReadFile(kDirectory / "everything.yaml").value();
  const std::string expected = Load("everything").resolved_yaml;
  std::string dos = "\xef\xbb\xbf";
  for (const char c : text) dos += c == '\n' ? "\r\n" : std::string(1, c);
  const LoadResult result = LoadScenarioText(dos, "dos", kDirectory);
  ASSERT_TRUE(result) << Told(result.error());
  EXPECT_EQ(result->resolved_yaml, expected);
}

TEST(LoadScenario, AFinalEmptyDocumentIsNoSecondScenario) {
  const std::string text = ReadFile(kDirectory / "minimal.yaml").value();
  EXPECT_TRUE(LoadScenarioText("---\n" + text + "---\n", "x", kDirectory));
  EXPECT_TRUE(LoadScenarioText("%YAML 1.2\n---\n" + text + "...\n", "x", kDirectory));
}

struct SetCase {
  const char* set;
  const char* told;
};

TEST(Overrides, ErrorsNameTheFlag) {
  const SetCase cases[] = {
      {"replicas", "--set replicas: error: has no value; write KEY=VALUE [bad-set]\n"},
      {"=5",
       "--set : error: is not a path such as spec.seed or nodeGroups[workers].maxSize [bad-set]\n"},
      {"a..b=5",
       "--set a..b: error: is not a path such as spec.seed or nodeGroups[workers].maxSize "
       "[bad-set]\n"},
      {"nodeGroups[0=5",
       "--set nodeGroups[0: error: is not a path such as spec.seed or nodeGroups[workers].maxSize "
       "[bad-set]\n"},
      {"seed=many",
       "--set seed: error: 'seed' of spec must be a whole number from 0 to 18446744073709551615, "
       "not 'many' [wrong-type]\n"},
      {"sed=5",
       "--set sed: error: unknown key 'sed' in spec; did you mean 'seed'? [unknown-key]\n"},
      {"spec.nodeGroups[worker].maxSize=5",
       "--set spec.nodeGroups[worker].maxSize: error: no element of the list is named 'worker'; "
       "did "
       "you mean 'workers'? [bad-set]\n"},
      {"nodeGroups[1].maxSize=5",
       "--set nodeGroups[1].maxSize: error: [1] is outside the list, which has 1 element "
       "[bad-set]\n"},
      {"nodeGroups.maxSize=5",
       "--set nodeGroups.maxSize: error: 'maxSize' is looked for in a list; choose an element by "
       "[INDEX] or [NAME] [bad-set]\n"},
      {"duration.x=5",
       "--set duration.x: error: 'x' is looked for in '10m', which is no mapping [bad-set]\n"},
      {"vpc[0]=5",
       "--set vpc[0]: error: [0] is looked for in a mapping, which is no list "
       "[bad-set]\n"},
      {"record={pods: [}",
       "--set record: error: YAML syntax: a ']' or '}' that closes nothing [bad-set]\n"},
      {"spec.duration=null",
       "--set spec.duration: error: 'duration' of spec is missing [missing-key]\n"},
  };
  for (const SetCase& c : cases) {
    EXPECT_EQ(ErrorsOf("minimal", {c.set}), c.told);
  }
}

TEST(Overrides, ReachEveryKindOfPlace) {
  const Scenario s =
      Load("everything",
           {"spec.seed=5", "nodeGroups[workers].maxSize=300", "nodeGroups[1].maxSize=30",
            "vpc.subnets[Private_A.1].tags.kubernetes\\.io/role/elb=1", "constants.node.boot=7s",
            "record={interval: 3s}", "workloads[api].podLifetime=null",
            "network.env.WARM_IP_TARGET=null", "expectations[0].name=true", "measureFrom=null"})
          .scenario;
  EXPECT_EQ(s.seed, 5u);
  EXPECT_EQ(s.node_groups[0].max_size, 300);
  EXPECT_EQ(s.node_groups[1].max_size, 30);
  EXPECT_EQ(s.vpc.subnets[0].tags.at("kubernetes.io/role/elb"), "1");
  EXPECT_EQ(s.constants.node_boot, Distribution::Fixed(seconds(7)).value());
  EXPECT_EQ(s.record.interval, seconds(3));
  EXPECT_EQ(s.record.pods, PodRows::kAll);
  EXPECT_EQ(std::get<DeploymentSpec>(s.workloads[0].kind).pod_lifetime, std::nullopt);
  EXPECT_EQ(s.network.env.at("WARM_IP_TARGET"), std::nullopt);
  EXPECT_EQ(s.expectations[0].name, "true");
  EXPECT_EQ(s.measure_from, Duration::zero());
}

TEST(Overrides, LaterOnesWin) {
  EXPECT_EQ(Load("minimal", {"seed=5", "spec.seed=6"}).scenario.seed, 6u);
}

}  // namespace
}  // namespace cnisim
