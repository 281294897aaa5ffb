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
    ClosedLoop loop;
    loop.concurrency = concurrency.Int(1, kMaxConcurrency).value_or(1);
    loop.think_time = ReadDistribution(map.Get("thinkTime")).value_or(Distribution());
    flow.load = loop;
  } else {
    map.Misplaced("thinkTime", "is only for 'concurrency'");
    Field requests = map.Get("requestsPerSecond");
    flow.load = OpenLoop{requests.Number(kMinRequestsPerSecond, kMaxRequestsPerSecond).value_or(1)};
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
  const std::optional<int> from = workloads_.Resolve(map.Get("from").Required());
  Field to = map.Get("to");
  Field to_service = map.Get("service");
  map.OnlyOne({"to", "service"});
  std::optional<int> target;
  if (to_service.present()) {
    target = flow.service = services_.Resolve(to_service);
  } else {
    target = workloads_.Resolve(to);
  }
  flow.from = from.value_or(0);
  flow.to = target.value_or(0);
  const ServiceSpec* service = nullptr;
  if (flow.service) {
    service = &scenario.services[static_cast<size_t>(*flow.service)];
    flow.to = service->workload;
    if (service->protocol == "udp") flow.transport = Transport::kUdp;
  }

  // FROM-TO, and the second of that name FROM-TO-2.
  std::string otherwise = fmt::format("{}", scenario.traffic.size() + 1);
  if (from && target) {
    const std::string ends = fmt::format("{}-{}", map.Get("from").node()->text,
                                         (service != nullptr ? to_service : to).node()->text);
    otherwise = ends;
    for (int n = 2; names.Find(otherwise); ++n) otherwise = fmt::format("{}-{}", ends, n);
    if (!map.Has("name") && otherwise.size() > kMaxDnsLabel) {
      item.Error("missing-key", fmt::format("{} needs a name: '{}' has more than {} characters",
                                            map.what(), otherwise, kMaxDnsLabel));
    }
  }
  flow.name = names.Take(map, &Field::DnsLabel, otherwise);

  Field protocol = map.Get("protocol");
  const std::optional<Transport> transport =
      protocol.OneOf<Transport>({{"TCP", Transport::kTcp}, {"UDP", Transport::kUdp}});
  if (service != nullptr && transport && *transport != flow.transport) {
    protocol.Error("bad-value",
                   fmt::format("{} is not that of service '{}'", protocol.label(), service->name));
  }
  flow.transport = transport.value_or(flow.transport);

  map.OnlyOne({"requestsPerSecond", "concurrency", "streams"});
  if (Field streams = map.Get("streams"); streams.present()) {
    flow.load = BulkStreams{streams.Int(1, kMaxStreams).value_or(1)};
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

}  // namespace cnisim
