// The checkpoint as text: what the agent writes to disk on each change, in the format of
// amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd/datastore, "vpc-cni-ipam/1"), so that either agent can take
// over from the other.
//
//   {"version":"vpc-cni-ipam/1","allocations":[{"networkName":"aws-cni","containerID":"…",
//    "ifName":"eth0","ipv4":"10.0.0.5","allocationTimestamp":1767323045678000000,
//    "metadata":{"k8sPodNamespace":"default","k8sPodName":"web-0","interfacesCount":1}}]}
//
// One line. Members ipv4, ipv6 and those of metadata are left out if empty. Times are nanoseconds
// since 1970. Linear in the number of allocations.
#ifndef CNISIM_CORE_IPAM_CHECKPOINT_JSON_H_
#define CNISIM_CORE_IPAM_CHECKPOINT_JSON_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/ports/checkpoint_store.h"
#include "core/ports/civil_time.h"
#include "core/ports/result.h"

namespace cnisim {

namespace checkpoint_error {
inline constexpr std::string_view kMalformed = "CheckpointMalformed";
inline constexpr std::string_view kOtherVersion = "CheckpointOfOtherVersion";
}  // namespace checkpoint_error

// In the order given, with a line feed. Bytes that are not UTF-8 become U+FFFD.
std::string FormatCheckpoint(const std::vector<Allocation>& allocations, CivilEpoch epoch);

// As strict as the real agent (RS-2): text that is empty, no JSON, of other types or of another
// version is an error. Members that nobody knows are passed over, absent ones are empty. An entry
// without a valid address gets 0.0.0.0, which is on no ENI, and so is dropped when it is restored
// (RS-5).
Result<std::vector<Allocation>> ParseCheckpoint(std::string_view text, CivilEpoch epoch);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CHECKPOINT_JSON_H_
