#include "core/ipam/checkpoint_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace cnisim {
namespace {

constexpr CivilEpoch kEpoch{1'767'323'045'000'000'000};

Allocation SomePod() {
  return {{"aws-cni", "c1", "eth0"},
          Ipv4Address(10, 0, 0, 5),
          kTimeZero + std::chrono::milliseconds(678),
          {"default", "web-0", 1}};
}

// The format by itself: a hand-made line is the only place that fixes names and order.
TEST(CheckpointJson, WritesTheFormat) {
  EXPECT_EQ(FormatCheckpoint({SomePod()}, kEpoch),
            R"({"version":"vpc-cni-ipam/1","allocations":[{"networkName":"aws-cni",)"
            R"("containerID":"c1","ifName":"eth0","ipv4":"10.0.0.5",)"
            R"("allocationTimestamp":1767323045678000000,"metadata":{)"
            R"("k8sPodNamespace":"default","k8sPodName":"web-0","interfacesCount":1}}]})"
            "\n");
  Allocation bare;
  bare.ip = Ipv4Address(10, 0, 0, 6);
  EXPECT_EQ(FormatCheckpoint({bare}, CivilEpoch{}),
            R"({"version":"vpc-cni-ipam/1","allocations":[{"networkName":"","containerID":"",)"
            R"("ifName":"","ipv4":"10.0.0.6","allocationTimestamp":0,"metadata":{}}]})"
            "\n");
  EXPECT_EQ(FormatCheckpoint({}, kEpoch), "{\"version\":\"vpc-cni-ipam/1\",\"allocations\":[]}\n");
}

std::string RandomText(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces{"a", "\"", "\\", "\n", "é", "😀", "/", "", "\x01"};
  std::string text;
  for (uint64_t n = random() % 5; n > 0; --n) text += kPieces[random() % kPieces.size()];
  return text;
}

std::vector<Allocation> RandomAllocations(std::mt19937_64& random) {
  std::vector<Allocation> allocations(random() % 6);
  for (Allocation& a : allocations) {
    a.key = {RandomText(random), RandomText(random), RandomText(random)};
    a.ip = Ipv4Address(static_cast<uint32_t>(random()));
    if (random() % 2 == 0) a.ip = Ipv6Address(0x20010db800000000, random());
    a.allocated = TimePoint(Duration(static_cast<int64_t>(random())));
    a.metadata = {RandomText(random), RandomText(random), static_cast<int>(random() % 3)};
  }
  return allocations;
}

// The twin reads through nlohmann alone, member by member, and trusts what it reads.
std::vector<Allocation> NaiveParse(const std::string& text) {
  std::vector<Allocation> allocations;
  const auto checkpoint = nlohmann::json::parse(text);
  for (const auto& entry : checkpoint.at("allocations")) {
    Allocation a;
    a.key = {entry.at("networkName"), entry.at("containerID"), entry.at("ifName")};
    EXPECT_NE(entry.contains("ipv4"), entry.contains("ipv6"));
    a.ip = *IpAddress::Parse(entry.value("ipv4", entry.value("ipv6", "")));
    a.allocated = kEpoch.FromUnixNanos(entry.at("allocationTimestamp").get<int64_t>());
    const auto& metadata = entry.at("metadata");
    a.metadata = {metadata.value("k8sPodNamespace", ""), metadata.value("k8sPodName", ""),
                  metadata.value("interfacesCount", 0)};
    for (const auto& [name, value] : metadata.items()) {
      EXPECT_TRUE(value != "" && value != 0) << name << " should be left out";
    }
    allocations.push_back(a);
  }
  return allocations;
}

TEST(CheckpointJson, WhatIsWrittenIsReadAndSaysTheSameToATwin) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::vector<Allocation> allocations = RandomAllocations(random);
    const std::string text = FormatCheckpoint(allocations, kEpoch);
    ASSERT_EQ(text.find('\n'), text.size() - 1);
    ASSERT_EQ(NaiveParse(text), allocations) << text;
    const auto parsed = ParseCheckpoint(text, kEpoch);
    ASSERT_TRUE(parsed) << parsed.error().message;
    ASSERT_EQ(*parsed, allocations);
  }
}

// A file that was cut short is never taken for a shorter history.
TEST(CheckpointJson, EveryTruePrefixIsRefused) {
  const std::string text = FormatCheckpoint({SomePod(), SomePod()}, kEpoch);
  for (size_t n = 0; n + 1 < text.size(); ++n) {
    const auto parsed = ParseCheckpoint(text.substr(0, n), kEpoch);
    ASSERT_FALSE(parsed) << n;
    EXPECT_EQ(parsed.error().code, checkpoint_error::kMalformed);
  }
  EXPECT_TRUE(ParseCheckpoint(text.substr(0, text.size() - 1), kEpoch));  // only the line feed
}

std::string_view ErrorOf(const std::string& text) {
  const auto parsed = ParseCheckpoint(text, kEpoch);
  static std::string code;
  code = parsed ? "" : parsed.error().code;
  return code;
}

std::string WithEntry(const std::string& entry) {
  return R"({"version":"vpc-cni-ipam/1","allocations":[)" + entry + "]}";
}

TEST(CheckpointJson, RefusesWhatTheRealAgentRefuses) {
  for (const char* text : {"", " ", "x", "[]", "7", "\"\"", "{} {}", "{\"version\":1}",
                           R"({"version":"vpc-cni-ipam/1","allocations":{}})",
                           R"({"version":"vpc-cni-ipam/1","allocations":"none"})", "\xff"}) {
    EXPECT_EQ(ErrorOf(text), checkpoint_error::kMalformed) << text;
  }
  for (const char* text :
       {"{}", R"({"allocations":[]})", R"({"version":null})",
        R"({"version":"vpc-cni-ipam/2","allocations":[]})", R"({"version":"vpc-cni-ipam/1 "})"}) {
    EXPECT_EQ(ErrorOf(text), checkpoint_error::kOtherVersion) << text;
  }
  for (const char* entry :
       {"7", "[]", R"({"networkName":7})", R"({"containerID":{}})", R"({"ifName":[]})",
        R"({"ipv4":167772165})", R"({"ipv6":false})", R"({"allocationTimestamp":"now"})",
        R"({"allocationTimestamp":1.5})", R"({"allocationTimestamp":1e3})",
        R"({"allocationTimestamp":9223372036854775808})", R"({"metadata":"none"})",
        R"({"metadata":{"k8sPodName":1}})", R"({"metadata":{"interfacesCount":"1"}})",
        R"({"metadata":{"interfacesCount":2147483648}})"}) {
    EXPECT_EQ(ErrorOf(WithEntry(entry)), checkpoint_error::kMalformed) << entry;
  }
}

TEST(CheckpointJson, AcceptsWhatTheRealAgentAccepts) {
  for (const char* text :
       {R"({"version":"vpc-cni-ipam/1"})", R"({"version":"vpc-cni-ipam/1","allocations":null})",
        R"({"allocations":[],"other":{"x":[1]},"version":"vpc-cni-ipam/1"})"}) {
    const auto parsed = ParseCheckpoint(text, kEpoch);
    ASSERT_TRUE(parsed) << text;
    EXPECT_TRUE(parsed->empty());
  }
  for (const char* entry :
       {"{}", R"({"metadata":null,"ifName":null,"ipv4":null})", R"({"ipv4":"10.0.0.256"})",
        R"({"ipv4":"","ipv6":"10.0.0"})", R"({"allocationTimestamp":null,"metadata":{}})"}) {
    const auto parsed = ParseCheckpoint(WithEntry(entry), CivilEpoch{});
    ASSERT_TRUE(parsed) << entry;
    EXPECT_EQ(*parsed, std::vector<Allocation>{Allocation()}) << entry;
  }
  const auto oldest =
      ParseCheckpoint(WithEntry(R"({"allocationTimestamp":-9223372036854775808})"), kEpoch);
  ASSERT_TRUE(oldest);
  EXPECT_EQ(kEpoch.ToUnixNanos(oldest->front().allocated), INT64_MIN);
}

}  // namespace
}  // namespace cnisim
