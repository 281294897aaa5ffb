#include "sim/dataplane/fabric_graph.h"

#include <algorithm>
#include <array>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <limits>
#include <map>

namespace cnisim {
namespace {

struct ZonePair {
  std::string_view a;
  std::string_view b;
  double milliseconds;
};
constexpr ZonePair kZonePairs[] = {
#include "sim/dataplane/zone_round_trips.inc"
};
// The same author's ping within a zone.
constexpr double kSameZoneRoundTrip = 0.090;

double MedianRoundTrip() {
  std::array<double, std::size(kZonePairs)> all;
  std::ranges::transform(kZonePairs, all.begin(), &ZonePair::milliseconds);
  std::ranges::nth_element(all, all.begin() + all.size() / 2);
  return all[all.size() / 2];
}

double Narrower(double a, double b) {
  if (a == 0) return b;
  return b == 0 ? a : std::min(a, b);
}

// Writes down the places in the order in which Dijkstra is done with what lies before them.
template <typename Vertex>
class InOrder : public boost::default_dijkstra_visitor {
 public:
  explicit InOrder(std::vector<Vertex>& order) : order_(order) {}

  template <typename Graph>
  void examine_vertex(Vertex vertex, const Graph&) const {
    order_.push_back(vertex);
  }

 private:
  std::vector<Vertex>& order_;
};

}  // namespace

FabricGraph::Place FabricGraph::AddPlace(std::string name) {
  ways_.clear();
  const Graph::vertex_descriptor place = boost::add_vertex(graph_);
  graph_[place].name = std::move(name);
  return static_cast<Place>(place);
}

void FabricGraph::Connect(Place a, Place b, const FabricEdge& edge) {
  ways_.clear();
  boost::add_edge(a, b, edge, graph_);
}

std::optional<FabricEdge> FabricGraph::Way(Place from, Place to) const {
  return WaysFrom(from)[to];
}

const std::vector<std::optional<FabricEdge>>& FabricGraph::WaysFrom(Place from) const {
  ways_.resize(places());
  std::vector<std::optional<FabricEdge>>& ways = ways_[from];
  if (!ways.empty()) return ways;
  constexpr double kFar = std::numeric_limits<double>::infinity();
  std::vector<double> latency(places(), kFar);
  std::vector<Graph::vertex_descriptor> before(places());
  std::vector<Graph::vertex_descriptor> order;
  boost::dijkstra_shortest_paths(graph_, from,
                                 boost::weight_map(boost::get(&FabricEdge::latency, graph_))
                                     .distance_map(latency.data())
                                     .predecessor_map(before.data())
                                     .distance_inf(kFar)
                                     .visitor(InOrder(order)));
  ways.resize(places());
  ways[from] = FabricEdge();
  // What lies before a place is there when its turn comes.
  for (const Graph::vertex_descriptor place : order) {
    if (place == from) continue;
    // Of parallel edges, the one that Dijkstra took is the fastest.
    const FabricEdge* last = nullptr;
    for (auto [edge, end] = boost::out_edges(place, graph_); edge != end; ++edge) {
      if (boost::target(*edge, graph_) != before[place]) continue;
      const FabricEdge& candidate = graph_[*edge];
      if (last == nullptr || candidate.latency < last->latency) last = &candidate;
    }
    const FabricEdge& first = *ways[before[place]];
    ways[place] = FabricEdge{latency[place], Narrower(first.bits_per_second, last->bits_per_second),
                             std::min(first.mtu, last->mtu)};
  }
  return ways;
}

double ZoneLatency(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  const auto found = std::ranges::find_if(kZonePairs, [&](const ZonePair& pair) {
    return (pair.a == a && pair.b == b) || (pair.a == b && pair.b == a);
  });
  static const double kMedian = MedianRoundTrip();
  const double round_trip = found == std::end(kZonePairs) ? kMedian : found->milliseconds;
  return (round_trip - kSameZoneRoundTrip) / 2 * 1e6;
}

FabricGraph VpcGraph(const std::vector<std::string>& zones_of_subnets) {
  FabricGraph graph;
  for (size_t i = 0; i < zones_of_subnets.size(); ++i)
    graph.AddPlace("subnet " + std::to_string(i));
  std::map<std::string, FabricGraph::Place> zones;
  for (size_t i = 0; i < zones_of_subnets.size(); ++i) {
    const std::string& name = zones_of_subnets[i];
    const auto known = zones.find(name);
    const FabricGraph::Place zone = known != zones.end() ? known->second : graph.AddPlace(name);
    if (known == zones.end()) {
      for (const auto& [other, place] : zones) {
        graph.Connect(place, zone, {ZoneLatency(other, name), 0, kVpcMtu});
      }
      zones.emplace(name, zone);
    }
    graph.Connect(static_cast<FabricGraph::Place>(i), zone, {});
  }
  return graph;
}

}  // namespace cnisim
