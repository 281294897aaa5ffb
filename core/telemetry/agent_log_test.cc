#include "core/telemetry/agent_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace cnisim {
namespace {

struct Entry {
  LogLevel level;
  std::string file;
  unsigned line;
  std::string message;
};

class Listener final : public LogSink {
 public:
  void Write(LogLevel level, SourceLine where, std::string_view message) override {
    entries.push_back({level, where.file, where.line, std::string(message)});
  }
  std::vector<Entry> entries;
};

// Says everything once, one call a line; returns the line before the first.
unsigned SayEverything(const Log& log) {
  using namespace agent_log;  // NOLINT(google-build-using-namespace): all of it is called here
  const IpamKey key{"aws-cni", "c1", "eth0"};
  const IpAddress ip = Ipv4Address(10, 0, 0, 5);
  const std::vector<IpCidr> cidrs{Ipv4Cidr(Ipv4Address(10, 0, 0, 16), 28), IpCidr(ip)};
  const PoolFigures pool{false, 32, 2, 7, 3, 9};
  const PoolFigures prefix_pool{true, 32, 2, 7, 3, 9};
  const PluginRequest request{"c1", "/proc/7/ns/net", "eth0", "K8S_POD_NAME=web-0"};
  const unsigned before = Where::Current().line;
  Starting(log, "v1.23.1");
  ManagerStarts(log, {29, 1, 5, 10, 1});
  RecoveryBegins(log);
  Recovered(log, key, "eni-1", ip);
  AllocationStale(log, key, ip);
  AllocationUnknown(log, key, ip);
  IpStats(log, 1, pool);
  PoolStatistics(log, 1, pool);
  PoolStatistics(log, 1, prefix_pool);
  PoolTooLow(log, 1);
  IncreaseStarts(log, 1);
  DecreaseStarts(log, 1);
  DecreaseSkipped(log, std::chrono::seconds(12));
  SubnetExhausted(log, {"InsufficientCidrBlocks", "no block is free"});
  SubnetExhaustedLately(log);
  Allocating(log, 9, "eni-1");
  AllocatedIps(log, 9);
  AllocatedPrefixes(log, 2);
  UnassigningIps(log, "eni-1", cidrs);
  UnassigningPrefixes(log, "eni-1", cidrs);
  EniCreated(log, "eni-1");
  EniAttached(log, "eni-1", 2);
  FreeingEni(log, "eni-1");
  EniFreed(log, "eni-1");
  LeakedEniCleanup(log);
  CidrAdded(log, "eni-1", cidrs[0]);
  CidrDeleted(log, "eni-1", cidrs[0]);
  EniKept(log, "eni-1", EniKeptBecause::kPrimary);
  EniKept(log, "eni-1", EniKeptBecause::kTooYoung);
  EniKept(log, "eni-1", EniKeptBecause::kCooling);
  EniKept(log, "eni-1", EniKeptBecause::kPods);
  EniKept(log, "eni-1", EniKeptBecause::kWarmIpTarget);
  EniKept(log, "eni-1", EniKeptBecause::kMinimumIpTarget);
  EniKept(log, "eni-1", EniKeptBecause::kWarmPrefixTarget);
  EniKept(log, "eni-1", EniKeptBecause::kTrunk);
  EniKept(log, "eni-1", EniKeptBecause::kEfa);
  AddReceived(log, {"default", "web-0", "c1", "eth0"});
  AddressAssigned(log, key, ip);
  AddIsDuplicate(log, key, ip);
  NoAddress(log);
  AddReplied(log, true);
  DelReceived(log, "c1");
  AddressReleased(log, key, ip);
  AddressCools(log, ip);
  DelOfUnknown(log, key);
  DelReplied(log, true);
  Reconciling(log, std::chrono::seconds(61));
  MetadataDiffers(log, "eni-1");
  PluginAdd(log, request);
  PluginDel(log, request);
  PluginReply(log, "c1", true);
  PluginFailed(log, "c1");
  return before;
}

// Level and beginning, one an event.
std::vector<std::pair<std::string, std::string>> ExpectedEvents() {
  std::vector<std::pair<std::string, std::string>> events;
  std::ifstream file(CNISIM_SOURCE_DIR "/core/telemetry/testdata/log_events.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    events.emplace_back(line.substr(0, line.find(' ')), line.substr(6));
  }
  return events;
}

TEST(AgentLog, SaysEveryEventAsListedAndNothingElse) {
  Listener listener;
  const unsigned before = SayEverything(Log(listener, LogLevel::kDebug));
  const auto expected = ExpectedEvents();
  ASSERT_FALSE(expected.empty());
  ASSERT_EQ(listener.entries.size(), expected.size());
  std::set<std::string> messages;
  for (size_t i = 0; i < expected.size(); ++i) {
    const Entry& entry = listener.entries[i];
    EXPECT_EQ(LogLevelName(entry.level), expected[i].first) << entry.message;
    EXPECT_TRUE(entry.message.starts_with(expected[i].second))
        << entry.message << "\nshould begin with\n"
        << expected[i].second;
    EXPECT_TRUE(entry.file.ends_with("agent_log_test.cc"));
    EXPECT_EQ(entry.line, before + 1 + i) << entry.message;
    EXPECT_TRUE(messages.insert(entry.message).second) << "twice: " << entry.message;
  }
}

TEST(AgentLog, ObeysTheLevel) {
  for (const LogLevel least : {LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    Listener listener;
    SayEverything(Log(listener, least));
    EXPECT_FALSE(listener.entries.empty());
    for (const Entry& entry : listener.entries) EXPECT_GE(entry.level, least);
  }
}

}  // namespace
}  // namespace cnisim
