// The catalogue of EC2 instance types: what a type allows an ENI pool, and its size.
//
// Compiled in from data/instance_types.csv, which names its sources: 1,391 types, sorted by name.
// Types whose vCPU and memory no listing has are `derived`:
//  - vCPU: medium 1, large 2, xlarge 4, Nxlarge and metal-Nxl 4N (the rule of every listed type of
//    those sizes since 2015, t2 to t4g.medium aside); plain metal as the family's largest listed
//    type.
//  - memory per vCPU: families c 2 GiB, m and g 4, r and i 8, x8aedz 32.
//  - not following that (u-*tb1, hpc*, mac-*, trn2, p5e, p6-b300, dl2q, cr1, hs1): AWS's instance
//    type pages; bmn-sf1.metal is an assumption.
#ifndef CNISIM_SIM_CLOUD_INSTANCE_TYPES_H_
#define CNISIM_SIM_CLOUD_INSTANCE_TYPES_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace cnisim {

enum class Hypervisor : uint8_t { kNitro, kXen, kUnknown };

struct InstanceType {
  std::string_view name;
  int eni_limit = 0;     // ENIs of the default network card, and of every other one
  int ipv4_per_eni = 0;  // the primary address included
  Hypervisor hypervisor = Hypervisor::kUnknown;
  bool bare_metal = false;
  int network_cards = 1;
  int vcpu = 0;
  int64_t memory_mib = 0;
  bool derived = false;  // vCPU and memory are derived, not listed
  int branch_enis = -1;  // of its trunk ENI; 0: it cannot have one; -1: unknown, and has none
  int64_t baseline_mbps = 0;  // bandwidth that lasts, in Mbit/s; 0: not listed

  // Secondary addresses or prefixes that one ENI has room for.
  constexpr int slots_per_eni() const { return ipv4_per_eni - 1; }
};

// amazon-vpc-cni-k8s v1.23.1 waits for a trunk ENI on types that it does not know, too (LO-4).
constexpr bool CountsAsTrunkCompatible(const InstanceType& type) { return type.branch_enis != 0; }

// Sorted by name.
std::span<const InstanceType> AllInstanceTypes();
// nullptr if there is no such type. O(log n).
const InstanceType* FindInstanceType(std::string_view name);

// amazon-vpc-cni-k8s v1.23.1: nitro or bare metal.
bool PrefixDelegationSupported(const InstanceType& type);

// `maxPods: auto`: ENIs x (addresses - 1) + 2 host-network pods; in prefix mode 16 per slot, capped
// at 110 below 30 vCPU and at 250 from there on. Custom networking leaves the primary ENI out. A
// type without prefix delegation counts as in secondary mode.
int MaxPods(const InstanceType& type, bool prefix_mode, bool custom_networking = false);

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_INSTANCE_TYPES_H_
