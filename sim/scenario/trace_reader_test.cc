#include "sim/scenario/trace_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "sim/cloud/instance_types.h"
#include "sim/scenario/file_reader.h"

namespace cnisim {
namespace {

std::string TestFile(const std::string& name) {
  return ReadFile(std::string(CNISIM_SOURCE_DIR) + "/sim/scenario/testdata/traces/" + name).value();
}

constexpr std::string_view kOpenbHeader =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,"
    "deletion_time,scheduled_time\n";

TEST(ReadPodTrace, ReadsItsOwnFormatInOrderOfTime) {
  Diagnostics diagnostics("t");
  const auto pods = ReadPodTrace(TestFile("pods.csv"), TraceFormat::kCnisim, 0, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  ASSERT_EQ(pods.size(), 3u);
  EXPECT_EQ(pods[0].name, "web-0");
  EXPECT_EQ(pods[0].deleted, std::nullopt);
  EXPECT_EQ(pods[0].cpu_milli, 500);
  EXPECT_EQ(pods[0].memory_mib, 1024);
  EXPECT_EQ(pods[1].created, kTimeZero + std::chrono::milliseconds(500));
  EXPECT_EQ(pods[1].deleted, kTimeZero + std::chrono::hours(1));
  EXPECT_FALSE(pods[1].host_network);
  EXPECT_EQ(pods[2].name, "probe");
  EXPECT_TRUE(pods[2].host_network);
}

TEST(ReadPodTrace, ReadsOpenb) {
  Diagnostics diagnostics("t");
  const auto pods = ReadPodTrace(TestFile("openb_pods.csv"), TraceFormat::kOpenb, 0, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  ASSERT_EQ(pods.size(), 3u);
  EXPECT_EQ(pods[1].name, "openb-pod-0001");
  EXPECT_EQ(pods[1].created, kTimeZero + std::chrono::seconds(1800));
  EXPECT_EQ(pods[1].deleted, kTimeZero + std::chrono::seconds(12902960));
  EXPECT_EQ(pods[1].cpu_milli, 6000);
  EXPECT_EQ(pods[1].memory_mib, 12288);
}

// Line ends of other systems, a missing last line end, blank lines and comments change nothing.
TEST(ReadPodTrace, IsIndifferentToLineEnds) {
  for (const char* text :
       {"name,created,deleted,cpu,memory\na,1,,1,1Gi\n",
        "name,created,deleted,cpu,memory\na,1,,1,1Gi",
        "name,created,deleted,cpu,memory\r\na,1,,1,1Gi\r\n",
        "\xef\xbb\xbf#c\n\nname,created,deleted,cpu,memory\n\n#x,y\na,1,,1,1Gi\n\n"}) {
    Diagnostics diagnostics("t");
    const auto pods = ReadPodTrace(text, TraceFormat::kCnisim, 0, diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << text;
    ASSERT_EQ(pods.size(), 1u) << text;
    EXPECT_EQ(pods[0].created, kTimeZero + std::chrono::seconds(1));
  }
}

// Any one field spoilt is an error on its own line and nowhere else.
TEST(ReadPodTrace, LocatesASpoiltField) {
  const std::vector<std::string> good{"pod", "1", "2", "100m", "1Gi", "true"};
  for (size_t field = 1; field < good.size(); ++field) {
    std::vector<std::string> bad = good;
    bad[field] = "x";
    std::string text = "name,created,deleted,cpu,memory,hostNetwork\n";
    int column = 1;
    for (size_t i = 0; i < field; ++i) column += static_cast<int>(good[i].size()) + 1;
    for (int line = 0; line < 3; ++line) {
      std::vector<std::string> row = line == 1 ? bad : good;
      row[0] += std::to_string(line);
      text += fmt::format("{},{},{},{},{},{}\n", row[0], row[1], row[2], row[3], row[4], row[5]);
    }
    Diagnostics diagnostics("t");
    const auto pods = ReadPodTrace(text, TraceFormat::kCnisim, 0, diagnostics);
    EXPECT_EQ(pods.size(), 2u);
    const auto errors = diagnostics.Errors();
    ASSERT_EQ(errors.size(), 1u) << text;
    EXPECT_EQ(errors[0].line, 3);
    EXPECT_EQ(errors[0].column, column + 1);  // the name has a digit more
  }
}

// Every byte in the middle of a name: what a name may hold, and an error in its place for the rest.
TEST(ReadPodTrace, NamesAreNames) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (c == ',' || c == '\n' || c == '\r') continue;
    const std::string text =
        "name,created,deleted,cpu,memory\na" + std::string(1, c) + "z,1,,1,1Gi\n";
    Diagnostics diagnostics("t");
    const auto pods = ReadPodTrace(text, TraceFormat::kCnisim, 0, diagnostics);
    const bool good = (byte < 128 && std::isalnum(byte) != 0) || c == '-' || c == '_' || c == '.';
    ASSERT_EQ(pods.size(), good ? 1u : 0u) << byte;
    ASSERT_EQ(diagnostics.has_errors(), !good) << byte;
    if (!good) {
      EXPECT_EQ(diagnostics.Errors()[0].line, 2);
    }
  }
}

TEST(ReadPodTrace, SaysWhatIsWrong) {
  const auto told = [](std::string_view text) {
    Diagnostics diagnostics("t");
    ReadPodTrace(text, TraceFormat::kCnisim, 0, diagnostics);
    return diagnostics.has_errors() ? diagnostics.Errors()[0].message : "nothing";
  };
  EXPECT_EQ(told("name,created,deleted,cpu,memory\na,1,999999999,1,1Gi\n"),
            "deleted is 999999999 s, but a run may last 87600h at most");
  EXPECT_EQ(told("name,created,deleted,cpu,memory\ra,1,,1,1Gi\r"),
            "a lone carriage return; lines end in LF or CR LF");
}

TEST(ReadNodeList, TakesTheSmallestTypeThatFits) {
  Diagnostics diagnostics("t");
  const auto nodes = ReadNodeList(TestFile("nodes.csv"), 0, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_EQ(nodes[0].instance_type, "r6i.8xlarge");   // 32 vCPU, 256 GiB
  EXPECT_EQ(nodes[1].instance_type, "m6i.24xlarge");  // 96 vCPU, 384 GiB
  EXPECT_EQ(nodes[2].instance_type, "m6i.2xlarge");   // 8 vCPU, 32 GiB
  EXPECT_EQ(nodes[1].cpu_milli, 96000);
  EXPECT_EQ(nodes[1].memory_mib, 393216);
}

// No other type of the two families would do with fewer vCPU, or as many and less memory.
TEST(ReadNodeList, NoSmallerTypeFits) {
  for (int64_t cpu = 500; cpu <= 128'000; cpu = cpu * 3 / 2) {
    for (int64_t memory = 512; memory <= 1 << 20; memory = memory * 3 / 2) {
      Diagnostics diagnostics("t");
      const auto nodes =
          ReadNodeList(fmt::format("sn,cpu_milli,memory_mib,gpu,model\nn,{},{},0,\n", cpu, memory),
                       0, diagnostics);
      ASSERT_EQ(nodes.size(), 1u);
      const InstanceType* chosen = FindInstanceType(nodes[0].instance_type);
      ASSERT_NE(chosen, nullptr);
      EXPECT_TRUE(chosen->vcpu * 1000 >= cpu && chosen->memory_mib >= memory);
      for (const InstanceType& type : AllInstanceTypes()) {
        if (!type.name.starts_with("m6i.") && !type.name.starts_with("r6i.")) continue;
        if (type.vcpu * 1000 < cpu || type.memory_mib < memory) continue;
        EXPECT_FALSE(type.vcpu < chosen->vcpu ||
                     (type.vcpu == chosen->vcpu && type.memory_mib < chosen->memory_mib))
            << type.name << " fits better than " << chosen->name;
      }
    }
  }
}

// As many pods as the published openb list; the time it takes is in the test's own report.
TEST(ReadPodTrace, ReadsAsManyPodsAsThePublishedList) {
  std::string text(kOpenbHeader);
  for (int i = 0; i < 8152; ++i) {
    text += fmt::format("openb-pod-{:04},12000,16384,1,1000,,LS,Running,{},12902960,0\n", i,
                        (i * 7919) % 12'000'000);
  }
  Diagnostics diagnostics("t");
  const auto pods = ReadPodTrace(text, TraceFormat::kOpenb, 0, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  ASSERT_EQ(pods.size(), 8152u);
  EXPECT_TRUE(std::ranges::is_sorted(pods, {}, &TracePod::created));
}

}  // namespace
}  // namespace cnisim
