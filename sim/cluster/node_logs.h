// What one would collect from nodes: the logs of agent and plugin, as they stand in
// /var/log/aws-routed-eni of a real node (one JSON object a line, in virtual time), and the pages
// that the agent serves when the run ends, under the names that the real CNI's support script
// (aws-cni-support.sh of amazon-vpc-cni-k8s) gives them. Whoever runs a world says which nodes'
// files he wants and where they go.
//
// A node whose logs are wanted says everything, also what it does before time zero, and so its pool
// loop is never parked.
#ifndef CNISIM_SIM_CLUSTER_NODE_LOGS_H_
#define CNISIM_SIM_CLUSTER_NODE_LOGS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/ports/civil_time.h"
#include "core/ports/clock.h"
#include "core/ports/log.h"

namespace cnisim {

// Time zero on the calendar: the beginning of 2026, UTC.
inline constexpr CivilEpoch kCalendar{1'767'225'600'000'000'000};

enum class NodeLogFile : uint8_t {
  kIpamd,
  kPlugin,
  kEnis,
  kEniConfig,
  kIpamdEnv,
  kNetworkUtilsEnv,
  kMetrics,
};
inline constexpr size_t kNodeLogFiles = 7;
// "ipamd.log", "eni.out", ...
std::string_view FileNameOf(NodeLogFile file);

class NodeLogs {
 public:
  virtual ~NodeLogs() = default;
  virtual bool Wants(std::string_view node) const = 0;
  virtual void Append(std::string_view node, NodeLogFile file, std::string_view text) = 0;
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
