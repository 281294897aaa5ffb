// spec.traffic.
#include "sim/scenario/distribution_reader.h"
#include "sim/scenario/spec_reader.h"

namespace cnisim {
namespace {

// Guards against typing errors.
constexpr double kMinRequestsPerSecond = 1e-6;
constexpr double kMaxRequestsPerSecond = 1e9;
constexpr int kMaxConcurrency = 1'000'000;
constexpr int kMaxStreams = 10'000;
constexpr int kMaxPairs = 1'000'000;
constexpr int64_t kMaxMessageBytes = int64_t{1} << 30;
// 65,535 less the headers of IPv4 (RFC 791) and UDP (RFC 768).
constexpr int64_t kMaxDatagramBytes = 65'507;

constexpr std::string_view kRequestKeys[] = {"requestBytes", "responseBytes", "serverTime",
                                             "connections", "thinkTime"};

void ReadRequests(MapReader& map, TrafficSpec& flow) {
  if (Field concurrency = map.Get("concurrency"); concurrency.present()) {
    ClosedLoad loop;
    loop.concurrency = concurrency.Int(1, kMaxConcurrency).value_or(1);
    loop.think_time = ReadDistribution(map.Get("thinkTime")).value_or(Distribution());
    flow.load = loop;
  } else {
    map.Misplaced("thinkTime", "is only for 'concurrency'");
    Field requests = map.Get("requestsPerSecond");
    flow.load = OpenLoad{requests.Number(kMinRequestsPerSecond, kMaxRequestsPerSecond).value_or(1)};
  }
  const bool udp = flow.transport == Transport::kUdp;
  const int64_t largest = udp ? kMaxDatagramBytes : kMaxMessageBytes;
  flow.request_bytes = map.Get("requestBytes").Bytes(1, largest).value_or(flow.request_bytes);
  flow.response_bytes = map.Get("responseBytes").Bytes(1, largest).value_or(flow.response_bytes);
  flow.server_time = ReadDistribution(map.Get("serverTime")).value_or(Distribution());
  if (udp) {
    map.Misplaced("connections", "is not for protocol UDP, which has none");
  } else {
    flow.connection_per_request = map.Get("connections")
                                      .OneOf<bool>({{"keepalive", false}, {"perRequest", true}})
                                      .value_or(false);
  }
}

}  // namespace

void SpecReader::ReadTraffic(Field list) {
  Names names("traffic flow");
  for (Field& item : list.List("traffic flow")) {
    scenario.traffic.push_back(ReadFlow(item, names));
  }
  if (settings_ && settings_->enable_ipv6 && !scenario.traffic.empty()) {
    list.Error("not-simulated", "traffic is simulated with IPv4 only");
  }
}

TrafficSpec SpecReader::ReadFlow(Field item, Names& names) {
  MapReader map = item.Required().Map(item.label());
  TrafficSpec flow;
  const std::optional<std::string> ends = ReadEnds(map, flow);
  // The second of that name is FROM-TO-2.
  std::string otherwise = ends.value_or(fmt::format("{}", scenario.traffic.size() + 1));
  for (int n = 2; ends && names.Find(otherwise); ++n) otherwise = fmt::format("{}-{}", *ends, n);
  if (!map.Has("name") && otherwise.size() > kMaxDnsLabel) {
    item.Error("missing-key", fmt::format("{} needs a name: '{}' has more than {} characters",
                                          map.what(), otherwise, kMaxDnsLabel));
  }
  flow.name = names.Take(map, &Field::DnsLabel, otherwise);
  ReadProtocol(map, flow);
  map.OnlyOne({"requestsPerSecond", "concurrency", "streams"});
  if (Field streams = map.Get("streams"); streams.present()) {
    flow.load = BulkLoad{streams.Int(1, kMaxStreams).value_or(1)};
    for (const std::string_view key : kRequestKeys) {
      map.Misplaced(key, "is not for 'streams', which carry as much as they can");
    }
  } else {
    ReadRequests(map, flow);
  }
  flow.placement = map.Get("placement")
                       .OneOf<TrafficPlacement>({{"any", TrafficPlacement::kAny},
                                                 {"sameNode", TrafficPlacement::kSameNode},
                                                 {"otherNode", TrafficPlacement::kOtherNode},
                                                 {"sameZone", TrafficPlacement::kSameZone},
                                                 {"otherZone", TrafficPlacement::kOtherZone}})
                       .value_or(TrafficPlacement::kAny);
  flow.max_pairs = map.Get("maxPairs").Int(1, kMaxPairs).value_or(flow.max_pairs);
  map.Done();
  return flow;
}

std::optional<std::string> SpecReader::ReadEnds(MapReader& map, TrafficSpec& flow) {
  const std::optional<int> from = workloads_.Resolve(map.Get("from").Required());
  const std::optional<int> to = workloads_.Resolve(map.Get("to"));
  flow.service = services_.Resolve(map.Get("service"));
  map.OnlyOne({"to", "service"});
  if (!from || !(to || flow.service)) return std::nullopt;
  flow.from = *from;
  std::string target;
  if (flow.service) {
    const ServiceSpec& service = scenario.services[static_cast<size_t>(*flow.service)];
    flow.to = service.workload;
    target = service.name;
  } else {
    flow.to = *to;
    target = scenario.workloads[static_cast<size_t>(*to)].name;
  }
  return fmt::format("{}-{}", scenario.workloads[static_cast<size_t>(*from)].name, target);
}

// A service's is that of its traffic.
void SpecReader::ReadProtocol(MapReader& map, TrafficSpec& flow) {
  Field field = map.Get("protocol");
  const std::optional<Transport> written =
      field.OneOf<Transport>({{"TCP", Transport::kTcp}, {"UDP", Transport::kUdp}});
  flow.transport = written.value_or(Transport::kTcp);
  if (!flow.service) return;
  const ServiceSpec& service = scenario.services[static_cast<size_t>(*flow.service)];
  flow.transport = service.protocol == "udp" ? Transport::kUdp : Transport::kTcp;
  if (written && *written != flow.transport) {
    field.Error("bad-value",
                fmt::format("{} is not that of service '{}'", field.label(), service.name));
  }
}

}  // namespace cnisim
