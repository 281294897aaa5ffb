#include "results/fingerprint.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace cnisim {
namespace {

// One tag per method of Observer; never renumbered.
enum Tag : uint8_t {
  kEntity = 1,
  kNode,
  kPod,
  kTenure,
  kPoolChange,
  kApiAttempt,
  kFinding,
  kGauge,
  kCount,
  kSample,
  kEnd,
  kTraffic,
  kNodeTraffic,
};

}  // namespace

void Fingerprint::FreeState::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

Fingerprint::Fingerprint() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }
Fingerprint::~Fingerprint() = default;

void Fingerprint::Flush() {
  XXH3_64bits_update(state_.get(), buffer_.data(), used_);
  used_ = 0;
}

void Fingerprint::Byte(uint8_t value) {
  if (used_ == buffer_.size()) Flush();
  buffer_[used_++] = value;
}

void Fingerprint::Word(uint32_t value) {
  if (buffer_.size() - used_ < 4) Flush();
  for (int i = 0; i < 4; ++i) buffer_[used_++] = static_cast<uint8_t>(value >> (8 * i));
}

void Fingerprint::Long(uint64_t value) {
  if (buffer_.size() - used_ < 8) Flush();
  for (int i = 0; i < 8; ++i) buffer_[used_++] = static_cast<uint8_t>(value >> (8 * i));
}

void Fingerprint::OptionalTime(const std::optional<TimePoint>& t) {
  Byte(t.has_value() ? 1 : 0);
  if (t) Time(*t);
}

void Fingerprint::Address(IpAddress ip) {
  Long(ip.bits().high());
  Long(ip.bits().low());
}

void Fingerprint::Text(std::string_view text) {
  Word(static_cast<uint32_t>(text.size()));
  for (const char c : text) Byte(static_cast<uint8_t>(c));
}

void Fingerprint::OnEntity(const EntityRecord& r) {
  Byte(kEntity);
  Word(r.id);
  Byte(static_cast<uint8_t>(r.kind));
  Text(r.name);
  Word(r.parent);
}

void Fingerprint::OnNode(const NodeRecord& r) {
  Byte(kNode);
  Word(r.node);
  Text(r.instance_type);
  Text(r.zone);
  Word(r.subnet);
  Word(static_cast<uint32_t>(r.max_pods));
  Time(r.joined);
  OptionalTime(r.ready);
  OptionalTime(r.removed);
}

void Fingerprint::OnPod(const PodRecord& r) {
  Byte(kPod);
  Word(r.pod);
  Text(r.ns);
  Text(r.name);
  Word(r.workload);
  Word(r.node);
  Byte(r.host_network ? 1 : 0);
  Text(r.eni);
  Byte(r.ip.has_value() ? 1 : 0);
  if (r.ip) Address(*r.ip);
  Time(r.created);
  OptionalTime(r.scheduled);
  OptionalTime(r.first_add);
  OptionalTime(r.ip_assigned);
  OptionalTime(r.running);
  OptionalTime(r.deleted);
  Word(static_cast<uint32_t>(r.add_attempts));
  Byte(static_cast<uint8_t>(r.wait_reason));
}

void Fingerprint::OnTenure(const AddressTenure& r) {
  Byte(kTenure);
  Address(r.ip);
  Word(r.pod);
  Word(r.node);
  Time(r.from);
  OptionalTime(r.to);
}

void Fingerprint::OnPoolChange(const PoolChange& r) {
  Byte(kPoolChange);
  Word(r.node);
  Time(r.time);
  Word(static_cast<uint32_t>(r.enis));
  Long(static_cast<uint64_t>(r.total_ips));
  Long(static_cast<uint64_t>(r.assigned_ips));
  Long(static_cast<uint64_t>(r.cooling_ips));
  Word(static_cast<uint32_t>(r.prefixes));
}

void Fingerprint::OnApiAttempt(const ApiAttempt& r) {
  Byte(kApiAttempt);
  Word(r.action);
  Word(r.node);
  Time(r.sent);
  Long(static_cast<uint64_t>(r.latency.count()));
  Byte(static_cast<uint8_t>(r.outcome));
}

void Fingerprint::OnFinding(const Finding& r) {
  Byte(kFinding);
  Text(r.code);
  Byte(static_cast<uint8_t>(r.severity));
  Time(r.time);
  Text(r.text);
}

void Fingerprint::OnTraffic(const TrafficRecord& r) {
  Byte(kTraffic);
  Word(r.traffic);
  Time(r.time);
  Text(r.network);
  Byte(r.by_events ? 1 : 0);
  Byte(r.saturated ? 1 : 0);
  for (const int64_t pairs : {r.pairs, r.lost_pairs, r.too_large_pairs}) {
    Long(static_cast<uint64_t>(pairs));
  }
  Text(r.lost_because);
  for (const Duration latency : {r.mean, r.p50, r.p90, r.p99, r.p999}) {
    Long(static_cast<uint64_t>(latency.count()));
  }
  Text(r.bottleneck);
  for (const double value : {r.requests_per_second, r.gigabits_per_second, r.saturation_per_second,
                             r.bottleneck_utilisation, r.client_cpu_ns, r.server_cpu_ns,
                             r.payload_bytes, r.wire_bytes, r.wire_packets}) {
    Real(value);
  }
}

void Fingerprint::OnNodeTraffic(const NodeTrafficRecord& r) {
  Byte(kNodeTraffic);
  Word(r.node);
  Time(r.time);
  for (const double value : {r.cpu_seconds_per_second, r.wire_cpu_seconds_per_second, r.busiest_cpu,
                             r.packets_per_second, r.conntrack_entries}) {
    Real(value);
  }
  for (const int64_t size : {r.ip_rules, r.routes, r.iptables_rules}) {
    Long(static_cast<uint64_t>(size));
  }
}

void Fingerprint::OnGauge(Metric metric, EntityId entity, TimePoint time, int64_t level) {
  Byte(kGauge);
  Byte(static_cast<uint8_t>(metric));
  Word(entity);
  Time(time);
  Long(static_cast<uint64_t>(level));
}

void Fingerprint::OnCount(Metric metric, EntityId entity, TimePoint time, int64_t increment) {
  Byte(kCount);
  Byte(static_cast<uint8_t>(metric));
  Word(entity);
  Time(time);
  Long(static_cast<uint64_t>(increment));
}

void Fingerprint::OnSample(Metric metric, EntityId entity, TimePoint time, Duration value,
                           bool end_of_run) {
  Byte(kSample);
  Byte(static_cast<uint8_t>(metric));
  Word(entity);
  Time(time);
  Long(static_cast<uint64_t>(value.count()));
  Byte(end_of_run ? 1 : 0);
}

void Fingerprint::OnEnd(TimePoint time) {
  Byte(kEnd);
  Time(time);
}

uint64_t Fingerprint::digest() {
  Flush();
  return XXH3_64bits_digest(state_.get());
}

std::string Fingerprint::text() { return fmt::format("{:016x}", digest()); }

}  // namespace cnisim
