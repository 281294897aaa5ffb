#include "core/ports/log.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "core/net/format.h"
#include "core/net/ip.h"

namespace cnisim {
namespace {

class Listener final : public LogSink {
 public:
  void Write(LogLevel level, SourceLine where, std::string_view message) override {
    entries.emplace_back(level, where.line, std::string(message));
  }
  std::vector<std::tuple<LogLevel, unsigned, std::string>> entries;
};

// Counts how often it is formatted.
struct Costly {
  int* formatted;
  std::string ToString() const {
    ++*formatted;
    return "costly";
  }
};

void SayAtEveryLevel(const Log& log, const Costly& costly) {
  log.Debug("{}", costly);
  log.Info("{}", costly);
  log.Warn("{}", costly);
  log.Error("{}", costly);
  log.Say(LogLevel::kFatal, SourceLine::Current(), "{}", costly);
}

TEST(Log, FormatsExactlyWhatIsListenedTo) {
  for (int least = 0; least < 5; ++least) {
    Listener listener;
    int formatted = 0;
    SayAtEveryLevel(Log(listener, static_cast<LogLevel>(least)), {&formatted});
    EXPECT_EQ(formatted, 5 - least);
    ASSERT_EQ(listener.entries.size(), static_cast<size_t>(5 - least));
    for (int i = least; i < 5; ++i) {
      const auto& [level, line, message] = listener.entries[static_cast<size_t>(i - least)];
      EXPECT_EQ(static_cast<int>(level), i);
      EXPECT_EQ(message, "costly");
    }
  }
}

TEST(Log, ByDefaultSaysNothing) {
  int formatted = 0;
  SayAtEveryLevel(Log(), {&formatted});
  EXPECT_EQ(formatted, 0);
}

TEST(Log, NamesTheCallersLine) {
  Listener listener;
  const Log log(listener, LogLevel::kDebug);
  const unsigned here = SourceLine::Current().line;
  log.Info("{} of {}", 1, IpCidr(Ipv4Cidr(Ipv4Address(10, 0, 0, 16), 28)));
  log.Debug("no argument");
  ASSERT_EQ(listener.entries.size(), 2u);
  EXPECT_EQ(listener.entries[0], std::tuple(LogLevel::kInfo, here + 1, "1 of 10.0.0.16/28"));
  EXPECT_EQ(listener.entries[1], std::tuple(LogLevel::kDebug, here + 2, "no argument"));
}

TEST(LogLevel, NamesReadBackInAnyLetterCaseAndOthersMeanDebug) {
  for (int i = 0; i < 5; ++i) {
    const auto level = static_cast<LogLevel>(i);
    std::string name(LogLevelName(level));
    EXPECT_EQ(ParseLogLevel(name), level);
    for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
    EXPECT_EQ(ParseLogLevel(name), level);
  }
  for (const char* other : {"", "warning", "infos", "trace", "warn ", "err"}) {
    EXPECT_EQ(ParseLogLevel(other), LogLevel::kDebug) << other;
  }
}

}  // namespace
}  // namespace cnisim
