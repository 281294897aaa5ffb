// What planners write operations with.
#ifndef CNISIM_CORE_ROUTING_PLAN_H_
#define CNISIM_CORE_ROUTING_PLAN_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/net/node_image.h"
#include "core/routing/operation.h"

namespace cnisim {

class Plan {
 public:
  explicit Plan(size_t expected = 0) { operations_.reserve(expected); }

  template <typename Subject>
  void Add(Subject subject, const std::string& netns = "") {
    Emit(Verb::kAdd, netns, std::move(subject));
  }
  template <typename Subject>
  void Emit(Verb verb, const std::string& netns, Subject subject) {
    Operation& operation = operations_.emplace_back();
    operation.verb = verb;
    operation.netns = netns;
    operation.subject = std::move(subject);
  }
  void AddSysctl(std::string name, std::string value) {
    Add(SysctlEntry{std::move(name), std::move(value)});
  }
  void AddAddress(const std::string& dev, IpAddress address, int length,
                  const std::string& netns = "") {
    Add(AddressEntry{{dev, address}, {length, Scope::kGlobal}}, netns);
  }
  void Append(const ChainKey& chain, IptablesRule rule) {
    Add(ChainRule{chain, 0, std::move(rule)});
  }
  std::vector<Operation> Take() { return std::move(operations_); }

 private:
  std::vector<Operation> operations_;
};

// Both ends, up.
struct VethPair {
  const std::string& netns;
  const std::string& host_name;
  const std::string& container_name;
  MacAddress host_mac;
  MacAddress container_mac;
  int host_index;
  int container_index;
};
void AddVethPair(const VethPair& veth, int mtu, Plan& plan);

// "TO dev DEV scope link" and "default via VIA dev DEV"; IPv6 routes get metric 1024.
RouteEntry DeviceRoute(IpAddress to, std::string dev, int table = kMainTable);
RouteEntry DefaultRoute(IpAddress via, std::string dev, int table = kMainTable);
// "SUBNET dev DEV proto kernel scope link src ADDRESS", which the kernel adds with an address.
RouteEntry ConnectedRoute(const IpCidr& subnet, std::string dev, IpAddress address);

// What the distribution itself puts into the main table for a node's first link: Amazon Linux 2 the
// subnet and the default route; Amazon Linux 2023, whose systemd-networkd has them from DHCP, with
// metric 512 and with routes to the gateway and the VPC's resolver.
void AddDistributionRoutes(NodeImage image, const std::string& link, IpAddress address,
                           const IpCidr& subnet, IpAddress gateway,
                           std::optional<IpAddress> resolver, Plan& plan);

// What undoes `additions`, last first. What is in a removed namespace goes with it.
std::vector<Operation> Undo(std::vector<Operation> additions);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_PLAN_H_
