#include "tools/kernel_lab/measure/offloads.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ranges>

#include "tools/kernel_lab/socket_calls.h"

namespace cnisim {
namespace {

struct Offload {
  uint32_t get;
  uint32_t set;
};
constexpr Offload kOffloads[] = {
    {ETHTOOL_GTSO, ETHTOOL_STSO}, {ETHTOOL_GGSO, ETHTOOL_SGSO}, {ETHTOOL_GGRO, ETHTOOL_SGRO}};

bool Ethtool(int fd, const std::string& device, ethtool_value& value) {
  ifreq request{};
  std::strncpy(request.ifr_name, device.c_str(), IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

// Of this thread's namespace, but for loopback.
std::vector<std::string> Devices() {
  std::vector<std::string> names;
  struct if_nameindex* const list = if_nameindex();
  for (auto* device = list; device != nullptr && device->if_index != 0; ++device) {
    if (std::strcmp(device->if_name, "lo") != 0) names.emplace_back(device->if_name);
  }
  if (list != nullptr) if_freenameindex(list);
  return names;
}

}  // namespace

OffloadsOff::~OffloadsOff() {
  for (const Switched& one : switched_ | std::views::reverse) {
    ethtool_value on{one.command, 1};
    (void)Ethtool(one.fd, one.device, on);
  }
  for (const int fd : sockets_) close(fd);
}

Status OffloadsOff::SwitchOff(const Lab& lab) {
  for (const std::string& netns : lab.namespaces().List()) {
    if (Status status = SwitchOff(netns); !status) return status;
  }
  return {};
}

Status OffloadsOff::SwitchOff(const std::string& netns) {
  const NamespaceVisit visit(netns);
  if (!visit.entered()) return FailWithErrno(netns);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return FailWithErrno(netns);
  sockets_.push_back(fd);
  for (const std::string& device : Devices()) {
    if (Status status = SwitchOff(fd, device); !status) return status;
  }
  return {};
}

Status OffloadsOff::SwitchOff(int fd, const std::string& device) {
  for (const Offload& offload : kOffloads) {
    ethtool_value value{offload.get, 0};
    if (!Ethtool(fd, device, value)) return FailWithErrno(device);
    if (value.data == 0) continue;
    value = {offload.set, 0};
    if (!Ethtool(fd, device, value)) return FailWithErrno(device);
    switched_.push_back({fd, device, offload.set});
  }
  return {};
}

}  // namespace cnisim
