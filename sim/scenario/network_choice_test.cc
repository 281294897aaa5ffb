#include "sim/scenario/network_choice.h"

#include <gtest/gtest.h>

#include "sim/scenario/loader.h"

namespace cnisim {
namespace {

constexpr std::string_view kHead = R"(apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {name: choice}
spec:
  duration: 1m
  vpc: {cidrBlocks: [10.0.0.0/16], subnets: [{name: a, availabilityZone: z, cidr: 10.0.0.0/24}]}
  nodeGroups: [{name: w, instanceType: m5.large, desiredCapacity: 1, subnets: [a]}]
)";

LoadResult Load(const std::string& network, const std::string& choice) {
  LoadOptions options;
  options.network = choice;
  return LoadScenarioText(std::string(kHead) + network, "test", ".", options);
}

NetworkSpec Network(const std::string& network, const std::string& choice) {
  const LoadResult loaded = Load(network, choice);
  if (!loaded) {
    ADD_FAILURE() << loaded.error().front().ToString();
    return {};
  }
  return loaded->scenario.network;
}

TEST(NetworkChoice, ReplacesThePluginAndLeavesOutWhatWasOfTheOther) {
  const std::string vpc_cni = "  network: {env: {WARM_IP_TARGET: \"2\"}, quirks: {}}\n";
  NetworkSpec network = Network(vpc_cni, "calico:IPIP");
  EXPECT_EQ(network.plugin, Plugin::kCalico);
  ASSERT_EQ(network.calico.ip_pools.size(), 1U);
  EXPECT_EQ(network.calico.ip_pools[0].encapsulation, Encapsulation::kIpip);
  EXPECT_FALSE(network.calico.disables_src_dst_check);
  EXPECT_TRUE(network.env.empty());

  network = Network(vpc_cni, "aws-vpc-cni");
  EXPECT_EQ(network.plugin, Plugin::kAwsVpcCni);
  EXPECT_EQ(network.env.at("WARM_IP_TARGET"), "2");
  // Nothing of the network at all is a choice as well.
  EXPECT_EQ(Network("", "calico:VXLAN").plugin, Plugin::kCalico);
}

TEST(NetworkChoice, KeepsThePoolsOfTheScenario) {
  const std::string calico =
      "  network: {plugin: calico, calico: {version: v3.29, ipPools: [{cidr: 10.50.0.0/16, "
      "blockSize: 27}]}}\n";
  const NetworkSpec network = Network(calico, "calico:VXLANCrossSubnet");
  ASSERT_EQ(network.calico.ip_pools.size(), 1U);
  EXPECT_EQ(network.calico.ip_pools[0].block_size, 27);
  EXPECT_EQ(network.calico.ip_pools[0].encapsulation, Encapsulation::kVxlanCrossSubnet);
  EXPECT_EQ(network.calico.minor, 29);
  EXPECT_EQ(Network(calico, "aws-vpc-cni").plugin, Plugin::kAwsVpcCni);
}

TEST(NetworkChoice, TheLinksMtuStays) {
  EXPECT_EQ(Network("  network: {env: {AWS_VPC_ENI_MTU: \"1500\"}}\n", "calico:VXLAN").mtu, 1500);
  const NetworkSpec network = Network("  network: {plugin: calico, mtu: 1500}\n", "aws-vpc-cni");
  EXPECT_EQ(network.env.at("AWS_VPC_ENI_MTU"), "1500");
}

TEST(NetworkChoice, UnencapsulatedPacketsNeedTheCheckOff) {
  EXPECT_TRUE(Network("", "calico:None").calico.disables_src_dst_check);
  EXPECT_FALSE(
      Network("  network: {calico: {awsSrcDstCheck: DoNothing}, plugin: calico}\n", "calico:None")
          .calico.disables_src_dst_check);
}

TEST(NetworkChoice, SuggestsWhatThereIs) {
  const LoadResult loaded = Load("", "calico:VXLAM");
  ASSERT_FALSE(loaded);
  const std::string text = loaded.error().front().ToString();
  EXPECT_NE(text.find("--network calico:VXLAM"), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean 'calico:VXLAN'?"), std::string::npos) << text;
  EXPECT_FALSE(Load("  network: 5\n", "calico:None"));
}

}  // namespace
}  // namespace cnisim
