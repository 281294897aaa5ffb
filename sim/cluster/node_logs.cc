#include "sim/cluster/node_logs.h"

#include "core/telemetry/json_log.h"

namespace cnisim {

std::string_view FileNameOf(NodeLogFile file) {
  return file == NodeLogFile::kIpamd ? "ipamd.log" : "plugin.log";
}

void NodeLogSink::Write(LogLevel level, SourceLine where, std::string_view message) {
  line_.clear();
  AppendJsonLogLine(line_, level, kCalendar.ToUnixNanos(clock_.Now()), where, message);
  logs_.Append(node_, file_, line_);
}

}  // namespace cnisim
