// The log files of nodes' agents and plugins, as they stand in /var/log/aws-routed-eni of a real
// node: one JSON object a line, in virtual time. Whoever runs a world says which nodes' logs he
// wants and where the lines go.
//
// A node whose logs are wanted says everything, also what it does before time zero, and so its pool
// loop is never parked.
#ifndef CNISIM_SIM_CLUSTER_NODE_LOGS_H_
#define CNISIM_SIM_CLUSTER_NODE_LOGS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ports/civil_time.h"
#include "core/ports/clock.h"
#include "core/ports/log.h"

namespace cnisim {

// Time zero on the calendar: the beginning of 2026, UTC.
inline constexpr CivilEpoch kCalendar{1'767'225'600'000'000'000};

enum class NodeLogFile : uint8_t { kIpamd, kPlugin };
// "ipamd.log", "plugin.log".
std::string_view FileNameOf(NodeLogFile file);

class NodeLogs {
 public:
  virtual ~NodeLogs() = default;
  virtual bool Wants(std::string_view node) const = 0;
  // `line` has its line feed.
  virtual void Append(std::string_view node, NodeLogFile file, std::string_view line) = 0;
};

// One of the files.
class NodeLogSink final : public LogSink {
 public:
  // All must outlive it.
  NodeLogSink(NodeLogs& logs, const Clock& clock, std::string_view node, NodeLogFile file)
      : logs_(logs), clock_(clock), node_(node), file_(file) {}

  void Write(LogLevel level, SourceLine where, std::string_view message) override;

 private:
  NodeLogs& logs_;
  const Clock& clock_;
  std::string_view node_;
  NodeLogFile file_;
  std::string line_;  // its memory is used again
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLUSTER_NODE_LOGS_H_
