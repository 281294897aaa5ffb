// What scenarios say of traffic, kube-proxy, MTUs and costs.
#include <gtest/gtest.h>

#include <chrono>

#include "sim/scenario/file_reader.h"
#include "sim/scenario/loader_testing.h"
#include "sim/scenario/profile_reader.h"

namespace cnisim {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Traffic, ReadsEveryKey) {
  const Scenario s = Load("traffic").scenario;
  ASSERT_EQ(s.traffic.size(), 6u);

  const TrafficSpec& reads = s.traffic[0];
  EXPECT_EQ(reads.name, "reads");
  EXPECT_EQ(reads.from, 0);
  EXPECT_EQ(reads.to, 1);
  EXPECT_EQ(reads.service, std::nullopt);
  EXPECT_EQ(reads.transport, Transport::kTcp);
  EXPECT_EQ(std::get<OpenLoad>(reads.load).requests_per_second, 4000.5);
  EXPECT_EQ(reads.request_bytes, 900);
  EXPECT_EQ(reads.response_bytes, 8192);
  EXPECT_FALSE(reads.connection_per_request);
  EXPECT_EQ(reads.server_time, Distribution::Exponential(microseconds(200)).value());
  EXPECT_EQ(reads.placement, TrafficPlacement::kOtherZone);
  EXPECT_EQ(reads.max_pairs, 12);

  const TrafficSpec& store = s.traffic[1];
  EXPECT_EQ(store.name, "api-store");
  EXPECT_EQ(store.service, 0);
  EXPECT_EQ(store.to, 1);
  EXPECT_EQ(std::get<ClosedLoad>(store.load).concurrency, 64);
  EXPECT_EQ(std::get<ClosedLoad>(store.load).think_time,
            Distribution::Fixed(milliseconds(1)).value());
  EXPECT_TRUE(store.connection_per_request);
  EXPECT_EQ(store.request_bytes, 1);
  EXPECT_EQ(store.placement, TrafficPlacement::kAny);
  EXPECT_EQ(store.max_pairs, 1000);

  EXPECT_EQ(s.traffic[2].name, "api-db");
  EXPECT_EQ(std::get<BulkLoad>(s.traffic[2].load).streams, 4);
  EXPECT_EQ(s.traffic[2].placement, TrafficPlacement::kSameNode);
  EXPECT_EQ(s.traffic[3].name, "api-db-2");
  EXPECT_EQ(s.traffic[3].placement, TrafficPlacement::kSameZone);

  EXPECT_EQ(s.traffic[4].name, "etl-dns");
  EXPECT_EQ(s.traffic[4].to, 3);                       // a DaemonSet in the host's network
  EXPECT_EQ(s.traffic[4].transport, Transport::kUdp);  // the service's
  EXPECT_EQ(s.traffic[4].request_bytes, 65507);
  EXPECT_EQ(s.traffic[5].transport, Transport::kUdp);
  EXPECT_EQ(s.traffic[5].placement, TrafficPlacement::kOtherNode);
}

TEST(Traffic, ReadsHowItIsJudged) {
  const LoadedScenario loaded = Load("traffic");
  const DataPlaneSpec& spec = loaded.scenario.data_plane;
  EXPECT_EQ(spec.evaluation, EvaluationBy::kAnalysis);
  EXPECT_EQ(spec.at, (std::vector{kTimeZero, kTimeZero + minutes(10), kTimeZero + hours(2)}));
  EXPECT_EQ(spec.warm_up, milliseconds(100));
  EXPECT_EQ(spec.window, seconds(1));
  ASSERT_EQ(loaded.files.size(), 2u);  // the trace and the profile
  EXPECT_EQ(loaded.files[1].filename(), "ena-nitro.yaml");

  const DataPlaneSpec defaults = Load("minimal").scenario.data_plane;
  EXPECT_EQ(defaults.evaluation, EvaluationBy::kAuto);
  EXPECT_TRUE(defaults.at.empty());
  EXPECT_EQ(defaults.window, seconds(2));
  EXPECT_EQ(defaults.profile.costs, FindBuiltinProfile("ena-nitro")->costs);
}

// The scenario's own costs are those of the profile; one outside the profile's range is told, and
// the range holds it from then on.
TEST(Traffic, TakesOwnCostsOverTheProfiles) {
  const CostProfile& builtin = *FindBuiltinProfile("ena-nitro");
  const auto within = builtin.EntryOf(Cost::kSegment);
  const double beyond = 2 * builtin.EntryOf(Cost::kRoutingRule).high;
  const LoadedScenario loaded =
      Load("traffic",
           {fmt::format("dataPlane.costs={{segment: {}, routingRule: {}}}", within.low, beyond)});
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_EQ(loaded.warnings[0].code, "outside-range");
  EXPECT_NE(loaded.warnings[0].message.find("'routingRule'"), std::string::npos);
  const CostProfile& profile = loaded.scenario.data_plane.profile;
  CostVector expected = builtin.costs;
  expected[Cost::kSegment] = within.low;
  expected[Cost::kRoutingRule] = beyond;
  EXPECT_EQ(profile.costs, expected);
  EXPECT_EQ(profile.EntryOf(Cost::kRoutingRule).high, beyond);
  EXPECT_EQ(profile.EntryOf(Cost::kSegment).low, within.low);
  EXPECT_EQ(profile.EntryOf(Cost::kSegment).high, within.high);
}

// A results file can be looked into without the profile's.
TEST(Traffic, ResolvedScenariosHoldTheirProfile) {
  const LoadedScenario loaded = Load("traffic");
  const LoadResult again = LoadScenarioText(loaded.resolved_yaml, "resolved", kDirectory);
  ASSERT_TRUE(again) << Told(again.error());
  for (const std::filesystem::path& file : again->files) EXPECT_EQ(file.extension(), ".csv");
  EXPECT_TRUE(again->warnings.empty());
  const CostProfile& profile = again->scenario.data_plane.profile;
  EXPECT_EQ(profile.name, "ena-nitro");
  EXPECT_EQ(profile.costs, loaded.scenario.data_plane.profile.costs);
  EXPECT_EQ(profile.entries, loaded.scenario.data_plane.profile.entries);
}

// A key whose value changes, changes the resolved text, which stays a fixed point.
TEST(Traffic, ResolvedScenariosHoldEveryKey) {
  const auto expect_held = [](const std::string& name, const std::vector<const char*>& sets) {
    const std::string base = Load(name).resolved_yaml;
    for (const char* set : sets) {
      SCOPED_TRACE(set);
      const LoadedScenario changed = Load(name, {set});
      EXPECT_NE(changed.resolved_yaml, base);
      const LoadResult again = LoadScenarioText(changed.resolved_yaml, "resolved", kDirectory);
      ASSERT_TRUE(again) << Told(again.error());
      EXPECT_EQ(again->resolved_yaml, changed.resolved_yaml);
    }
  };
  expect_held("traffic", {"traffic[reads].from=db",
                          "traffic[reads].to=api",
                          "traffic[reads].name=other",
                          "traffic[reads].requestsPerSecond=0.1",
                          "traffic[reads].requestBytes=1Ki",
                          "traffic[reads].responseBytes=null",
                          "traffic[reads].serverTime=1ms",
                          "traffic[reads].connections=perRequest",
                          "traffic[reads].placement=any",
                          "traffic[reads].maxPairs=1000",
                          "traffic[4].service=store",
                          "traffic[1].concurrency=65",
                          "traffic[1].thinkTime=null",
                          "traffic[2].streams=5",
                          "traffic[2].protocol=UDP",
                          "dataPlane.costs.copyIn=0.0125",
                          "dataPlane.costs=null",
                          "dataPlane.evaluation=events",
                          "dataPlane.at=null",
                          "dataPlane.warmUp=0",
                          "dataPlane.window=null",
                          "network.kubeProxy.mode=iptables",
                          "network.kubeProxy.services=201",
                          "network.kubeProxy.endpoints=6"});
  expect_held("calico",
              {"network.mtu=9001", "network.kubeProxy.mode=nftables", "network.calico.podMtu=auto",
               "network.calico.podMtu=576", "network.calico.vxlanChecksumOffload=true"});
}

TEST(Traffic, WithoutItNothingIsSaidOfItInTheResolvedScenario) {
  const LoadedScenario loaded = Load("minimal", {"dataPlane={window: 1s}"});
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_EQ(loaded.warnings[0].code, "no-traffic");
  EXPECT_EQ(loaded.resolved_yaml, Load("minimal").resolved_yaml);
}

TEST(Traffic, KubeProxyHasAtLeastTheListedServices) {
  const KubeProxySpec spec = Load("traffic").scenario.network.kube_proxy;
  EXPECT_EQ(spec.mode, KubeProxyMode::kNftables);
  EXPECT_EQ(spec.services, 200);
  EXPECT_EQ(spec.endpoints, 5);
  const KubeProxySpec defaults =
      Load("traffic", {"network.kubeProxy=null"}).scenario.network.kube_proxy;
  EXPECT_EQ(defaults.mode, KubeProxyMode::kIptables);
  EXPECT_EQ(defaults.services, 2);
  EXPECT_EQ(defaults.endpoints, 3);
  EXPECT_EQ(Load("traffic", {"network.kubeProxy.services=2"}).scenario.network.kube_proxy.services,
            2);
  EXPECT_NE(ErrorsOf("traffic", {"network.kubeProxy.services=1"}), "");
}

// Not even for a while.
TEST(Traffic, IpvsAndStrictSecurityGroupsExcludeEachOther) {
  const std::string ipvs = "network.kubeProxy.mode=ipvs";
  EXPECT_EQ(ErrorsOf("security-groups", {ipvs}), "");
  EXPECT_NE(
      ErrorsOf("security-groups", {ipvs, "network.env.POD_SECURITY_GROUP_ENFORCING_MODE=null"}),
      "");
  EXPECT_NE(
      ErrorsOf("security-groups",
               {ipvs, "events=[{at: 1m, setEnv: {POD_SECURITY_GROUP_ENFORCING_MODE: strict}}]"}),
      "");
  EXPECT_EQ(ErrorsOf("minimal", {ipvs}), "");
}

TEST(Traffic, ReadsMtus) {
  const Scenario s = Load("calico").scenario;
  EXPECT_EQ(s.network.mtu, 1500);
  EXPECT_EQ(s.network.calico.pod_mtu, 1430);
  EXPECT_FALSE(s.network.calico.vxlan_checksum_offload);
  const Scenario defaults = Load("minimal", {"network.plugin=calico"}).scenario;
  EXPECT_EQ(defaults.network.mtu, 9001);
  EXPECT_EQ(defaults.network.calico.pod_mtu, std::nullopt);
  EXPECT_TRUE(defaults.network.calico.vxlan_checksum_offload);
}

}  // namespace
}  // namespace cnisim
