// A cluster's worth of namespaces: the router, and a kernel for each node.
//
// Planners' operations do all the rest: Execute them on a node, and Assign at the router what EC2
// would know. Everything is gone with the lab.
#ifndef CNISIM_TOOLS_KERNEL_LAB_LAB_H_
#define CNISIM_TOOLS_KERNEL_LAB_LAB_H_

#include <map>
#include <memory>
#include <string>

#include "core/net/ip.h"
#include "tools/kernel_lab/features.h"
#include "tools/kernel_lab/namespace_kernel.h"
#include "tools/kernel_lab/namespaces.h"
#include "tools/kernel_lab/router.h"

namespace cnisim {

struct Place {
  std::string netns;  // as `ip netns` calls it
  IpAddress ip;
};

class Lab {
 public:
  // `features` are used until the lab is destroyed.
  explicit Lab(const Features& features) : features_(features), router_(namespaces_) {}

  Status Start() { return router_.Start(); }
  Status AddNode(const std::string& name) {
    auto& kernel = nodes_[name];
    kernel = std::make_unique<NamespaceKernel>(name, features_, namespaces_, router_);
    return kernel->Start();
  }

  NamespaceKernel& node(const std::string& name) { return *nodes_.at(name); }
  Router& router() { return router_; }
  const Namespaces& namespaces() const { return namespaces_; }

 private:
  const Features& features_;
  Namespaces namespaces_;
  Router router_;
  std::map<std::string, std::unique_ptr<NamespaceKernel>> nodes_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_LAB_H_
