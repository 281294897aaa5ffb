#include "core/ipam/settings.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cnisim {
namespace {

AgentSettings Parsed(const Environment& environment) {
  const Result<ParsedEnvironment> parsed = ParseEnvironment(environment);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? parsed->settings : AgentSettings();
}

size_t Warnings(const Environment& environment) {
  const Result<ParsedEnvironment> parsed = ParseEnvironment(environment);
  return parsed ? parsed->warnings.size() : 0;
}

TEST(Settings, TheManifestIsFineAsItIs) {
  const Result<ParsedEnvironment> parsed = ParseEnvironment(ManifestEnvironment());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->warnings.empty());
  EXPECT_TRUE(parsed->settings.enable_ipv4);
  EXPECT_FALSE(parsed->settings.prefix_delegation);
  EXPECT_EQ(parsed->settings.warm_eni_target, 1);
  EXPECT_EQ(parsed->settings.warm_prefix_target, 1);
  for (const auto& [name, value] : ManifestEnvironment()) {
    EXPECT_TRUE(std::ranges::binary_search(SupportedVariables(), std::string_view(name))) << name;
  }
}

TEST(Settings, NoVariableIsBothSupportedAndNot) {
  for (const std::string_view name : SupportedVariables()) {
    EXPECT_FALSE(std::ranges::binary_search(UnsupportedVariables(), name)) << name;
  }
}

TEST(Settings, IntegersAreThoseOfGo) {
  for (const char* bad : {"", " 1", "1 ", "1.5", "0x1", "+-1", "99999999999", "1e3"}) {
    EXPECT_EQ(Parsed({{"WARM_ENI_TARGET", bad}}).warm_eni_target, 1) << bad;
    EXPECT_EQ(Warnings({{"WARM_ENI_TARGET", bad}}), 1u) << bad;
  }
  EXPECT_EQ(Parsed({{"WARM_ENI_TARGET", "+3"}}).warm_eni_target, 3);
  EXPECT_EQ(Parsed({{"WARM_ENI_TARGET", "007"}}).warm_eni_target, 7);
  EXPECT_EQ(Parsed({{"WARM_ENI_TARGET", "0"}}).warm_eni_target, 0);
  EXPECT_EQ(Parsed({{"WARM_ENI_TARGET", "-1"}}).warm_eni_target, 1);
}

TEST(Settings, BooleansAreThoseOfGo) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    EXPECT_TRUE(Parsed({{"ENABLE_IPv4", yes}}).enable_ipv4) << yes;
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    EXPECT_FALSE(Parsed({{"ENABLE_SUBNET_DISCOVERY", no}}).subnet_discovery) << no;
  }
  for (const char* bad : {"", "yes", "tRUE", "on"}) {
    EXPECT_TRUE(Parsed({{"ENABLE_SUBNET_DISCOVERY", bad}}).subnet_discovery) << bad;
    EXPECT_EQ(Warnings({{"ENABLE_SUBNET_DISCOVERY", bad}}), 1u) << bad;
  }
}

TEST(Settings, MaxEniBelowOneIsTheInstancesLimit) {
  EXPECT_EQ(Parsed({{"MAX_ENI", "2"}}).max_eni, 2);
  EXPECT_EQ(Parsed({{"MAX_ENI", "0"}}).max_eni, std::nullopt);
  EXPECT_EQ(Parsed({{"MAX_ENI", "-1"}}).max_eni, std::nullopt);
  EXPECT_EQ(Warnings({{"MAX_ENI", "-1"}}), 0u);
  EXPECT_EQ(Warnings({{"MAX_ENI", "two"}}), 1u);
}

// D21: only a JSON map of strings counts, and Kubernetes' own keys are dropped.
TEST(Settings, AdditionalTags) {
  const auto tags = [](const char* text) {
    return Parsed({{"ADDITIONAL_ENI_TAGS", text}}).additional_eni_tags;
  };
  EXPECT_EQ(tags("{}"), Tags());
  EXPECT_EQ(tags(R"({"a":"b"})"), (Tags{{"a", "b"}}));
  EXPECT_EQ(tags("xxxx"), Tags());
  EXPECT_EQ(tags(R"(["a"])"), Tags());
  EXPECT_EQ(tags(R"({"node.k8s.amazonaws.com/x":"b"})"), Tags());
  EXPECT_EQ(tags(R"({"node.k8s.amazonaws.com/x":"b","c":"d"})"), (Tags{{"c", "d"}}));
  EXPECT_EQ(Warnings({{"ADDITIONAL_ENI_TAGS", "xxxx"}}), 1u);
}

// As Go reads marks and blocks: with base 0, and with bits of the host masked.
TEST(Settings, HostNetworkIsReadAsTheRealAgentReadsIt) {
  const auto network = [](const Environment& environment) {
    return ParseEnvironment(environment)->settings.network;
  };
  for (const auto& [text, mark] : std::map<std::string, uint32_t>{{"0x100", 0x100},
                                                                  {"0200", 0x80},
                                                                  {"64", 64},
                                                                  {"0", 0x80},
                                                                  {"-1", 0x80},
                                                                  {"4294967296", 0x80},
                                                                  {"4294967295", 0xffffffff},
                                                                  {"x", 0x80}}) {
    EXPECT_EQ(network({{"AWS_VPC_K8S_CNI_CONNMARK", text}}).connmark, mark) << text;
  }
  const HostNetworkSettings blocks = network(
      {{"AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS", "192.168.7.1/16, 2001:db8::/32,x,10.0.0.0/33"},
       {"AWS_EXTERNAL_SERVICE_CIDRS", "172.30.5.1/16,2001:db8::1/64"}});
  EXPECT_EQ(blocks.exclude_snat_cidrs, (std::vector<Ipv4Cidr>{*Ipv4Cidr::Parse("192.168.0.0/16")}));
  EXPECT_EQ(blocks.external_service_cidrs, (std::vector<IpCidr>{*IpCidr::Parse("172.30.0.0/16"),
                                                                *IpCidr::Parse("2001:db8::/64")}));
  EXPECT_EQ(network({{"AWS_VPC_K8S_CNI_RANDOMIZESNAT", "often"}}).randomize_snat, "prng");
  EXPECT_FALSE(network({{"AWS_VPC_CNI_NODE_PORT_SUPPORT", "false"}}).node_port_support);
  EXPECT_FALSE(network({{"DISABLE_TCP_EARLY_DEMUX", "true"}}).tcp_early_demux);
}

// EV-3 compares text: "5" > "0", but "-5" and "" are not.
TEST(Settings, PrefixModeNeedsATarget) {
  const Environment prefixes{{"ENABLE_PREFIX_DELEGATION", "true"}};
  for (const char* name : {"WARM_IP_TARGET", "WARM_PREFIX_TARGET", "MINIMUM_IP_TARGET"}) {
    for (const auto& [value, fine] : std::map<std::string, bool>{
             {"1", true}, {"00", true}, {"0", false}, {"-5", false}, {"", false}}) {
      Environment environment = prefixes;
      environment[name] = value;
      EXPECT_EQ(ParseEnvironment(environment).has_value(), fine) << name << "=" << value;
    }
  }
}

}  // namespace
}  // namespace cnisim
