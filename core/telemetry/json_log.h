// One log entry as one line of JSON, as the aws-node containers write them, so that `jq` and what
// users have built upon these logs can read it:
//
//   {"level":"info","ts":"2026-01-02T03:04:05.678Z","caller":"ipam/eni_lifecycle.cc:123","msg":"…"}
//
// Times are UTC, cut to milliseconds. Text is valid UTF-8 whatever the message holds. Form: zap's
// production JSON encoder as amazon-vpc-cni-k8s v1.23.1 sets it up (pkg/utils/logger).
#ifndef CNISIM_CORE_TELEMETRY_JSON_LOG_H_
#define CNISIM_CORE_TELEMETRY_JSON_LOG_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ports/log.h"

namespace cnisim {

// Appends the line with its line feed.
void AppendJsonLogLine(std::string& out, LogLevel level, int64_t unix_nanos, SourceLine where,
                       std::string_view message);

// "/any/where/core/ipam/agent.cc" becomes "ipam/agent.cc": the last directory and the file.
std::string_view TrimmedSourceFile(std::string_view path);

}  // namespace cnisim

#endif  // CNISIM_CORE_TELEMETRY_JSON_LOG_H_
