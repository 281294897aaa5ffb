#include "tools/kernel_lab/socket_calls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cnisim {

tl::unexpected<Error> FailWithErrno(std::string_view what) {
  return Fail(std::string(kSocketFailed), fmt::format("{}: {}", what, std::strerror(errno)));
}

sockaddr_in AddressOf(Ipv4Address ip, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip.bits());
  address.sin_port = htons(port);
  return address;
}

NamespaceVisit::NamespaceVisit(const std::string& netns)
    : home_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)),
      there_(open(("/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC)),
      entered_(home_ >= 0 && there_ >= 0 && setns(there_, CLONE_NEWNET) == 0) {}

NamespaceVisit::~NamespaceVisit() {
  if (entered_) (void)setns(home_, CLONE_NEWNET);
  if (there_ >= 0) close(there_);
  if (home_ >= 0) close(home_);
}

}  // namespace cnisim
