#include "sim/cluster/vpc_cni_ports.h"

#include <algorithm>
#include <utility>

#include "core/net/veth_name.h"
#include "core/rpc/backend.h"
#include "sim/cluster/node.h"

namespace cnisim {

Task<Result<std::vector<std::string>>> SimNodeHost::ListLinks() {
  std::vector<std::string> links{"lo", "eth0"};
  for (const Pod* pod : node_.pods()) {
    if (pod->ip) links.push_back("eni" + VethSuffix(node_.NamespaceOf(*pod), pod->name));
  }
  co_return links;
}

Result<std::optional<std::vector<Allocation>>> SimCheckpoint::Load() {
  if (!written_) return std::nullopt;
  std::vector<Allocation> all;
  for (const auto& [key, allocation] : allocations_) all.push_back(allocation);
  // The file's order is that of the table above: any. Make it a defined one.
  std::ranges::sort(all, {}, &Allocation::key);
  return all;
}

Status SimCheckpoint::Save(const AllocationChange& change, const AllocationSource&) {
  written_ = true;
  if (change.added != nullptr) allocations_.insert_or_assign(change.added->key, *change.added);
  if (change.removed != nullptr) allocations_.erase(*change.removed);
  return {};
}

Status SimCheckpoint::Rewrite(const AllocationSource& all) {
  written_ = true;
  allocations_.clear();
  for (Allocation& allocation : all.AllAllocations()) {
    allocations_.emplace(allocation.key, std::move(allocation));
  }
  return {};
}

size_t SimCheckpoints::size() const {
  size_t size = 0;
  for (const auto& [card, checkpoint] : cards_) size += checkpoint.size();
  return size;
}

Task<RpcStatus> AllowingPolicyAgent::Call(std::string_view, std::string_view, std::string* reply) {
  rpc::EnforceNpReply answer;  // DeleteNpReply is the same
  answer.set_success(true);
  answer.SerializeToString(reply);
  co_return RpcStatus();
}

}  // namespace cnisim
