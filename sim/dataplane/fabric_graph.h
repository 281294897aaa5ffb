// The VPC between nodes as a graph: subnets, zones and routers, with latency, bandwidth and MTU on
// each edge; and the best way between any two of them.
//
// ENIs are leaves with one edge each and are not vertices: a way between ENIs is the way between
// their subnets and kEniLatency at each end. A way is the one of least latency (Dijkstra over
// Boost.Graph), its bandwidth and MTU the smallest on it. Ways are kept by their beginning until
// the graph changes.
//
// Latency is one way and without the hosts' own. Times in nanoseconds, MTU in bytes of the IP
// packet, bandwidth in bits a second (0: unlimited).
// Complexity: Way is O(1) once its beginning has been asked for, O((V + E) log V) the first time.
#ifndef CNISIM_SIM_DATAPLANE_FABRIC_GRAPH_H_
#define CNISIM_SIM_DATAPLANE_FABRIC_GRAPH_H_

#include <boost/graph/adjacency_list.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cnisim {

// EC2's documentation of network MTU: inside a VPC and over peering in a region; over a transit
// gateway and peering between regions.
inline constexpr int kVpcMtu = 9001;
inline constexpr int kTransitGatewayMtu = 8500;

struct FabricEdge {
  double latency = 0;
  double bits_per_second = 0;
  int mtu = kVpcMtu;
};

class FabricGraph {
 public:
  using Place = uint32_t;

  Place AddPlace(std::string name);
  // Both ways.
  void Connect(Place a, Place b, const FabricEdge& edge);
  const std::string& NameOf(Place place) const { return graph_[place].name; }
  size_t places() const { return boost::num_vertices(graph_); }

  // nullopt if there is none. From a place to itself: an edge without latency.
  std::optional<FabricEdge> Way(Place from, Place to) const;

 private:
  struct Vertex {
    std::string name;
  };
  using Graph =
      boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS, Vertex, FabricEdge>;

  const std::vector<std::optional<FabricEdge>>& WaysFrom(Place from) const;

  Graph graph_;
  // By beginning; empty: not asked for since the graph changed.
  mutable std::vector<std::vector<std::optional<FabricEdge>>> ways_;
};

// Between an ENI and its subnet, so half of the way between two instances of a zone, hosts not
// counted. Assumption: what is left of the 90 us that a ping takes within a zone (R. Imaoka 2019,
// ap-northeast-1) when two Nitro hosts have taken their part; 2.5 to 12.5 us.
inline constexpr double kEniLatency = 5'000;

// One way between two zones, beyond what it takes within one: half of what a ping takes longer.
// Zones that were not measured have the median of those that were, 1 ms.
double ZoneLatency(std::string_view a, std::string_view b);

// A VPC's subnets, of which this gives the zones: each subnet at its zone, the zones of a region
// all connected. Places are the subnets' indices.
FabricGraph VpcGraph(const std::vector<std::string>& zones_of_subnets);

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_FABRIC_GRAPH_H_
