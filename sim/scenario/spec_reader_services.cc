// spec.services.
#include <algorithm>

#include "sim/scenario/spec_reader.h"

namespace cnisim {
namespace {

constexpr int kMaxPort = 65535;
// The API server's default --service-node-port-range.
constexpr int kFirstNodePort = 30000;
constexpr int kLastNodePort = 32767;
// Of the block: 1 is the API server's and 10 the cluster's DNS on EKS.
constexpr uint32_t kFirstClusterIp = 20;
constexpr size_t kMaxServices = 60'000;

// What EKS takes by default: a block that does not overlap the VPC's.
Ipv4Cidr ServiceBlock(const VpcSpec& vpc) {
  const Ipv4Cidr ten(Ipv4Address(10, 100, 0, 0), 16);
  for (const Ipv4Cidr& block : vpc.cidr_blocks) {
    if (block.Overlaps(Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 8))) {
      return {Ipv4Address(172, 20, 0, 0), 16};
    }
  }
  return ten;
}

}  // namespace

void SpecReader::ReadServices(Field list) {
  const Ipv4Cidr block = ServiceBlock(scenario.vpc);
  for (Field& item : list.List("service")) {
    if (scenario.services.size() >= kMaxServices) {
      item.Error("out-of-range", fmt::format("more than {} services", kMaxServices));
      return;
    }
    MapReader map = item.Required().Map(item.label());
    ServiceSpec service;
    service.name = services_.Take(map);
    const std::optional<int> workload = workloads_.Resolve(map.Get("workload").Required());
    service.workload = workload.value_or(0);
    service.port = map.Get("port").Required().Int(1, kMaxPort).value_or(1);
    service.target_port = map.Get("targetPort").Int(1, kMaxPort).value_or(service.port);
    service.protocol =
        map.Get("protocol").OneOf<std::string>({{"TCP", "tcp"}, {"UDP", "udp"}}).value_or("tcp");
    Field node_port = map.Get("nodePort");
    service.node_port = node_port.Int(kFirstNodePort, kLastNodePort);
    const auto same = std::ranges::find_if(scenario.services, [&](const ServiceSpec& other) {
      return service.node_port && other.node_port == service.node_port &&
             other.protocol == service.protocol;
    });
    if (same != scenario.services.end()) {
      node_port.Error("duplicate-name", fmt::format("{} is that of service '{}' already",
                                                    node_port.label(), same->name));
    }
    map.Done();
    service.cluster_ip =
        block.network().Offset(kFirstClusterIp + static_cast<uint32_t>(scenario.services.size()));
    scenario.services.push_back(std::move(service));
  }
  if (settings_ && settings_->enable_ipv6 && !scenario.services.empty()) {
    list.Error("not-simulated", "services are simulated with IPv4 only");
  }
}

}  // namespace cnisim
