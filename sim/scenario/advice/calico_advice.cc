// Calico on EC2: pools, the flow limit under IP-in-IP, what a VPC does not carry.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sim/scenario/advice/advisor.h"
#include "sim/scenario/network_choice.h"

namespace cnisim {
namespace {

constexpr int kDefaultMaxPods = 110;  // the kubelet's
// Calico's limit of blocks that one node may be affine to, unless maxBlocksPerHost says otherwise.
constexpr int kDefaultMaxBlocks = 20;

bool IsIpip(const IpPoolSpec& pool) {
  return pool.encapsulation == Encapsulation::kIpip ||
         pool.encapsulation == Encapsulation::kIpipCrossSubnet;
}

bool LeavesBare(const IpPoolSpec& pool) {
  return pool.encapsulation == Encapsulation::kNone ||
         pool.encapsulation == Encapsulation::kVxlanCrossSubnet ||
         pool.encapsulation == Encapsulation::kIpipCrossSubnet;
}

class CalicoAdvice {
 public:
  explicit CalicoAdvice(Advisor& advisor)
      : advisor_(advisor), scenario_(advisor.scenario), calico_(scenario_.network.calico) {}

  void Tell() {
    TellMaxPods();
    TellPools();
    TellUnencapsulated();
    TellFlowLimit();
  }

 private:
  Location PoolPlace(size_t pool, const char* key) const {
    return advisor_.places.Of({"network", "calico", "ipPools", pool, key});
  }

  void TellMaxPods() {
    const int blocks =
        calico_.max_blocks_per_host > 0 ? calico_.max_blocks_per_host : kDefaultMaxBlocks;
    const auto largest = std::ranges::max_element(
        calico_.ip_pools, {}, [](const IpPoolSpec& pool) { return -pool.block_size; });
    const int64_t room =
        (int64_t{blocks} << (32 - largest->block_size)) + HostNetworkPods(scenario_);
    // Without strict affinity further pods borrow from other nodes' blocks.
    if (!calico_.strict_affinity) return;
    for (size_t g = 0; g < scenario_.node_groups.size(); ++g) {
      const NodeGroupSpec& group = scenario_.node_groups[g];
      const int max_pods = group.max_pods.value_or(kDefaultMaxPods);
      if (max_pods <= room) continue;
      advisor_.diagnostics.Warning(
          advisor_.places.Of({"nodeGroups", g, "maxPods"}), "max-pods-above-addresses",
          fmt::format("node group '{}' accepts {} pods a node, but with strictAffinity a node has "
                      "at most {} of /{}, so {} pods find an address",
                      group.name, max_pods, CountOf(blocks, "block"), largest->block_size, room),
          fmt::format("maxPods: {}, larger blocks or a higher maxBlocksPerHost", room));
    }
  }

  void TellPools() {
    int64_t addresses = 0;
    int64_t blocks = 0;
    for (const IpPoolSpec& pool : calico_.ip_pools) {
      addresses += static_cast<int64_t>(pool.cidr.size());
      blocks += int64_t{1} << (pool.block_size - pool.cidr.length());
    }
    for (const Moment& moment : advisor_.moments) {
      const int64_t nodes = std::accumulate(moment.nodes.begin(), moment.nodes.end(), int64_t{0});
      int64_t pods = 0;
      for (size_t w = 0; w < scenario_.workloads.size(); ++w) {
        const WorkloadSpec& workload = scenario_.workloads[w];
        if (!workload.pod.host_network) pods += moment.replicas[w];
      }
      if (pods > addresses && advisor_.IsNew("ip-pool-too-small", "addresses")) {
        advisor_.diagnostics.Warning(PoolPlace(0, "cidr"), "ip-pool-too-small",
                                     fmt::format("{} for {} {}", CountOf(addresses, "address"),
                                                 CountOf(pods, "pod"), When(moment)),
                                     "a larger pool");
      }
      if (nodes > blocks && advisor_.IsNew("ip-pool-too-small", "blocks")) {
        const std::string message =
            fmt::format("{} for {} {}: nodes without a block {}", CountOf(blocks, "block"),
                        CountOf(nodes, "node"), When(moment),
                        calico_.strict_affinity ? "have no address for a pod (strictAffinity)"
                                                : "borrow addresses of others one by one");
        if (calico_.strict_affinity) {
          advisor_.diagnostics.Warning(PoolPlace(0, "blockSize"), "ip-pool-too-small", message,
                                       "a larger pool or smaller blocks");
        } else {
          advisor_.diagnostics.Info(PoolPlace(0, "blockSize"), "ip-pool-too-small", message,
                                    "a larger pool or smaller blocks");
        }
      }
    }
  }

  void TellUnencapsulated() {
    std::set<std::string> subnets;
    int64_t nodes = 0;
    std::vector<int> largest(scenario_.node_groups.size());
    for (const Moment& moment : advisor_.moments) {
      for (size_t g = 0; g < largest.size(); ++g)
        largest[g] = std::max(largest[g], moment.nodes[g]);
    }
    for (const NodeClass& of : NodeClassesOf(scenario_, largest)) {
      nodes += of.count;
      subnets.insert(scenario_.vpc.subnets[of.subnet].name);
    }
    if (nodes < 2) return;
    for (size_t p = 0; p < calico_.ip_pools.size(); ++p) {
      const IpPoolSpec& pool = calico_.ip_pools[p];
      if (pool.encapsulation == Encapsulation::kNone && subnets.size() > 1) {
        advisor_.diagnostics.Warning(
            PoolPlace(p, "encapsulation"), "no-route-across-subnets",
            fmt::format(
                "IP pool '{}' without encapsulation and nodes in {}: the VPC's router knows "
                "no pods, so it carries nothing between the subnets",
                pool.name, CountOf(std::ssize(subnets), "subnet")),
            "use VXLANCrossSubnet");
      }
      // Nodes in one subnet reach each other directly.
      const bool neighbours = nodes > std::ssize(subnets);
      if (LeavesBare(pool) && neighbours && !calico_.disables_src_dst_check) {
        advisor_.diagnostics.Warning(
            advisor_.places.Of({"network", "calico", "awsSrcDstCheck"}), "source-dest-check",
            fmt::format("IP pool '{}' ({}) sends pods' packets bare between nodes of one subnet, "
                        "where the ENIs' source/destination check drops them",
                        pool.name, NameOf(pool.encapsulation)),
            "set awsSrcDstCheck: Disable");
      }
    }
  }

  void TellFlowLimit() {
    const double limit = scenario_.data_plane.profile.nic.flow_bits_per_second;
    if (limit <= 0) return;
    std::vector<int> largest(scenario_.node_groups.size());
    for (const Moment& moment : advisor_.moments) {
      for (size_t g = 0; g < largest.size(); ++g)
        largest[g] = std::max(largest[g], moment.nodes[g]);
    }
    // The fattest node, and how many others there are.
    const InstanceType* fattest = nullptr;
    int64_t nodes = 0;
    for (const NodeClass& of : NodeClassesOf(scenario_, largest)) {
      nodes += of.count;
      if (fattest == nullptr || of.type->baseline_mbps > fattest->baseline_mbps) fattest = of.type;
    }
    if (nodes < 2) return;
    const double bandwidth = static_cast<double>(fattest->baseline_mbps) * 1e6;
    if (bandwidth <= limit) return;
    const bool bulk = std::ranges::any_of(scenario_.traffic, [](const TrafficSpec& flow) {
      return std::holds_alternative<BulkLoad>(flow.load) &&
             flow.placement != TrafficPlacement::kSameNode;
    });
    // Spread over enough peers, even one flow each fills a node's bandwidth.
    const bool noticed = bulk && bandwidth > limit * static_cast<double>(nodes - 1);
    for (size_t p = 0; p < calico_.ip_pools.size(); ++p) {
      if (!IsIpip(calico_.ip_pools[p])) continue;
      const std::string message = fmt::format(
          "IP-in-IP makes one flow of all that two nodes exchange, of which EC2 carries {:g} "
          "Gbit/s; "
          "type {} has {:g} Gbit/s{}",
          limit / 1e9, fattest->name, bandwidth / 1e9,
          noticed ? fmt::format(" and {} to talk to", CountOf(nodes - 1, "other node")) : "");
      const Location where = PoolPlace(p, "encapsulation");
      if (noticed) {
        advisor_.diagnostics.Warning(where, "ipip-flow-limit", message, "use VXLAN");
      } else {
        advisor_.diagnostics.Info(where, "ipip-flow-limit", message);
      }
    }
  }

  Advisor& advisor_;
  const Scenario& scenario_;
  const CalicoSpec& calico_;
};

}  // namespace

void AdviseOnCalico(Advisor& advisor) { CalicoAdvice(advisor).Tell(); }

}  // namespace cnisim
