// What advice claims against what a simulated run does, over many small clusters.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "sim/cluster/world.h"
#include "sim/scenario/advice/advice.h"

namespace cnisim {
namespace {

LoadedScenario Load(const std::string& subnets, const std::string& group,
                    const std::string& network, const std::string& workloads,
                    const std::string& duration = "10m") {
  const std::string text = fmt::format(
      R"(apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {{name: test}}
spec:
  duration: {}
  initialState: cold
  vpc: {{cidrBlocks: [10.0.0.0/16], subnets: [{}]}}
  nodeGroups: [{{name: workers, {}}}]
  network: {{{}}}
  workloads: [{}]
)",
      duration, subnets, group, network, workloads);
  LoadResult loaded = LoadScenarioText(text, "test.yaml", ".");
  if (!loaded) {
    for (const Diagnostic& error : loaded.error()) ADD_FAILURE() << error.ToString() << text;
    return {};
  }
  return *std::move(loaded);
}

bool Claims(const LoadedScenario& loaded, std::string_view code) {
  for (const Diagnostic& advice : Advise(loaded)) {
    if (advice.code == code && advice.kind == DiagnosticKind::kWarning) return true;
  }
  return false;
}

class Watcher : public Observer {
 public:
  void OnApiAttempt(const ApiAttempt& attempt) override {
    refused += attempt.outcome == ApiOutcome::kFailed;
  }
  void OnGauge(Metric metric, EntityId, TimePoint, int64_t level) override {
    if (metric == Metric::kPodsRunning) running = level;
  }

  int64_t refused = 0;
  int64_t running = 0;
};

Watcher Watched(const LoadedScenario& loaded) {
  Watcher watcher;
  RunWorld(loaded.scenario, 1, watcher, {});
  return watcher;
}

std::string Pods(int n) {
  return fmt::format("{{name: web, kind: Deployment, replicas: {}, startAt: 4m}}", n);
}

constexpr const char* kWide = "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/20}";

// One node of every mode, with as many pods as it accepts.
TEST(AdviceInWorlds, PodsWaitForEverExactlyWhereMaxPodsAreAboveTheAddresses) {
  struct Case {
    const char* type;
    const char* env;
    int room;  // addresses for pods
  };
  for (const Case& c : {Case{"t3.small", "", 9}, Case{"m5.large", "MAX_ENI: \"2\"", 18},
                        Case{"t3.small", "WARM_IP_TARGET: \"1\", MINIMUM_IP_TARGET: \"2\"", 9},
                        Case{"t3.small", "ENABLE_PREFIX_DELEGATION: \"true\", MAX_ENI: \"1\"", 48},
                        Case{"m4.large", "ENABLE_PREFIX_DELEGATION: \"true\"", 18}}) {
    for (const int beyond : {-1, 0, 1, 4}) {
      SCOPED_TRACE(fmt::format("{} {{{}}} {}", c.type, c.env, beyond));
      const int pods = c.room + beyond;
      const LoadedScenario loaded = Load(
          kWide, fmt::format("instanceType: {}, desiredCapacity: 1, maxPods: {}", c.type, pods + 2),
          fmt::format("plugin: aws-vpc-cni, env: {{{}}}", c.env), Pods(pods));
      EXPECT_EQ(Claims(loaded, "max-pods-above-addresses"), beyond > 0);
      EXPECT_EQ(Watched(loaded).running, std::min(pods, c.room));
    }
  }
}

TEST(AdviceInWorlds, AMinimumWithoutWarmAddressesIsTheMaximum) {
  for (const int minimum : {3, 12, 26, 27}) {
    SCOPED_TRACE(minimum);
    const LoadedScenario loaded = Load(
        kWide, "instanceType: m5.large, desiredCapacity: 1",
        fmt::format("plugin: aws-vpc-cni, env: {{MINIMUM_IP_TARGET: \"{}\"}}", minimum), Pods(27));
    EXPECT_EQ(Claims(loaded, "minimum-without-warm"), minimum < 27);
    EXPECT_EQ(Watched(loaded).running, minimum);
  }
}

// Subnets of 27 and 59 addresses, by nodes and what they keep at rest.
TEST(AdviceInWorlds, Ec2RefusesExactlyWhereASubnetIsTooSmallAtRest) {
  int claimed = 0;
  int fine = 0;
  for (const char* env :
       {"", "WARM_IP_TARGET: \"2\"", "WARM_IP_TARGET: \"12\"", "WARM_ENI_TARGET: \"2\""}) {
    for (const int length : {27, 26}) {
      for (int nodes = 1; nodes <= 7; ++nodes) {
        SCOPED_TRACE(fmt::format("{{{}}} /{} {} nodes", env, length, nodes));
        const LoadedScenario loaded = Load(
            fmt::format("{{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/{}}}", length),
            fmt::format("instanceType: m5.large, desiredCapacity: {}", nodes),
            fmt::format("plugin: aws-vpc-cni, env: {{{}}}", env), "", "6m");
        const bool claim = Claims(loaded, "subnet-too-small");
        EXPECT_EQ(claim, Watched(loaded).refused > 0);
        ++(claim ? claimed : fine);
      }
    }
  }
  EXPECT_GE(claimed, 10);
  EXPECT_GE(fine, 10);
}

// The same, of pods that start together, as many on each of two nodes.
TEST(AdviceInWorlds, Ec2RefusesExactlyWhereASubnetIsTooSmallForPods) {
  int claimed = 0;
  int fine = 0;
  for (const char* env : {"", "WARM_IP_TARGET: \"2\""}) {
    for (int pods = 2; pods <= 54; pods += 4) {
      SCOPED_TRACE(fmt::format("{{{}}} {} pods", env, pods));
      const LoadedScenario loaded =
          Load("{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/26, usedAtStart: 12}",
               "instanceType: m5.large, desiredCapacity: 2",
               fmt::format("plugin: aws-vpc-cni, env: {{{}}}", env), Pods(pods));
      const bool claim = Claims(loaded, "subnet-too-small-for-pods");
      EXPECT_EQ(claim, Watched(loaded).refused > 0);
      ++(claim ? claimed : fine);
    }
  }
  EXPECT_GE(claimed, 5);
  EXPECT_GE(fine, 5);
}

// Chance decides which blocks are broken: over several seeds, most runs agree.
TEST(AdviceInWorlds, Ec2RefusesPrefixesWhereASubnetIsFragmented) {
  for (const int used : {0, 5, 70, 100}) {
    SCOPED_TRACE(used);
    const LoadedScenario loaded = Load(
        fmt::format("{{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/24, usedAtStart: {}}}",
                    used),
        "instanceType: m5.large, desiredCapacity: 4",
        "plugin: aws-vpc-cni, env: {ENABLE_PREFIX_DELEGATION: \"true\"}", "", "6m");
    int refused = 0;
    for (uint64_t seed = 1; seed <= 9; ++seed) {
      Watcher watcher;
      RunWorld(loaded.scenario, seed, watcher, {});
      refused += watcher.refused > 0;
    }
    EXPECT_EQ(Claims(loaded, "prefixes-fragmented"), refused >= 5) << refused << " of 9";
    EXPECT_EQ(Claims(loaded, "prefixes-fragmented"), used >= 70);
  }
}

// What `run --check` finds by following packets through every node's tables.
TEST(AdviceInWorlds, WhatCalicosNodesCannotCarryIsFoundByPackets) {
  const std::string one = "{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/24}";
  const std::string two = one + ", {name: b, availabilityZone: us-east-1b, cidr: 10.0.1.0/24}";
  for (const auto& [mode, encapsulation] : kEncapsulations) {
    for (const std::string& subnets : {one, two}) {
      for (const char* check : {"DoNothing", "Disable"}) {
        for (const char* mtu : {"auto", "8951", "8981", "9001"}) {
          SCOPED_TRACE(fmt::format("{} {} podMtu {} {}", mode, check, mtu, subnets.size()));
          const LoadedScenario loaded = Load(
              subnets, "instanceType: m5.large, desiredCapacity: 4",
              fmt::format(
                  "plugin: calico, calico: {{awsSrcDstCheck: {}, podMtu: {}, ipPools: [{{cidr: "
                  "192.168.0.0/16, encapsulation: {}}}]}}",
                  check, mtu, mode),
              Pods(8), "6m");
          WorldOptions options;
          options.check_invariants = true;
          Watcher nobody;
          const WorldResult result = RunWorld(loaded.scenario, 1, nobody, options);
          EXPECT_TRUE(result.violations.empty());
          const auto hidden = [&, check = std::string_view(check)](std::string_view code) {
            return code == "no-route-across-subnets" && check == "DoNothing";
          };
          for (const char* code :
               {"pod-mtu-too-big", "source-dest-check", "no-route-across-subnets"}) {
            const bool found =
                std::ranges::find(result.network_findings, code, &NetworkFinding::code) !=
                result.network_findings.end();
            // Where the check drops a packet, nobody sees that the router would.
            if (hidden(code)) continue;
            EXPECT_EQ(Claims(loaded, code), found) << code;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace cnisim
