// What of a kernel and its tools is there, found out by trying it in a namespace of its own.
#ifndef CNISIM_TOOLS_KERNEL_LAB_FEATURES_H_
#define CNISIM_TOOLS_KERNEL_LAB_FEATURES_H_

#include <cstdint>
#include <map>
#include <string>

#include "core/routing/operation.h"

namespace cnisim {

enum class Feature : uint8_t {
  kNamespaces,  // and veth pairs, policy routing and sysctls in them; without it, no other
  kPing,
  kIptables,  // and ipset: the matches and targets that the VPC CNI and Calico use
  kNftables,
  kVxlan,
  kIpip,
};

class Features {
 public:
  static Features Probe();

  bool Has(Feature feature) const { return !missing_.contains(feature); }
  // One line for whoever wonders why something is skipped.
  std::string WhyNot(Feature feature) const { return missing_.at(feature); }
  // Whether the kernel can do it.
  bool Supports(const Operation& operation) const;

 private:
  std::map<Feature, std::string> missing_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_FEATURES_H_
