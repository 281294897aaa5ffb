#include "sim/scenario/profile_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "sim/scenario/file_reader.h"

namespace cnisim {
namespace {

const std::filesystem::path kDirectory =
    std::filesystem::path(CNISIM_SOURCE_DIR) / "sim/dataplane/profiles";

struct Reading {
  CostProfile profile;
  std::string told;
};

Reading Read(const std::string& text) {
  Diagnostics diagnostics("p.yaml");
  Reading reading;
  reading.profile = ReadCostProfile(text, 0, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.Errors()) {
    reading.told += diagnostic.ToString() + "\n";
  }
  return reading;
}

// A file with one cost a line, from the third on.
std::string ProfileWith(Cost changed, const std::string& entry) {
  std::string text =
      "{apiVersion: cnisim.dev/v1alpha1, kind: CostProfile, metadata: {name: own},\n"
      " spec: {help: own, costs: {\n";
  for (size_t i = 0; i < kCosts; ++i) {
    const std::string usual = fmt::format("{0}: {{value: {1}, low: {1}, high: {2}, source: s}}",
                                          kAllCosts[i].name, i, i + 0.5);
    const std::string line = static_cast<Cost>(i) == changed ? entry : usual;
    if (!line.empty()) text += line + ",\n";
  }
  return text + "}}}\n";
}

TEST(CostProfiles, BuiltInOnesAreTheFiles) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    const Reading file = Read(ReadFile(entry.path()).value());
    EXPECT_EQ(file.told, "") << entry.path();
    const std::string name = entry.path().stem();
    const CostProfile* builtin = FindBuiltinProfile(name);
    ASSERT_NE(builtin, nullptr) << name;
    EXPECT_EQ(builtin->name, name);
    EXPECT_EQ(builtin->help, file.profile.help);
    EXPECT_EQ(builtin->costs, file.profile.costs);
    EXPECT_EQ(builtin->entries, file.profile.entries);
    names.push_back(name);
  }
  std::ranges::sort(names);
  const std::vector<std::string_view> builtins = BuiltinProfiles();
  EXPECT_EQ(std::vector<std::string>(builtins.begin(), builtins.end()), names);
  EXPECT_EQ(FindBuiltinProfile("ena"), nullptr);
}

TEST(ReadCostProfile, ReadsEveryCost) {
  const Reading reading = Read(ProfileWith(
      Cost::kWakeup, "wakeup: {value: 1.5, low: 0, high: 1e9, source: \"a: measured\"}"));
  ASSERT_EQ(reading.told, "");
  EXPECT_EQ(reading.profile.name, "own");
  for (size_t i = 0; i < kCosts; ++i) {
    const auto cost = static_cast<Cost>(i);
    const bool changed = cost == Cost::kWakeup;
    const CostProfile::Entry& entry = reading.profile.EntryOf(cost);
    EXPECT_EQ(reading.profile.costs[cost], changed ? 1.5 : static_cast<double>(i));
    EXPECT_EQ(entry.low, changed ? 0 : static_cast<double>(i));
    EXPECT_EQ(entry.high, changed ? 1e9 : static_cast<double>(i) + 0.5);
    EXPECT_EQ(entry.source, changed ? "a: measured" : "s");
  }
  // What is not said of the device is as the Elastic Network Adapter has it.
  EXPECT_EQ(reading.profile.nic.frame_bytes, NicFacts().frame_bytes);
  EXPECT_EQ(reading.profile.nic.bits_per_second, 0);
}

TEST(ReadCostProfile, ReadsWhatTheDeviceCan) {
  std::string text = ProfileWith(Cost::kWakeup, "wakeup: {value: 1, low: 1, high: 1, source: s}");
  text.replace(text.find("help"), 0,
               "nic: {segmentation: false, tunnelSegmentation: true, checksum: false, "
               "tunnelChecksum: true, maxReceiveQueues: 2, frameBytes: 38, bandwidthGbps: 12.7, "
               "flowGbps: 10, packetsPerSecond: 2.2e6}, ");
  const Reading reading = Read(text);
  ASSERT_EQ(reading.told, "");
  const NicFacts& nic = reading.profile.nic;
  EXPECT_FALSE(nic.segmentation);
  EXPECT_TRUE(nic.tunnel_segmentation);
  EXPECT_FALSE(nic.checksum);
  EXPECT_TRUE(nic.tunnel_checksum);
  EXPECT_EQ(nic.max_receive_queues, 2);
  EXPECT_EQ(nic.frame_bytes, 38);
  EXPECT_EQ(nic.bits_per_second, 12.7e9);
  EXPECT_EQ(nic.flow_bits_per_second, 10e9);
  EXPECT_EQ(nic.packets_per_second, 2.2e6);
}

// One cost at a time is left out, spelt wrongly, or contradicts itself.
TEST(ReadCostProfile, EveryCostIsNeededAndChecked) {
  for (size_t i = 0; i < kCosts; ++i) {
    const auto cost = static_cast<Cost>(i);
    const std::string name(InfoOf(cost).name);
    const std::string place = fmt::format("p.yaml:{}:", i + 3);
    EXPECT_EQ(Read(ProfileWith(cost, "")).told,
              fmt::format("p.yaml:2:27: error: '{}' of 'costs' of cost profile 'own' is missing "
                          "[missing-key]\n",
                          name));
    for (const auto& [entry, code] :
         {std::pair(name + "x: {value: 1, low: 1, high: 1, source: s}", "[unknown-key]"),
          {name + ": {value: 1, low: 2, high: 3, source: s}", "[out-of-range]"},
          {name + ": {value: 4, low: 2, high: 3, source: s}", "[out-of-range]"},
          {name + ": {value: -1, low: -1, high: 3, source: s}", "[out-of-range]"},
          {name + ": {value: 1, high: 1, source: s}", "[missing-key]"},
          {name + ": {value: 1, low: 1, high: 1}", "[missing-key]"},
          {name + ": {value: 1us, low: 1, high: 1, source: s}", "[wrong-type]"},
          {name + ": 1", "[wrong-type]"}}) {
      const std::string told = Read(ProfileWith(cost, entry)).told;
      EXPECT_TRUE(told.starts_with(place)) << told;
      EXPECT_NE(told.find(code), std::string::npos) << told;
    }
  }
}

}  // namespace
}  // namespace cnisim
