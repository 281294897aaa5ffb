// What a scenario says about traffic and how it is to be judged. Times and sizes are as the user
// gave them; workloads and services are indices into the scenario's lists.
#ifndef CNISIM_SIM_DATAPLANE_SPEC_H_
#define CNISIM_SIM_DATAPLANE_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/ports/clock.h"
#include "core/routing/kube_proxy.h"
#include "sim/dataplane/cost_profile.h"
#include "sim/engine/distribution.h"

namespace cnisim {

// Requests come whether or not earlier ones are answered, as users' do: a Poisson stream, shared
// evenly by the pairs of pods.
struct OpenLoad {
  double requests_per_second = 0;
};

// So many requests are under way at any time, shared evenly by the pairs; each is followed by the
// next after a time of thinking.
struct ClosedLoad {
  int concurrency = 1;
  Distribution think_time;
};

// Connections that carry as much as they can, from each client pod to one server pod.
struct BulkLoad {
  int streams = 1;  // of each client pod
};

enum class TrafficPlacement : uint8_t { kAny, kSameNode, kOtherNode, kSameZone, kOtherZone };
enum class Transport : uint8_t { kTcp, kUdp };

struct TrafficSpec {
  std::string name;
  int from = 0;                // workload
  int to = 0;                  // workload; of a service, the one behind it
  std::optional<int> service;  // clients use its address
  Transport transport = Transport::kTcp;
  std::variant<OpenLoad, ClosedLoad, BulkLoad> load;
  int64_t request_bytes = 1;  // as netperf's; not of bulk streams
  int64_t response_bytes = 1;
  bool connection_per_request = false;
  Distribution server_time;  // CPU time of the server for a request
  TrafficPlacement placement = TrafficPlacement::kAny;
  // Of all pairs that fit, at most so many are taken, evenly.
  int max_pairs = 1000;
};

enum class EvaluationBy : uint8_t { kAuto, kEvents, kAnalysis };

struct KubeProxySpec {
  KubeProxyMode mode = KubeProxyMode::kIptables;
  // Ports of services in the cluster, those of the scenario included, and endpoints of one.
  int services = 0;
  int endpoints = 3;
};

struct DataPlaneSpec {
  EvaluationBy evaluation = EvaluationBy::kAuto;
  std::vector<TimePoint> at;  // moments at which the traffic is judged; empty: the end
  Duration warm_up = std::chrono::milliseconds(200);  // of an evaluation by events
  Duration window = std::chrono::seconds(2);
  CostProfile profile;  // with the scenario's own values
};

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_SPEC_H_
