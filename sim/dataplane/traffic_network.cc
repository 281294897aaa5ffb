#include "sim/dataplane/traffic_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/net/hash.h"
#include "sim/dataplane/packet_time.h"

namespace cnisim {
namespace {

// Connections of one pair that differ in their ports, and so in queues, when each request makes
// one.
constexpr int kMostConnections = 8;
constexpr size_t kFewPairs = 64;

// An open class seldom waits for itself where it needs less than this share of what it may have.
constexpr double kNegligibleShare = 0.01;
// No user has the answer to a request sooner, and so never waits for what took less.
constexpr double kFastestAnswer = 10'000;

int64_t Nanoseconds(double time) { return std::llround(time); }

bool HasPorts(const FlowTuple& flow) { return flow.protocol == "tcp" || flow.protocol == "udp"; }

// What a NIC hashes to choose a queue, and EC2 to find a flow.
uint64_t FlowHash(const PacketWay& way, uint64_t connection) {
  const FlowTuple& wire = way.wire;
  const uint64_t addresses = HashMix(HashMix(wire.src.bits().high() ^ wire.src.bits().low()) ^
                                     wire.dst.bits().low() ^ HashMix(wire.dst.bits().high()));
  return HasPorts(wire) ? HashMix(addresses ^ HashMix(connection)) : addresses;
}

class Builder {
 public:
  Builder(std::span<const TrafficHost> hosts, std::span<const TrafficSpec> traffic,
          std::span<const TrafficPair> pairs, const CostProfile& profile)
      : hosts_(hosts), traffic_(traffic), pairs_(pairs), profile_(profile) {
    QueueNetwork& net = result_.network;
    net.stations.push_back({"time that nobody waits for", Station::Kind::kDelay});
    result_.first_cpu.reserve(hosts.size());
    for (const TrafficHost& host : hosts) {
      result_.first_cpu.push_back(static_cast<uint32_t>(net.stations.size()));
      for (int cpu = 0; cpu < host.cpus; ++cpu) {
        net.stations.push_back({fmt::format("{} CPU {}", host.name, cpu)});
      }
      net.stations.push_back({host.name + " NIC out"});
      net.stations.push_back({host.name + " NIC in"});
    }
    threads_.resize(hosts.size());
    for (const TrafficSpec& spec : traffic) net.groups.push_back(spec.name);
  }

  TrafficNetwork Build() {
    std::vector<size_t> working(traffic_.size());
    for (const TrafficPair& pair : pairs_) working[pair.traffic] += pair.path.works() ? 1 : 0;
    std::vector<size_t> nth(traffic_.size());
    for (size_t i = 0; i < pairs_.size(); ++i) {
      const TrafficPair& pair = pairs_[i];
      if (!pair.path.works()) continue;
      AddPair(static_cast<uint32_t>(i), nth[pair.traffic]++, working[pair.traffic]);
    }
    return std::move(result_);
  }

 private:
  static constexpr uint32_t kNobody = 0;  // the station of delays

  uint32_t Cpu(uint32_t host, uint64_t which) const {
    return result_.first_cpu[host] + static_cast<uint32_t>(which % hosts_[host].cpus);
  }
  uint32_t NicOut(uint32_t host) const { return result_.first_cpu[host] + hosts_[host].cpus; }
  uint32_t NicIn(uint32_t host) const { return NicOut(host) + 1; }
  uint32_t NextThread(uint32_t host) { return Cpu(host, threads_[host]++); }

  uint32_t ReceiveQueue(uint32_t host, uint64_t hash) const {
    const int queues = std::min(profile_.nic.max_receive_queues, hosts_[host].cpus);
    return Cpu(host, hash % static_cast<uint64_t>(queues));
  }

  uint32_t FlowLimit(uint64_t hash, const TrafficPair& pair) {
    const auto [it, added] =
        flow_limits_.emplace(hash, static_cast<uint32_t>(result_.network.stations.size()));
    if (added) {
      result_.network.stations.push_back(
          {fmt::format("limit of one flow from {} to {}", hosts_[pair.client].name,
                       hosts_[pair.server].name),
           Station::Kind::kPace});
    }
    return it->second;
  }

  uint32_t AddDistribution(const Distribution& distribution) {
    if (distribution == Distribution()) return kNone;
    auto& all = result_.network.distributions;
    const auto found = std::ranges::find(all, distribution);
    if (found != all.end()) return static_cast<uint32_t>(found - all.begin());
    all.push_back(distribution);
    return static_cast<uint32_t>(all.size() - 1);
  }

  void Visit(uint32_t station, double time, uint32_t distribution = kNone) {
    const int64_t service = Nanoseconds(time);
    if (service == 0 && distribution == kNone) return;
    result_.network.visits.push_back({station, distribution, service});
  }

  double NicTime(uint32_t host, const Wire& wire) const {
    const double speed = hosts_[host].bits_per_second != 0 ? hosts_[host].bits_per_second
                                                           : profile_.nic.bits_per_second;
    double time = WireTime(wire.bytes, speed);
    if (profile_.nic.packets_per_second != 0) {
      time =
          std::max(time, static_cast<double>(wire.packets) * 1e9 / profile_.nic.packets_per_second);
    }
    return time;
  }

  // One message's way after the sender's CPU and before the receiver's thread. `more_receive` is
  // work of the CPU of the receive queue; within a node its sender's CPU has it.
  struct Trip {
    const PacketWay& way;
    uint32_t from;
    uint32_t to;
    double fabric;
    uint64_t hash;
    // A time at the limit of its flow that nobody waits for, if no other class shares the flow.
    double negligible;
  };
  void Travel(const Trip& trip, const WayTime& time, const TrafficPair& pair,
              double more_receive = 0) {
    if (!trip.way.crosses) {
      Visit(kNobody, time.delay);
      return;
    }
    Visit(NicOut(trip.from), NicTime(trip.from, time.wire));
    const double paced = WireTime(time.wire.bytes, profile_.nic.flow_bits_per_second);
    if (paced > 0 && (paced >= trip.negligible || !HasPorts(trip.way.wire))) {
      Visit(FlowLimit(trip.hash, pair), paced);
    }
    Visit(kNobody, time.delay + trip.fabric);
    Visit(NicIn(trip.to), NicTime(trip.to, time.wire));
    Visit(ReceiveQueue(trip.to, trip.hash), time.receive + more_receive);
  }

  void AddPair(uint32_t index, size_t nth, size_t working) {
    const TrafficPair& pair = pairs_[index];
    const TrafficSpec& spec = traffic_[pair.traffic];
    if (const auto* open = std::get_if<OpenLoad>(&spec.load)) {
      const double rate = open->requests_per_second / static_cast<double>(working);
      const int connections =
          spec.connection_per_request && working < kFewPairs ? kMostConnections : 1;
      for (int c = 0; c < connections; ++c) {
        AddRequests(index, static_cast<uint64_t>(c), OpenLoop{rate / connections});
      }
    } else if (const auto* closed = std::get_if<ClosedLoad>(&spec.load)) {
      // The first ones take what cannot be shared evenly.
      const size_t all = static_cast<size_t>(closed->concurrency);
      const size_t share = all / working + (nth < all % working ? 1 : 0);
      const uint32_t think = AddDistribution(closed->think_time);
      for (size_t c = 0; c < share; ++c) AddRequests(index, c, ClosedLoop{1, think});
    } else {
      const int streams = std::get<BulkLoad>(spec.load).streams;
      for (int c = 0; c < streams; ++c) AddStream(index, static_cast<uint64_t>(c));
    }
  }

  void Begin(uint32_t index, uint64_t connection, std::variant<OpenLoop, ClosedLoop> load) {
    RequestClass c;
    c.key = HashMix(pairs_[index].key ^ HashMix(connection + 1));
    c.first_visit = static_cast<uint32_t>(result_.network.visits.size());
    c.group = pairs_[index].traffic;
    c.load = load;
    result_.network.classes.push_back(c);
    result_.pair_of.push_back(index);
    result_.costs.emplace_back();
  }
  void End() {
    RequestClass& c = result_.network.classes.back();
    c.visit_count = static_cast<uint32_t>(result_.network.visits.size()) - c.first_visit;
  }

  // A connection's requests, one after the other, or one request for each of many connections.
  void AddRequests(uint32_t index, uint64_t connection, std::variant<OpenLoop, ClosedLoop> load) {
    const auto* open = std::get_if<OpenLoop>(&load);
    const double negligible =
        open != nullptr ? kNegligibleShare * 1e9 / open->requests_per_second : kFastestAnswer;
    const TrafficPair& pair = pairs_[index];
    const TrafficSpec& spec = traffic_[pair.traffic];
    const PairPath& path = pair.path;
    const auto time_of = [&](const PacketWay& way, int64_t bytes) {
      return TimeOf(way, path.mtu, {bytes, spec.transport}, profile_);
    };
    const uint32_t client = NextThread(pair.client);
    const uint32_t server = NextThread(pair.server);
    const Trip there = TripOf(pair, path.request, connection, /*back=*/false, negligible);
    const Trip back = TripOf(pair, path.reply, connection, /*back=*/true, negligible);
    const WayTime request = time_of(path.request, spec.request_bytes);
    const WayTime response = time_of(path.reply, spec.response_bytes);

    Begin(index, connection, load);
    TrafficCost& cost = result_.costs.back();
    if (spec.connection_per_request) {
      const WayTime syn = time_of(path.request, 0);
      const WayTime syn_ack = time_of(path.reply, 0);
      const double first_client = TimeOf(path.first_client, profile_);
      const double first_server = TimeOf(path.first_server, profile_);
      const double sockets = profile_.costs[Cost::kTcpConnect];
      // The answer is made by the soft interrupt; the end of the connection costs as much again.
      const double client_side = syn.send + first_client + sockets;
      const double answer = first_server + syn_ack.send;
      const bool crosses = path.request.crosses;
      Visit(client, client_side + (crosses ? 0 : answer));
      Travel(there, syn, pair, crosses ? answer : 0);
      Travel(back, syn_ack, pair);
      Visit(client, syn_ack.read);
      cost.client_cpu_ns += client_side + syn_ack.receive + syn_ack.read;
      cost.server_cpu_ns += syn.receive + first_server + syn_ack.send + sockets;
      Count(syn, cost);
      Count(syn_ack, cost);
    }
    Visit(client, request.send);
    Travel(there, request, pair);
    const double accept = spec.connection_per_request ? profile_.costs[Cost::kTcpConnect] : 0;
    Visit(server, request.read + response.send + accept, AddDistribution(spec.server_time));
    Travel(back, response, pair);
    Visit(client, response.read);
    End();

    cost.client_cpu_ns += request.send + response.receive + response.read;
    cost.server_cpu_ns += request.receive + request.read + response.send;
    cost.payload_bytes = static_cast<double>(spec.request_bytes + spec.response_bytes);
    Count(request, cost);
    Count(response, cost);
  }

  void AddStream(uint32_t index, uint64_t connection) {
    const TrafficPair& pair = pairs_[index];
    const TrafficSpec& spec = traffic_[pair.traffic];
    const PairPath& path = pair.path;
    const int64_t bytes = LargestPayload(path.request, path.mtu, spec.transport);
    const WayTime data = TimeOf(path.request, path.mtu, {bytes, spec.transport}, profile_);
    const WayTime ack = TimeOf(path.reply, path.mtu, {0, spec.transport}, profile_);
    const Trip there = TripOf(pair, path.request, connection, /*back=*/false, 0);
    const Trip back = TripOf(pair, path.reply, connection, /*back=*/true, kFastestAnswer);
    Begin(index, connection, ClosedLoop{kStreamWindow, kNone});
    const bool crosses = path.request.crosses;
    Visit(NextThread(pair.client), data.send + (crosses ? 0 : ack.send));
    Travel(there, data, pair, crosses ? ack.send : 0);
    Visit(NextThread(pair.server), data.read);
    Travel(back, ack, pair);
    End();
    TrafficCost& cost = result_.costs.back();
    cost.client_cpu_ns = data.send + ack.receive;
    cost.server_cpu_ns = data.receive + data.read + ack.send;
    cost.payload_bytes = static_cast<double>(bytes);
    Count(data, cost);
    Count(ack, cost);
  }

  static void Count(const WayTime& time, TrafficCost& cost) {
    cost.wire_bytes += static_cast<double>(time.wire.bytes);
    if (time.wire.bytes > 0) cost.wire_packets += static_cast<double>(time.wire.packets);
  }

  Trip TripOf(const TrafficPair& pair, const PacketWay& way, uint64_t connection, bool back,
              double negligible) const {
    return {way,
            back ? pair.server : pair.client,
            back ? pair.client : pair.server,
            pair.fabric_nanoseconds,
            FlowHash(way, pair.key ^ connection),
            negligible};
  }

  std::span<const TrafficHost> hosts_;
  std::span<const TrafficSpec> traffic_;
  std::span<const TrafficPair> pairs_;
  const CostProfile& profile_;
  TrafficNetwork result_;
  std::vector<uint64_t> threads_;  // placed so far
  std::map<uint64_t, uint32_t> flow_limits_;
};

}  // namespace

TrafficNetwork BuildTrafficNetwork(std::span<const TrafficHost> hosts,
                                   std::span<const TrafficSpec> traffic,
                                   std::span<const TrafficPair> pairs, const CostProfile& profile) {
  return Builder(hosts, traffic, pairs, profile).Build();
}

}  // namespace cnisim
