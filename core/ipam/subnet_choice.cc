#include "core/ipam/subnet_choice.h"

#include <algorithm>

namespace cnisim {
namespace {

constexpr std::string_view kRoleTag = "kubernetes.io/role/cni";
constexpr std::string_view kClusterTagPrefix = "cni.networking.k8s.aws/cluster/";

// The value of the role tag; empty if there is none.
std::string_view RoleOf(const Tags& tags) {
  const auto it = tags.find(std::string(kRoleTag));
  return it == tags.end() ? std::string_view() : std::string_view(it->second);
}

// No cluster is named, ours is, or we do not know our name.
bool ForCluster(const Tags& tags, std::string_view cluster_name) {
  if (cluster_name.empty()) return true;
  bool named = false;
  for (const auto& [key, value] : tags) {
    if (!key.starts_with(kClusterTagPrefix)) continue;
    named = true;
    if (std::string_view(key).substr(kClusterTagPrefix.size()) == cluster_name) return true;
  }
  return !named;
}

}  // namespace

bool SubnetUsable(const Tags& tags, bool is_primary_subnet, std::string_view cluster_name) {
  const std::string_view role = RoleOf(tags);
  if (role.empty()) return is_primary_subnet;
  return role != "0" && ForCluster(tags, cluster_name);
}

bool SubnetExcluded(const Tags& tags, std::string_view cluster_name) {
  const std::string_view role = RoleOf(tags);
  if (role.empty()) return false;
  return role == "0" || !ForCluster(tags, cluster_name);
}

std::vector<Subnet> SubnetsForNewEni(std::vector<Subnet> subnets, std::string_view primary_subnet,
                                     std::string_view cluster_name) {
  std::erase_if(subnets, [&](const Subnet& subnet) {
    return !SubnetUsable(subnet.tags, subnet.id == primary_subnet, cluster_name);
  });
  std::ranges::stable_sort(subnets, std::ranges::greater(), &Subnet::available_ip_address_count);
  return subnets;
}

}  // namespace cnisim
