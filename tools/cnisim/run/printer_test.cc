#include "tools/cnisim/run/printer.h"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>

namespace cnisim {
namespace {

RunFigures Ordinary() {
  RunFigures run;
  run.scenario = "black-friday";
  run.file = "black-friday.yaml";
  run.seed = 42;
  run.simulated = std::chrono::hours(6);
  run.events = 24'100'000;
  run.wall_seconds = 3.1;
  run.peak_rss_bytes = 210 << 20;
  run.pods_started = 12'345;
  run.pods_running = 900;
  run.pods_without_ip = 3;
  run.ip_wait = {12'348, 0.0412, 0.125, 13.9, std::numeric_limits<double>::infinity()};
  run.pod_start = {12'348, 1.04, 1.95, 15.1, 38.2};
  run.wait_reasons[static_cast<size_t>(WaitReason::kNone)] = 12'000;
  run.wait_reasons[static_cast<size_t>(WaitReason::kCooling)] = 48;
  run.wait_reasons[static_cast<size_t>(WaitReason::kThrottled)] = 300;
  run.nodes_ready = 60;
  run.nodes_most = 61;
  run.enis = 150;
  run.enis_most = 160;
  run.held = 1'500;
  run.held_most = 1'600;
  run.pool = 1'350;
  run.assigned = 1'080;
  run.subnets = {{"a", *Ipv4Cidr::Parse("10.0.0.0/22"), 1'019, 219, 80, std::chrono::minutes(123)}};
  run.actions = {{"AssignPrivateIpAddresses", {900, 100, 0, 250'000'000'000}}};
  run.calling_nodes = 61;
  run.throttled_nodes = 12;
  ExpectationResult slo;
  slo.name = "pod start SLO";
  slo.assertion = "pod_ip_wait_seconds.p99 <= 5";
  slo.unit = "seconds";
  slo.observed = 13.9;
  ExpectationResult room;
  room.name = "no exhaustion";
  room.assertion = "subnet_free_ips.min > 64";
  room.unit = "addresses";
  room.observed = 80;
  room.passed = true;
  run.expectations = {slo, room};
  run.findings = {{"quirk", Severity::kWarning, 2, "an address was taken twice"}};
  return run;
}

TEST(Printer, OneRun) {
  EXPECT_EQ(SummaryText(Ordinary()),
            R"(black-friday · seed 42
6 h 00 m simulated in 3.1 s (6,968x real time) · 24.1 M events, 7.77 M/s · peak RSS 210 MiB

PODS                   pods      p50     p90     p99     max
wait for address     12,348  41.2 ms  125 ms  13.9 s   never
creation to running  12,348   1.04 s  1.95 s  15.1 s  38.2 s
started 12,345 · running 900 · pending 0 · never got an address 3
waited because of throttled 300 · cooling 48

NODES ready 60 (most 61) · ENIs 150 (most 160)
ADDRESSES held 1,500 (most 1,600) · in pools 1,350: 1,080 used by pods, 270 idle (20 %)

SUBNET  cidr          size  used  free  lowest free        at
a       10.0.0.0/22  1,019   800   219           80  02:03:00

EC2                       requests   ok  throttled  failed    mean
AssignPrivateIpAddresses     1,000  900        100       0  250 ms
throttled on 12 of 61 nodes that called EC2

EXPECTATIONS
FAIL  pod start SLO  pod_ip_wait_seconds.p99 <= 5  13.9 s
pass  no exhaustion  subnet_free_ips.min > 64      80 addresses

FINDINGS
warning quirk (2 times): an address was taken twice
)");
}

TEST(Printer, Repetitions) {
  RunFigures second = Ordinary();
  second.seed = 43;
  second.pods_started = 12'355;
  second.expectations[0].passed = true;
  second.expectations[0].observed = 4.5;
  const std::string text = RepetitionsText(std::vector{Ordinary(), second});
  EXPECT_NE(text.find("black-friday · 2 repetitions, seeds 42..43\n"), std::string::npos) << text;
  // 12,345 and 12,355: t(0.975, 1) is 12.7, the standard error 5.
  EXPECT_NE(text.find("12,350    63.5   12,345   12,355\n"), std::string::npos) << text;
  EXPECT_NE(text.find("FAIL  1/2  pod start SLO  pod_ip_wait_seconds.p99 <= 5  4.5 s to 13.9 s\n"
                      "pass  2/2  no exhaustion  subnet_free_ips.min > 64      80 to 80\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("warning quirk (4 times)"), std::string::npos) << text;
}

TEST(Printer, LargeFiguresAndLongNamesFitIntoAHundredColumns) {
  RunFigures run = Ordinary();
  run.scenario = std::string(200, 'x');
  run.events = 999'999'999'999;
  run.simulated = std::chrono::hours(24 * 365);
  run.wall_seconds = 86'399;
  run.peak_rss_bytes = int64_t{999} << 30;
  for (int64_t* n : {&run.pods_started, &run.pods_running, &run.pods_pending, &run.nodes_ready,
                     &run.nodes_most, &run.enis, &run.enis_most, &run.prefixes, &run.held,
                     &run.held_most, &run.pool, &run.assigned}) {
    *n = 999'999;
  }
  run.ip_wait.count = 99'999'999;
  run.wait_reasons.fill(9'999'999);
  run.subnets[0].name = "sübnet-" + std::string(100, 'y');
  run.subnets[0].cidr = *Ipv4Cidr::Parse("100.100.128.0/17");
  run.actions = {{"ModifyNetworkInterfaceAttribute", {9'999'999, 9'999'999, 999'999, 1}}};
  run.expectations[0].name = std::string(100, 'n');
  run.expectations[0].assertion = std::string(200, 'a');
  run.findings[0].first_text = std::string(300, 't');
  for (const std::string& text : {SummaryText(run), RepetitionsText(std::vector{run, run})}) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(Width(line), 100u) << line;
    }
  }
}

}  // namespace
}  // namespace cnisim
