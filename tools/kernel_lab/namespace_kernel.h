// A node of the lab: the real kernel, in a network namespace, that does what plans say.
//
// Beside the kernel it keeps the state that the operations lead to, which the kernel's own texts
// are compared with (kernel_texts.h). What the kernel cannot do (Features) is left out of both.
#ifndef CNISIM_TOOLS_KERNEL_LAB_NAMESPACE_KERNEL_H_
#define CNISIM_TOOLS_KERNEL_LAB_NAMESPACE_KERNEL_H_

#include <span>
#include <string>

#include "core/routing/host_kernel.h"
#include "core/routing/render_command.h"
#include "tools/kernel_lab/features.h"
#include "tools/kernel_lab/namespaces.h"
#include "tools/kernel_lab/router.h"

namespace cnisim {

class NamespaceKernel final : public HostKernel {
 public:
  // All are used until the kernel is destroyed.
  NamespaceKernel(std::string node, const Features& features, Namespaces& namespaces,
                  Router& router);

  // Makes the namespace, as a node boots: nothing but loopback, and forwarding as the kubelet needs
  // it.
  Status Start();

  // A physical link that is added is plugged into the router, one that is removed unplugged.
  // Errors: those of Apply, and kCommandFailed.
  Status Execute(std::span<const Operation> operations) override;
  const HostState& state() const override { return state_; }

  const NamespaceNames& names() const { return names_; }

 private:
  Status Execute(const Operation& operation);

  std::string node_;
  const Features& features_;
  Namespaces& namespaces_;
  Router& router_;
  NamespaceNames names_;
  HostState state_ = NewHostState();
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_NAMESPACE_KERNEL_H_
