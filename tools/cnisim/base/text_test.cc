#include "tools/cnisim/base/text.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/net/utf8.h"
#include "tools/cnisim/base/progress.h"
#include "tools/cnisim/base/table.h"

namespace cnisim {
namespace {

TEST(Text, Numbers) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(-123456), "-123,456");
  EXPECT_EQ(Grouped(INT64_MIN), "-9,223,372,036,854,775,808");
  EXPECT_EQ(NumberText(0.01234), "0.0123");
  EXPECT_EQ(NumberText(12), "12");
  EXPECT_EQ(NumberText(14210.4), "14,210");
  EXPECT_EQ(NumberText(std::numeric_limits<double>::infinity()), "Inf");
  EXPECT_EQ(BytesText(210 << 20), "210 MiB");
  EXPECT_EQ(BytesText(int64_t{3} << 30), "3.0 GiB");
  EXPECT_EQ(Counted(1, "run"), "1 run");
  EXPECT_EQ(Counted(2000, "run"), "2,000 runs");
}

TEST(Text, Durations) {
  EXPECT_EQ(DurationText(0), "0 s");
  EXPECT_EQ(DurationText(5e-9), "5 ns");
  EXPECT_EQ(DurationText(8.5e-4), "850 us");
  EXPECT_EQ(DurationText(0.01234), "12.3 ms");
  EXPECT_EQ(DurationText(0.99996), "1 s");
  EXPECT_EQ(DurationText(4.814), "4.81 s");
  EXPECT_EQ(DurationText(59.99), "1 m 00 s");
  EXPECT_EQ(DurationText(125), "2 m 05 s");
  EXPECT_EQ(DurationText(21600), "6 h 00 m");
  EXPECT_EQ(DurationText(3 * 86400 + 4 * 3600), "3 d 04 h");
  EXPECT_EQ(DurationText(std::numeric_limits<double>::infinity()), "never");
  EXPECT_EQ(DurationText(4.4, TextPrecision::kWholeSeconds), "4 s");
  EXPECT_EQ(ClockText(std::chrono::seconds(3 * 3600 + 12 * 60 + 44)), "03:12:44");
}

TEST(Progress, Line) {
  ProgressFigures figures;
  figures.now = std::chrono::hours(3) + std::chrono::minutes(12) + std::chrono::seconds(44);
  figures.duration = std::chrono::hours(6);
  figures.events = 11'900'000;
  figures.pods = 14'210;
  figures.wall_seconds = 1.464;
  EXPECT_EQ(FormatProgress(figures),
            "sim 03:12:44/06:00:00 53% · 8.1 Mev/s · 7,899x real time · pods 14,210 · ETA 1 s");
  figures.runs = 10;
  figures.runs_done = 3;
  EXPECT_TRUE(FormatProgress(figures).starts_with("run 3/10 · sim 03:12:44/"));
  figures.now = Duration(-5);  // warming up
  EXPECT_EQ(FormatProgress(figures),
            "run 3/10 · sim 00:00:00/06:00:00 0% · 8.1 Mev/s · 0x real time · pods 14,210 · ETA ?");
}

Table Example() {
  Table table;
  table.columns = {"name", "n", "x"};
  table.rows = {{"a", 1, 0.5}, {"über, \"b\"", 100, nullptr}};
  return table;
}

TEST(Table, Formats) {
  EXPECT_EQ(Format(Example(), OutputFormat::kTable),
            "name         n    x\n"
            "a            1  0.5\n"
            "über, \"b\"  100\n");
  EXPECT_EQ(Format(Example(), OutputFormat::kCsv), "name,n,x\na,1,0.5\n\"über, \"\"b\"\"\",100,\n");
  EXPECT_EQ(Format(Example(), OutputFormat::kYaml),
            "- name: a\n  n: 1\n  x: 0.5\n- name: \"über, \\\"b\\\"\"\n  n: 100\n  x: ~\n");
  EXPECT_EQ(Json::parse(Format(Example(), OutputFormat::kJson)),
            Json::parse(R"([{"name": "a", "n": 1, "x": 0.5},
                            {"name": "über, \"b\"", "n": 100, "x": null}])"));
}

TEST(Table, NothingIsStillWellFormed) {
  Table table;
  table.columns = {"a", "b"};
  EXPECT_EQ(Format(table, OutputFormat::kTable), "a  b\n");
  EXPECT_EQ(Format(table, OutputFormat::kCsv), "a,b\n");
  EXPECT_EQ(Format(table, OutputFormat::kJson), "[]\n");
  EXPECT_EQ(Format(table, OutputFormat::kYaml), "[]\n");
}

TEST(Table, InfinityAndLookalikes) {
  Table table;
  table.columns = {"v"};
  table.rows = {{std::numeric_limits<double>::infinity()}, {"10"}, {"yes"}, {""}};
  EXPECT_EQ(Format(table, OutputFormat::kJson),
            "[\n  {\n    \"v\": \"Inf\"\n  },\n  {\n    \"v\": \"10\"\n  },\n  {\n    \"v\": "
            "\"yes\"\n  },\n  {\n    \"v\": \"\"\n  }\n]\n");
  EXPECT_EQ(Format(table, OutputFormat::kYaml),
            "- v: .inf\n- v: \"10\"\n- v: \"yes\"\n- v: \"\"\n");
}

// Every byte and every pair of bytes: nothing that a terminal acts on comes through, what is left
// is valid UTF-8, and printable ASCII stays.
TEST(Escaped, LeavesNothingToActOn) {
  for (int pair = 0; pair < 0x10000; ++pair) {
    const std::string text{static_cast<char>(pair >> 8), static_cast<char>(pair & 0xff)};
    const std::string escaped = Escaped(text);
    for (std::string_view rest = escaped; !rest.empty();) {
      const size_t length = Utf8CharacterLength(rest);
      ASSERT_GT(length, 0u) << pair;
      const auto first = static_cast<unsigned char>(rest[0]);
      ASSERT_FALSE(first < 0x20 || first == 0x7f) << pair;
      ASSERT_FALSE(first == 0xc2 && static_cast<unsigned char>(rest[1]) < 0xa0) << pair;
      rest.remove_prefix(length);
    }
    const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
    if (printable(text[0]) && printable(text[1])) {
      ASSERT_EQ(escaped, text);
    }
  }
  EXPECT_EQ(Escaped("a\n\t\r\x1bé\xff"), "a\\n\\t\\r\\x1bé\\xff");
}

}  // namespace
}  // namespace cnisim
