#include "core/ports/civil_time.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace cnisim {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

TEST(CivilTime, AgreesWithTheCLibrary) {
  std::mt19937_64 random(1);
  std::vector<int64_t> times{kLowest, kLowest + 1, -kSecond, -1, 0, 1, kHighest};
  for (int i = 0; i < 20'000; ++i) times.push_back(static_cast<int64_t>(random()));
  for (const int64_t nanos : times) {
    int64_t seconds = nanos / kSecond;
    int64_t rest = nanos % kSecond;
    if (rest < 0) {
      rest += kSecond;
      --seconds;
    }
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char expected[64];
    const size_t n = std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(expected + n, sizeof expected - n, ".%03dZ", static_cast<int>(rest / 1'000'000));
    EXPECT_EQ(Iso8601(nanos, 3), expected) << nanos;
  }
}

TEST(CivilTime, Rfc3339HasNoNeedlessDecimals) {
  const int64_t noon = 1'767'326'400 * kSecond;  // 2026-01-02T04:00:00Z
  EXPECT_EQ(Rfc3339(noon), "2026-01-02T04:00:00Z");
  EXPECT_EQ(Rfc3339(noon + kSecond / 2), "2026-01-02T04:00:00.5Z");
  EXPECT_EQ(Rfc3339(noon + 1), "2026-01-02T04:00:00.000000001Z");
  EXPECT_EQ(Rfc3339(noon + 10 * kSecond), "2026-01-02T04:00:10Z");
  EXPECT_EQ(Rfc3339(0), "1970-01-01T00:00:00Z");
}

TEST(CivilTime, ReadsWhatItWrites) {
  std::mt19937_64 random(3);
  const int64_t range = kHighest / 11 * 10;  // 1700 to 2240
  for (int i = 0; i < 20'000; ++i) {
    int64_t nanos = static_cast<int64_t>(random()) % range;
    if (i % 2 == 0) nanos -= nanos % kSecond;
    EXPECT_EQ(ParseRfc3339(Rfc3339(nanos)), nanos);
  }
}

TEST(CivilTime, ReadsEveryZone) {
  const int64_t noon = 1'767'326'400 * kSecond;  // 2026-01-02T04:00:00Z
  EXPECT_EQ(ParseRfc3339("2026-01-02T04:00:00+00:00"), noon);
  EXPECT_EQ(ParseRfc3339("2026-01-02T05:30:00+01:30"), noon);
  EXPECT_EQ(ParseRfc3339("2026-01-01T20:00:00-08:00"), noon);
  EXPECT_EQ(ParseRfc3339("2026-01-02T04:00:00.000000001Z"), noon + 1);
  EXPECT_EQ(ParseRfc3339("2024-02-29T00:00:00Z"), 1'709'164'800 * kSecond);
}

TEST(CivilTime, RejectsWhatIsNoTime) {
  const std::string good = "2026-01-02T04:00:00.5+01:00";
  ASSERT_TRUE(ParseRfc3339(good));
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = '?';
    EXPECT_FALSE(ParseRfc3339(bad)) << bad;
    EXPECT_FALSE(ParseRfc3339(good.substr(0, at))) << good.substr(0, at);
  }
  for (const char* bad :
       {"", "yesterday", "2026-13-02T04:00:00Z", "2026-00-02T04:00:00Z", "2026-02-30T04:00:00Z",
        "2025-02-29T04:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T04:60:00Z",
        "2026-01-02T04:00:60Z", "2026-01-02T04:00:00", "2026-01-02T04:00:00.Z",
        "2026-01-02T04:00:00.0000000001Z", "2026-01-02T04:00:00+24:00", "2026-01-02T04:00:00Zz",
        "2026-01-02 04:00:00Z", "1600-01-02T04:00:00Z", "2300-01-02T04:00:00Z"}) {
    EXPECT_FALSE(ParseRfc3339(bad)) << bad;
  }
}

TEST(CivilTime, ConvertsBothWaysWithoutLoss) {
  std::mt19937_64 random(2);
  for (const int64_t epoch : {int64_t{0}, 1'767'326'400 * kSecond, kLowest, kHighest}) {
    const CivilEpoch civil{epoch};
    for (int i = 0; i < 1000; ++i) {
      const auto nanos = static_cast<int64_t>(random());
      EXPECT_EQ(civil.ToUnixNanos(civil.FromUnixNanos(nanos)), nanos);
    }
    EXPECT_EQ(civil.ToUnixNanos(kTimeZero), epoch);
  }
}

}  // namespace
}  // namespace cnisim
