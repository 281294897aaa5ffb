// Switches segmentation and merging of packets off on a lab's devices, as `ethtool -K DEVICE
// tso off gso off gro off`: each TCP segment is then a packet of its own from socket to socket.
#ifndef CNISIM_TOOLS_KERNEL_LAB_MEASURE_OFFLOADS_H_
#define CNISIM_TOOLS_KERNEL_LAB_MEASURE_OFFLOADS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/ports/result.h"
#include "tools/kernel_lab/lab.h"

namespace cnisim {

// Off until it is destroyed, which has to happen while the namespaces are there.
class OffloadsOff {
 public:
  OffloadsOff() = default;
  OffloadsOff(const OffloadsOff&) = delete;
  OffloadsOff& operator=(const OffloadsOff&) = delete;
  ~OffloadsOff();

  // On all devices of all namespaces.
  Status SwitchOff(const Lab& lab);

 private:
  struct Switched {
    int fd;  // of a socket in the namespace
    std::string device;
    uint32_t command;
  };

  Status SwitchOff(const std::string& netns);
  Status SwitchOff(int fd, const std::string& device);

  std::vector<int> sockets_;
  std::vector<Switched> switched_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_MEASURE_OFFLOADS_H_
