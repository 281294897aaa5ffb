#include "core/ipam/eni_lifecycle.h"

#include <algorithm>

#include "core/ipam/backoff.h"
#include "core/ipam/subnet_choice.h"

namespace cnisim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr BackoffRule kWaitForMetadata{milliseconds(100), seconds(60), 15, 2, 12};
constexpr BackoffRule kDetach{milliseconds(200), seconds(60), 15, 2, 12};
constexpr BackoffRule kDelete{milliseconds(500), seconds(60), 15, 2, 12};
constexpr BackoffRule kTag{milliseconds(500), seconds(60), 30, 2, 5};
constexpr int kDescribeTries = 12;
constexpr Duration kPauseAfterDetach = seconds(2);
constexpr int kDeviceIndices = 100;

// Salts that keep the jitters of the loops apart.
constexpr uint64_t kSaltWait = 11;
constexpr uint64_t kSaltDetach = 12;
constexpr uint64_t kSaltDelete = 13;
constexpr uint64_t kSaltTag = 14;

constexpr const char* kInstanceTag = "node.k8s.amazonaws.com/instance_id";
constexpr const char* kClusterTag = "cluster.k8s.amazonaws.com/name";
constexpr const char* kOwnerTag = "eks:eni:owner";

Tags WantedTags(const AgentState& agent) {
  Tags tags = agent.settings.additional_eni_tags;
  tags[kInstanceTag] = agent.identity.instance_id;
  if (!agent.settings.cluster_name.empty()) {
    tags[kClusterTag] = agent.settings.cluster_name;
    tags[kOwnerTag] = "amazon-vpc-cni";
  }
  return tags;
}

// The subnets to try, best first (4.2 step 1).
Task<Result<std::vector<std::string>>> ChooseSubnets(AgentState& agent) {
  const std::string& primary = agent.identity.primary_subnet_id;
  const std::string& cluster = agent.settings.cluster_name;
  Result<std::vector<Subnet>> subnets = co_await agent.ports.ec2.DescribeSubnets(
      agent.identity.vpc_id, agent.identity.availability_zone);
  if (agent.settings.subnet_discovery && subnets) {
    std::vector<std::string> ids;
    for (Subnet& subnet : SubnetsForNewEni(*std::move(subnets), primary, cluster)) {
      ids.push_back(std::move(subnet.id));
    }
    if (ids.empty()) co_return Fail("NoSubnet", "no valid subnets for a new ENI");
    co_return ids;
  }
  if (agent.settings.subnet_discovery) {
    // Fall back to the primary subnet, unless it turns out to be excluded.
    subnets = co_await agent.ports.ec2.DescribeSubnets(agent.identity.vpc_id,
                                                       agent.identity.availability_zone);
    if (!subnets) co_return tl::unexpected(subnets.error());
  }
  if (subnets) {
    const auto it = std::ranges::find(*subnets, primary, &Subnet::id);
    if (it != subnets->end() && SubnetExcluded(it->tags, cluster)) {
      co_return Fail("NoSubnet", "the primary subnet is excluded by kubernetes.io/role/cni=0");
    }
  }
  std::vector<std::string> ids{primary};
  co_return ids;
}

Task<Result<NetworkInterface>> CreateEni(AgentState& agent, int quantity) {
  const Result<std::vector<std::string>> subnets = co_await ChooseSubnets(agent);
  if (!subnets) co_return tl::unexpected(subnets.error());
  CreateNetworkInterfaceRequest request;
  request.description = "aws-K8S-" + agent.identity.instance_id;
  request.security_group_ids = agent.security_groups;
  const int capped = std::min(quantity, agent.SlotsPerEni());
  (agent.settings.prefix_delegation ? request.ipv4_prefix_count
                                    : request.secondary_private_ip_address_count) = capped;
  request.tags = WantedTags(agent);
  Result<NetworkInterface> created;
  for (const std::string& subnet : *subnets) {
    request.subnet_id = subnet;
    created = co_await agent.ports.ec2.CreateNetworkInterface(request);
    if (created) break;
  }
  co_return created;
}

Task<Status> DeleteEni(AgentState& agent, std::string eni_id) {
  Backoff backoff(kDelete, agent.choice, kSaltDelete);
  Status deleted;
  while (backoff.Next()) {
    deleted = co_await agent.ports.ec2.DeleteNetworkInterface(eni_id);
    if (deleted || deleted.error().code == ec2_error::kEniNotFound) co_return Status();
    if (backoff.MoreToCome()) co_await agent.ports.clock.Sleep(backoff.Pause(agent.Now()));
  }
  co_return deleted;
}

// 4.4 steps 1 to 4: what EC2 has to be told.
Task<Status> DetachAndDelete(AgentState& agent, std::string eni_id) {
  std::vector<std::string> ids{eni_id};
  const Result<std::vector<NetworkInterface>> described =
      co_await agent.ports.ec2.DescribeNetworkInterfaces(ids);
  if (!described) {
    if (described.error().code == ec2_error::kEniNotFound) co_return Status();
    co_return Fail("AttachmentNotFound", described.error().message);
  }
  if (described->empty()) co_return Fail("AttachmentNotFound", "no interfaces in the answer");
  const std::string attachment = described->front().attachment_id;

  Backoff backoff(kDetach, agent.choice, kSaltDetach);
  Status detached;
  while (backoff.Next()) {
    detached = co_await agent.ports.ec2.DetachNetworkInterface(attachment);
    if (detached) break;
    if (backoff.MoreToCome()) co_await agent.ports.clock.Sleep(backoff.Pause(agent.Now()));
  }
  if (!detached) co_return Fail("DetachFailed", detached.error().message);
  co_await agent.ports.clock.Sleep(kPauseAfterDetach);
  const Status deleted = co_await DeleteEni(agent, eni_id);
  if (!deleted) co_return Fail("DeleteFailed", deleted.error().message);
  co_return Status();
}

// 4.2 steps 3 and 4.
Task<Result<std::string>> AttachEni(AgentState& agent, std::string eni_id) {
  const Result<std::vector<int>> used =
      co_await agent.ports.ec2.DescribeInstanceDevices(agent.identity.instance_id, 0);
  if (!used) co_return tl::unexpected(used.error());
  AttachNetworkInterfaceRequest request;
  request.network_interface_id = eni_id;
  request.instance_id = agent.identity.instance_id;
  while (request.device_index < kDeviceIndices &&
         std::ranges::find(*used, request.device_index) != used->end()) {
    ++request.device_index;
  }
  if (request.device_index == kDeviceIndices) {
    co_return Fail("NoDeviceIndex", "no free device index below 100");
  }
  co_return co_await agent.ports.ec2.AttachNetworkInterface(request);
}

// 4.2 steps 1 to 5. An empty id is the real agent's answer when setting DeleteOnTermination failed
// and the ENI could be freed again.
Task<Result<std::string>> AllocateEni(AgentState& agent, int quantity) {
  const Result<NetworkInterface> created = co_await CreateEni(agent, quantity);
  if (!created) co_return tl::unexpected(created.error());
  const std::string& eni_id = created->id;

  const Result<std::string> attachment = co_await AttachEni(agent, eni_id);
  if (!attachment) {
    const Status deleted = co_await DeleteEni(agent, eni_id);
    static_cast<void>(deleted);  // the ENI is left for the leaked-ENI clean-up
    co_return tl::unexpected(attachment.error());
  }

  ModifyNetworkInterfaceAttributeRequest modify;
  modify.network_interface_id = eni_id;
  modify.delete_on_termination_of = *attachment;
  const Status modified = co_await agent.ports.ec2.ModifyNetworkInterfaceAttribute(modify);
  if (!modified) {
    const Status freed = co_await DetachAndDelete(agent, eni_id);
    if (!freed) co_return tl::unexpected(modified.error());
    co_return std::string();
  }
  co_return eni_id;
}

size_t PoolItems(const AgentState& agent, const MetadataEni& eni) {
  return agent.settings.prefix_delegation ? eni.ipv4_prefixes.size() : eni.secondary_ips.size();
}

// 4.2 step 6: until metadata shows the ENI with at least `wanted` addresses or prefixes.
Task<Result<MetadataEni>> WaitForEni(AgentState& agent, std::string eni_id, size_t wanted) {
  Backoff backoff(kWaitForMetadata, agent.choice, kSaltWait);
  MetadataEni seen;
  while (backoff.Next()) {
    Result<std::vector<MetadataEni>> enis = co_await agent.ports.metadata.GetAttachedEnis();
    if (enis) {
      const auto it = std::ranges::find(*enis, eni_id, &MetadataEni::id);
      if (it != enis->end()) {
        seen = std::move(*it);
        if (PoolItems(agent, seen) >= wanted) co_return seen;
      }
    }
    if (backoff.MoreToCome()) co_await agent.ports.clock.Sleep(backoff.Pause(agent.Now()));
  }
  // A partial result will do, but of prefixes it takes two (as in the real agent).
  const size_t enough = agent.settings.prefix_delegation ? 2 : 1;
  if (!seen.id.empty() && PoolItems(agent, seen) >= enough) co_return seen;
  co_return Fail("MetadataTimeout", "metadata never showed " + eni_id + " with its addresses");
}

}  // namespace

void AddAddresses(AgentState& agent, const std::string& eni_id, const std::vector<Ipv4Address>& ips,
                  const std::vector<Ipv4Cidr>& prefixes) {
  for (const Ipv4Address ip : ips) {
    static_cast<void>(agent.datastore.AddCidr(eni_id, Ipv4Cidr(ip)));
  }
  for (const Ipv4Cidr& prefix : prefixes) {
    static_cast<void>(agent.datastore.AddCidr(eni_id, prefix));
  }
}

Task<Status> SetupEni(AgentState& agent, MetadataEni eni) {
  EniAttributes attributes;
  attributes.id = eni.id;
  attributes.is_primary = eni.id == agent.identity.primary_eni_id;
  attributes.device_number = eni.device_number;
  attributes.route_table = RouteTableOf(eni.device_number, eni.network_card);
  attributes.subnet_id = eni.subnet_id;
  const bool is_primary = attributes.is_primary;
  const int route_table = attributes.route_table;
  // An ENI that is there already is set up again.
  static_cast<void>(agent.datastore.AddEni(std::move(attributes), agent.Now()));
  agent.primary_ips[eni.id] = eni.primary_ip;

  if (agent.settings.subnet_discovery) {
    const Result<std::vector<Subnet>> subnets = co_await agent.ports.ec2.DescribeSubnets(
        agent.identity.vpc_id, agent.identity.availability_zone);
    if (!subnets) co_return tl::unexpected(subnets.error());
    const auto it = std::ranges::find(*subnets, eni.subnet_id, &Subnet::id);
    if (it != subnets->end() && SubnetExcluded(it->tags, agent.settings.cluster_name)) {
      static_cast<void>(agent.datastore.SetExcluded(eni.id, true));
    }
  }
  if (!is_primary) {
    const Status up =
        co_await agent.ports.host.SetupEni(eni.primary_ip, eni.device_number, route_table);
    if (!up) {
      static_cast<void>(agent.datastore.RemoveEni(eni.id, true));
      agent.primary_ips.erase(eni.id);
      co_return up;
    }
  }
  AddAddresses(agent, eni.id, eni.secondary_ips, eni.ipv4_prefixes);
  co_return Status();
}

Task<Status> AddEniToPool(AgentState& agent, int quantity) {
  agent.activity = PoolActivity::kCreatingEni;
  const Result<std::string> eni_id = co_await AllocateEni(agent, quantity);
  if (!eni_id) co_return tl::unexpected(eni_id.error());
  agent.last_pool_action = agent.Now();

  agent.activity = PoolActivity::kWaitingForMetadata;
  const size_t wanted = static_cast<size_t>(quantity);
  Result<MetadataEni> eni = co_await WaitForEni(agent, *eni_id, wanted);
  if (!eni) co_return tl::unexpected(eni.error());
  co_return co_await SetupEni(agent, *std::move(eni));
}

Task<Status> TagEni(AgentState& agent, std::string eni_id, Tags present) {
  Tags missing = WantedTags(agent);
  std::erase_if(missing, [&](const auto& tag) {
    const auto it = present.find(tag.first);
    return it != present.end() && it->second == tag.second;
  });
  if (missing.empty()) co_return Status();
  Backoff backoff(kTag, agent.choice, kSaltTag);
  Status tagged;
  while (backoff.Next()) {
    tagged = co_await agent.ports.ec2.CreateTags(eni_id, missing);
    if (tagged) break;
    if (backoff.MoreToCome()) co_await agent.ports.clock.Sleep(backoff.Pause(agent.Now()));
  }
  co_return tagged;
}

Task<void> FreeEni(AgentState& agent, std::string eni_id) {
  agent.activity = PoolActivity::kFreeing;
  const Status freed = co_await DetachAndDelete(agent, eni_id);
  // After a failed lookup or detach the ENI is still attached: reconcile will adopt it again.
  if (!freed && freed.error().code != "DeleteFailed") co_return;
  const auto primary = agent.primary_ips.find(eni_id);
  if (primary == agent.primary_ips.end()) co_return;
  const Ipv4Address ip = primary->second;
  agent.primary_ips.erase(primary);
  const Status removed = co_await agent.ports.host.DeleteEniRule(ip);
  static_cast<void>(removed);  // only counted by the real agent
}

Task<Result<std::vector<AttachedEni>>> DescribeAllEnis(AgentState& agent) {
  Result<std::vector<MetadataEni>> enis = co_await agent.ports.metadata.GetAttachedEnis();
  if (!enis) co_return tl::unexpected(enis.error());
  std::vector<std::string> ids;
  for (const MetadataEni& eni : *enis) ids.push_back(eni.id);

  Result<std::vector<NetworkInterface>> described;
  for (int tried = 0; tried < kDescribeTries; ++tried) {
    described = co_await agent.ports.ec2.DescribeNetworkInterfaces(ids);
    if (described) break;
    if (described.error().code == ec2_error::kEniNotFound) {
      // The message quotes the id that EC2 does not know: ask again without it.
      const std::string& message = described.error().message;
      std::erase_if(ids, [&](const std::string& id) {
        return message.find("'" + id + "'") != std::string::npos;
      });
    } else {
      co_await agent.ports.clock.Sleep(milliseconds(10) * tried);
    }
  }
  if (!described) co_return tl::unexpected(described.error());

  std::vector<AttachedEni> result;
  for (MetadataEni& eni : *enis) {
    const auto it = std::ranges::find(*described, eni.id, &NetworkInterface::id);
    if (it != described->end()) result.push_back({std::move(eni), std::move(*it)});
  }
  co_return result;
}

}  // namespace cnisim
