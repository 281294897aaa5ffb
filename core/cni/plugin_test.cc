// Conformance with the real plugin is in core/cni/vectors; here is what surrounds ADD and DEL, and
// what vectors cannot show.
#include "core/cni/plugin.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <random>

#include "core/cni/interface_names.h"
#include "core/cni/pod_result.h"
#include "core/cni/previous_result.h"
#include "core/cni/testing/fake_driver.h"
#include "core/cni/testing/fake_policy_agent.h"
#include "core/rpc/local_channel.h"
#include "core/rpc/testing/fake_backend_world.h"

namespace cnisim {
namespace {

// A backend that answers every call with the same bytes.
class Parrot final : public RpcChannel {
 public:
  Task<Status> Connect(Duration) override { co_return Status(); }
  Task<RpcStatus> Call(std::string_view, std::string_view, std::string* reply) override {
    *reply = bytes;
    co_return RpcStatus();
  }

  std::string bytes;
};

// Somebody listens, but nobody accepts.
class HangingChannel final : public RpcChannel {
 public:
  explicit HangingChannel(Clock& clock) : clock_(clock) {}
  Task<Status> Connect(Duration limit) override {
    co_await clock_.Sleep(limit);
    co_return Fail("connect", "timeout");
  }
  Task<RpcStatus> Call(std::string_view, std::string_view, std::string*) override {
    co_return RpcStatus{StatusCode::kUnavailable, "not connected"};
  }

 private:
  Clock& clock_;
};

class PluginTest : public testing::Test {
 protected:
  PluginTest() {
    FakeCard card;
    for (uint8_t i = 0; i < 200; ++i) card.free.push_back({Ipv4Address(10, 0, 0, i), 1, 2});
    world_.cards.cards.push_back(card);
    BackendSettings settings;
    settings.version = "v1";
    backend_.emplace(settings, world_.Ports());
    channel_.set_backend(&*backend_);
    call_.command = "ADD";
    call_.container_id = "0123456789abcdef";
    call_.netns = "/var/run/netns/a";
    call_.if_name = "eth0";
    call_.args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=01";
    call_.path = "/opt/cni/bin";
    call_.config = R"({"cniVersion":"0.4.0","name":"aws-cni","type":"aws-cni"})";
  }

  CniOutcome Run(const CniCall& call) {
    return RunNow(CniPlugin("v1", {channel_, policy_, driver_}).Run(call));
  }
  // The error's code and message.
  std::pair<int, std::string> ErrorOf(const CniCall& call) {
    const CniOutcome outcome = Run(call);
    EXPECT_EQ(outcome.exit_code, 1);
    const auto error = ParseJson(outcome.output);
    return {(*error)["code"].get<int>(), (*error)["msg"].get<std::string>()};
  }

  FakeBackendWorld world_;
  std::optional<Backend> backend_;
  LocalChannel channel_;
  FakePolicyAgent policy_;
  FakeDriver driver_;
  CniCall call_;
};

TEST_F(PluginTest, PrintsAsTheReferenceLibraryDoes) {
  EXPECT_EQ(Run(call_).output, R"({
    "cniVersion": "0.4.0",
    "interfaces": [
        {
            "name": "eni68caf03a5f4"
        },
        {
            "name": "eth0",
            "mac": "2",
            "sandbox": "/var/run/netns/a"
        },
        {
            "name": "dummy68caf03a5f4",
            "mac": "0",
            "sandbox": "1"
        }
    ],
    "ips": [
        {
            "version": "4",
            "interface": 1,
            "address": "10.0.0.0/32"
        }
    ],
    "dns": {}
})");
  call_.config = "{";
  EXPECT_EQ(Run(call_).output, R"({
    "code": 6,
    "msg": "error unmarshall network config: no JSON"
})");
}

class Listener final : public LogSink {
 public:
  void Write(LogLevel, SourceLine, std::string_view message) override {
    messages.emplace_back(message);
  }
  std::vector<std::string> messages;
};

TEST_F(PluginTest, SaysWhatItIsAskedAndWhatTheAgentAnswered) {
  Listener listener;
  const PluginPorts ports{channel_, policy_, driver_, Log(listener, LogLevel::kDebug)};
  const auto run = [&](const std::string& command) {
    call_.command = command;
    return RunNow(CniPlugin("v1", ports).Run(call_)).exit_code;
  };
  EXPECT_EQ(run("ADD"), 0);
  EXPECT_EQ(run("DEL"), 0);
  world_.cards.cards.front().free.clear();
  EXPECT_EQ(run("ADD"), 1);
  const std::string request =
      "ContainerID(0123456789abcdef) Netns(/var/run/netns/a) IfName(eth0) "
      "Args(K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=01;K8S_POD_UID=)";
  const std::string reply = "Received add network response from ipamd for container " +
                            call_.container_id + ": Success: ";
  EXPECT_EQ(listener.messages,
            (std::vector<std::string>{
                "Received CNI add request: " + request, reply + "true",
                "Received CNI del request: " + request, "Received CNI add request: " + request,
                reply + "false", "Failed to assign an IP address to container 0123456789abcdef"}));
}

TEST_F(PluginTest, VersionNeedsNothingElse) {
  CniCall call;
  call.command = "VERSION";
  const CniOutcome outcome = Run(call);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output,
            R"({"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]})");
}

TEST_F(PluginTest, EnvironmentMustBeComplete) {
  EXPECT_EQ(ErrorOf(CniCall()).second, "required env variables [CNI_COMMAND] missing");
  CniCall bare;
  bare.command = "ADD";
  EXPECT_EQ(ErrorOf(bare), std::pair(4, std::string("required env variables [CNI_CONTAINERID,"
                                                    "CNI_NETNS,CNI_IFNAME,CNI_PATH] missing")));
  bare.command = "DEL";
  EXPECT_EQ(ErrorOf(bare).second,
            "required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing");
  call_.command = "CHECK";
  EXPECT_EQ(ErrorOf(call_), std::pair(4, std::string("unknown CNI_COMMAND: CHECK")));
}

TEST_F(PluginTest, NamesMustBeProper) {
  const auto code = [&](std::string CniCall::*field, const std::string& value) {
    CniCall call = call_;
    call.*field = value;
    const CniOutcome outcome = Run(call);
    return outcome.exit_code == 0 ? 0 : (*ParseJson(outcome.output))["code"].get<int>();
  };
  EXPECT_EQ(code(&CniCall::container_id, "a.b-c_D9"), 0);
  for (const char* bad : {"-a", ".a", "a/b", "a b", "a\n"}) {
    EXPECT_EQ(code(&CniCall::container_id, bad), 4) << bad;
  }
  EXPECT_EQ(code(&CniCall::if_name, "fifteen-letters"), 0);
  for (const char* bad : {"sixteen--letters", ".", "..", "a/b", "a:b", "a b"}) {
    EXPECT_EQ(code(&CniCall::if_name, bad), 4) << bad;
  }
  EXPECT_EQ(code(&CniCall::netns, "/net\xff"), 4);
  EXPECT_EQ(code(&CniCall::args, "K8S_POD_NAME=\xc3\x28"), 4);
}

TEST_F(PluginTest, ConfigMustBeProper) {
  const auto error = [&](const std::string& config) {
    CniCall call = call_;
    call.config = config;
    return ErrorOf(call);
  };
  EXPECT_EQ(error("").first, 6);
  EXPECT_EQ(error("[]").first, 6);
  EXPECT_EQ(error(R"({"cniVersion":"0.4.0"})").second, "missing network name");
  EXPECT_EQ(error(R"({"name":"aws cni"})").first, 7);
  EXPECT_EQ(error(R"({"name":"a"})").first, 1);
  EXPECT_EQ(error(R"({"cniVersion":"0.2.0","name":"a"})").second, "incompatible CNI versions");
  EXPECT_EQ(error(R"({"cniVersion":"1.0","name":"a"})").first, 1);
  EXPECT_EQ(error(R"({"name":"a","mtu":9001})").first, 6);
  EXPECT_EQ(error(R"({"name":"a","runtimeConfig":[]})").first, 6);
  EXPECT_EQ(error(R"({"name":"a","vethPrefix":"eni12"})").second,
            "conf.VethPrefix can be at most 4 characters long");
  EXPECT_EQ(error(R"({"name":"a","podSGEnforcingMode":"loose"})").first, 999);
  EXPECT_EQ(error(R"({"name":"a","prevResult":{"ips":[{"address":"10.0.0.1"}]}})").first, 999);
  EXPECT_EQ(error(R"({"name":"a","prevResult":{"interfaces":{}}})").first, 999);
}

TEST_F(PluginTest, EveryVersionIsAnsweredInItsForm) {
  for (const std::string_view version : kCniVersions) {
    CniCall call = call_;
    call.container_id = "c" + std::string(version);
    call.config = R"({"cniVersion":")" + std::string(version) + R"(","name":"aws-cni"})";
    const auto added = ParseJson(Run(call).output);
    ASSERT_TRUE(added);
    EXPECT_EQ((*added)["cniVersion"], version);
    EXPECT_EQ((*added)["ips"][0].contains("version"), version != "1.0.0");

    // A runtime hands it back on DEL, where it says what the agent's answer would.
    Json config = *ParseJson(call.config);
    config["prevResult"] = *added;
    call.config = config.dump();
    call.command = "DEL";
    call.netns = "";
    FakeDriver with_agent;
    FakeDriver without_agent;
    LocalChannel nobody;
    EXPECT_EQ(RunNow(CniPlugin("v1", {nobody, policy_, without_agent}).Run(call)).exit_code, 0);
    EXPECT_EQ(RunNow(CniPlugin("v1", {channel_, policy_, with_agent}).Run(call)).exit_code, 0);
    EXPECT_EQ(with_agent.calls.size(), 1u);
    EXPECT_EQ(with_agent.calls, without_agent.calls);
  }
}

TEST_F(PluginTest, RepliesThatMakeNoSenseAreErrors) {
  Parrot parrot;
  const auto run = [&](const std::string& bytes) {
    parrot.bytes = bytes;
    return RunNow(CniPlugin("v1", {parrot, policy_, driver_}).Run(call_)).exit_code;
  };
  rpc::AddNetworkReply reply;
  EXPECT_EQ(run("\xff"), 1);
  EXPECT_EQ(run(reply.SerializeAsString()), 1);
  reply.set_success(true);
  EXPECT_EQ(run(reply.SerializeAsString()), 1);
  reply.add_ipallocationmetadata()->set_ipv4addr("10.0.0");
  EXPECT_EQ(run(reply.SerializeAsString()), 1);
  EXPECT_TRUE(driver_.calls.empty());
  reply.mutable_ipallocationmetadata(0)->set_ipv4addr("10.0.0.1");
  EXPECT_EQ(run(reply.SerializeAsString()), 0);
}

// The kubelet may repeat either; addresses neither leak nor end up with two pods.
TEST_F(PluginTest, RandomHistoriesLeaveNothingBehind) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    CniCall call = call_;
    call.container_id = "c" + std::to_string(random() % 20);
    call.command = random() % 2 == 0 ? "ADD" : "DEL";
    driver_.setup_fails = random() % 5 == 0;
    channel_.set_backend(random() % 5 == 0 ? nullptr : &*backend_);
    const CniOutcome outcome = Run(call);
    if (call.command == "DEL") {
      EXPECT_EQ(outcome.exit_code, 0);
    }
    EXPECT_LE(world_.cards.Assigned(), 20u);
    EXPECT_EQ(world_.cards.cards[0].free.size() + world_.cards.Assigned(), 200u);
  }
  channel_.set_backend(&*backend_);
  for (int i = 0; i < 20; ++i) {
    CniCall call = call_;
    call.command = "DEL";
    call.container_id = "c" + std::to_string(i);
    EXPECT_EQ(Run(call).exit_code, 0);
  }
  EXPECT_EQ(world_.cards.Assigned(), 0u);
}

TEST_F(PluginTest, RandomInputsAreAnsweredOrRefused) {
  google::protobuf::LogSilencer quiet;
  std::mt19937 random(9);
  for (int round = 0; round < 5000; ++round) {
    CniCall call = call_;
    call.command = round % 2 == 0 ? "ADD" : "DEL";
    for (std::string* text : {&call.config, &call.args, &call.if_name}) {
      for (uint32_t n = random() % 3; n > 0 && !text->empty(); --n) {
        (*text)[random() % text->size()] = static_cast<char>(random());
      }
      if (random() % 4 == 0) text->resize(random() % (text->size() + 1));
    }
    const CniOutcome outcome = Run(call);
    EXPECT_TRUE(outcome.output.empty() || ParseJson(outcome.output)) << outcome.output;
    EXPECT_EQ(outcome.exit_code == 0 && call.command == "DEL", outcome.output.empty());
  }
}

// ADD and DEL wait two seconds for it and fail; a run that is killed meanwhile leaves no timer.
TEST_F(PluginTest, AHangingPolicyAgentIsGivenUpOn) {
  BackendSettings settings;
  settings.version = "v1";
  settings.network_policy_mode = "standard";
  Backend backend(settings, world_.Ports());
  channel_.set_backend(&backend);
  HangingChannel hanging(world_.clock);
  CniPlugin plugin("v1", {channel_, hanging, driver_});
  const TimePoint begun = world_.clock.Now();
  for (const char* command : {"ADD", "DEL"}) {
    call_.command = command;
    {
      Task<CniOutcome> killed = plugin.Run(call_);
      killed.Start();
      EXPECT_FALSE(killed.done());
    }
    EXPECT_FALSE(world_.clock.Step());
    EXPECT_EQ(RunNow(CniPlugin("v1", {channel_, policy_, driver_}).Run(call_)).exit_code, 0);
  }
  call_.command = "ADD";
  Task<CniOutcome> added = plugin.Run(call_);
  added.Start();
  while (world_.clock.Step()) {
  }
  EXPECT_EQ(added.TakeValue().exit_code, 1);
  EXPECT_EQ(world_.clock.Now() - begun, std::chrono::seconds(2));
  EXPECT_EQ(world_.cards.Assigned(), 1u);
}

// Every kind of previous result, without an agent, against the rules as one reads them (GA-9).
TEST_F(PluginTest, EveryPreviousResultIsTakenAsTheRulesSay) {
  const PodArgs pod{"default", "web", "", ""};
  const auto some = [](bool there, const char* text) { return there ? text : ""; };
  int torn_down = 0;
  for (int shape = 0; shape < 4 * 2 * 3 * 3 * 2; ++shape) {
    const int dummy = shape % 4;  // none, VLAN 0, VLAN 7, no number
    const bool device = shape / 4 % 2 != 0;
    const int interface = shape / 8 % 3;  // none, without table, with table
    const int ips = shape / 24 % 3;
    const bool netns = shape / 72 != 0;

    NetworkConfig config;
    config.previous_result.emplace();
    if (interface > 0) {
      config.previous_result->interfaces.push_back({"eth0", some(interface == 2, "6"), "/netns"});
      for (int i = 0; i < ips; ++i) {
        config.previous_result->ips.push_back({Ipv4Address(10, 0, 0, 4), 32, 0});
      }
    }
    if (dummy > 0) {
      constexpr const char* kMacs[] = {"", "0", "7", "xxx"};
      config.previous_result->interfaces.push_back(
          {DummyInterfaceName(pod), kMacs[dummy], some(device, "5")});
    }
    LocalChannel nobody;
    FakeDriver driver;
    const PodAttachment attachment{"c", some(netns, "/netns"), "eth0", pod, config};
    const bool deleted =
        RunNow(CniPlugin("v1", {nobody, policy_, driver}).Del(attachment)).has_value();

    const bool usable = interface > 0 && ips == 1;
    bool expected = true;
    std::vector<std::string> calls;
    if (dummy == 3) expected = false;
    if (dummy == 2 && netns) {
      expected = usable;
      if (usable) calls = {"teardown-branch(10.0.0.4@0:vlan68caf03a5f4=eth0,vlan=7,strict)"};
    }
    if (dummy == 1 && device && usable) {
      calls = {"teardown(10.0.0.4@6:eni68caf03a5f4=eth0)"};
    }
    EXPECT_EQ(deleted, expected) << shape;
    EXPECT_EQ(driver.calls, calls) << shape;
    torn_down += static_cast<int>(calls.size());
  }
  EXPECT_EQ(torn_down, 8);
}

// --- Parsers ---

TEST(PodArgs, AreReadAsTheReferenceLibraryReadsThem) {
  const PodArgs web{"default", "web", "01", "u1"};
  EXPECT_EQ(ParsePodArgs("K8S_POD_UID=u1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;"
                         "K8S_POD_INFRA_CONTAINER_ID=01"),
            web);
  EXPECT_EQ(ParsePodArgs(""), PodArgs());
  EXPECT_EQ(ParsePodArgs("K8S_POD_NAME=")->pod_name, "");
  EXPECT_EQ(ParsePodArgs("K8S_POD_NAME=a;K8S_POD_NAME=b")->pod_name, "b");
  EXPECT_EQ(ParsePodArgs("X=1;IgnoreUnknown=1"), PodArgs());
  EXPECT_EQ(ParsePodArgs("IgnoreUnknown=TRUE;X=1"), PodArgs());
  EXPECT_EQ(ParsePodArgs("X=1;Y=2").error().message, R"(ARGS: unknown args ["X=1" "Y=2"])");
  EXPECT_FALSE(ParsePodArgs("X=1;IgnoreUnknown=0"));
  EXPECT_FALSE(ParsePodArgs("IgnoreUnknown=yes"));
  EXPECT_FALSE(ParsePodArgs("k8s_pod_name=a"));
  for (const char* bad : {"K8S_POD_NAME", "K8S_POD_NAME=a=b", "K8S_POD_NAME=a;", ";", "=;="}) {
    EXPECT_FALSE(ParsePodArgs(bad)) << bad;
  }
}

TEST(NetworkConfig, DefaultsAndFields) {
  const auto bare = ParseNetworkConfig(R"({"name":"n","unknown":[1,{"x":null}],"mtu":null})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->mtu, "9001");
  EXPECT_EQ(bare->veth_prefix, "eni");
  EXPECT_EQ(bare->enforcing_mode, EnforcingMode::kStrict);
  EXPECT_FALSE(bare->multi_nic);
  EXPECT_FALSE(bare->previous_result);

  const auto full = ParseNetworkConfig(
      R"({"NAME":"n","vethPrefix":"","mtu":"1500","podSGEnforcingMode":"standard",
          "runtimeConfig":{"io.kubernetes.cri.pod-annotations":
            {"k8s.amazonaws.com/nicConfig":"multi-nic-attachment"}},
          "prevResult":{"ips":[{"version":"6","address":"2001:db8::1/64","gateway":"::1"}]}})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->veth_prefix, "");
  EXPECT_EQ(full->mtu, "1500");
  EXPECT_EQ(full->enforcing_mode, EnforcingMode::kStandard);
  EXPECT_TRUE(full->multi_nic);
  ASSERT_TRUE(full->previous_result);
  EXPECT_EQ(full->previous_result->ips[0].length, 64);
  EXPECT_EQ(full->previous_result->ips[0].interface, std::nullopt);

  // A map's keys are exact, and another value asks for nothing.
  EXPECT_FALSE(ParseNetworkConfig(R"({"name":"n","runtimeConfig":
      {"io.kubernetes.cri.pod-annotations":{"K8S.amazonaws.com/nicConfig":"multi-nic-attachment"}}})")
                   ->multi_nic);
  EXPECT_FALSE(ParseNetworkConfig(R"({"name":"n","runtimeConfig":
      {"io.kubernetes.cri.pod-annotations":{"k8s.amazonaws.com/nicConfig":"single"}}})")
                   ->multi_nic);
}

TEST(PodResult, ComesBackAsItWas) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    PodResult result;
    for (uint32_t n = random() % 4; n > 0; --n) {
      result.interfaces.push_back({"if" + std::to_string(random() % 9), "m", ""});
      result.ips.push_back({Ipv6Address(random(), random()), static_cast<int>(random() % 129), 0});
      result.ips.push_back({Ipv4Address(random()), static_cast<int>(random() % 33), std::nullopt});
    }
    for (const std::string_view version : kCniVersions) {
      EXPECT_EQ(ParseResult(*ParseJson(RenderResult(result, version))), result);
    }
  }
}

TEST(PodMtu, IsWithinBoundsOrTheDefault) {
  EXPECT_EQ(PodMtu("576"), 576);
  EXPECT_EQ(PodMtu("+1500"), 1500);
  for (const char* bad : {"575", "9002", "", "text", "1500 ", "-1500", "+-1500", "99999999999"}) {
    EXPECT_EQ(PodMtu(bad), 9001) << bad;
  }
}

// E12: what cannot be reached through DEL, which refuses or takes another path before.
TEST(PreviousResult, E12eAndE12fABadVlanOrABranchEniIsNoOrdinaryPod) {
  const PodArgs pod{"default", "web", "", ""};
  for (const auto& [mac, handled] : {std::pair("0", true), {"xxx", false}, {"7", false}}) {
    NetworkConfig config;
    config.previous_result.emplace();
    config.previous_result->interfaces = {{"eth0", "6", "/netns"},
                                          {DummyInterfaceName(pod), mac, "5"}};
    config.previous_result->ips = {{Ipv4Address(10, 0, 0, 4), 32, 0}};
    EXPECT_EQ(PreviousResult(config, pod, "eth0").Interfaces().has_value(), handled) << mac;
  }
}

}  // namespace
}  // namespace cnisim
