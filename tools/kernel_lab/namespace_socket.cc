#include "tools/kernel_lab/namespace_socket.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace cnisim {

Result<NamespaceSocket> NamespaceSocket::Open(const std::string& netns, uint16_t port) {
  const NamespaceVisit visit(netns);
  if (!visit.entered()) return FailWithErrno(netns);
  NamespaceSocket opened(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = AddressOf(Ipv4Address(), port);
  if (opened.fd_ < 0 ||
      bind(opened.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return FailWithErrno(netns);
  }
  return opened;
}

NamespaceSocket::NamespaceSocket(NamespaceSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

NamespaceSocket::~NamespaceSocket() {
  if (fd_ >= 0) close(fd_);
}

Status NamespaceSocket::Send(Ipv4Address to, uint16_t port, std::string_view payload) {
  const sockaddr_in address = AddressOf(to, port);
  if (sendto(fd_, payload.data(), payload.size(), 0, reinterpret_cast<const sockaddr*>(&address),
             sizeof address) < 0) {
    return FailWithErrno(to.ToString());
  }
  return {};
}

Result<Datagram> NamespaceSocket::Receive(std::chrono::milliseconds timeout) {
  pollfd ready{fd_, POLLIN, 0};
  const int count = poll(&ready, 1, static_cast<int>(timeout.count()));
  if (count < 0) return FailWithErrno("poll");
  if (count == 0) return Fail(std::string(kSocketFailed), "nothing came");
  char buffer[65536];
  sockaddr_in from{};
  socklen_t length = sizeof from;
  const ssize_t size =
      recvfrom(fd_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &length);
  if (size < 0) return FailWithErrno("recvfrom");
  return Datagram{std::string(buffer, static_cast<size_t>(size)),
                  Ipv4Address(ntohl(from.sin_addr.s_addr)), ntohs(from.sin_port)};
}

}  // namespace cnisim
