// Tells several observers the same story, in the order in which they were given.
#ifndef CNISIM_RESULTS_FAN_OUT_H_
#define CNISIM_RESULTS_FAN_OUT_H_

#include <utility>
#include <vector>

#include "sim/observe/observer.h"

namespace cnisim {

class FanOut final : public Observer {
 public:
  explicit FanOut(std::vector<Observer*> observers) : observers_(std::move(observers)) {}

  void OnEntity(const EntityRecord& r) override { Tell(&Observer::OnEntity, r); }
  void OnNode(const NodeRecord& r) override { Tell(&Observer::OnNode, r); }
  void OnPod(const PodRecord& r) override { Tell(&Observer::OnPod, r); }
  void OnTenure(const AddressTenure& r) override { Tell(&Observer::OnTenure, r); }
  void OnPoolChange(const PoolChange& r) override { Tell(&Observer::OnPoolChange, r); }
  void OnApiAttempt(const ApiAttempt& r) override { Tell(&Observer::OnApiAttempt, r); }
  void OnFinding(const Finding& r) override { Tell(&Observer::OnFinding, r); }
  void OnTraffic(const TrafficRecord& r) override { Tell(&Observer::OnTraffic, r); }
  void OnNodeTraffic(const NodeTrafficRecord& r) override { Tell(&Observer::OnNodeTraffic, r); }
  void OnGauge(Metric metric, EntityId entity, TimePoint time, int64_t level) override {
    Tell(&Observer::OnGauge, metric, entity, time, level);
  }
  void OnCount(Metric metric, EntityId entity, TimePoint time, int64_t increment) override {
    Tell(&Observer::OnCount, metric, entity, time, increment);
  }
  void OnSample(Metric metric, EntityId entity, TimePoint time, Duration value,
                bool end_of_run) override {
    Tell(&Observer::OnSample, metric, entity, time, value, end_of_run);
  }
  void OnEnd(TimePoint time) override { Tell(&Observer::OnEnd, time); }

 private:
  template <typename Method, typename... Args>
  void Tell(Method method, const Args&... args) {
    for (Observer* observer : observers_) (observer->*method)(args...);
  }

  std::vector<Observer*> observers_;
};

}  // namespace cnisim

#endif  // CNISIM_RESULTS_FAN_OUT_H_
