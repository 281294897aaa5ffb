// Network namespaces that are gone when the owner is.
//
// They are named "cnisim-PID-...", so that processes do not meet, and what a killed one has left is
// found: the next owner removes the namespaces of processes that live no more. Needs root.
#ifndef CNISIM_TOOLS_KERNEL_LAB_NAMESPACES_H_
#define CNISIM_TOOLS_KERNEL_LAB_NAMESPACES_H_

#include <string>
#include <vector>

#include "core/ports/result.h"

namespace cnisim {

class Namespaces {
 public:
  Namespaces();
  Namespaces(const Namespaces&) = delete;
  Namespaces& operator=(const Namespaces&) = delete;
  ~Namespaces();  // removes all that bear a name of this owner, whoever made them

  // The full name of `name`, which is this owner's as all names that begin with it.
  std::string NameOf(const std::string& name) const { return prefix_ + name; }
  // Makes it, with its loopback device up. NameOf(name) is how `ip netns` calls it.
  Status Add(const std::string& name);
  // Full names, sorted.
  std::vector<std::string> List() const;

 private:
  std::string prefix_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_NAMESPACES_H_
