#include "sim/cluster/node_logs.h"

#include <array>

#include "core/telemetry/json_log.h"

namespace cnisim {

std::string_view FileNameOf(NodeLogFile file) {
  constexpr std::array<std::string_view, kNodeLogFiles> kNames{
      "ipamd.log",     "plugin.log",           "eni.out",    "eniconfig.out",
      "ipamd-env.out", "networkutils-env.out", "metrics.out"};
  return kNames[static_cast<size_t>(file)];
}

void NodeLogSink::Write(LogLevel level, SourceLine where, std::string_view message) {
  line_.clear();
  AppendJsonLogLine(line_, level, kCalendar.ToUnixNanos(clock_.Now()), where, message);
  logs_.Append(node_, file_, line_);
}

}  // namespace cnisim
