#include "sim/scenario/quantities.h"

#include <gtest/gtest.h>

#include "sim/engine/random.h"

namespace cnisim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(ParseDuration, ReadsWhatGoAndKubernetesWrite) {
  const std::pair<const char*, Duration> cases[] = {
      {"0", seconds(0)},
      {"0s", seconds(0)},
      {"30s", seconds(30)},
      {"5m", minutes(5)},
      {"1h30m", minutes(90)},
      {"250ms", milliseconds(250)},
      {"2d", hours(48)},
      {"0.7s", milliseconds(700)},
      {".5s", milliseconds(500)},
      {"1.5h", minutes(90)},
      {"100us", nanoseconds(100'000)},
      {"100\u00b5s", nanoseconds(100'000)},
      {"1d2h3m4s5ms6us7ns",
       hours(26) + minutes(3) + seconds(4) + milliseconds(5) + nanoseconds(6007)},
  };
  for (const auto& [text, expected] : cases) {
    const Quantity<Duration> parsed = ParseDuration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* text : {"",        "s",     "30",  "-5m",   "5 m",   "5x",    "1h30",
                           "h1",      "1..5s", ".s",  "1e3s",  "0.5ns", "+5s",   "5s ",
                           "106752d", "1hh",   "inf", "0x10s", "5m5m",  "30m1h", "1us1\u00b5s"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
  EXPECT_TRUE(ParseDuration("106751d"));  // the last whole day of int64 nanoseconds
}

TEST(ParseDuration, SuggestsTheUnit) {
  EXPECT_EQ(ParseDuration("30").error().suggestion, "did you mean '30s'?");
  EXPECT_EQ(ParseDuration("10min").error().suggestion, "did you mean '10m'?");
  EXPECT_EQ(ParseDuration("10 m").error().suggestion, "did you mean '10m'?");
  EXPECT_EQ(ParseDuration("2 hours").error().suggestion, "did you mean '2h'?");
  EXPECT_EQ(ParseDuration("2 fortnights").error().suggestion, "");
}

TEST(FormatDuration, IsShortAndReadsBackExactly) {
  EXPECT_EQ(FormatDuration(seconds(0)), "0s");
  EXPECT_EQ(FormatDuration(minutes(90)), "1h30m");
  EXPECT_EQ(FormatDuration(milliseconds(700)), "700ms");
  RandomStream random(1, "durations", "test");
  for (int i = 0; i < 20'000; ++i) {
    const Duration d(static_cast<int64_t>(random.NextU64() >> (1 + random.NextBelow(62))));
    const Quantity<Duration> again = ParseDuration(FormatDuration(d));
    ASSERT_TRUE(again) << FormatDuration(d);
    EXPECT_EQ(*again, d);
  }
}

TEST(ParseCpuMilli, RoundsUpAsKubernetesDoes) {
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},    {"2", 2000},   {"500m", 500},   {"0.5", 500},    {"0.0001", 1},
      {"1.5m", 2}, {"96", 96000}, {"1.001", 1001}, {"1.0011", 1002}};
  for (const auto& [text, expected] : cases) {
    ASSERT_TRUE(ParseCpuMilli(text)) << text;
    EXPECT_EQ(*ParseCpuMilli(text), expected) << text;
  }
  for (const char* text : {"", "-1", "m", "2 cores", "500M", "1e3", "two", "999999999999999999"}) {
    EXPECT_FALSE(ParseCpuMilli(text)) << text;
  }
}

TEST(ParseMemoryMib, ReadsBinaryAndDecimalUnits) {
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},         {"500Mi", 500},   {"10Gi", 10240}, {"0.5Gi", 512}, {"1Ki", 1},
      {"1024Ki", 1},    {"1025Ki", 2},    {"1G", 954},     {"1048576", 1}, {"1048577", 2},
      {"1Ti", 1 << 20}, {"1Pi", 1 << 30}, {"1000k", 1},    {"2M", 2}};
  for (const auto& [text, expected] : cases) {
    ASSERT_TRUE(ParseMemoryMib(text)) << text;
    EXPECT_EQ(*ParseMemoryMib(text), expected) << text;
  }
  for (const char* text :
       {"", "-1Gi", "Gi", "10GB", "10gi", "500m", "10 Gi", "999999999999999999Pi"}) {
    EXPECT_FALSE(ParseMemoryMib(text)) << text;
  }
  EXPECT_EQ(ParseMemoryMib("10GB").error().suggestion, "did you mean '10Gi'?");
  EXPECT_EQ(ParseMemoryMib("500m").error().suggestion, "did you mean '500Mi'?");
}

TEST(ParseBytes, ReadsBinaryAndDecimalUnits) {
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},   {"900", 900},   {"8Ki", 8192},    {"1.5k", 1500},
      {"1.5", 2}, {"0.1Ki", 103}, {"1Mi", 1 << 20}, {"2G", 2'000'000'000}};
  for (const auto& [text, expected] : cases) {
    ASSERT_TRUE(ParseBytes(text)) << text;
    EXPECT_EQ(*ParseBytes(text), expected) << text;
  }
  for (const char* text : {"", "-1", "Ki", "8KB", "8 Ki", "8m", "999999999999999999Pi"}) {
    EXPECT_FALSE(ParseBytes(text)) << text;
  }
  EXPECT_EQ(ParseBytes("8KB").error().suggestion, "did you mean '8Ki'?");
}

TEST(ParseRate, IsPerSecond) {
  EXPECT_EQ(*ParseRate("20/s"), 20);
  EXPECT_EQ(*ParseRate("6/m"), 0.1);
  EXPECT_EQ(*ParseRate("360/h"), 0.1);
  EXPECT_EQ(*ParseRate("86400/d"), 1);
  for (const char* text : {"", "20", "/s", "20/", "20/x", "-1/s", "nan/s", "inf/s", "20/ s"}) {
    EXPECT_FALSE(ParseRate(text)) << text;
  }
  EXPECT_EQ(ParseRate("20").error().suggestion, "did you mean '20/s'?");
  EXPECT_EQ(ParseRate("20/min").error().suggestion, "did you mean '20/m'?");
  RandomStream random(1, "rates", "test");
  for (int i = 0; i < 20'000; ++i) {
    const double rate = random.NextDouble() * 1000 / (1 + static_cast<double>(i));
    ASSERT_TRUE(ParseRate(FormatRate(rate))) << FormatRate(rate);
    EXPECT_EQ(*ParseRate(FormatRate(rate)), rate);
  }
}

TEST(ParseInteger, IsStrict) {
  EXPECT_EQ(ParseInteger("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(ParseInteger("9223372036854775807"), INT64_MAX);
  for (const char* text :
       {"", "-", "+1", "01", "-01", "1.0", "1e3", "0x1", " 1", "1 ", "9223372036854775808"}) {
    EXPECT_FALSE(ParseInteger(text)) << text;
  }
}

}  // namespace
}  // namespace cnisim
