// The maximum transmission units, in bytes, that interfaces may be given.
//
// Source: amazon-vpc-cni-k8s v1.23.1, pkg/networkutils and cmd/aws-vpc-cni (rule EV-3). 9001 is the
// MTU of EC2's jumbo frames; 576 and 1280 are the least that IPv4 (RFC 791) and IPv6 (RFC 8200)
// expect of a link.
#ifndef CNISIM_CORE_CNI_MTU_H_
#define CNISIM_CORE_CNI_MTU_H_

namespace cnisim {

inline constexpr int kMinimumMtuIpv4 = 576;
inline constexpr int kMinimumMtuIpv6 = 1280;
inline constexpr int kMaximumMtu = 9001;

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_MTU_H_
