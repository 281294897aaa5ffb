#include "tools/kernel_lab/measure/measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "tools/kernel_lab/measure/offloads.h"
#include "tools/kernel_lab/measure/traffic.h"

namespace cnisim {
namespace {

constexpr int kStreamWrite = 65536;

struct Trial {
  Traffic traffic;
  int bytes;
  bool same_cpu;
  bool offloads = true;
};

// Those without offloads last.
std::vector<Trial> Trials(const MeasureOptions& options) {
  std::vector<Trial> trials;
  const auto add = [&](Traffic traffic, int bytes, bool offloads = true) {
    trials.push_back({traffic, bytes, true, offloads});
    if (options.cpus.size() > 1) trials.push_back({traffic, bytes, false, offloads});
  };
  for (const Traffic traffic : {Traffic::kUdpPingPong, Traffic::kTcpPingPong}) {
    for (const int bytes : {1, 200, 1200, 1400}) add(traffic, bytes);
  }
  add(Traffic::kTcpConnect, 1);
  for (const int bytes : {200, 1400}) add(Traffic::kUdpFlood, bytes);
  add(Traffic::kTcpStream, kStreamWrite);
  if (options.offloads_off) add(Traffic::kTcpStream, kStreamWrite, false);
  return trials;
}

std::string TestName(const Trial& trial) {
  switch (trial.traffic) {
    case Traffic::kUdpPingPong:
      return "udp_rr";
    case Traffic::kTcpPingPong:
      return "tcp_rr";
    case Traffic::kTcpConnect:
      return "tcp_crr";
    case Traffic::kUdpFlood:
      return "udp_flood";
    case Traffic::kTcpStream:
      return trial.offloads ? "tcp_stream" : "tcp_stream_no_offload";
  }
  return "";
}

Figures FiguresOf(Traffic traffic, Tally tally) {
  Figures figures;
  const double received_per_s = static_cast<double>(tally.received) / tally.seconds;
  if (traffic == Traffic::kTcpStream) {
    figures.gbit_per_s = 8e-9 * received_per_s;
  } else if (traffic == Traffic::kUdpFlood) {
    figures.rate_per_s = received_per_s;
    figures.sent_per_s = static_cast<double>(tally.sent) / tally.seconds;
  } else {
    std::vector<double>& sorted = tally.round_trips_us;
    std::ranges::sort(sorted);
    figures.p50_us = Percentile(sorted, 0.5);
    figures.p99_us = Percentile(sorted, 0.99);
    figures.min_us = sorted.front();
    figures.rate_per_s = static_cast<double>(sorted.size()) / tally.seconds;
  }
  return figures;
}

using Figure = std::optional<double> Figures::*;

// Empty if the test has no such figure.
std::vector<double> OverRounds(const std::vector<Figures>& rounds, Figure figure) {
  std::vector<double> values;
  for (const Figures& one : rounds) {
    if (one.*figure) values.push_back(*(one.*figure));
  }
  return values;
}

Figures MedianFigures(const std::vector<Figures>& rounds) {
  Figures medians;
  for (const Figure figure : {&Figures::p50_us, &Figures::p99_us, &Figures::min_us,
                              &Figures::rate_per_s, &Figures::sent_per_s, &Figures::gbit_per_s}) {
    const std::vector<double> values = OverRounds(rounds, figure);
    if (!values.empty()) medians.*figure = Median(values);
  }
  return medians;
}

Figure ComparedFigure(const Figures& figures) {
  if (figures.p50_us) return &Figures::p50_us;
  return figures.gbit_per_s ? &Figures::gbit_per_s : &Figures::rate_per_s;
}

Result<Figures> Measure(const LabNetwork& network, const Trial& trial,
                        const MeasureOptions& options, std::chrono::duration<double> time,
                        const std::atomic<bool>& stop) {
  const End client{network.client, options.cpus.front()};
  const End server{network.server, trial.same_cpu ? options.cpus.front() : options.cpus.back()};
  auto tally = Exchange(trial.traffic, trial.bytes, client, server, time, stop);
  if (stop) return Fail(std::string(kInterrupted), "stopped");
  if (!tally) {
    return Fail(tally.error().code,
                fmt::format("{}, {}: {}", network.name, TestName(trial), tally.error().message));
  }
  return FiguresOf(trial.traffic, *std::move(tally));
}

// `direct` are the figures of the same rounds that the ratio is to.
Row MakeRow(const LabNetwork& network, const Trial& trial, const std::vector<Figures>& rounds,
            const std::vector<Figures>& direct) {
  const Figure compared = ComparedFigure(rounds.front());
  Row row;
  row.network = network.name;
  row.test = TestName(trial);
  row.bytes = trial.bytes;
  row.placement = trial.same_cpu ? "same-cpu" : "two-cpus";
  row.rounds = static_cast<int>(rounds.size());
  row.figures = MedianFigures(rounds);
  row.ratio = RatioOverRounds(OverRounds(rounds, compared), OverRounds(direct, compared));
  return row;
}

}  // namespace

Result<std::vector<Row>> MeasureNetworks(const std::vector<LabNetwork>& networks,
                                         const MeasureOptions& options,
                                         const std::atomic<bool>& stop) {
  const std::vector<Trial> trials = Trials(options);
  const std::chrono::duration<double> time(options.seconds / options.rounds /
                                           static_cast<double>(trials.size() * networks.size()));
  // By trial, network and round.
  std::vector figures(trials.size(), std::vector<std::vector<Figures>>(networks.size()));
  for (int round = 0; round < options.rounds; ++round) {
    std::optional<OffloadsOff> off;
    for (size_t t = 0; t < trials.size(); ++t) {
      if (!trials[t].offloads && !off) {
        off.emplace();
        for (const LabNetwork& network : networks) {
          if (Status status = off->SwitchOff(*network.lab); !status) {
            return tl::unexpected(status.error());
          }
        }
      }
      for (const size_t n : RotatedOrder(static_cast<size_t>(round), networks.size())) {
        const auto measured = Measure(networks[n], trials[t], options, time, stop);
        if (!measured) return tl::unexpected(measured.error());
        figures[t][n].push_back(*measured);
      }
    }
  }
  std::vector<Row> rows;
  for (size_t t = 0; t < trials.size(); ++t) {
    for (size_t n = 0; n < networks.size(); ++n) {
      rows.push_back(MakeRow(networks[n], trials[t], figures[t][n], figures[t].front()));
    }
  }
  return rows;
}

std::string RenderCsv(const std::vector<Row>& rows) {
  std::string text =
      "network,test,bytes,placement,rounds,p50_us,p99_us,min_us,rate_per_s,sent_per_s,"
      "gbit_per_s,ratio_to_direct,ratio_low,ratio_high\n";
  const auto cell = [](const std::optional<double>& value, int digits) {
    return value ? fmt::format("{:.{}f}", *value, digits) : "";
  };
  for (const Row& row : rows) {
    const Figures& figures = row.figures;
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{:.3f},{:.3f},{:.3f}\n", row.network, row.test, row.bytes,
        row.placement, row.rounds, cell(figures.p50_us, 2), cell(figures.p99_us, 2),
        cell(figures.min_us, 2), cell(figures.rate_per_s, 0), cell(figures.sent_per_s, 0),
        cell(figures.gbit_per_s, 3), row.ratio.median, row.ratio.low, row.ratio.high);
  }
  return text;
}

}  // namespace cnisim
