#include "core/telemetry/json_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "core/net/utf8.h"

namespace cnisim {
namespace {

constexpr int64_t kTime = 1'767'323'045'678'999'999;  // 2026-01-02T03:04:05.678999999Z

std::string Line(std::string_view message) {
  std::string out;
  AppendJsonLogLine(out, LogLevel::kWarn, kTime, SourceLine::Current(), message);
  return out;
}

std::string MessageOf(const std::string& line) {
  return nlohmann::json::parse(line).at("msg").get<std::string>();
}

TEST(JsonLog, WritesTheFourKeysInOrder) {
  std::string out = "before\n";
  const auto where = SourceLine::Current();
  AppendJsonLogLine(out, LogLevel::kInfo, kTime, where, "Starting L-IPAMD v1.23.1");
  EXPECT_EQ(out,
            "before\n{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:05.678Z\",\"caller\":"
            "\"telemetry/json_log_test.cc:" +
                std::to_string(where.line) + "\",\"msg\":\"Starting L-IPAMD v1.23.1\"}\n");
}

TEST(JsonLog, EscapesAsZapDoes) {
  const std::string line = Line(std::string_view("\"\\\n\r\t\b\x1f\x00\x7f/é€😀\xff", 20));
  EXPECT_NE(line.find(R"(\"\\\n\r\t\u0008\u001f\u0000)"
                      "\x7f/é€😀"
                      R"(\ufffd"})"),
            std::string::npos)
      << line;
}

// Valid text comes back as it was.
TEST(JsonLog, EveryCharacterComesBack) {
  std::string all;
  for (uint32_t c = 0; c <= 0x10ffff; c += c < 0x3000 ? 1 : 61) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    if (c < 0x80) {
      all += static_cast<char>(c);
    } else if (c < 0x800) {
      all += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
    } else if (c < 0x10000) {
      all += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
              static_cast<char>(0x80 | (c & 63))};
    } else {
      all += {static_cast<char>(0xf0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
              static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
    }
  }
  EXPECT_EQ(MessageOf(Line(all)), all);
}

// Whatever the bytes: one line, JSON that a strict parser takes, and only invalid bytes replaced.
TEST(JsonLog, IsValidJsonOnOneLineWhateverTheMessage) {
  std::mt19937_64 random(1);
  const std::vector<std::string> pieces{
      "é",  "€",  "😀",  "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\xe2\x82",
      "\"", "\\", "\n", "plain"};
  for (int i = 0; i < 20'000; ++i) {
    std::string message;
    for (uint64_t n = random() % 12; n > 0; --n) {
      if (random() % 2 == 0) {
        message += pieces[random() % pieces.size()];
      } else {
        message += static_cast<char>(random());
      }
    }
    const std::string line = Line(message);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << line;
    ASSERT_EQ(json.size(), 4u);
    std::string expected;
    for (size_t at = 0; at < message.size();) {
      const size_t length = Utf8CharacterLength(std::string_view(message).substr(at));
      expected += length == 0 ? "\xef\xbf\xbd" : message.substr(at, length);
      at += length == 0 ? 1 : length;
    }
    ASSERT_EQ(json.at("msg").get<std::string>(), expected);
  }
}

// Against nlohmann's decoder, which is strict: every string of one to three bytes, and of four with
// a leading byte that calls for them.
TEST(Utf8, AgreesWithAStrictDecoder) {
  const auto valid = [](const std::string& text) {
    return !nlohmann::json::parse("\"" + text + "\"", nullptr, false).is_discarded();
  };
  const std::vector<int> edges{0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
  const auto check = [&](const std::string& text) {
    const size_t length = Utf8CharacterLength(text);
    // The decoder judges the whole text, which is one character if all but the first continue it.
    EXPECT_EQ(length == text.size(), valid(text)) << testing::PrintToString(text);
  };
  for (int a = 0x80; a < 0x100; ++a) {
    check({static_cast<char>(a)});
    for (const int b : edges) {
      if (b < 0x80) continue;
      check({static_cast<char>(a), static_cast<char>(b)});
      for (const int c : edges) {
        if (c < 0x80 || c >= 0xc0) continue;
        check({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)});
        for (const int d : edges) {
          if (d < 0x80 || d >= 0xc0) continue;
          check({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                 static_cast<char>(d)});
        }
      }
    }
  }
}

TEST(JsonLog, CallersAreTheLastDirectoryAndTheFile) {
  EXPECT_EQ(TrimmedSourceFile("/src/checkout/core/ipam/agent.cc"), "ipam/agent.cc");
  EXPECT_EQ(TrimmedSourceFile("core/ipam/agent.cc"), "ipam/agent.cc");
  EXPECT_EQ(TrimmedSourceFile("ipam/agent.cc"), "ipam/agent.cc");
  EXPECT_EQ(TrimmedSourceFile("agent.cc"), "agent.cc");
  EXPECT_EQ(TrimmedSourceFile("/agent.cc"), "/agent.cc");
}

}  // namespace
}  // namespace cnisim
