// A small account for the tests of this directory.
#ifndef CNISIM_SIM_CLOUD_TEST_WORLD_H_
#define CNISIM_SIM_CLOUD_TEST_WORLD_H_

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/cloud/ec2.h"
#include "sim/cloud/ec2_client.h"

namespace cnisim::cloud_test {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline SubnetSpec MakeSubnet(std::string name, std::string zone, std::string_view cidr,
                             int64_t used = 0) {
  SubnetSpec spec;
  spec.name = std::move(name);
  spec.availability_zone = std::move(zone);
  spec.cidr = *Ipv4Cidr::Parse(cidr);
  spec.used_at_start = used;
  return spec;
}

inline Distribution Fixed(Duration value) { return *Distribution::Fixed(value); }
inline Distribution Uniform(Duration min, Duration max) { return *Distribution::Uniform(min, max); }

inline Ec2Config MakeConfig(std::vector<SubnetSpec> subnets) {
  Ec2Config config;
  config.seed = 7;
  config.vpc.cidr_blocks = {*Ipv4Cidr::Parse("10.0.0.0/16")};
  config.vpc.subnets = std::move(subnets);
  config.timing.imds_request = Fixed(std::chrono::microseconds(1500));
  config.timing.imds_lag = Uniform(milliseconds(100), seconds(3));
  config.timing.eni_detach = Fixed(milliseconds(2500));
  return config;
}

inline TimePoint At(Duration since_zero) { return kTimeZero + since_zero; }

// Keeps what an observer is told of the cloud.
struct Recorder final : Observer {
  void OnApiAttempt(const ApiAttempt& attempt) override { attempts.push_back(attempt); }
  void OnGauge(Metric metric, EntityId entity, TimePoint at, int64_t level) override {
    gauges.push_back({metric, entity, at, level});
  }

  struct Gauge {
    Metric metric;
    EntityId entity;
    TimePoint at;
    int64_t level;
  };
  std::vector<ApiAttempt> attempts;
  std::vector<Gauge> gauges;
};

inline CloudEntities MakeEntities(size_t subnets) {
  CloudEntities entities;
  EntityId next = 1;
  for (size_t i = 0; i < subnets; ++i) entities.subnets.push_back(next++);
  for (EntityId& action : entities.actions) action = next++;
  return entities;
}

template <typename T>
Task<void> Keep(Task<T> task, std::optional<T>* out) {
  out->emplace(co_await std::move(task));
}

// Runs a flow to its end.
template <typename T>
T Await(Simulation& simulation, Task<T> task) {
  std::optional<T> out;
  simulation.Spawn(Keep(std::move(task), &out));
  while (!out && simulation.RunNext()) {
  }
  return *std::move(out);
}

inline CreateNetworkInterfaceRequest Create(std::string subnet_id, int ips, int prefixes = 0) {
  CreateNetworkInterfaceRequest request;
  request.subnet_id = std::move(subnet_id);
  request.secondary_private_ip_address_count = ips;
  request.ipv4_prefix_count = prefixes;
  return request;
}

inline CreateNetworkInterfaceRequest CreateOf(InterfaceType type, std::string subnet_id) {
  CreateNetworkInterfaceRequest request = Create(std::move(subnet_id), 0);
  request.interface_type = type;
  return request;
}

inline AssociateTrunkInterfaceRequest Associate(std::string trunk, std::string branch, int vlan) {
  AssociateTrunkInterfaceRequest request;
  request.trunk_interface_id = std::move(trunk);
  request.branch_interface_id = std::move(branch);
  request.vlan_id = vlan;
  return request;
}

inline AttachNetworkInterfaceRequest AttachTo(std::string eni, std::string instance, int device,
                                              int card = 0) {
  AttachNetworkInterfaceRequest request;
  request.network_interface_id = std::move(eni);
  request.instance_id = std::move(instance);
  request.device_index = device;
  request.network_card_index = card;
  return request;
}

inline AssignPrivateIpAddressesRequest Assign(std::string eni, int ips, int prefixes = 0) {
  AssignPrivateIpAddressesRequest request;
  request.network_interface_id = std::move(eni);
  request.secondary_private_ip_address_count = ips;
  request.ipv4_prefix_count = prefixes;
  return request;
}

inline UnassignPrivateIpAddressesRequest Unassign(std::string eni, std::vector<Ipv4Address> ips,
                                                  std::vector<Ipv4Cidr> prefixes = {}) {
  UnassignPrivateIpAddressesRequest request;
  request.network_interface_id = std::move(eni);
  request.ips = std::move(ips);
  request.prefixes = std::move(prefixes);
  return request;
}

template <typename T>
std::string CodeOf(const Result<T>& result) {
  return result ? "ok" : result.error().code;
}

}  // namespace cnisim::cloud_test

#endif  // CNISIM_SIM_CLOUD_TEST_WORLD_H_
