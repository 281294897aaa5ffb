// The pool policy: how many addresses a node should hold. Pure functions from statistics and
// settings to a decision; no state, no I/O, O(1).
//
// Rules TG, LO, UP-4, UP-9, DN-1, DN-3 and RM-1 of amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd/ipamd.go).
// Secondary-IP mode counts in addresses; prefix mode counts in /28 prefixes of 16 addresses.
// "Available" addresses include cooling ones (ST-6), as in the real agent, unless that is repaired.
#ifndef CNISIM_CORE_IPAM_POOL_POLICY_H_
#define CNISIM_CORE_IPAM_POOL_POLICY_H_

#include <cstdint>

#include "core/ports/ec2_api.h"

namespace cnisim {

// (a + b - 1) / b for positive b; what the real agent uses for addresses per prefix.
constexpr int DivideRoundingUp(int a, int b) { return a <= 0 ? 0 : (a - 1) / b + 1; }

// How a node gives out addresses, and so which CIDRs of its ENIs it uses.
enum class PoolMode : uint8_t { kSecondaryIps, kPrefixes, kIpv6 };
inline constexpr int kPoolModes = 3;

// ST-5: addresses of ENIs that may serve pods and of the current mode only; prefixes of all.
struct PoolStats {
  int64_t total_ips = 0;
  int64_t assigned_ips = 0;
  int64_t cooling_ips = 0;
  int total_prefixes = 0;
  int free_prefixes = 0;  // no address assigned
  bool cooling_is_available = true;

  int64_t available_ips() const {
    return total_ips - assigned_ips - (cooling_is_available ? 0 : cooling_ips);
  }
};

struct PoolConfig {
  bool prefix_mode = false;
  int warm_eni_target = 1;
  int warm_ip_target = 0;
  int minimum_ip_target = 0;
  int warm_prefix_target = 0;
  int max_pods = 110;
  // Addresses an ENI can hold besides its primary one; in prefix mode so many prefixes.
  int slots_per_eni = 0;
  // In prefix mode, targets are still reckoned in addresses (NC-6).
  bool targets_in_addresses = false;

  bool ip_targets_defined() const { return warm_ip_target != 0 || minimum_ip_target != 0; }
  int ips_per_eni() const {
    return prefix_mode ? slots_per_eni * kAddressesPerPrefix : slots_per_eni;
  }
};

// In addresses, or in prefixes in prefix mode. Both are 0 when no IP target is defined.
struct TargetState {
  int short_by = 0;
  int over_by = 0;
  bool defined = false;

  friend bool operator==(const TargetState&, const TargetState&) = default;
};

TargetState TargetStateOf(const PoolStats& stats, const PoolConfig& config);  // TG-1 to TG-3
int PrefixesNeeded(const PoolStats& stats, const PoolConfig& config);         // TG-5, at least 1

bool IsTooLow(const PoolStats& stats, const PoolConfig& config);   // LO-1 to LO-3
bool IsTooHigh(const PoolStats& stats, const PoolConfig& config);  // DN-1, given not too low

// How many CIDRs to ask for on an ENI with `used_slots`; below 1: nothing (UP-3, UP-4).
int AssignQuantity(const PoolStats& stats, const PoolConfig& config, int used_slots);
// How many CIDRs a new ENI is created with (UP-9).
int NewEniQuantity(const PoolStats& stats, const PoolConfig& config);
// How many CIDRs to release (DN-3).
int ReleaseBudget(const PoolStats& stats, const PoolConfig& config);
// Whether to look for an ENI to remove. `has_empty_eni`: a non-primary, non-trunk, non-EFA ENI has
// no pods (RM-1).
bool ShouldTryRemoveEni(const PoolStats& stats, const PoolConfig& config, bool has_empty_eni);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_POOL_POLICY_H_
