// One scenario on another network: `--network aws-vpc-cni`, `--network calico:VXLAN`.
//
// Replaces the document's network.plugin before it is read, and for Calico the encapsulation of its
// IP pools (calico.yaml's own pool if there are none). What only the other network knows is left
// out, all else stays; the links' MTU is AWS_VPC_ENI_MTU of `env` on the one, `mtu` on the other.
// Modes that send packets unencapsulated turn the ENIs' source/destination check off
// (awsSrcDstCheck: Disable), unless the scenario says something else: without that they carry
// nothing.
#ifndef CNISIM_SIM_SCENARIO_NETWORK_CHOICE_H_
#define CNISIM_SIM_SCENARIO_NETWORK_CHOICE_H_

#include <string>
#include <string_view>

#include "sim/scenario/scenario.h"
#include "sim/scenario/yaml_tree.h"

namespace cnisim {

// What would be chosen to get it: "aws-vpc-cni"; of Calico by its first IP pool, "calico:IPIP".
std::string NameOf(const NetworkSpec& network);

// Errors are told under the source "--network CHOICE", as later ones about it will be.
void ApplyNetworkChoice(const std::string& choice, YamlNode& document, Diagnostics& diagnostics);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_NETWORK_CHOICE_H_
