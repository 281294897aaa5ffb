#include "sim/scenario/trace_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <unordered_set>

#include "sim/cloud/instance_types.h"
#include "sim/scenario/distribution_reader.h"
#include "sim/scenario/quantities.h"
#include "sim/scenario/yaml_reader.h"

namespace cnisim {
namespace {

// Kubernetes: a pod's name is a DNS subdomain (RFC 1123).
constexpr size_t kMaxPodName = 253;

using Columns = std::span<const std::string_view>;

constexpr std::string_view kCnisimColumns[] = {"name", "created", "deleted", "cpu", "memory"};
constexpr std::string_view kCnisimColumnsHost[] = {"name", "created", "deleted",
                                                   "cpu",  "memory",  "hostNetwork"};
constexpr std::string_view kOpenbPodColumns[] = {
    "name", "cpu_milli", "memory_mib",    "num_gpu",       "gpu_milli",     "gpu_spec",
    "qos",  "pod_phase", "creation_time", "deletion_time", "scheduled_time"};
constexpr std::string_view kOpenbNodeColumns[] = {"sn", "cpu_milli", "memory_mib", "gpu", "model"};

// One line, cut at commas. Neither format quotes fields.
class Row {
 public:
  Row(std::string_view line, Location where, Diagnostics& diagnostics)
      : where_(where), diagnostics_(diagnostics) {
    size_t start = 0;
    while (true) {
      const size_t comma = line.find(',', start);
      fields_.push_back(line.substr(start, comma - start));
      starts_.push_back(static_cast<int>(start) + 1);
      if (comma == std::string_view::npos) break;
      start = comma + 1;
    }
  }

  size_t size() const { return fields_.size(); }
  std::string_view operator[](size_t i) const { return fields_[i]; }
  const std::vector<std::string_view>& fields() const { return fields_; }

  void Error(size_t field, Code code, std::string message, std::string suggestion = "") {
    diagnostics_.Error({where_.source, where_.line, starts_[field]}, code, std::move(message),
                       std::move(suggestion));
  }

  std::optional<int64_t> Integer(size_t field, std::string_view name) {
    const std::optional<int64_t> value = ParseInteger(fields_[field]);
    if (value && *value >= 0) return value;
    Error(field, "trace-value",
          fmt::format("{} must be a whole number from 0, not '{}'", name, fields_[field]));
    return std::nullopt;
  }

  // Seconds since the start, as a decimal.
  std::optional<TimePoint> Seconds(size_t field, std::string_view name) {
    const std::string_view text = fields_[field];
    const bool decimal =
        !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
    const Quantity<Duration> value = ParseDuration(std::string(text) + "s");
    if (decimal && value && *value <= kLongest) return kTimeZero + *value;
    if (decimal && text.find('.') == text.rfind('.')) {
      Error(field, "trace-value",
            fmt::format("{} is {} s, but a run may last {} at most", name, text,
                        FormatDuration(kLongest)));
      return std::nullopt;
    }
    Error(field, "trace-value",
          fmt::format("{} must be seconds from the start, such as 12.5, not '{}'", name, text));
    return std::nullopt;
  }

  template <typename T>
  std::optional<T> Parsed(size_t field, std::string_view name,
                          Quantity<T> (*parse)(std::string_view)) {
    Quantity<T> value = parse(fields_[field]);
    if (value) return *value;
    Error(field, "trace-value",
          fmt::format("{}: '{}' {}", name, fields_[field], value.error().message),
          value.error().suggestion);
    return std::nullopt;
  }

 private:
  Location where_;
  Diagnostics& diagnostics_;
  std::vector<std::string_view> fields_;
  std::vector<int> starts_;
};

struct Headers {
  std::span<const Columns> wanted;
  // A header of another format, and how to ask for that.
  Columns other;
  std::string_view other_advice;
};

// Calls `read` for every line below the header. Blank lines and lines that start with # are
// skipped.
void ReadCsv(std::string_view text, const Headers& headers, int source, Diagnostics& diagnostics,
             const std::function<void(Row&)>& read) {
  const Columns* header = nullptr;
  int line_number = 0;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++line_number;
    if (const size_t lone = line.find('\r'); lone != std::string_view::npos) {
      diagnostics.Error({source, line_number, static_cast<int>(lone) + 1}, "not-text",
                        "a lone carriage return; lines end in LF or CR LF");
      return;
    }
    if (line.empty() || line.starts_with('#')) continue;
    Row row(line, {source, line_number, 1}, diagnostics);
    if (header == nullptr) {
      for (const Columns& columns : headers.wanted) {
        if (std::ranges::equal(columns, row.fields())) header = &columns;
      }
      if (header == nullptr) {
        row.Error(0, "trace-header",
                  fmt::format("the header must be {}", fmt::join(headers.wanted[0], ",")),
                  std::ranges::equal(headers.other, row.fields())
                      ? std::string(headers.other_advice)
                      : "");
        return;
      }
    } else if (row.size() != header->size()) {
      row.Error(0, "trace-columns",
                fmt::format("{} columns, but the header has {}", row.size(), header->size()));
    } else {
      read(row);
    }
  }
  if (header == nullptr) {
    diagnostics.Error({source, 0, 0}, "trace-header",
                      fmt::format("the file is empty; it needs the header {}",
                                  fmt::join(headers.wanted[0], ",")));
  }
}

std::optional<TracePod> ReadCnisimPod(Row& row) {
  TracePod pod;
  const std::optional<TimePoint> created = row.Seconds(1, "created");
  if (!row[2].empty()) pod.deleted = row.Seconds(2, "deleted");
  const std::optional<int64_t> cpu = row.Parsed(3, "cpu", &ParseCpuMilli);
  const std::optional<int64_t> memory = row.Parsed(4, "memory", &ParseMemoryMib);
  bool good = created && cpu && memory && (row[2].empty() || pod.deleted);
  if (row.size() > 5) {
    pod.host_network = row[5] == "true";
    if (row[5] != "true" && row[5] != "false") {
      row.Error(5, "trace-value",
                fmt::format("hostNetwork must be true or false, not '{}'", row[5]));
      good = false;
    }
  }
  if (!good) return std::nullopt;
  pod.created = *created;
  pod.cpu_milli = *cpu;
  pod.memory_mib = *memory;
  if (pod.deleted && *pod.deleted < pod.created) {
    row.Error(2, "trace-value", "deleted is before created");
    return std::nullopt;
  }
  return pod;
}

std::optional<TracePod> ReadOpenbPod(Row& row) {
  TracePod pod;
  const std::optional<int64_t> cpu = row.Integer(1, "cpu_milli");
  const std::optional<int64_t> memory = row.Integer(2, "memory_mib");
  const std::optional<TimePoint> created = row.Seconds(8, "creation_time");
  if (!row[9].empty()) pod.deleted = row.Seconds(9, "deletion_time");
  if (!created || !cpu || !memory || (!row[9].empty() && !pod.deleted)) return std::nullopt;
  pod.created = *created;
  pod.cpu_milli = *cpu;
  pod.memory_mib = *memory;
  if (pod.deleted && *pod.deleted < pod.created) {
    row.Error(9, "trace-value", "deletion_time is before creation_time");
    return std::nullopt;
  }
  return pod;
}

bool IsFamily(std::string_view name, std::string_view family) {
  return name.starts_with(family) && name.substr(family.size()).starts_with('.');
}

std::optional<std::string_view> SmallestFor(int64_t cpu_milli, int64_t memory_mib) {
  const InstanceType* best = nullptr;
  for (const InstanceType& type : AllInstanceTypes()) {
    if (!IsFamily(type.name, "m6i") && !IsFamily(type.name, "r6i")) continue;
    if (type.bare_metal || int64_t{type.vcpu} * 1000 < cpu_milli || type.memory_mib < memory_mib) {
      continue;
    }
    if (best == nullptr ||
        std::pair(type.vcpu, type.memory_mib) < std::pair(best->vcpu, best->memory_mib)) {
      best = &type;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(best->name);
}

}  // namespace

std::vector<TracePod> ReadPodTrace(std::string_view text, TraceFormat format, int source,
                                   Diagnostics& diagnostics) {
  constexpr std::string_view kMeantOpenb = "did you mean 'format: openb'?";
  constexpr std::string_view kMeantCnisim = "did you mean 'format: cnisim'?";
  const Columns cnisim[] = {kCnisimColumns, kCnisimColumnsHost};
  const Columns openb[] = {kOpenbPodColumns};
  const bool is_openb = format == TraceFormat::kOpenb;
  const Headers headers = is_openb ? Headers{openb, kCnisimColumns, kMeantCnisim}
                                   : Headers{cnisim, kOpenbPodColumns, kMeantOpenb};
  std::vector<TracePod> pods;
  std::unordered_set<std::string_view> seen;
  ReadCsv(text, headers, source, diagnostics, [&](Row& row) {
    if (row[0].empty()) {
      row.Error(0, "trace-value", "the pod has no name");
      return;
    }
    if (!IsName(row[0], kMaxPodName)) {
      row.Error(0, "bad-name",
                fmt::format("a pod's name must have only letters, digits, '-', '_' and '.', a "
                            "letter or digit at both ends, and at most {} characters",
                            kMaxPodName));
      return;
    }
    if (!seen.insert(row[0]).second) {
      row.Error(0, "duplicate-name", fmt::format("a second pod is named '{}'", row[0]));
    }
    std::optional<TracePod> pod = is_openb ? ReadOpenbPod(row) : ReadCnisimPod(row);
    if (!pod) return;
    pod->name = row[0];
    pods.push_back(*std::move(pod));
  });
  std::ranges::stable_sort(pods, {}, &TracePod::created);
  return pods;
}

std::vector<NodeSpec> ReadNodeList(std::string_view text, int source, Diagnostics& diagnostics) {
  const Columns columns[] = {kOpenbNodeColumns};
  const Headers headers{columns, kOpenbPodColumns, "that is a list of pods"};
  std::vector<NodeSpec> nodes;
  ReadCsv(text, headers, source, diagnostics, [&](Row& row) {
    const std::optional<int64_t> cpu = row.Integer(1, "cpu_milli");
    const std::optional<int64_t> memory = row.Integer(2, "memory_mib");
    if (!cpu || !memory) return;
    const std::optional<std::string_view> type = SmallestFor(*cpu, *memory);
    if (!type) {
      row.Error(1, "trace-value",
                fmt::format("no m6i or r6i instance type has {}m CPU and {}Mi", *cpu, *memory));
      return;
    }
    nodes.push_back({std::string(*type), *cpu, *memory});
  });
  return nodes;
}

}  // namespace cnisim
