#include "sim/cluster/node.h"

#include <algorithm>

namespace cnisim {

Node::Node(ClusterContext& context, NodeConfig config)
    : context_(context),
      config_(std::move(config)),
      entity_hash_(HashName(config_.name)),
      system_pods_(context.scenario.system_pods ? kSystemPods : 0),
      kubelet_api_(context.scenario.constants.kubelet_api_qps,
                   context.scenario.constants.kubelet_api_burst) {}

void Node::AddPod(Pod& pod) {
  pod.node = this;
  pod.index_on_node = pods_.size();
  pods_.push_back(&pod);
  cpu_used_ += pod.cpu_milli;
  memory_used_ += pod.memory_mib;
  branch_enis_used_ += pod.wants_branch_eni ? 1 : 0;
}

void Node::RemovePod(Pod& pod) {
  pods_[pod.index_on_node] = pods_.back();
  pods_[pod.index_on_node]->index_on_node = pod.index_on_node;
  pods_.pop_back();
  cpu_used_ -= pod.cpu_milli;
  memory_used_ -= pod.memory_mib;
  branch_enis_used_ -= pod.wants_branch_eni ? 1 : 0;
}

Duration Node::Sample(const Distribution& distribution, std::string_view purpose) {
  RandomStream stream(KeyedDraw(context_.seed, entity_hash_, HashName(purpose), samples_++), 0, 0);
  return distribution.Sample(stream);
}

uint64_t Node::ChoiceSeed() const {
  return KeyedDraw(context_.seed, entity_hash_, HashName("choice"), 0);
}

TimePoint Node::HoldRtnl(Duration duration) {
  rtnl_free_ = std::max(rtnl_free_, context_.Now()) + duration;
  return rtnl_free_;
}

}  // namespace cnisim
