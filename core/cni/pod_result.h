// What an ADD results in: the interfaces and addresses of a pod, as JSON of the CNI specification.
//
// Versions 0.3.0 to 1.0.0 differ in one thing here: before 1.0.0 each address tells its family.
// Rendered as the reference library renders it (four spaces, fields in the order of its structs).
#ifndef CNISIM_CORE_CNI_POD_RESULT_H_
#define CNISIM_CORE_CNI_POD_RESULT_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/ip.h"
#include "core/ports/result.h"
#include "core/rpc/json_fields.h"

namespace cnisim {

inline constexpr std::array<std::string_view, 4> kCniVersions{"0.3.0", "0.3.1", "0.4.0", "1.0.0"};
bool IsSupportedCniVersion(std::string_view version);

struct PodResult {
  struct Interface {
    std::string name;
    std::string mac;
    std::string sandbox;

    friend bool operator==(const Interface&, const Interface&) = default;
  };
  struct Address {
    IpAddress ip;
    int length = 0;                // of the prefix
    std::optional<int> interface;  // an index into `interfaces`

    friend bool operator==(const Address&, const Address&) = default;
  };

  std::vector<Interface> interfaces;
  std::vector<Address> ips;

  // The index of the first of that name.
  std::optional<int> Find(std::string_view name) const;

  friend bool operator==(const PodResult&, const PodResult&) = default;
};

// `version` is one of kCniVersions.
std::string RenderResult(const PodResult& result, std::string_view version);

// Of any version; what a PodResult does not hold is skipped.
Result<PodResult> ParseResult(const Json& json);

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_POD_RESULT_H_
