// What the model predicts for measurements: the way of packets between two nodes of a simulated
// cluster, by the routing core, priced with a profile.
//
// One flow is a sum along its way (micro_benchmark.h); several share CPUs, queues and the wire, so
// they are simulated as a queue network (traffic_evaluation.h), of a stream for each flow.
// Errors: of code "bad-value" what a network cannot be. A prediction of one flow takes a
// microsecond, of several some milliseconds; the first one of a network simulates a cluster.
#ifndef CNISIM_TOOLS_CNISIM_CALIBRATE_CALIBRATION_MODEL_H_
#define CNISIM_TOOLS_CNISIM_CALIBRATE_CALIBRATION_MODEL_H_

#include <map>
#include <string>
#include <utility>

#include "core/ports/result.h"
#include "sim/dataplane/cost_profile.h"
#include "sim/dataplane/packet_path.h"
#include "tools/cnisim/calibrate/measurements.h"

namespace cnisim {

class CalibrationModel {
 public:
  // Requires a row with a benchmark. In the unit of what was measured.
  Result<double> Predict(const Measurement& row, const CostProfile& profile);

 private:
  struct Paths {
    PairPath udp;
    PairPath tcp;
  };

  Result<double> PredictOn(const std::string& network, const Measurement& row,
                           const CostProfile& profile);
  Result<const Paths*> PathsOf(const std::string& network, const std::string& calico_version);

  std::map<std::pair<std::string, std::string>, Paths> paths_;  // by network and version
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_CALIBRATE_CALIBRATION_MODEL_H_
