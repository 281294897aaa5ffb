#include "tools/kernel_lab/namespace_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace cnisim {
namespace {

sockaddr_in AddressOf(Ipv4Address ip, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip.bits());
  address.sin_port = htons(port);
  return address;
}

tl::unexpected<Error> FailWithErrno(std::string_view what) {
  return Fail(std::string(kSocketFailed), fmt::format("{}: {}", what, std::strerror(errno)));
}

// This thread's namespace for as long as it lives.
class Visit {
 public:
  explicit Visit(const std::string& netns)
      : home_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)),
        there_(open(("/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC)),
        entered_(home_ >= 0 && there_ >= 0 && setns(there_, CLONE_NEWNET) == 0) {}
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    if (entered_) (void)setns(home_, CLONE_NEWNET);
    if (there_ >= 0) close(there_);
    if (home_ >= 0) close(home_);
  }

  bool entered() const { return entered_; }

 private:
  int home_;
  int there_;
  bool entered_;
};

}  // namespace

Result<NamespaceSocket> NamespaceSocket::Open(const std::string& netns, uint16_t port) {
  const Visit visit(netns);
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
