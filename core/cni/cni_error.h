// The error result of a CNI plugin.
//
// Codes: CNI specification 1.0.0, "Error"; 999 is what the reference library gives any error that
// has no code of its own (containernetworking/cni pkg/types).
#ifndef CNISIM_CORE_CNI_CNI_ERROR_H_
#define CNISIM_CORE_CNI_CNI_ERROR_H_

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace cnisim {

enum class CniErrorCode {
  kIncompatibleVersion = 1,
  kUnknownContainer = 3,
  kInvalidEnvironment = 4,
  kDecodingFailure = 6,
  kInvalidNetworkConfig = 7,
  kInternal = 999,
};

struct CniError {
  CniErrorCode code = CniErrorCode::kInternal;
  std::string message;
  std::string details;

  friend bool operator==(const CniError&, const CniError&) = default;
};

template <typename T>
using CniResult = tl::expected<T, CniError>;

inline tl::unexpected<CniError> CniFail(CniErrorCode code, std::string message,
                                        std::string details = {}) {
  return tl::unexpected<CniError>(CniError{code, std::move(message), std::move(details)});
}
inline tl::unexpected<CniError> CniFail(std::string message) {
  return CniFail(CniErrorCode::kInternal, std::move(message));
}

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_CNI_ERROR_H_
