// What `cnisim inspect` shows of a moment: the texts that an operator's commands would print, and
// tables.
#ifndef CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_VIEWS_H_
#define CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_VIEWS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/result.h"
#include "core/routing/host_state.h"
#include "sim/cluster/world_view.h"
#include "tools/cnisim/base/table.h"

namespace cnisim {

// A command, as one would type it on the node, and what it prints.
struct View {
  std::string command;
  std::string text;
};

struct ViewOptions {
  std::string node;
  std::string pod;  // its namespace instead of the node's; empty: the node's
  Family family = Family::kV4;
  std::optional<int> table;  // of `route`: only this one
  OutputFormat format = OutputFormat::kTable;
};

struct ViewInfo {
  std::string_view name;
  std::string_view help;
};
// Of a node, or of a pod's namespace; in the order of the help text.
std::span<const ViewInfo> AllViews();

// What the view is called with; errors have code "usage".
Result<std::vector<View>> ViewsOf(WorldView& world, std::string_view view,
                                  const ViewOptions& options);
// `inspect cluster`: pods as kubectl, nodes as the AWS CLI, and whose addresses are whose.
std::vector<View> ClusterViews(WorldView& world, OutputFormat format);

// An error of code "usage", which suggests, if there is no such node.
Result<NodeView> FindNode(WorldView& world, std::string_view name);
// The kernel of a node that there is, with kube-proxy's chains for these services.
Result<HostState> KernelOf(WorldView& world, const std::string& node,
                           const std::vector<KubeServicePort>& services);
// By its name, or NAMESPACE/NAME if there are several of that name.
Result<PodView> FindPod(WorldView& world, std::string_view name);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_INSPECT_INSPECT_VIEWS_H_
