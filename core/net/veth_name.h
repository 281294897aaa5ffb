// The name of a pod's interface on the host: prefix + 11 hex digits of SHA-1("namespace.name").
//
// Source: amazon-vpc-cni-k8s v1.23.1, pkg/networkutils (names) and pkg/ipamd/datastore (the agent
// finds a restored pod's interface by this suffix). With a prefix of up to 4 characters the name
// fits Linux's 15.
#ifndef CNISIM_CORE_NET_VETH_NAME_H_
#define CNISIM_CORE_NET_VETH_NAME_H_

#include <string>
#include <string_view>

namespace cnisim {

std::string VethSuffix(std::string_view pod_namespace, std::string_view pod_name);

}  // namespace cnisim

#endif  // CNISIM_CORE_NET_VETH_NAME_H_
