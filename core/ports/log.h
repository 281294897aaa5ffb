// How the core says what it is doing: a level, a message and the place in the source.
//
//   log.Info("Trying to free ENI: {}", eni_id);     // the place is this line
//
// A Log is a small value that is passed by copy; one that is default-made says nothing. A message
// below the log's level, or to nobody, costs one comparison: nothing is formatted. Format strings
// are checked when compiled.
// Levels and their names: amazon-vpc-cni-k8s v1.23.1, pkg/utils/logger.
#ifndef CNISIM_CORE_PORTS_LOG_H_
#define CNISIM_CORE_PORTS_LOG_H_

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace cnisim {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kFatal };

// "debug", "info", "warn", "error", "fatal".
std::string_view LogLevelName(LogLevel level);
// Letter case does not matter; any other name means debug (AWS_VPC_K8S_CNI_LOGLEVEL).
LogLevel ParseLogLevel(std::string_view name);

// A line of the source; the caller's, as a default argument. (std::source_location, which Clang 14
// does not have with Debian 12's library.)
struct SourceLine {
  static constexpr SourceLine Current(const char* file = __builtin_FILE(),
                                      unsigned line = __builtin_LINE()) {
    return {file, line};
  }

  const char* file = "";
  unsigned line = 0;
};

// Where messages go. It knows the time itself.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void Write(LogLevel level, SourceLine where, std::string_view message) = 0;
};

// A checked format string and where it was written.
template <typename... Args>
struct LogFormat {
  template <std::convertible_to<std::string_view> Text>
  consteval LogFormat(const Text& text,  // NOLINT(google-explicit-constructor): as fmt's own is
                      SourceLine where = SourceLine::Current())
      : text(text), where(where) {}

  fmt::format_string<Args...> text;
  SourceLine where;
};

class Log {
 public:
  Log() = default;
  // Passes messages of at least `least` on to `sink`, which must outlive all copies.
  Log(LogSink& sink, LogLevel least) : sink_(&sink), least_(static_cast<uint8_t>(least)) {}

  bool enabled(LogLevel level) const { return static_cast<uint8_t>(level) >= least_; }

  // On behalf of another place, such as the caller of a function that words messages.
  template <typename... Args>
  void Say(LogLevel level, SourceLine where, fmt::format_string<Args...> text,
           Args&&... args) const {
    if (enabled(level)) [[unlikely]] {
      sink_->Write(level, where, fmt::format(text, std::forward<Args>(args)...));
    }
  }

  template <typename... Args>
  void Debug(LogFormat<std::type_identity_t<Args>...> f, Args&&... args) const {
    Say(LogLevel::kDebug, f.where, f.text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Info(LogFormat<std::type_identity_t<Args>...> f, Args&&... args) const {
    Say(LogLevel::kInfo, f.where, f.text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Warn(LogFormat<std::type_identity_t<Args>...> f, Args&&... args) const {
    Say(LogLevel::kWarn, f.where, f.text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Error(LogFormat<std::type_identity_t<Args>...> f, Args&&... args) const {
    Say(LogLevel::kError, f.where, f.text, std::forward<Args>(args)...);
  }

 private:
  static constexpr uint8_t kNothing = 255;

  LogSink* sink_ = nullptr;
  uint8_t least_ = kNothing;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_LOG_H_
