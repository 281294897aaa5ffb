// A UDP socket that lives in a network namespace, whatever the namespace of who holds it.
#ifndef CNISIM_TOOLS_KERNEL_LAB_NAMESPACE_SOCKET_H_
#define CNISIM_TOOLS_KERNEL_LAB_NAMESPACE_SOCKET_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/net/ip.h"
#include "core/ports/result.h"
#include "tools/kernel_lab/socket_calls.h"

namespace cnisim {

struct Datagram {
  std::string payload;
  Ipv4Address from;
  uint16_t from_port = 0;
};

class NamespaceSocket {
 public:
  // Bound to the port, of any address; 0 leaves the choice to the kernel.
  static Result<NamespaceSocket> Open(const std::string& netns, uint16_t port);
  NamespaceSocket(NamespaceSocket&& other) noexcept;
  NamespaceSocket& operator=(NamespaceSocket&&) = delete;
  ~NamespaceSocket();

  Status Send(Ipv4Address to, uint16_t port, std::string_view payload);
  // kSocketFailed if nothing has come by then.
  Result<Datagram> Receive(std::chrono::milliseconds timeout);

 private:
  explicit NamespaceSocket(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_NAMESPACE_SOCKET_H_
