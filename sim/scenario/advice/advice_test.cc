// Each code where it is told, and beside it a scenario that differs in what matters and gets none.
#include "sim/scenario/advice/advice.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace cnisim {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Pieces of a scenario; each stands for the whole of its section.
struct Document {
  std::string subnets = "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/20}";
  std::string groups = "{name: workers, instanceType: m5.large, desiredCapacity: 4}";
  std::string network = "plugin: aws-vpc-cni";
  std::string workloads = "";
  std::string rest = "";
};

LoadedScenario Load(const Document& d) {
  const std::string text = fmt::format(
      R"(apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {{name: test}}
spec:
  duration: 1h
  vpc:
    cidrBlocks: [10.0.0.0/16]
    subnets: [{}]
  nodeGroups: [{}]
  network: {{{}}}
  workloads: [{}]
{})",
      d.subnets, d.groups, d.network, d.workloads, d.rest);
  LoadResult loaded = LoadScenarioText(text, "test.yaml", ".");
  if (!loaded) {
    for (const Diagnostic& error : loaded.error()) ADD_FAILURE() << error.ToString() << text;
    return {};
  }
  return *std::move(loaded);
}

// "warning max-pods-above-addresses", in order of place.
std::vector<std::string> Told(const Document& d) {
  std::vector<std::string> told;
  for (const Diagnostic& advice : Advise(Load(d))) {
    told.push_back(fmt::format("{} {}", NameOf(advice.kind), advice.code));
  }
  return told;
}

Document WithEnv(std::string env) {
  Document d;
  d.network = fmt::format("plugin: aws-vpc-cni, env: {{{}}}", env);
  return d;
}

TEST(Advise, HasNothingToSayAboutAnOrdinaryScenario) { EXPECT_THAT(Told({}), IsEmpty()); }

TEST(Advise, TellsThePlaceTheNumbersAndWhatToDo) {
  Document d;
  d.groups = "{name: workers, instanceType: m5.large, desiredCapacity: 4, maxPods: 60}";
  const std::vector<Diagnostic> advice = Advise(Load(d));
  ASSERT_EQ(advice.size(), 1u);
  EXPECT_EQ(
      advice[0].ToString(),
      "test.yaml:9:85: warning: node group 'workers' accepts 60 pods a node, but type m5.large "
      "can have 27 addresses for pods (3 ENIs x 9 addresses), and 2 pods with hostNetwork need "
      "none; maxPods: 29 is the most that find one [max-pods-above-addresses]");
}

struct MaxPodsCase {
  const char* group;
  const char* env;
  int most;  // maxPods that find an address
};

TEST(Advise, MaxPodsAreHeldAgainstTheAddressesOfEachMode) {
  const MaxPodsCase cases[] = {
      {"instanceType: m5.large", "", 29},
      {"instanceType: m5.large", "MAX_ENI: \"1\"", 11},
      {"instanceType: m5.large", "ENABLE_PREFIX_DELEGATION: \"true\"", 434},
      {"instanceType: m5.large", "ENABLE_PREFIX_DELEGATION: \"true\", MAX_ENI: \"2\"", 290},
      {"instanceType: m4.large", "ENABLE_PREFIX_DELEGATION: \"true\"", 20},  // Xen, 2 ENIs
      {"instanceType: m5.large", "ENABLE_POD_ENI: \"true\"", 20},            // one ENI is the trunk
      {"instanceType: t3.small", "ENABLE_POD_ENI: \"true\"", 11},  // which this type cannot have
      {"instanceType: m5.xlarge", "", 58},
  };
  for (const MaxPodsCase& c : cases) {
    SCOPED_TRACE(fmt::format("{} {}", c.group, c.env));
    Document d = WithEnv(c.env);
    const auto group = [&](int max_pods) {
      return fmt::format("{{name: workers, {}, desiredCapacity: 1, maxPods: {}}}", c.group,
                         max_pods);
    };
    d.groups = group(c.most);
    EXPECT_THAT(Told(d), Not(Contains("warning max-pods-above-addresses")));
    d.groups = group(c.most + 1);
    EXPECT_THAT(Told(d), Contains("warning max-pods-above-addresses"));
  }
}

TEST(Advise, AutoMaxPodsKnowNothingOfMaxEni) {
  EXPECT_THAT(Told(WithEnv("MAX_ENI: \"2\"")), Contains("warning max-pods-above-addresses"));
}

TEST(Advise, MaxPodsThatTheLastEnvironmentHasRoomForAreAnInfo) {
  Document d;
  d.groups = "{name: workers, instanceType: m5.large, desiredCapacity: 4, maxPods: 110}";
  EXPECT_THAT(Told(d), Contains("warning max-pods-above-addresses"));
  d.rest = "  events: [{at: 10m, setEnv: {ENABLE_PREFIX_DELEGATION: \"true\"}}]\n";
  EXPECT_THAT(Told(d), Contains("info max-pods-above-addresses"));
}

TEST(Advise, TargetsThatAnotherOneOverridesAreTold) {
  EXPECT_THAT(Told(WithEnv("WARM_ENI_TARGET: \"2\", WARM_IP_TARGET: \"5\"")),
              Contains("warning warm-eni-target-ignored"));
  EXPECT_THAT(Told(WithEnv("WARM_ENI_TARGET: \"1\", MINIMUM_IP_TARGET: \"27\"")),
              Contains("info warm-eni-target-ignored"));
  EXPECT_THAT(Told(WithEnv("WARM_ENI_TARGET: \"2\", ENABLE_PREFIX_DELEGATION: \"true\"")),
              Contains("warning warm-eni-target-ignored"));
  EXPECT_THAT(Told(WithEnv("WARM_PREFIX_TARGET: \"2\"")),
              Contains("warning warm-prefix-target-ignored"));
  EXPECT_THAT(Told(WithEnv("WARM_PREFIX_TARGET: \"2\", ENABLE_PREFIX_DELEGATION: \"true\", "
                           "WARM_IP_TARGET: \"5\"")),
              Contains("warning warm-prefix-target-ignored"));
  // The manifest sets both variables: only what the scenario says counts.
  EXPECT_THAT(Told(WithEnv("WARM_IP_TARGET: \"5\"")), IsEmpty());
  EXPECT_THAT(Told(WithEnv("WARM_PREFIX_TARGET: \"2\", ENABLE_PREFIX_DELEGATION: \"true\"")),
              IsEmpty());
}

TEST(Advise, ZeroTargetsAreTold) {
  EXPECT_THAT(Told(WithEnv("WARM_ENI_TARGET: \"0\"")), Contains("warning zero-targets"));
  EXPECT_THAT(Told(WithEnv("WARM_ENI_TARGET: \"0\", WARM_IP_TARGET: \"2\"")),
              Not(Contains("warning zero-targets")));
  EXPECT_THAT(Told(WithEnv("WARM_IP_TARGET: \"0\"")), Contains("info zero-targets"));
  EXPECT_THAT(Told(WithEnv("WARM_ENI_TARGET: \"1\"")), IsEmpty());
}

TEST(Advise, AMinimumWithoutWarmAddressesIsTheMaximum) {
  EXPECT_THAT(Told(WithEnv("MINIMUM_IP_TARGET: \"12\"")), Contains("warning minimum-without-warm"));
  EXPECT_THAT(Told(WithEnv("MINIMUM_IP_TARGET: \"12\", WARM_IP_TARGET: \"1\"")),
              Not(Contains("warning minimum-without-warm")));
  EXPECT_THAT(Told(WithEnv("MINIMUM_IP_TARGET: \"27\"")),
              Not(Contains("warning minimum-without-warm")));
}

TEST(Advise, TargetsBeyondAnEniOrANodeAreTold) {
  EXPECT_THAT(Told(WithEnv("WARM_IP_TARGET: \"9\"")), IsEmpty());
  EXPECT_THAT(Told(WithEnv("WARM_IP_TARGET: \"10\"")), Contains("info warm-target-above-eni"));
  EXPECT_THAT(Told(WithEnv("WARM_IP_TARGET: \"28\"")), Contains("warning warm-target-above-node"));
  EXPECT_THAT(Told(WithEnv("WARM_ENI_TARGET: \"3\"")), Contains("info warm-target-above-eni"));
  EXPECT_THAT(Told(WithEnv("WARM_ENI_TARGET: \"4\"")), Contains("warning warm-target-above-node"));
  EXPECT_THAT(Told(WithEnv("WARM_PREFIX_TARGET: \"28\", ENABLE_PREFIX_DELEGATION: \"true\"")),
              Contains("warning warm-target-above-node"));
}

TEST(Advise, EniConfigsMustExistAndBeOfTheNodesZone) {
  Document d;
  d.subnets =
      "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/24}, "
      "{name: b, availabilityZone: us-east-1b, cidr: 10.0.1.0/24}";
  const auto network = [](std::string label, std::string a, std::string b) {
    return fmt::format(
        "plugin: aws-vpc-cni, env: {{AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: \"true\"{}}}, "
        "eniConfigs: [{{name: us-east-1a, subnet: {}}}, {{name: us-east-1b, subnet: {}}}]",
        label, a, b);
  };
  const std::string by_zone = ", ENI_CONFIG_LABEL_DEF: topology.kubernetes.io/zone";
  d.network = network(by_zone, "a", "b");
  EXPECT_THAT(Told(d), IsEmpty());
  d.network = network("", "a", "b");
  EXPECT_THAT(Told(d), Contains("warning eniconfig-missing"));
  d.network = network(by_zone, "b", "a");
  EXPECT_THAT(Told(d), Contains("warning eniconfig-in-other-zone"));
}

// m5.large at rest: one ENI with 10 addresses.
TEST(Advise, SubnetsAreHeldAgainstWhatNodesHoldAtRest) {
  Document d;
  const auto nodes = [](int n, int max) {
    return fmt::format(
        "{{name: workers, instanceType: m5.large, desiredCapacity: {}, maxSize: {}}}", n, max);
  };
  d.subnets = "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/25, usedAtStart: 3}";
  d.groups = nodes(12, 12);
  EXPECT_THAT(Told(d), IsEmpty());
  d.groups = nodes(13, 13);
  EXPECT_THAT(Told(d), Contains("warning subnet-too-small"));
  d.groups = nodes(12, 13);
  EXPECT_THAT(Told(d), Contains("info subnet-too-small-at-max-size"));
  d.rest = "  events: [{at: 10m, scale: {nodeGroup: workers, desiredCapacity: 13}}]\n";
  EXPECT_THAT(Told(d), Contains("warning subnet-too-small"));
  d.groups = nodes(12, 130);
  EXPECT_THAT(Told(d), Contains("info subnets-too-small-for-nodes"));
  d.rest = "";
  d.groups = nodes(121, 121);
  EXPECT_THAT(Told(d), Contains("warning subnets-too-small-for-nodes"));
}

TEST(Advise, MaxSizeIsToldAtTheGroupThatNeedsTheSubnet) {
  Document d;
  d.subnets =
      "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/20}, "
      "{name: b, availabilityZone: us-east-1b, cidr: 10.0.16.0/26}";
  d.groups =
      "{name: big, instanceType: m5.large, desiredCapacity: 1, maxSize: 50, subnets: [a]}, "
      "{name: small, instanceType: m5.large, desiredCapacity: 1, maxSize: 6, subnets: [b]}";
  const LoadedScenario loaded = Load(d);
  const std::vector<Diagnostic> advice = Advise(loaded);
  ASSERT_EQ(advice.size(), 1u);
  EXPECT_EQ(advice[0].code, "subnet-too-small-at-max-size");
  const Location place = loaded.places.Of({"nodeGroups", size_t{1}, "maxSize"});
  EXPECT_EQ(advice[0].column, place.column);
}

TEST(Advise, SubnetsAreHeldAgainstPods) {
  Document d;
  d.subnets = "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/26}";  // 59
  d.groups = "{name: workers, instanceType: m5.large, desiredCapacity: 2}";
  const auto pods = [](int n) {
    return fmt::format("{{name: web, kind: Deployment, replicas: {}}}", n);
  };
  d.workloads = pods(18);  // 9 a node: 2 ENIs, 20 addresses each
  EXPECT_THAT(Told(d), IsEmpty());
  d.workloads = pods(20);  // 3 ENIs, 30 addresses each
  EXPECT_THAT(Told(d), Contains("warning subnet-too-small-for-pods"));
  d.workloads = "{name: web, kind: Deployment, replicas: 20, hostNetwork: true}";
  EXPECT_THAT(Told(d), IsEmpty());
  d.workloads = pods(0);
  d.rest = "  events: [{at: 10m, scale: {workload: web, replicas: 20}}]\n";
  EXPECT_THAT(Told(d), Contains("warning subnet-too-small-for-pods"));
}

TEST(Advise, AnotherSubnetForPodsTakesTheirAddresses) {
  Document d;
  d.groups = "{name: workers, instanceType: m5.large, desiredCapacity: 5, subnets: [a]}";
  const std::string small = "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/27";  // 27
  d.subnets = small + "}";
  EXPECT_THAT(Told(d), Contains("warning subnet-too-small"));
  d.subnets = small +
              ", tags: {kubernetes.io/role/cni: \"0\"}}, {name: pods, availabilityZone: "
              "us-east-1a, cidr: 10.0.4.0/22, tags: {kubernetes.io/role/cni: \"1\"}}";
  EXPECT_THAT(Told(d), Not(Contains("warning subnet-too-small")));
  EXPECT_THAT(Told(d), Contains("warning max-pods-above-addresses"));  // the primary ENI is lost
}

TEST(Advise, TheTightZoneOfAGroupIsTold) {
  Document d;
  d.groups = "{name: workers, instanceType: m5.large, desiredCapacity: 10}";
  const std::string big = "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/22}, ";
  d.subnets = big + "{name: b, availabilityZone: us-east-1b, cidr: 10.0.4.0/27}";
  EXPECT_THAT(Told(d), Contains("warning zone-imbalance"));
  d.subnets = big + "{name: b, availabilityZone: us-east-1b, cidr: 10.0.4.0/25}";
  EXPECT_THAT(Told(d), IsEmpty());
  // Too small everywhere is no imbalance.
  d.subnets =
      "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/27}, "
      "{name: b, availabilityZone: us-east-1b, cidr: 10.0.4.0/27}";
  EXPECT_THAT(Told(d), Not(Contains("warning zone-imbalance")));
}

TEST(Advise, ScatteredAddressesBreakPrefixes) {
  Document d = WithEnv("ENABLE_PREFIX_DELEGATION: \"true\"");
  const auto subnet = [](int used, std::string layout) {
    return fmt::format(
        "{{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/24, usedAtStart: {}, "
        "usedLayout: {}}}",
        used, layout);
  };
  d.subnets = subnet(64, "scattered");
  EXPECT_THAT(Told(d), Contains("warning prefixes-fragmented"));
  d.subnets = subnet(64, "dense");
  EXPECT_THAT(Told(d), IsEmpty());
  d.subnets = subnet(14, "scattered");
  d.groups = "{name: workers, instanceType: m5.large, desiredCapacity: 1}";
  EXPECT_THAT(Told(d), Contains("info prefixes-fragmented"));
}

Document OnCalico(std::string calico) {
  Document d;
  d.network = fmt::format("plugin: calico, calico: {{{}}}", calico);
  return d;
}

TEST(Advise, UnencapsulatedPodsNeedARouteAndNoCheck) {
  const std::string two =
      "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/24}, "
      "{name: b, availabilityZone: us-east-1b, cidr: 10.0.1.0/24}";
  const auto mode = [](std::string encapsulation, std::string rest = "") {
    return OnCalico(fmt::format("ipPools: [{{cidr: 192.168.0.0/16, encapsulation: {}}}]{}",
                                encapsulation, rest));
  };
  const std::string off = ", awsSrcDstCheck: Disable";
  EXPECT_THAT(Told(mode("VXLAN")), IsEmpty());
  EXPECT_THAT(Told(mode("None")), Contains("warning source-dest-check"));
  EXPECT_THAT(Told(mode("None", off)), IsEmpty());
  EXPECT_THAT(Told(mode("VXLANCrossSubnet")), Contains("warning source-dest-check"));
  Document d = mode("None", off);
  d.subnets = two;
  EXPECT_THAT(Told(d), Contains("warning no-route-across-subnets"));
  d = mode("VXLANCrossSubnet", off);
  d.subnets = two;
  EXPECT_THAT(Told(d), IsEmpty());
}

TEST(Advise, IpInIpIsOneFlowBetweenTwoNodes) {
  Document d = OnCalico("ipPools: [{cidr: 192.168.0.0/16, encapsulation: IPIP}]");
  EXPECT_THAT(Told(d), IsEmpty());  // type m5.large has less than 5 Gbit/s
  d.groups = "{name: workers, instanceType: c5n.18xlarge, desiredCapacity: 2}";
  EXPECT_THAT(Told(d), Contains("info ipip-flow-limit"));
  d.workloads =
      "{name: a, kind: Deployment, replicas: 2}, {name: b, kind: Deployment, replicas: 2}";
  d.rest = "  traffic: [{from: a, to: b, streams: 1}]\n";
  EXPECT_THAT(Told(d), Contains("warning ipip-flow-limit"));
  d.groups = "{name: workers, instanceType: c5n.18xlarge, desiredCapacity: 40}";
  EXPECT_THAT(Told(d), Contains("info ipip-flow-limit"));
  d.network = "plugin: calico, calico: {ipPools: [{cidr: 192.168.0.0/16, encapsulation: VXLAN}]}";
  EXPECT_THAT(Told(d), IsEmpty());
}

TEST(Advise, PoolsMustHaveRoom) {
  Document d = OnCalico("ipPools: [{cidr: 192.168.0.0/26, blockSize: 28}]");
  d.workloads = "{name: a, kind: Deployment, replicas: 64}";
  EXPECT_THAT(Told(d), IsEmpty());
  d.workloads = "{name: a, kind: Deployment, replicas: 65}";
  EXPECT_THAT(Told(d), Contains("warning ip-pool-too-small"));
  d.workloads = "";
  d.groups = "{name: workers, instanceType: m5.large, desiredCapacity: 5}";
  EXPECT_THAT(Told(d), Contains("info ip-pool-too-small"));
  d.network =
      "plugin: calico, calico: {strictAffinity: true, ipPools: [{cidr: 192.168.0.0/26, "
      "blockSize: 28}]}";
  EXPECT_THAT(Told(d), Contains("warning ip-pool-too-small"));
}

TEST(Advise, StrictAffinityLimitsPodsByBlocks) {
  const auto pods = [](int max_pods) {
    Document d = OnCalico(
        "strictAffinity: true, maxBlocksPerHost: 2, ipPools: [{cidr: 192.168.0.0/16, blockSize: "
        "28}]");
    d.groups = fmt::format(
        "{{name: workers, instanceType: m5.large, desiredCapacity: 2, maxPods: {}}}", max_pods);
    return d;
  };
  EXPECT_THAT(Told(pods(34)), IsEmpty());
  EXPECT_THAT(Told(pods(35)), Contains("warning max-pods-above-addresses"));
}

TEST(Advise, PodMtuMustLeaveRoomForHeaders) {
  const auto mtu = [](std::string mode, int pod_mtu) {
    return Told(
        OnCalico(fmt::format("awsSrcDstCheck: Disable, podMtu: {}, ipPools: [{{cidr: "
                             "192.168.0.0/16, encapsulation: {}}}]",
                             pod_mtu, mode)));
  };
  EXPECT_THAT(mtu("VXLAN", 8951), IsEmpty());
  EXPECT_THAT(mtu("VXLAN", 8952), Contains("warning pod-mtu-too-big"));
  EXPECT_THAT(mtu("IPIP", 8981), IsEmpty());
  EXPECT_THAT(mtu("IPIP", 8982), Contains("warning pod-mtu-too-big"));
  EXPECT_THAT(mtu("None", 9001), IsEmpty());
  EXPECT_THAT(Told(WithEnv("AWS_VPC_ENI_MTU: \"1500\", POD_MTU: \"1500\"")), IsEmpty());
  EXPECT_THAT(Told(WithEnv("AWS_VPC_ENI_MTU: \"1500\", POD_MTU: \"9001\"")),
              Contains("warning pod-mtu-too-big"));
}

TEST(Advise, PlacesAreWhereAUserWouldChangeThem) {
  Document d;
  d.rest =
      "  events:\n    - {at: 20m, setEnv: {WARM_ENI_TARGET: \"1\"}}\n"
      "    - {at: 10m, setEnv: {WARM_ENI_TARGET: \"0\"}}\n";
  const std::vector<Diagnostic> advice = Advise(Load(d));
  ASSERT_EQ(advice.size(), 1u);
  EXPECT_EQ(advice[0].code, "zero-targets");
  EXPECT_EQ(advice[0].line, 14);
  EXPECT_THAT(advice[0].message, HasSubstr("from 10m on"));
}

}  // namespace
}  // namespace cnisim
