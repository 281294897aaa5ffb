// For tests: a random but well-formed stream of records that can be played to any observer.
#ifndef CNISIM_RESULTS_RECORD_STREAM_TESTING_H_
#define CNISIM_RESULTS_RECORD_STREAM_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "core/net/hash.h"
#include "sim/observe/observer.h"

namespace cnisim {

struct GaugeCall {
  Metric metric;
  EntityId entity;
  TimePoint time;
  int64_t level;
};
struct CountCall {
  Metric metric;
  EntityId entity;
  TimePoint time;
  int64_t increment;
};
struct SampleCall {
  Metric metric;
  EntityId entity;
  TimePoint time;
  Duration value;
  bool end_of_run;
};
struct EndCall {
  TimePoint time;
};
using AnyRecord = std::variant<EntityRecord, NodeRecord, PodRecord, AddressTenure, PoolChange,
                               ApiAttempt, Finding, TrafficRecord, NodeTrafficRecord, GaugeCall,
                               CountCall, SampleCall, EndCall>;

inline void Play(const AnyRecord& record, Observer& o) {
  struct Visitor {
    Observer& o;
    void operator()(const EntityRecord& r) { o.OnEntity(r); }
    void operator()(const NodeRecord& r) { o.OnNode(r); }
    void operator()(const PodRecord& r) { o.OnPod(r); }
    void operator()(const AddressTenure& r) { o.OnTenure(r); }
    void operator()(const PoolChange& r) { o.OnPoolChange(r); }
    void operator()(const ApiAttempt& r) { o.OnApiAttempt(r); }
    void operator()(const Finding& r) { o.OnFinding(r); }
    void operator()(const TrafficRecord& r) { o.OnTraffic(r); }
    void operator()(const NodeTrafficRecord& r) { o.OnNodeTraffic(r); }
    void operator()(const GaugeCall& r) { o.OnGauge(r.metric, r.entity, r.time, r.level); }
    void operator()(const CountCall& r) { o.OnCount(r.metric, r.entity, r.time, r.increment); }
    void operator()(const SampleCall& r) {
      o.OnSample(r.metric, r.entity, r.time, r.value, r.end_of_run);
    }
    void operator()(const EndCall& r) { o.OnEnd(r.time); }
  };
  std::visit(Visitor{o}, record);
}

inline TimePoint At(int64_t nanoseconds) { return TimePoint(Duration(nanoseconds)); }

// Entities: 0 cluster, 1 and 2 subnets, 3 a node group, 4 to 6 nodes, 7 and 8 workloads, 9 and 10
// actions, 11 traffic.
class RecordStream {
 public:
  static constexpr EntityId kSubnets = 1, kGroup = 3, kNodes = 4, kWorkloads = 7, kActions = 9,
                            kTraffic = 11;

  // `n` records after the entities, `step` nanoseconds between them on average.
  RecordStream(uint64_t seed, int n, int64_t step) : state_(HashMix(seed)) {
    AddEntities();
    int64_t now = 0;
    for (int i = 0; i < n; ++i) {
      now += static_cast<int64_t>(Draw(2 * static_cast<uint64_t>(step) + 1));
      AddOne(At(now));
    }
    end_ = At(now + step);
    for (EntityId node = kNodes; node < kWorkloads; ++node) {
      NodeRecord r;
      r.node = node;
      r.instance_type = "m5.large";
      r.zone = "us-east-1a";
      r.subnet = kSubnets + node % 2;
      r.max_pods = 29;
      r.joined = At(Draw(100));
      if (Draw(2) == 0) r.ready = At(100 + Draw(100));
      if (Draw(2) == 0) r.removed = At(now);
      records_.push_back(r);
    }
    records_.push_back(EndCall{end_});
  }

  void PlayAll(Observer& o) const {
    for (const AnyRecord& record : records_) Play(record, o);
  }
  const std::vector<AnyRecord>& records() const { return records_; }
  template <typename T>
  std::vector<T> All() const {
    std::vector<T> all;
    for (const AnyRecord& record : records_) {
      if (const T* r = std::get_if<T>(&record)) all.push_back(*r);
    }
    return all;
  }
  TimePoint end() const { return end_; }

  uint64_t Draw(uint64_t n) { return HashMix(state_++) % n; }

 private:
  std::string_view Keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  void AddEntities() {
    const auto add = [&](EntityId id, EntityKind kind, const char* name, EntityId parent) {
      EntityRecord r;
      r.id = id;
      r.kind = kind;
      r.name = name;
      r.parent = parent;
      records_.push_back(r);
    };
    add(0, EntityKind::kCluster, "cluster", kNoEntity);
    add(1, EntityKind::kSubnet, "a", kNoEntity);
    add(2, EntityKind::kSubnet, "b", kNoEntity);
    add(3, EntityKind::kNodeGroup, "workers", kNoEntity);
    add(4, EntityKind::kNode, "workers-1", 3);
    add(5, EntityKind::kNode, "workers-2", 3);
    add(6, EntityKind::kNode, "workers-3", 3);
    add(7, EntityKind::kWorkload, "api", kNoEntity);
    add(8, EntityKind::kWorkload, "etl", kNoEntity);
    add(9, EntityKind::kAction, "AssignPrivateIpAddresses", kNoEntity);
    add(10, EntityKind::kAction, "CreateNetworkInterface", kNoEntity);
    add(11, EntityKind::kTraffic, "reads", kNoEntity);
  }

  // One that the metric's label allows.
  EntityId EntityOf(EntityKind kind) {
    switch (kind) {
      case EntityKind::kSubnet:
        return kSubnets + static_cast<EntityId>(Draw(2));
      case EntityKind::kNodeGroup:
        return kGroup;
      case EntityKind::kNode:
        return kNodes + static_cast<EntityId>(Draw(3));
      case EntityKind::kWorkload:
        return kWorkloads + static_cast<EntityId>(Draw(2));
      case EntityKind::kAction:
        return kActions + static_cast<EntityId>(Draw(2));
      case EntityKind::kTraffic:
        return kTraffic;
      case EntityKind::kCluster:
        break;
    }
    return kClusterEntity;
  }

  void AddOne(TimePoint now) {
    switch (Draw(9)) {
      case 0:
        AddPod(now);
        break;
      case 1: {
        AddressTenure r;
        r.ip = Ipv4Address(0x0a000000 + static_cast<uint32_t>(Draw(1000)));
        r.pod = pods_;
        r.node = kNodes + static_cast<EntityId>(Draw(3));
        r.from = now - Duration(Draw(50));
        if (Draw(2) == 0) r.to = now;
        records_.push_back(r);
        break;
      }
      case 2: {
        PoolChange r;
        r.node = kNodes + static_cast<EntityId>(Draw(3));
        r.time = now;
        r.enis = static_cast<int>(Draw(4));
        r.total_ips = static_cast<int>(Draw(30));
        r.assigned_ips = static_cast<int>(Draw(30));
        r.cooling_ips = static_cast<int>(Draw(30));
        r.prefixes = static_cast<int>(Draw(3));
        records_.push_back(r);
        break;
      }
      case 3: {
        ApiAttempt r;
        r.action = kActions + static_cast<EntityId>(Draw(2));
        r.node = kNodes + static_cast<EntityId>(Draw(3));
        r.latency = Duration(Draw(1'000'000'000));
        r.sent = now;
        r.outcome = static_cast<ApiOutcome>(Draw(3));
        records_.push_back(r);
        break;
      }
      case 4: {
        Finding r;
        r.code = Draw(2) == 0 ? "quirk" : "env-value-ignored";
        r.severity = static_cast<Severity>(Draw(3));
        r.time = now;
        r.text = Keep("text " + std::to_string(Draw(100)));
        records_.push_back(r);
        break;
      }
      case 5:
        AddTraffic(now);
        break;
      default:
        AddFigure(now);
    }
  }

  void AddFigure(TimePoint now) {
    const MetricInfo& info = AllMetrics()[Draw(kMetricCount)];
    const EntityId entity = EntityOf(info.label);
    switch (info.kind) {
      case MetricKind::kGauge:
        records_.push_back(GaugeCall{info.id, entity, now, static_cast<int64_t>(Draw(1000))});
        break;
      case MetricKind::kCounter:
        records_.push_back(CountCall{info.id, entity, now, static_cast<int64_t>(Draw(5))});
        break;
      case MetricKind::kDistribution:
        records_.push_back(SampleCall{
            info.id, entity, now, Duration(HashMix(state_++) >> (4 + Draw(60))), Draw(20) == 0});
        break;
    }
  }

  double Real(uint64_t n) { return static_cast<double>(Draw(n)) / 8; }

  void AddTraffic(TimePoint now) {
    // One record a moment.
    if (now <= last_traffic_) return;
    last_traffic_ = now;
    TrafficRecord r;
    r.traffic = kTraffic;
    r.time = now;
    r.network = Draw(2) == 0 ? "aws-vpc-cni" : "calico:VXLAN";
    r.by_events = Draw(2) == 0;
    r.saturated = Draw(5) == 0;
    r.pairs = static_cast<int64_t>(Draw(100));
    r.lost_pairs = static_cast<int64_t>(Draw(3));
    if (r.lost_pairs > 0) r.lost_because = "no-route at workers-2";
    r.requests_per_second = Real(100'000);
    r.mean = Duration(Draw(1'000'000));
    r.p99 = r.mean * 3;
    r.bottleneck = Draw(4) == 0 ? "" : "workers-1 CPU 0";
    r.client_cpu_ns = Real(100'000);
    records_.push_back(r);
    NodeTrafficRecord node;
    node.node = kNodes + static_cast<EntityId>(Draw(3));
    node.time = now;
    node.cpu_seconds_per_second = Real(16);
    node.wire_cpu_seconds_per_second = Real(8);
    node.ip_rules = static_cast<int64_t>(Draw(500));
    records_.push_back(node);
  }

  void AddPod(TimePoint now) {
    PodRecord r;
    r.pod = ++pods_;
    r.ns = "default";
    r.name = Keep("api-" + std::to_string(pods_));
    r.workload = kWorkloads + static_cast<EntityId>(Draw(2));
    r.node = Draw(9) == 0 ? kNoEntity : kNodes + static_cast<EntityId>(Draw(3));
    r.host_network = Draw(9) == 0;
    if (Draw(4) != 0) r.eni = "eni-0123456789abcdef0";
    if (Draw(4) != 0) r.ip = Ipv4Address(static_cast<uint32_t>(HashMix(state_++)));
    const int64_t end = now.time_since_epoch().count();
    r.created = At(end / 2);
    if (Draw(8) != 0) r.scheduled = At(end / 2 + 1);
    if (Draw(4) != 0) r.first_add = At(end / 2 + 2);
    if (r.first_add && Draw(8) != 0) r.ip_assigned = At(end / 2 + 3);
    if (r.ip_assigned) r.running = At(end / 2 + 4);
    if (Draw(2) == 0) r.deleted = now;
    r.add_attempts = static_cast<int>(Draw(5));
    r.wait_reason = static_cast<WaitReason>(Draw(10));
    records_.push_back(r);
  }

  uint64_t state_;
  PodId pods_ = 0;
  TimePoint last_traffic_ = TimePoint(Duration(-1));
  TimePoint end_;
  std::vector<AnyRecord> records_;
  std::deque<std::string> texts_;  // stays where it is as it grows
};

}  // namespace cnisim

#endif  // CNISIM_RESULTS_RECORD_STREAM_TESTING_H_
