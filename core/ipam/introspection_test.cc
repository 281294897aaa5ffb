#include "core/ipam/introspection.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "core/ipam/agent_pages.h"
#include "core/ipam/testing/fake_world.h"

namespace cnisim {
namespace {

using nlohmann::json;

constexpr CivilEpoch kEpoch{1'767'323'045'000'000'000};  // 2026-01-02T03:04:05Z

class Introspection : public testing::Test {
 protected:
  Introspection() : datastore_(Config(), checkpoint_, Choice::Oldest(), nullptr) {
    EniAttributes eni;
    eni.id = "eni-1";
    eni.is_primary = true;
    eni.route_table = 254;
    eni.subnet_id = "subnet-1";
    EXPECT_TRUE(datastore_.AddEni(eni, kTimeZero));
    EXPECT_TRUE(datastore_.AddCidr("eni-1", Ipv4Cidr(Ipv4Address(10, 0, 0, 5))));
  }

  static Datastore::Config Config() {
    Datastore::Config config;
    config.ip_cooldown = std::chrono::seconds(30);
    return config;
  }

  IntrospectionSources Sources() const { return {cards_, settings_, "default", kEpoch}; }
  HttpReply Get(std::string_view path) const { return Introspect(path, Sources()); }

  MemoryCheckpointStore checkpoint_;
  Datastore datastore_;
  std::vector<CardDatastore> cards_{{0, &datastore_}};
  AgentSettings settings_;
};

TEST_F(Introspection, ShowsEnisByteForByte) {
  ASSERT_TRUE(datastore_.Assign({"aws-cni", "c1", "eth0"}, {"default", "web-0", 1},
                                kTimeZero + std::chrono::milliseconds(1500)));
  EXPECT_EQ(Get("/v1/enis"),
            (HttpReply{200, R"({"0":{"TotalIPs":1,"AssignedIPs":1,"ENIs":{"eni-1":{"ID":"eni-1",)"
                            R"("IsPrimary":true,"IsTrunk":false,"IsEFA":false,"DeviceNumber":0,)"
                            R"("AvailableIPv4Cidrs":{"10.0.0.5/32":{"Cidr":{"IP":"10.0.0.5",)"
                            R"("Mask":"/////w=="},"IPAddresses":{"10.0.0.5":{"Address":"10.0.0.5",)"
                            R"("IPAMKey":{"networkName":"aws-cni","containerID":"","ifName":""},)"
                            R"("IPAMMetadata":{"k8sPodNamespace":"default","k8sPodName":"web-0",)"
                            R"("interfacesCount":1},"AssignedTime":"2026-01-02T03:04:06.5Z",)"
                            R"("UnassignedTime":"0001-01-01T00:00:00Z"}},"IsPrefix":false,)"
                            R"("AddressFamily":""}},"IPv6Cidrs":{},"IsExcludedForPodIPs":false,)"
                            R"("RouteTableID":254,"SubnetID":"subnet-1"}}}})"}));
}

// Vector C16: the sandbox and its interface are not told, all else is.
TEST_F(Introspection, BlanksContainerIdAndInterfaceName) {
  ASSERT_TRUE(datastore_.Assign({"net0", "sandbox-secret", "eth-secret"}, {}, kTimeZero));
  const HttpReply reply = Get("/v1/enis");
  EXPECT_EQ(reply.body.find("secret"), std::string::npos) << reply.body;
  const json eni = json::parse(reply.body).at("0").at("ENIs").at("eni-1");
  EXPECT_EQ(eni.at("ID"), "eni-1");
  const json address =
      eni.at("AvailableIPv4Cidrs").at("10.0.0.5/32").at("IPAddresses").at("10.0.0.5");
  EXPECT_EQ(address.at("Address"), "10.0.0.5");
  EXPECT_EQ(address.at("IPAMKey"),
            json({{"networkName", "net0"}, {"containerID", ""}, {"ifName", ""}}));
  EXPECT_EQ(address.at("IPAMMetadata"), json::object());
}

TEST_F(Introspection, ShowsAReleasedAddressWithItsTime) {
  ASSERT_TRUE(datastore_.Assign({"net0", "c1", "eth0"}, {"default", "web-0"}, kTimeZero));
  ASSERT_TRUE(datastore_.Unassign({"net0", "c1", "eth0"}, kTimeZero + std::chrono::seconds(2)));
  const json pool = json::parse(Get("/v1/enis").body).at("0");
  EXPECT_EQ(pool.at("AssignedIPs"), 0);
  const json address = pool.at("ENIs")
                           .at("eni-1")
                           .at("AvailableIPv4Cidrs")
                           .at("10.0.0.5/32")
                           .at("IPAddresses")
                           .at("10.0.0.5");
  EXPECT_EQ(address.at("IPAMKey").at("networkName"), "");
  EXPECT_EQ(address.at("IPAMMetadata"), json::object());
  EXPECT_EQ(address.at("UnassignedTime"), "2026-01-02T03:04:07Z");
}

// The mask's bytes against base64 done bit by bit, for every length of both families.
TEST_F(Introspection, MasksAreBase64) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::string> expected;
  for (int length = 0; length <= 32; ++length) {
    std::string text;
    for (int bit = 0; bit < 36; bit += 6) {
      int value = 0;
      for (int i = bit; i < bit + 6; ++i) value = 2 * value + (i < length ? 1 : 0);
      text += digits[static_cast<size_t>(value)];
    }
    expected.push_back(text + "==");
  }
  EXPECT_EQ(expected[32], "/////w==");
  EXPECT_EQ(expected[28], "////8A==");
  for (int length = 20; length <= 32; ++length) {
    const Ipv4Cidr cidr(Ipv4Address(10, 1, 0, 0), length);
    ASSERT_TRUE(datastore_.AddCidr("eni-1", cidr));
    const json eni = json::parse(Get("/v1/enis").body).at("0").at("ENIs").at("eni-1");
    EXPECT_EQ(eni.at("AvailableIPv4Cidrs").at(cidr.ToString()).at("Cidr").at("Mask"),
              expected[static_cast<size_t>(length)]);
  }
}

// After any history, what is shown is what the datastore answers when asked one by one.
TEST_F(Introspection, ShowsWhatTheDatastoreHolds) {
  MemoryCheckpointStore checkpoint;
  Datastore other(Config(), checkpoint, Choice::Oldest(), nullptr);
  cards_.push_back({2, &other});
  EniAttributes eni;
  eni.id = "eni-2";
  ASSERT_TRUE(other.AddEni(eni, kTimeZero));
  eni.id = "eni-3";
  ASSERT_TRUE(other.AddEni(eni, kTimeZero));
  for (uint8_t i = 1; i <= 6; ++i) {
    ASSERT_TRUE(other.AddCidr(i % 2 == 0 ? "eni-2" : "eni-3", Ipv4Cidr(Ipv4Address(10, 0, 1, i))));
  }
  ASSERT_TRUE(other.AddCidr("eni-2", Ipv4Cidr(Ipv4Address(10, 0, 2, 0), 28)));
  ASSERT_TRUE(other.SetExcluded("eni-3", true));
  std::mt19937 random(1);
  TimePoint now = kTimeZero;
  for (int i = 0; i < 200; ++i) {
    now += std::chrono::seconds(random() % 20);
    if (i % 50 == 0) other.SetMode(i % 100 == 0 ? PoolMode::kPrefixes : PoolMode::kSecondaryIps);
    const IpamKey key{"net", "c" + std::to_string(random() % 9), "eth0"};
    if (random() % 2 == 0) {
      static_cast<void>(other.Assign(key, {"ns", "pod-" + key.container}, now));
    } else {
      static_cast<void>(other.Unassign(key, now));
    }
    const json cards = json::parse(Get("/v1/enis").body);
    ASSERT_EQ(cards.size(), 2u);
    const json& shown = cards.at("2");
    ASSERT_EQ(shown.at("TotalIPs"), other.raw_total_ips());
    std::map<std::string, std::string> pods;
    for (const auto& [id, shown_eni] : shown.at("ENIs").items()) {
      ASSERT_EQ(shown_eni.at("IsExcludedForPodIPs"), other.FindEni(id)->excluded);
      for (const auto& [text, cidr] : shown_eni.at("AvailableIPv4Cidrs").items()) {
        ASSERT_TRUE(other.Holds(*Ipv4Cidr::Parse(text)));
        for (const auto& [ip, address] : cidr.at("IPAddresses").items()) {
          if (address.at("IPAMKey").at("networkName") == "") continue;
          pods.emplace(ip, address.at("IPAMMetadata").at("k8sPodName"));
        }
      }
    }
    std::map<std::string, std::string> expected;
    for (const Allocation& a : other.AllAllocations()) {
      expected.emplace(a.ip.ToString(), a.metadata.pod_name);
    }
    ASSERT_EQ(pods, expected);
    ASSERT_EQ(shown.at("AssignedIPs"), expected.size());
  }
}

TEST_F(Introspection, ShowsSettings) {
  settings_.warm_ip_target = 5;
  settings_.subnet_discovery = false;
  EXPECT_EQ(Get("/v1/ipamd-env-settings").body,
            R"({"AWS_MANAGE_ENIS_NON_SCHEDULABLE":false,"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG":)"
            R"(false,"ENABLE_SUBNET_DISCOVERY":false,"WARM_ENI_TARGET":1,"WARM_IP_TARGET":5})");
  settings_.network.exclude_snat_cidrs = {*Ipv4Cidr::Parse("10.12.0.0/16")};
  settings_.network.external_service_cidrs = {*IpCidr::Parse("2001:db8::/56")};
  EXPECT_EQ(Get("/v1/networkutils-env-settings").body,
            R"({"AWS_EXTERNAL_SERVICE_CIDRS":["2001:db8::/56"],"AWS_VPC_CNI_NODE_PORT_SUPPORT":true,)"
            R"("AWS_VPC_ENI_MTU":9001,"AWS_VPC_K8S_CNI_CONNMARK":128,)"
            R"("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS":["10.12.0.0/16"],)"
            R"("AWS_VPC_K8S_CNI_EXTERNALSNAT":false,"AWS_VPC_K8S_CNI_RANDOMIZESNAT":"prng",)"
            R"("AWS_VPC_K8S_CNI_VETHPREFIX":"eni"})");
}

TEST_F(Introspection, ShowsTheEniConfigOrNotFound) {
  EXPECT_EQ(Get("/v1/eni-configs"), (HttpReply{200, "\"default\""}));
  IntrospectionSources sources = Sources();
  sources.eni_config = Fail("NotFound", "node has no ENIConfig");
  EXPECT_EQ(Introspect("/v1/eni-configs", sources), (HttpReply{404, "node has no ENIConfig\n"}));
}

// A running agent: its real datastores, settings and node.
TEST(IntrospectionOfAnAgent, ShowsWhatItHas) {
  FakeWorld world;
  world.kubernetes.node.labels["k8s.amazonaws.com/eniConfig"] = "zone-a";
  AgentSettings settings;
  settings.warm_ip_target = 3;
  settings.network.external_snat = true;
  settings.network.exclude_snat_cidrs = {Ipv4Cidr(Ipv4Address(10, 12, 0, 0), 16)};
  Agent agent(world.ports(), settings, FakeInstance().limits(), Choice::Oldest(), nullptr);
  ASSERT_TRUE(world.Run(agent.Init()));
  ASSERT_TRUE(agent.AddPod({"aws-cni", "c1", "eth0"}, {"default", "web-0"}));
  const auto get = [&](const char* path) {
    const HttpReply reply = world.Run(IntrospectionPageOf(agent.state(), path));
    EXPECT_EQ(reply.status, 200);
    return json::parse(reply.body);
  };
  const json card = get("/v1/enis").at("0");
  EXPECT_EQ(card.at("TotalIPs"), 3);
  EXPECT_EQ(card.at("AssignedIPs"), 1);
  EXPECT_TRUE(card.at("ENIs").at("eni-1").at("IsPrimary"));
  EXPECT_EQ(get("/v1/ipamd-env-settings").at("WARM_IP_TARGET"), 3);
  const json network = get("/v1/networkutils-env-settings");
  EXPECT_EQ(network.at("AWS_VPC_K8S_CNI_EXTERNALSNAT"), true);
  EXPECT_EQ(network.at("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS"), json({"10.12.0.0/16"}));
  EXPECT_EQ(get("/v1/eni-configs"), "zone-a");
  EXPECT_EQ(get("/").at("AvailableCommands").size(), 4u);
  world.kubernetes.failing = true;
  EXPECT_EQ(world.Run(IntrospectionPageOf(agent.state(), "/v1/eni-configs")).status, 404);
}

TEST_F(Introspection, ListsTheCommandsElsewhere) {
  const HttpReply reply = Get("/");
  EXPECT_EQ(reply.status, 200);
  const json commands = json::parse(reply.body).at("AvailableCommands");
  EXPECT_EQ(commands, json({"/v1/eni-configs", "/v1/enis", "/v1/ipamd-env-settings",
                            "/v1/networkutils-env-settings"}));
  for (const json& command : commands) EXPECT_NE(Get(command.get<std::string>()), reply);
  for (const char* path : {"", "/v1", "/v1/pods", "/v1/enis/", "/v1/ENIS"}) {
    EXPECT_EQ(Get(path), reply) << path;
  }
}

}  // namespace
}  // namespace cnisim
