// Whether it measures, not what: nothing here depends on a time.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tools/kernel_lab/lab_testing.h"
#include "tools/kernel_lab/measure/lab_networks.h"
#include "tools/kernel_lab/measure/machine.h"
#include "tools/kernel_lab/measure/measurement.h"
#include "tools/kernel_lab/measure/offloads.h"
#include "tools/kernel_lab/measure/traffic.h"

namespace cnisim {
namespace {

const std::atomic<bool> kNeverStop{false};

class MeasureKernelLab : public testing::Test {
 protected:
  void SetUp() override {
    CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
    CNISIM_SKIP_WITHOUT(Feature::kVxlan);
    std::vector<CalicoEncapsulation> encapsulations = {CalicoEncapsulation::kVxlan,
                                                       CalicoEncapsulation::kNone};
    if (HasOrTells(Feature::kIpip, "IP-in-IP"))
      encapsulations.push_back(CalicoEncapsulation::kIpip);
    Keep(BuildVpcCni(TheFeatures(), 9001));
    for (const auto encapsulation : encapsulations) {
      Keep(BuildCalico(TheFeatures(), encapsulation, 9001));
    }
  }
  void Keep(Result<LabNetwork> network) {
    ASSERT_TRUE(network) << network.error().message;
    networks_.push_back(*std::move(network));
  }

  std::vector<LabNetwork> networks_;
};

TEST_F(MeasureKernelLab, PodsAreSeenAsThemselvesOnNodesThatAreAsPlanned) {
  for (const LabNetwork& network : networks_) {
    SCOPED_TRACE(network.name);
    ExpectSeenAs(network.client, network.server, network.client.ip);
    ExpectSeenAs(network.server, network.client, network.server.ip);
    for (const char* node : {"node-a", "node-b"}) ExpectTextsAsPlanned(network.lab->node(node));
  }
}

TEST_F(MeasureKernelLab, EveryNetworkHasARowOfEveryTest) {
  MeasureOptions options;
  options.rounds = 2;
  options.seconds = 1;
  options.cpus = AllowedCpus();
  options.cpus.resize(std::min<size_t>(options.cpus.size(), 2));
  const auto rows = MeasureNetworks(networks_, options, kNeverStop);
  ASSERT_TRUE(rows) << rows.error().message;
  std::set<std::tuple<std::string, std::string, int, std::string>> keys;
  for (const Row& row : *rows) {
    SCOPED_TRACE(row.network + " " + row.test);
    keys.emplace(row.network, row.test, row.bytes, row.placement);
    const Figures& figures = row.figures;
    if (row.test.ends_with("rr")) {
      EXPECT_GT(figures.min_us.value(), 0);
      EXPECT_GE(figures.p50_us.value(), figures.min_us.value());
      EXPECT_GE(figures.p99_us.value(), figures.p50_us.value());
    }
    EXPECT_EQ(figures.sent_per_s.has_value(), row.test == "udp_flood");
    EXPECT_EQ(figures.gbit_per_s.has_value(), row.test.starts_with("tcp_stream"));
    EXPECT_GT((figures.gbit_per_s ? figures.gbit_per_s : figures.rate_per_s).value(), 0);
    EXPECT_GT(row.ratio.low, 0);
    EXPECT_LE(row.ratio.low, row.ratio.median);
    EXPECT_LE(row.ratio.median, row.ratio.high);
    if (row.network == "aws-vpc-cni") {
      EXPECT_EQ(row.ratio.low, 1);
      EXPECT_EQ(row.ratio.high, 1);
    }
  }
  // Four sizes of ping-pong by UDP and TCP, connections, two floods, two streams.
  EXPECT_EQ(keys.size(), rows->size());
  EXPECT_EQ(keys.size(), networks_.size() * options.cpus.size() * (4 + 4 + 1 + 2 + 2));
}

TEST_F(MeasureKernelLab, RulesThatNothingMatchesAreAddedToBothNodes) {
  CNISIM_SKIP_WITHOUT(Feature::kIptables);
  const LabNetwork& network = networks_.front();
  ExpectDone(AddNatRules(network, 300));
  for (const char* node : {"node-a", "node-b"}) {
    const auto rules = RunCommand(InNamespace(network.lab->node(node).names().host,
                                              {"iptables", "-w", "-t", "nat", "-S", "SERVICES"}));
    ASSERT_TRUE(rules) << rules.error().message;
    EXPECT_EQ(std::ranges::count(*rules, '\n'), 1 + 300);
  }
  ExpectSeenAs(network.client, network.server, network.client.ip);
}

// How many bytes a packet had that came to the server while it was streamed to, on average.
double PacketSize(const LabNetwork& network) {
  const auto counters = [&](int64_t& bytes, int64_t& packets) {
    const auto text =
        RunCommand(InNamespace(network.server.netns, {"cat", "/proc/net/dev"})).value_or("");
    std::istringstream words(text.substr(text.find("eth0:") + 5));
    words >> bytes >> packets;
  };
  int64_t bytes[2];
  int64_t packets[2];
  counters(bytes[0], packets[0]);
  const int cpu = AllowedCpus().front();
  const auto tally = Exchange(Traffic::kTcpStream, 65536, {network.client, cpu},
                              {network.server, cpu}, std::chrono::milliseconds(50), kNeverStop);
  EXPECT_TRUE(tally) << tally.error().message;
  counters(bytes[1], packets[1]);
  return static_cast<double>(bytes[1] - bytes[0]) / static_cast<double>(packets[1] - packets[0]);
}

TEST_F(MeasureKernelLab, OffloadsAreOffForAsLongAsSomebodyWantsIt) {
  constexpr double kLargestFrame = 9001 + 14;
  for (const LabNetwork& network : networks_) {
    SCOPED_TRACE(network.name);
    EXPECT_GT(PacketSize(network), kLargestFrame);
    {
      OffloadsOff off;
      ExpectDone(off.SwitchOff(*network.lab));
      EXPECT_LE(PacketSize(network), kLargestFrame);
    }
    EXPECT_GT(PacketSize(network), kLargestFrame);
  }
}

// An address, a namespace and a CPU that are not there.
TEST_F(MeasureKernelLab, WhatCannotBeMeasuredIsAnError) {
  const LabNetwork& network = networks_.front();
  const End client{network.client, AllowedCpus().front()};
  const End server{network.server, client.cpu};
  const auto exchange = [](const End& from, const End& to) {
    return Exchange(Traffic::kUdpPingPong, 1, from, to, std::chrono::milliseconds(10), kNeverStop);
  };
  EXPECT_TRUE(exchange(client, server));
  EXPECT_FALSE(exchange(client, {{server.place.netns, client.place.ip}, server.cpu}));
  EXPECT_FALSE(exchange(client, {{"no-such-namespace", server.place.ip}, server.cpu}));
  EXPECT_FALSE(exchange({{"no-such-namespace", client.place.ip}, client.cpu}, server));
  EXPECT_FALSE(exchange({client.place, 1023}, server));
}

// The program's exit code. With `interrupt` it gets Ctrl-C's signal while it builds networks.
int RunProgram(std::vector<std::string> words, bool interrupt, pid_t& pid) {
  words.insert(words.begin(), CNISIM_KERNEL_LAB);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (posix_spawn(&pid, CNISIM_KERNEL_LAB, &files, nullptr, arguments.data(), environ) != 0) {
    return -1;
  }
  posix_spawn_file_actions_destroy(&files);
  if (interrupt) {
    const std::string first = "cnisim-" + std::to_string(pid) + "-1-router";
    for (int tries = 0; tries < 1000; ++tries) {
      if (RunCommand({"ip", "netns", "list"}).value_or("").find(first) != std::string::npos) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    kill(pid, SIGINT);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(KernelLabProgram, TellsWhatIsWrongWithItsArguments) {
  pid_t pid = 0;
  EXPECT_EQ(RunProgram({"--help"}, false, pid), 0);
  for (const char* wrong : {"--bogus", "--rounds=0", "--seconds=x", "--output=/no/such/directory/f",
                            "--mtu=100", "another"}) {
    EXPECT_EQ(RunProgram({wrong}, false, pid), 2) << wrong;
  }
  EXPECT_EQ(RunProgram({"--quick", "--rounds", "3"}, false, pid), 2);
}

TEST(KernelLabProgram, LeavesNothingBehindWhenItIsInterrupted) {
  CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
  CNISIM_SKIP_WITHOUT(Feature::kVxlan);
  pid_t pid = 0;
  EXPECT_EQ(RunProgram({"--seconds", "600"}, true, pid), 130);
  const auto list = RunCommand({"ip", "netns", "list"});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->find("cnisim-" + std::to_string(pid) + "-"), std::string::npos) << *list;
}

}  // namespace
}  // namespace cnisim
