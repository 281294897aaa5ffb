#include "tools/cnisim/calibrate/measurements.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include "sim/scenario/quantities.h"
#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

constexpr std::array<std::string_view, 18> kColumns{
    "network", "test",           "bytes",      "p50_us",    "rate_per_s", "gbit_per_s",
    "cpu_us",  "ratio",          "ratio_to",   "placement", "flows",      "cpus",
    "mtu",     "calico_version", "one_way_us", "use",       "tolerance",  "label"};
// Of tools/kernel_lab/measure.
constexpr std::array<std::string_view, 7> kIgnored{
    "rounds", "p99_us", "min_us", "sent_per_s", "ratio_to_direct", "ratio_low", "ratio_high"};
constexpr std::array<std::string_view, 5> kNetworks{"aws-vpc-cni", "calico:None", "calico:VXLAN",
                                                    "calico:IPIP", kHostNetwork};
constexpr std::string_view kNotPredicted = "tcp_stream_no_offload";

// Guards against typing errors.
constexpr int64_t kLargestCount = 65'536;
constexpr int64_t kLargestBytes = 1'000'000'000;
constexpr int64_t kLargestDatagram = 65'507;  // RFC 768, in an IPv4 packet
constexpr double kLargestValue = 1e12;

std::vector<std::string_view> Tests() {
  std::vector<std::string_view> tests = MicroBenchmarkNames();
  tests.push_back(kNotPredicted);
  return tests;
}

std::string_view ValueColumn(std::string_view test) {
  if (test == "udp_flood") return "rate_per_s";
  if (test == "tcp_stream" || test == kNotPredicted) return "gbit_per_s";
  return test == "udp_cpu" ? "cpu_us" : "p50_us";
}

struct Cell {
  std::string_view text;
  int column = 0;
};

std::vector<Cell> Split(std::string_view line) {
  std::vector<Cell> cells;
  size_t begin = 0;
  for (;;) {
    const size_t comma = std::min(line.find(',', begin), line.size());
    cells.push_back({line.substr(begin, comma - begin), static_cast<int>(begin) + 1});
    if (comma == line.size()) return cells;
    begin = comma + 1;
  }
}

class Reader {
 public:
  explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void Line(int line, std::string_view text) {
    line_ = line;
    std::vector<Cell> cells = Split(text);
    if (names_.empty()) {
      Header(cells);
      readable_ = !diagnostics_.has_errors();
    } else if (!readable_) {
      return;
    } else if (cells.size() != names_.size()) {
      diagnostics_.Error(
          {0, line_, cells.back().column}, "bad-row",
          fmt::format("{} fields where the header has {}", cells.size(), names_.size()));
    } else {
      cells_ = std::move(cells);
      Row();
    }
  }

  std::vector<Measurement> Take() {
    if (rows_.empty() && !diagnostics_.has_errors()) {
      diagnostics_.Error({0, line_, 0}, "empty-file", "there are no measurements");
    }
    return std::move(rows_);
  }

 private:
  void Header(const std::vector<Cell>& cells) {
    for (const Cell& cell : cells) {
      const bool known = std::ranges::find(kColumns, cell.text) != kColumns.end();
      if (!known && std::ranges::find(kIgnored, cell.text) == kIgnored.end()) {
        const auto near = Nearest(cell.text, kColumns);
        diagnostics_.Error({0, line_, cell.column}, "unknown-column",
                           fmt::format("unknown column '{}'", cell.text),
                           near ? fmt::format("did you mean '{}'?", *near) : "");
      } else if (std::ranges::find(names_, cell.text) != names_.end()) {
        diagnostics_.Error({0, line_, cell.column}, "repeated-column",
                           fmt::format("column '{}' is there twice", cell.text));
      }
      names_.emplace_back(cell.text);
    }
    for (const std::string_view needed : {"network", "test"}) {
      if (std::ranges::find(names_, needed) != names_.end()) continue;
      diagnostics_.Error({0, line_, 1}, "missing-column", fmt::format("no column '{}'", needed));
    }
  }

  void Row() {
    Measurement row;
    row.where = {0, line_, 1};
    row.network = Choice("network", kNetworks);
    row.test = Choice("test", tests_);
    row.benchmark = FindMicroBenchmark(row.test);
    const bool datagrams = row.test.starts_with("udp") || row.test == "ping";
    row.bytes = Integer("bytes", 0, datagrams ? kLargestDatagram : kLargestBytes).value_or(1);
    row.same_cpu = Get("placement").text == "same-cpu";
    if (!Get("placement").text.empty()) Choice("placement", kPlacements);
    row.flows = static_cast<int>(Integer("flows", 1, kLargestCount).value_or(1));
    row.cpus = static_cast<int>(Integer("cpus", 1, kLargestCount).value_or(0));
    row.mtu = static_cast<int>(Integer("mtu", 68, kLargestCount).value_or(0));
    row.calico_version = Get("calico_version").text;
    row.one_way_us = Number("one_way_us", 0, kLargestValue).value_or(0);
    row.fit = Get("use").text != "check";
    if (!Get("use").text.empty()) Choice("use", kUses);
    row.tolerance_percent = Number("tolerance", 0.001, 1000);
    row.label = Get("label").text;
    if (!Get("ratio_to").text.empty()) row.ratio_to = Choice("ratio_to", kNetworks);
    const std::string_view value = row.ratio_to.empty() ? ValueColumn(row.test) : "ratio";
    const std::optional<double> measured = Number(value, 1e-9, kLargestValue);
    if (measured) {
      row.measured = *measured;
    } else if (Get(value).text.empty()) {
      diagnostics_.Error({0, line_, Get(value).column}, "missing-value",
                         fmt::format("{} has no {}", row.test, value));
    }
    if (row.flows > 1) CheckFlows(row);
    rows_.push_back(std::move(row));
  }

  void CheckFlows(const Measurement& row) {
    const Cell flows = Get("flows");
    const bool can = row.benchmark == MicroBenchmark::kUdpRr ||
                     row.benchmark == MicroBenchmark::kTcpRr ||
                     row.benchmark == MicroBenchmark::kTcpStream;
    const std::string what = row.same_cpu ? "placement same-cpu" : row.test;
    if (!can || row.same_cpu) {
      diagnostics_.Error({0, line_, flows.column}, "bad-value",
                         fmt::format("flows: of {} one only", what));
    } else if (row.cpus == 0) {
      diagnostics_.Error({0, line_, flows.column}, "missing-value",
                         "flows: several need to know the nodes' cpus");
    }
  }

  // Empty if there is no such column, or nothing in it.
  Cell Get(std::string_view name) const {
    const auto found = std::ranges::find(names_, name);
    if (found == names_.end()) return {};
    return cells_[static_cast<size_t>(found - names_.begin())];
  }

  std::string Choice(std::string_view name, std::span<const std::string_view> choices) {
    const Cell cell = Get(name);
    if (std::ranges::find(choices, cell.text) == choices.end()) {
      diagnostics_.Error({0, line_, cell.column}, "bad-value",
                         fmt::format("{}: '{}' is none that is known", name, cell.text),
                         DidYouMean(cell.text, choices));
    }
    return std::string(cell.text);
  }

  std::optional<int64_t> Integer(std::string_view name, int64_t least, int64_t most) {
    const Cell cell = Get(name);
    if (cell.text.empty()) return std::nullopt;
    const std::optional<int64_t> value = ParseInteger(cell.text);
    if (value && *value >= least && *value <= most) return value;
    diagnostics_.Error(
        {0, line_, cell.column}, "bad-value",
        fmt::format("{}: '{}' is no whole number from {} to {}", name, cell.text, least, most));
    return std::nullopt;
  }

  std::optional<double> Number(std::string_view name, double least, double most) {
    const Cell cell = Get(name);
    if (cell.text.empty()) return std::nullopt;
    const std::optional<double> value = ParseNumber(cell.text);
    if (value && *value >= least && *value <= most) return value;
    diagnostics_.Error(
        {0, line_, cell.column}, "bad-value",
        fmt::format("{}: '{}' is no number from {} to {}", name, cell.text, least, most));
    return std::nullopt;
  }

  static constexpr std::array<std::string_view, 2> kPlacements{"same-cpu", "two-cpus"};
  static constexpr std::array<std::string_view, 2> kUses{"fit", "check"};

  const std::vector<std::string_view> tests_ = Tests();
  Diagnostics& diagnostics_;
  int line_ = 0;
  bool readable_ = true;  // the header is
  std::vector<std::string> names_;
  std::vector<Cell> cells_;
  std::vector<Measurement> rows_;
};

}  // namespace

std::vector<Measurement> ReadMeasurements(std::string_view text, Diagnostics& diagnostics) {
  Reader reader(diagnostics);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  int line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.ends_with('\r')) content.remove_suffix(1);
    ++line;
    if (!content.empty() && !content.starts_with('#')) reader.Line(line, content);
  }
  return reader.Take();
}

}  // namespace cnisim
