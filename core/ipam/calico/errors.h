// Error codes of Calico's IPAM (core/ports/result.h).
//
// "No free blocks" is not among them: it is internal to an assignment and leads to borrowing, or
// with strict affinity to kPoolsExhausted.
#ifndef CNISIM_CORE_IPAM_CALICO_ERRORS_H_
#define CNISIM_CORE_IPAM_CALICO_ERRORS_H_

#include <string_view>

namespace cnisim::calico_error {

// The host owns as many blocks as it may, and none of them has a free address.
inline constexpr std::string_view kBlockLimit = "ErrBlockLimit";
// Every block of every allowed pool was tried in vain.
inline constexpr std::string_view kPoolsExhausted = "PoolsExhausted";
// The host's blocks are full and autoAllocateBlocks forbids another.
inline constexpr std::string_view kAutoAllocateOff = "AutoAllocateOff";
// No enabled pool is for this node, namespace and use.
inline constexpr std::string_view kNoPools = "NoPools";
// A pool was asked for by name that does not exist, is disabled or has too small blocks; or an
// address that no such pool contains.
inline constexpr std::string_view kUnknownPool = "UnknownPool";
inline constexpr std::string_view kInvalidPool = "InvalidPool";
inline constexpr std::string_view kInvalidSelector = "InvalidSelector";
inline constexpr std::string_view kInvalidConfig = "InvalidConfig";
inline constexpr std::string_view kInvalidRequest = "InvalidRequest";
// The block belongs to another host, or to none.
inline constexpr std::string_view kBlockClaimed = "BlockClaimed";
inline constexpr std::string_view kBlockNotEmpty = "BlockNotEmpty";
inline constexpr std::string_view kNoAffinity = "NoAffinity";
// The address that was asked for is held or cooling.
inline constexpr std::string_view kAlreadyExists = "AlreadyExists";
// The address is not held under the handle or sequence number that the release names.
inline constexpr std::string_view kReleaseMismatch = "ReleaseMismatch";

}  // namespace cnisim::calico_error

#endif  // CNISIM_CORE_IPAM_CALICO_ERRORS_H_
