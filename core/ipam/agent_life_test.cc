// What an agent says in the course of its life, as its log file would have it:
// testdata/agent_life.log. After a change that is meant, write it anew:
//
//   UPDATE_GOLDEN=1 core_ipam_test --gtest_filter='AgentLife.*'
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/ipam/testing/fake_world.h"
#include "core/net/veth_name.h"
#include "core/telemetry/json_log.h"

namespace cnisim {
namespace {

using std::chrono::seconds;

constexpr const char* kGolden = CNISIM_SOURCE_DIR "/core/ipam/testdata/agent_life.log";
constexpr const char* kEvents = CNISIM_SOURCE_DIR "/core/telemetry/testdata/log_events.txt";

// A log file in memory. Callers have no line numbers, or every edit of a source would change it.
class MemoryLog final : public LogSink {
 public:
  explicit MemoryLog(const Clock& clock) : clock_(clock) {}
  void Write(LogLevel level, SourceLine where, std::string_view message) override {
    AppendJsonLogLine(text, level, CivilEpoch{}.ToUnixNanos(clock_.Now()), {where.file, 0},
                      message);
  }
  std::string text;

 private:
  const Clock& clock_;
};

class Life {
 public:
  Life() { world_.log = Log(log_, LogLevel::kDebug); }

  // A new agent, in the place of the one that runs.
  void Start(const AgentSettings& settings) {
    node_.emplace(world_, settings, kInstance.limits());
    node_->Start();
    Pass(seconds(10));
    ASSERT_NE(node_->agent(), nullptr);
  }
  void Pass(Duration d) { world_.clock.Advance(d); }
  void Add(const std::string& pod) {
    static_cast<void>(node_->agent()->AddPod(KeyOf(pod), {"default", pod}));
  }
  void Del(const std::string& pod) {
    static_cast<void>(world_.Run(node_->agent()->DelPod(KeyOf(pod))));
  }

  static IpamKey KeyOf(const std::string& pod) { return {"aws-cni", "sandbox-" + pod, "eth0"}; }
  FakeWorld& world() { return world_; }
  const std::string& log() const { return log_.text; }

 private:
  static constexpr FakeInstance kInstance{.max_enis = 4, .slots_per_eni = 4};
  FakeWorld world_{kInstance, {{"subnet-a", Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 24)}}};
  MemoryLog log_{world_.clock};
  std::optional<FakeNode> node_;
};

AgentSettings WithIpTargets(int warm, int minimum) {
  AgentSettings settings;
  settings.warm_ip_target = warm;
  settings.minimum_ip_target = minimum;
  return settings;
}

AgentSettings WithPrefixes(int minimum_ips, int warm_prefixes) {
  AgentSettings settings = WithIpTargets(0, minimum_ips);
  settings.prefix_delegation = true;
  settings.warm_prefix_target = warm_prefixes;
  return settings;
}

std::string PlayLife() {
  Life life;
  FakeWorld& world = life.world();
  // A pool that grows with its pods, over a second ENI ...
  life.Start(WithIpTargets(1, 0));
  for (const char* pod : {"a", "b", "c", "d"}) {
    life.Add(pod);
    life.Pass(seconds(5));
  }
  life.Add("a");
  life.Del("x");
  life.Pass(seconds(60));
  // ... and shrinks with them.
  life.Add("e");
  life.Pass(seconds(5));
  life.Del("d");
  life.Pass(seconds(10));
  life.Del("e");
  life.Pass(seconds(60));
  // Somebody gives an ENI an address behind the agent's back.
  world.ec2.Find("eni-1")->secondary_ips.push_back(Ipv4Address(10, 0, 0, 200));
  life.Pass(seconds(70));

  // The subnet is exhausted.
  world.ec2.FailAlways(FakeEc2Action::kAssign, ec2_error::kInsufficientFreeAddresses);
  world.ec2.FailAlways(FakeEc2Action::kCreate, ec2_error::kInsufficientFreeAddresses);
  for (const char* pod : {"f", "g", "h"}) life.Add(pod);
  life.Pass(seconds(10));
  world.ec2.StopFailing();

  // A restart: only one pod is still there, and one never was on these ENIs.
  world.host.links = {"eni-" + VethSuffix("default", "a")};
  world.checkpoint.saved->push_back({Life::KeyOf("z"), Ipv4Address(10, 9, 9, 9), kTimeZero, {}});
  life.Start(WithIpTargets(0, 5));
  life.Pass(seconds(60));

  // Prefixes instead of addresses; then fewer of them, with ENIs that stay whatever is free.
  life.Start(WithPrefixes(0, 3));
  world.ec2.AttachByHand("eni-trunk", 2, Ipv4Address(10, 0, 0, 251)).is_trunk = true;
  world.ec2.AttachByHand("eni-efa", 3, Ipv4Address(10, 0, 0, 252)).is_efa = true;
  life.Start(WithPrefixes(1, 1));
  life.Add("i");
  life.Pass(seconds(60));
  life.Del("i");
  life.Pass(seconds(10));
  return life.log();
}

std::string ReadFile(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(AgentLife, ReadsAsItDid) {
  const std::string log = PlayLife();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(kGolden) << log;
  EXPECT_EQ(log, ReadFile(kGolden));
}

// Whether a message is of a listed event: it has the event's words in their order, begins with the
// first, and may have other figures and ids.
bool IsOf(const std::string& listed, const std::string& message) {
  std::istringstream wanted(listed);
  std::istringstream words(message);
  std::string word;
  bool first = true;
  for (std::string want; wanted >> want; first = false) {
    if (want.find_first_of("0123456789") != std::string::npos) continue;
    bool found = false;
    while (!found && words >> word && !(first && !word.starts_with(want))) {
      found = word.starts_with(want);
    }
    if (!found) return false;
  }
  return true;
}

TEST(AgentLife, HasEveryEventOfTheAgent) {
  // Said by others, whose tests show it.
  const std::set<std::string> elsewhere{
      "Starting L-IPAMD",                 // the process: the agent does not know its version
      "Received AddNetwork for NS",       // the gRPC handlers: core/rpc/backend_test.cc
      "Send AddNetworkReply",             //
      "Received DelNetwork for Sandbox",  //
      "Send DelNetworkReply",             //
      "Received CNI add request",         // the plugin: core/cni/plugin_test.cc
      "Received CNI del request",         //
      "Received add network response",    //
      "Failed to assign an IP address",   //
  };
  std::vector<std::pair<std::string, std::string>> said;
  std::istringstream lines(PlayLife());
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    said.emplace_back(entry.at("level"), entry.at("msg"));
  }
  std::ifstream events(kEvents);
  for (std::string line; std::getline(events, line);) {
    if (line.starts_with('#')) continue;
    const std::string level = line.substr(0, line.find(' '));
    const std::string listed = line.substr(6);
    const bool by_others = std::ranges::any_of(
        elsewhere, [&](const std::string& words) { return listed.starts_with(words); });
    const bool in_life = std::ranges::any_of(said, [&](const auto& entry) {
      return entry.first == level && IsOf(listed, entry.second);
    });
    EXPECT_NE(in_life, by_others) << listed;
  }
}

}  // namespace
}  // namespace cnisim
