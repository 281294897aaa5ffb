// A simulated cluster exported, imported and simulated again is the same cluster: the same nodes,
// ENIs and pools, and the same free addresses of subnets. For random small clusters.
//
// What an import cannot know is kept out of them: addresses that cool or pools that are on their
// way (clusters are looked at at rest), the layout of addresses that others use (it may leave a
// prefix less), CronJobs and traces, and pools that are larger than their targets only because of
// what was there before.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sim/cluster/world.h"
#include "sim/engine/random.h"
#include "sim/import/cluster_export.h"
#include "sim/import/import.h"
#include "sim/scenario/loader.h"

namespace cnisim {
namespace {

struct Cluster {
  // One line a node, sorted: where it is, its ENIs by subnet, and what its pools hold.
  std::vector<std::string> nodes;
  std::map<std::string, int64_t> free;  // of subnets, by CIDR
  std::vector<ImportFile> files;
};

std::string LineOf(const WorldView& world, const NodeView& node) {
  const VpcSpec& vpc = world.scenario().vpc;
  std::map<std::string, int> enis;
  for (const AttachedInterface& attached : node.enis) {
    ++enis[vpc.subnets[attached.subnet].cidr.ToString() + (attached.vlan ? " branch" : "")];
  }
  std::string line = fmt::format("{} in {}, at most {} pods;", node.instance_type,
                                 vpc.subnets[node.subnet].cidr.ToString(), node.max_pods);
  for (const auto& [subnet, count] : enis) line += fmt::format(" {} ENIs of {}", count, subnet);
  NodeNetwork* network = world.NetworkOf(node.name);
  for (const PoolSnapshot& pool : network->Pools()) {
    line += fmt::format("; {} addresses, {} assigned, {} prefixes, {} ENIs of the agent",
                        pool.total_ips, pool.assigned_ips, pool.prefixes, pool.enis.size());
  }
  return line;
}

Cluster LookAt(const Scenario& scenario, TimePoint at) {
  Cluster cluster;
  LookAtWorld(scenario, scenario.seed, at, [&](WorldView& world) {
    for (const NodeView& node : world.Nodes()) cluster.nodes.push_back(LineOf(world, node));
    const std::vector<SubnetView> subnets = world.Subnets();
    for (size_t i = 0; i < subnets.size(); ++i) {
      cluster.free[scenario.vpc.subnets[i].cidr.ToString()] = subnets[i].free;
    }
    for (ExportedFile& file : ExportCluster(world)) {
      cluster.files.push_back({file.name, std::move(file.text)});
    }
  });
  std::ranges::sort(cluster.nodes);
  return cluster;
}

Scenario Load(const std::string& yaml) {
  LoadResult loaded = LoadScenarioText(yaml, "it.yaml", "");
  if (!loaded) {
    for (const Diagnostic& d : loaded.error()) ADD_FAILURE() << d.ToString() << "\n" << yaml;
    return {};
  }
  return std::move(loaded->scenario);
}

// Returns what was imported, for more to be said of it.
std::string ExpectRoundTrip(const std::string& yaml, TimePoint at = kTimeZero) {
  const Cluster original = LookAt(Load(yaml), at);
  EXPECT_FALSE(original.nodes.empty());
  const ImportResult imported = ImportCluster(original.files);
  if (!imported) {
    for (const Diagnostic& d : imported.error()) ADD_FAILURE() << d.ToString();
    return "";
  }
  EXPECT_EQ(imported->notes.contradictions(), std::vector<std::string>()) << yaml;
  const Cluster again = LookAt(Load(imported->yaml), kTimeZero);
  EXPECT_EQ(original.nodes, again.nodes) << yaml << "\n" << imported->yaml;
  EXPECT_EQ(original.free, again.free) << yaml << "\n" << imported->yaml;
  return imported->yaml;
}

std::string Text(RandomStream& random, std::initializer_list<const char*> choices) {
  const auto n = static_cast<size_t>(random.NextDouble() * static_cast<double>(choices.size()));
  return choices.begin()[std::min(n, choices.size() - 1)];
}
int Number(RandomStream& random, int low, int high) {
  return std::min(high, low + static_cast<int>(random.NextDouble() * (high - low + 1)));
}

std::string RandomCluster(uint64_t seed) {
  RandomStream random(seed, "cluster", "round trip");
  const int zones = Number(random, 1, 3);
  const bool custom = Number(random, 0, 3) == 0;
  std::string yaml = fmt::format(
      "apiVersion: cnisim.dev/v1alpha1\nkind: Scenario\nmetadata: {{name: random-{}}}\nspec:\n"
      "  duration: 10m\n  seed: {}\n  vpc:\n    cidrBlocks: [10.0.0.0/16, 100.64.0.0/16]\n"
      "    subnets:\n",
      seed, seed);
  for (int z = 0; z < zones; ++z) {
    yaml += fmt::format(
        "      - {{name: nodes-{0}, availabilityZone: us-east-1{0}, cidr: 10.0.{1}.0/20, "
        "usedAtStart: {2}}}\n",
        static_cast<char>('a' + z), 16 * z, Number(random, 0, 40));
    if (!custom) continue;
    yaml += fmt::format(
        "      - {{name: pods-{0}, availabilityZone: us-east-1{0}, cidr: 100.64.{1}.0/18}}\n",
        static_cast<char>('a' + z), 64 * z);
  }
  std::string node_subnets;
  for (int z = 0; z < zones; ++z) {
    node_subnets += fmt::format("{}nodes-{}", z > 0 ? ", " : "", static_cast<char>('a' + z));
  }
  yaml += "  nodeGroups:\n";
  const int groups = Number(random, 1, 3);
  for (int g = 0; g < groups; ++g) {
    yaml += fmt::format(
        "    - {{name: group-{}, instanceType: {}, desiredCapacity: {}, subnets: [{}]{}{}}}\n", g,
        Text(random, {"m5.large", "c5.xlarge", "t3.medium", "m5.2xlarge"}), Number(random, 1, 4),
        node_subnets, Text(random, {"", "", ", labels: {disk: ssd}"}),
        g > 0 ? Text(random, {"", ", taints: [{key: dedicated, value: x, effect: NoSchedule}]"})
              : "");
  }
  yaml += "  network:\n    env:\n      DISABLE_LEAKED_ENI_CLEANUP: \"true\"\n";
  yaml += Text(random, {"", "      ENABLE_PREFIX_DELEGATION: \"true\"\n"});
  yaml += Text(random, {"", "      WARM_IP_TARGET: \"3\"\n",
                        "      WARM_IP_TARGET: \"2\"\n      MINIMUM_IP_TARGET: \"12\"\n",
                        "      WARM_ENI_TARGET: \"2\"\n", "      WARM_PREFIX_TARGET: \"2\"\n",
                        "      WARM_PREFIX_TARGET: null\n      WARM_IP_TARGET: \"4\"\n"});
  if (custom) {
    yaml +=
        "      AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: \"true\"\n"
        "      ENI_CONFIG_LABEL_DEF: topology.kubernetes.io/zone\n    eniConfigs:\n";
    for (int z = 0; z < zones; ++z) {
      yaml +=
          fmt::format("      - {{name: us-east-1{0}, subnet: pods-{0}, securityGroups: [sg-1]}}\n",
                      static_cast<char>('a' + z));
    }
  }
  yaml += "  workloads:\n";
  const int workloads = Number(random, 1, 4);
  for (int w = 0; w < workloads; ++w) {
    yaml +=
        fmt::format("    - {{name: app-{}, namespace: {}, kind: Deployment, replicas: {}{}{}{}}}\n",
                    w, Text(random, {"default", "shop"}), Number(random, 0, 14),
                    Text(random, {"", ", resources: {requests: {cpu: 100m, memory: 64Mi}}"}),
                    Text(random, {"", ", nodeSelector: {eks.amazonaws.com/nodegroup: group-0}"}),
                    Text(random, {"", ", tolerations: [{key: dedicated, operator: Exists}]"}));
  }
  yaml += Text(random, {"", "    - {name: agent, kind: DaemonSet}\n",
                        "    - {name: agent, kind: DaemonSet, hostNetwork: true, tolerations: "
                        "[{operator: Exists}]}\n"});
  return yaml;
}

class RandomRoundTrip : public testing::TestWithParam<int> {};

TEST_P(RandomRoundTrip, GivesTheSameClusterAgain) {
  ExpectRoundTrip(RandomCluster(static_cast<uint64_t>(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRoundTrip, testing::Range(1, 201));

constexpr std::string_view kHead =
    "apiVersion: cnisim.dev/v1alpha1\nkind: Scenario\nmetadata: {name: it}\nspec:\n"
    "  duration: 2h\n  vpc:\n    cidrBlocks: [10.0.0.0/16]\n    subnets:\n"
    "      - {name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/20}\n"
    "      - {name: b, availabilityZone: us-east-1b, cidr: 10.0.16.0/20, usedAtStart: 17}\n";

// Pods are where they are because of what was scaled when, not where a scheduler would put them.
TEST(RoundTrip, OfAMomentAfterNodesAndPodsCame) {
  const std::string yaml = std::string(kHead) +
                           "  nodeGroups: [{name: workers, instanceType: m5.large, "
                           "desiredCapacity: 2, maxSize: 5}]\n"
                           "  workloads: [{name: web, kind: Deployment, replicas: 30}]\n"
                           "  events:\n"
                           "    - {at: 5m, scale: {nodeGroup: workers, desiredCapacity: 5}}\n"
                           "    - {at: 10m, scale: {workload: web, replicas: 41}}\n";
  const std::string imported = ExpectRoundTrip(yaml, kTimeZero + std::chrono::minutes(75));
  EXPECT_NE(imported.find("desiredCapacity: 5"), std::string::npos);
  EXPECT_NE(imported.find("placedOn"), std::string::npos);
}

// What events have set is exported as it is now. An ENI that only pods keep, which were spread over
// it under other targets, is not there again; the addresses are.
TEST(RoundTrip, OfTargetsThatWereLowered) {
  const Cluster original =
      LookAt(Load(std::string(kHead) +
                  "  nodeGroups: [{name: workers, instanceType: m5.large, desiredCapacity: 2}]\n"
                  "  workloads: [{name: web, kind: Deployment, replicas: 30}]\n"
                  "  events: [{at: 15m, setEnv: {WARM_IP_TARGET: \"2\"}}]\n"),
             kTimeZero + std::chrono::minutes(90));
  const ImportResult imported = ImportCluster(original.files);
  ASSERT_TRUE(imported);
  EXPECT_NE(imported->yaml.find("WARM_IP_TARGET: \"2\""), std::string::npos);
  const Cluster again = LookAt(Load(imported->yaml), kTimeZero);
  const auto addresses = [](const Cluster& cluster) {
    std::vector<std::string> pools;
    for (const std::string& node : cluster.nodes) {
      const size_t begin = node.find("; ", node.find(';') + 1);
      pools.push_back(node.substr(begin, node.find(" prefixes") - begin));
    }
    std::ranges::sort(pools);
    return pools;
  };
  EXPECT_EQ(addresses(original), addresses(again));
  EXPECT_EQ(addresses(again).front(), "; 17 addresses, 15 assigned, 0");
}

TEST(RoundTrip, OfPodsWithBranchEnis) {
  ExpectRoundTrip(std::string(kHead) +
                  "  nodeGroups: [{name: workers, instanceType: m5.xlarge, desiredCapacity: 3}]\n"
                  "  network: {env: {ENABLE_POD_ENI: \"true\"}}\n"
                  "  workloads:\n"
                  "    - {name: db, kind: Deployment, replicas: 5, securityGroups: {groupIds: "
                  "[sg-db]}}\n"
                  "    - {name: web, kind: Deployment, replicas: 12}\n");
}

TEST(RoundTrip, OfCalico) {
  const std::string imported = ExpectRoundTrip(
      std::string(kHead) +
      "  nodeGroups: [{name: workers, instanceType: m5.large, desiredCapacity: 3}]\n"
      "  network:\n    plugin: calico\n    calico:\n      version: v3.30.1\n      ipPools: [{name: "
      "own, cidr: 192.168.0.0/18, encapsulation: IPIPCrossSubnet, blockSize: 27}]\n"
      "  workloads: [{name: web, kind: Deployment, replicas: 12}]\n");
  EXPECT_NE(imported.find("encapsulation: IPIPCrossSubnet, blockSize: 27"), std::string::npos);
  EXPECT_NE(imported.find("version: v3.30.1"), std::string::npos);
}

TEST(RoundTrip, OfIpv6) {
  std::string yaml(kHead);
  yaml.insert(yaml.find("    subnets:"), "    ipv6CidrBlock: 2600:1f13:0:aa00::/56\n");
  const std::string imported = ExpectRoundTrip(
      yaml +
      "  nodeGroups: [{name: workers, instanceType: m5.large, desiredCapacity: 3}]\n"
      "  network: {env: {ENABLE_IPv6: \"true\", ENABLE_IPv4: \"false\", "
      "ENABLE_PREFIX_DELEGATION: \"true\"}}\n"
      "  workloads: [{name: web, kind: Deployment, replicas: 12}]\n");
  EXPECT_NE(imported.find("ipv6CidrBlock: \"2600:1f13:0:aa00::/56\""), std::string::npos);
}

// A node group that its subnets share unevenly is no group that a scenario can have.
TEST(RoundTrip, OfNodesThatAreSpreadUnevenly) {
  const Cluster original = LookAt(
      Load(std::string(kHead) +
           "  nodeGroups:\n    - {name: workers, instanceType: m5.large, desiredCapacity: 3, "
           "subnets: [a]}\n    - {name: workers-b, instanceType: m5.large, desiredCapacity: 1, "
           "subnets: [b], labels: {eks.amazonaws.com/nodegroup: workers}}\n"
           "  workloads: [{name: web, kind: Deployment, replicas: 9, nodeSelector: "
           "{eks.amazonaws.com/nodegroup: workers}}]\n"),
      kTimeZero);
  const ImportResult imported = ImportCluster(original.files);
  ASSERT_TRUE(imported);
  EXPECT_EQ(imported->groups, 2u);
  EXPECT_EQ(LookAt(Load(imported->yaml), kTimeZero).nodes, original.nodes) << imported->yaml;
}

}  // namespace
}  // namespace cnisim
