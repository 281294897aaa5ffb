#include "sim/cloud/instance_types.h"

#include <algorithm>

namespace cnisim {
namespace {

constexpr Hypervisor nitro = Hypervisor::kNitro;
constexpr Hypervisor xen = Hypervisor::kXen;
constexpr Hypervisor unknown = Hypervisor::kUnknown;

constexpr InstanceType kTypes[] = {
#include "instance_types.inc"  // made from data/instance_types.csv by the build
};

}  // namespace

std::span<const InstanceType> AllInstanceTypes() { return kTypes; }

const InstanceType* FindInstanceType(std::string_view name) {
  const InstanceType* it = std::lower_bound(
      std::begin(kTypes), std::end(kTypes), name,
      [](const InstanceType& type, std::string_view wanted) { return type.name < wanted; });
  return it != std::end(kTypes) && it->name == name ? it : nullptr;
}

bool PrefixDelegationSupported(const InstanceType& type) {
  return type.hypervisor == Hypervisor::kNitro || type.bare_metal;
}

int MaxPods(const InstanceType& type, bool prefix_mode, bool custom_networking) {
  constexpr int kHostNetworkPods = 2;  // aws-node and kube-proxy
  const int slots = (type.eni_limit - (custom_networking ? 1 : 0)) * type.slots_per_eni();
  if (!prefix_mode || !PrefixDelegationSupported(type)) return slots + kHostNetworkPods;
  return std::min(16 * slots + kHostNetworkPods, type.vcpu < 30 ? 110 : 250);
}

}  // namespace cnisim
