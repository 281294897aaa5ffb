#include "tools/kernel_lab/namespace_kernel.h"

#include <utility>
#include <variant>

#include "tools/kernel_lab/process.h"

namespace cnisim {

NamespaceKernel::NamespaceKernel(std::string node, const Features& features, Namespaces& namespaces,
                                 Router& router)
    : node_(std::move(node)),
      features_(features),
      namespaces_(namespaces),
      router_(router),
      names_{namespaces.NameOf(node_)} {}

Status NamespaceKernel::Start() {
  if (Status status = namespaces_.Add(node_); !status) return status;
  // A new namespace's IPv4 defaults are those of the machine that the lab runs on.
  return RunCommands({InNamespace(
      names_.host, {"sysctl", "-qw", "net/ipv4/ip_forward=1", "net/ipv4/conf/all/rp_filter=0",
                    "net/ipv4/conf/default/rp_filter=0"})});
}

Status NamespaceKernel::Execute(std::span<const Operation> operations) {
  for (const Operation& operation : operations) {
    if (Status status = Execute(operation); !status) return status;
  }
  return {};
}

Status NamespaceKernel::Execute(const Operation& operation) {
  if (!features_.Supports(operation)) return {};
  if (Status status = Apply(operation, state_); !status) return status;
  const auto* link = std::get_if<LinkEntry>(&operation.subject);
  const bool is_physical = link != nullptr && link->value.type == LinkType::kPhysical;
  if (is_physical && operation.verb == Verb::kAdd) {
    if (Status status = router_.Plug(node_, link->key, link->value); !status) return status;
  }
  if (is_physical && operation.verb == Verb::kRemove) return router_.Unplug(node_, link->key);
  return RunCommands(RenderCommands(operation, names_));
}

}  // namespace cnisim
