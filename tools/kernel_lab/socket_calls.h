// What sockets in network namespaces are made with.
#ifndef CNISIM_TOOLS_KERNEL_LAB_SOCKET_CALLS_H_
#define CNISIM_TOOLS_KERNEL_LAB_SOCKET_CALLS_H_

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/net/ip.h"
#include "core/ports/result.h"

namespace cnisim {

inline constexpr std::string_view kSocketFailed = "SocketFailed";

// kSocketFailed for what errno tells.
tl::unexpected<Error> FailWithErrno(std::string_view what);

sockaddr_in AddressOf(Ipv4Address ip, uint16_t port);

// This thread's namespace for as long as it lives. A socket that is opened meanwhile stays in that
// namespace.
class NamespaceVisit {
 public:
  explicit NamespaceVisit(const std::string& netns);
  NamespaceVisit(const NamespaceVisit&) = delete;
  NamespaceVisit& operator=(const NamespaceVisit&) = delete;
  ~NamespaceVisit();

  bool entered() const { return entered_; }

 private:
  int home_;
  int there_;
  bool entered_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_SOCKET_CALLS_H_
