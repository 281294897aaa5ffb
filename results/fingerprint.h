// A hash over everything a run tells, in order: two runs that differ anywhere differ here.
//
// XXH3 (64 bits, xxHash 0.8, seed 0) over a canonical encoding: a tag byte per call, integers
// little-endian at fixed width, text with its length, optionals with a presence byte. So it is the
// same on every machine and compiler. It sees records before a `record:` filter drops any.
#ifndef CNISIM_RESULTS_FINGERPRINT_H_
#define CNISIM_RESULTS_FINGERPRINT_H_

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>

#include "sim/observe/observer.h"

struct XXH3_state_s;

namespace cnisim {

class Fingerprint final : public Observer {
 public:
  Fingerprint();
  ~Fingerprint() override;

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
  void OnSample(Metric metric, EntityId entity, TimePoint time, Duration value,
                bool end_of_run) override;
  void OnEnd(TimePoint time) override;

  // Of everything told so far.
  uint64_t digest();
  // As 16 hexadecimal digits.
  std::string text();

 private:
  void Flush();
  void Byte(uint8_t value);
  void Word(uint32_t value);
  void Long(uint64_t value);
  void Real(double value) { Long(std::bit_cast<uint64_t>(value)); }
  void Time(TimePoint t) { Long(static_cast<uint64_t>(t.time_since_epoch().count())); }
  void OptionalTime(const std::optional<TimePoint>& t);
  void Address(IpAddress ip);
  void Text(std::string_view text);

  struct FreeState {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, FreeState> state_;
  size_t used_ = 0;
  std::array<uint8_t, 4096> buffer_;
};

}  // namespace cnisim

#endif  // CNISIM_RESULTS_FINGERPRINT_H_
