#include "tools/cnisim/calibrate/calibration_model.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <utility>

#include "sim/cluster/traffic_survey.h"
#include "sim/cluster/world.h"
#include "sim/dataplane/traffic_evaluation.h"
#include "sim/scenario/loader.h"

namespace cnisim {
namespace {

// Without kube-proxy and other system pods: benchmarks run on clusters that have little else, and
// their connections are made before they are measured.
constexpr std::string_view kCluster = R"(
apiVersion: cnisim.dev/v1alpha1
kind: Scenario
metadata: {{name: calibration}}
spec:
  duration: 1m
  systemPods: none
  vpc:
    cidrBlocks: [10.0.0.0/16]
    subnets:
      - {{name: a, availabilityZone: us-east-1a, cidr: 10.0.0.0/24}}
  nodeGroups:
    - {{name: nodes, instanceType: m5.xlarge, desiredCapacity: 2}}
  network: {}
  workloads:
    - {{name: client, kind: DaemonSet, hostNetwork: {}}}
    - {{name: server, kind: DaemonSet, hostNetwork: {}}}
  traffic:
    - {{from: client, to: server, name: udp, protocol: UDP, concurrency: 1, placement: otherNode,
       maxPairs: 1}}
    - {{from: client, to: server, name: tcp, protocol: TCP, concurrency: 1, placement: otherNode,
       maxPairs: 1}}
)";

// Long enough for a percent, short enough to fit with.
constexpr Duration kWarmUp = std::chrono::milliseconds(2);
constexpr Duration kWindow = std::chrono::milliseconds(20);
constexpr uint64_t kSeed = 1;

bool IsUdp(MicroBenchmark benchmark) {
  return benchmark != MicroBenchmark::kTcpRr && benchmark != MicroBenchmark::kTcpCrr &&
         benchmark != MicroBenchmark::kTcpStream;
}

// Of several flows, each one's share.
Result<double> PredictFlows(const Measurement& row, const PairPath& path,
                            const CostProfile& profile) {
  const std::array<TrafficHost, 2> hosts{{{"client", row.cpus}, {"server", row.cpus}}};
  TrafficSpec spec;
  spec.name = row.test;
  spec.transport = IsUdp(*row.benchmark) ? Transport::kUdp : Transport::kTcp;
  spec.request_bytes = row.bytes;
  spec.response_bytes = row.bytes;
  const bool stream = row.benchmark == MicroBenchmark::kTcpStream;
  if (stream) {
    spec.load = BulkLoad{row.flows};
  } else {
    spec.load = ClosedLoad{row.flows, {}};
  }
  TrafficPair pair;
  pair.server = 1;
  pair.key = 1;
  pair.fabric_nanoseconds = row.one_way_us * 1000;
  pair.path = path;
  DataPlaneSpec how;
  how.evaluation = EvaluationBy::kEvents;
  how.warm_up = kWarmUp;
  how.window = kWindow;
  how.profile = profile;
  const Result<TrafficEvaluation> evaluation =
      EvaluateTraffic(hosts, std::array{spec}, std::array{pair}, how, kSeed);
  if (!evaluation) return tl::unexpected(evaluation.error());
  const TrafficResult& result = evaluation->traffic.front();
  return stream ? result.gigabits_per_second / row.flows : result.requests.mean_latency_ns / 1000;
}

}  // namespace

Result<double> CalibrationModel::Predict(const Measurement& row, const CostProfile& profile) {
  const Result<double> value = PredictOn(row.network, row, profile);
  if (!value || row.ratio_to.empty()) return value;
  const Result<double> base = PredictOn(row.ratio_to, row, profile);
  if (!base) return base;
  return *value / *base;
}

Result<double> CalibrationModel::PredictOn(const std::string& network, const Measurement& row,
                                           const CostProfile& profile) {
  const Result<const Paths*> paths = PathsOf(network, row.calico_version);
  if (!paths) return tl::unexpected(paths.error());
  PairPath path = IsUdp(*row.benchmark) ? (*paths)->udp : (*paths)->tcp;
  if (row.mtu != 0) path.mtu = row.mtu;
  if (row.flows > 1) return PredictFlows(row, path, profile);
  MicroBenchmarkSetup setup;
  setup.bytes = row.bytes;
  setup.same_cpu = row.same_cpu;
  setup.fabric_nanoseconds = row.one_way_us * 1000;
  return cnisim::Predict(*row.benchmark, path, setup, profile);
}

Result<const CalibrationModel::Paths*> CalibrationModel::PathsOf(
    const std::string& network, const std::string& calico_version) {
  const auto [it, added] = paths_.try_emplace({network, calico_version});
  if (!added) return &it->second;
  const bool host = network == kHostNetwork;
  const std::string version = calico_version.empty()
                                  ? "{}"
                                  : fmt::format("{{calico: {{version: \"{}\"}}}}", calico_version);
  const auto loaded =
      LoadScenarioText(fmt::format(kCluster, version, host, host), "calibration",
                       std::filesystem::current_path(), {{}, host ? "aws-vpc-cni" : network});
  if (!loaded) {
    paths_.erase(it);
    return Fail("bad-value", loaded.error().front().message);
  }
  const Scenario& scenario = loaded->scenario;
  LookAtWorld(scenario, scenario.seed, kTimeZero + scenario.duration, [&](WorldView& view) {
    for (const TrafficPair& pair : SurveyTraffic(view).pairs) {
      (pair.traffic == 0 ? it->second.udp : it->second.tcp) = pair.path;
    }
  });
  for (const PairPath* path : {&it->second.udp, &it->second.tcp}) {
    if (path->mtu != 0 && path->works()) continue;
    paths_.erase(it);
    return Fail("bad-value", fmt::format("{} does not connect pods", network));
  }
  return &it->second;
}

}  // namespace cnisim
