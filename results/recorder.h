// Writes one run into a results file.
//
// Rows go in as they are told, in one transaction, without indexes (ResultsFile makes those). Kept
// in memory: names of entities, calls per minute and action, and per series one open chunk; so
// memory does not grow with the number of pods. The first error sticks: status() tells it and later
// records are dropped.
#ifndef CNISIM_RESULTS_RECORDER_H_
#define CNISIM_RESULTS_RECORDER_H_

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "results/database.h"
#include "results/expectation.h"
#include "results/summary.h"
#include "sim/observe/observer.h"
#include "sim/scenario/scenario.h"

namespace cnisim {

struct RunInfo {
  std::string scenario;
  uint64_t seed = 0;
  int repetition = 0;
  int cell = 0;  // which of the command's configurations, from 0
  std::string version;
  std::string resolved_yaml;
  TimePoint measure_from;
  std::vector<std::pair<std::string, std::string>> params;  // what this run varies
};

enum class RunStatus { kOk, kInterrupted, kViolated };
std::string_view NameOf(RunStatus status);

struct RunOutcome {
  RunStatus status = RunStatus::kOk;
  TimePoint ended;
  uint64_t events = 0;
  double wall_seconds = 0;
  int64_t peak_rss_bytes = 0;
  std::string fingerprint;
};

class Recorder final : public Observer {
 public:
  // `db` is fresh from Database::Create; the run gets run_id 1. `db` must outlive the recorder.
  Recorder(Database& db, RunInfo info, RecordSpec record);

  void OnEntity(const EntityRecord& r) override;
  void OnNode(const NodeRecord& r) override;
  void OnPod(const PodRecord& r) override;
  void OnTenure(const AddressTenure& r) override;
  void OnPoolChange(const PoolChange& r) override;
  void OnApiAttempt(const ApiAttempt& r) override;
  void OnFinding(const Finding& r) override;
  void OnTraffic(const TrafficRecord& r) override;
  void OnNodeTraffic(const NodeTrafficRecord& r) override;
  void OnGauge(Metric metric, EntityId entity, TimePoint time, int64_t level) override;
  void OnCount(Metric metric, EntityId entity, TimePoint time, int64_t increment) override;
  void OnEnd(TimePoint time) override;

  bool failed() const;
  // After OnEnd: the summary's rows and the run itself; commits.
  Status Finish(const RunOutcome& outcome, const Summary& summary,
                std::span<const ExpectationResult> expectations);

 private:
  static constexpr int kPointsAChunk = 512;

  struct Point {
    int64_t time = 0;
    int64_t value = 0;
  };
  // The points of one metric of one entity that are not written yet.
  struct Series {
    bool told = false;
    bool has_first = false;  // its first point is in the chunk or written
    Point last;              // told, but not in the chunk yet
    int64_t total = 0;       // of a counter
    int n = 0;
    int64_t t0 = 0;
    int64_t t1 = 0;
    std::string data;  // "[[t,v],[t,v]" without the closing bracket
  };
  struct ApiCounts {
    int64_t ok = 0;
    int64_t throttled = 0;
    int64_t failed = 0;
    int64_t latency_ns = 0;

    void Add(const ApiAttempt& r);
  };

  std::string_view NameOfEntity(EntityId id) const;
  Series& SeriesOf(Metric metric, EntityId entity);
  void AddPoint(Metric metric, EntityId entity, Series& series, Point point);
  void KeepPoint(Metric metric, EntityId entity, Series& series, Point point);
  void WriteChunk(Metric metric, EntityId entity, Series& series);
  void WriteMetrics();
  void WriteRun(const RunOutcome& outcome);
  void WriteApiCalls();
  void WriteScalars(const Summary& summary);
  void WriteHistograms(const Summary& summary);
  void WriteWaitReasons(const Summary& summary);
  void WriteExpectations(std::span<const ExpectationResult> expectations);
  std::array<BulkInsert*, 17> Inserts();

  Database& db_;
  RunInfo info_;
  RecordSpec record_;
  Status status_;
  BulkInsert run_, param_, metric_, entity_, scalar_, histogram_, series_, node_, pod_, pool_,
      address_, api_call_, api_node_, wait_, expectation_, finding_, latency_, node_network_;
  std::vector<std::string> names_;                        // of entities, by id
  std::array<std::vector<Series>, kMetricCount> points_;  // by metric and entity
  std::map<std::pair<int64_t, EntityId>, ApiCounts> by_minute_;
  std::vector<std::map<EntityId, ApiCounts>> by_node_;  // by node and action
};

}  // namespace cnisim

#endif  // CNISIM_RESULTS_RECORDER_H_
