#include "core/ipam/reconciler.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/ipam/eni_lifecycle.h"

namespace cnisim {
namespace {

using CidrSet = std::set<IpCidr>;

CidrSet PoolCidrs(const Datastore::Eni& eni, bool prefixes) {
  CidrSet result;
  for (const Datastore::Cidr& cidr : eni.cidrs) {
    if (cidr.is_prefix() == prefixes) result.insert(cidr.cidr);
  }
  return result;
}

CidrSet AsCidrs(const std::vector<Ipv4Address>& ips) {
  CidrSet result;
  for (const IpAddress ip : ips) result.insert(IpCidr(ip));
  return result;
}

CidrSet AsCidrs(const std::vector<Ipv4Cidr>& prefixes) {
  return CidrSet(prefixes.begin(), prefixes.end());
}

Task<Result<NetworkInterface>> AskEc2(AgentState& agent, std::string eni_id) {
  std::vector<std::string> ids{eni_id};
  Result<std::vector<NetworkInterface>> described =
      co_await agent.ports.ec2.DescribeNetworkInterfaces(ids);
  if (!described) co_return tl::unexpected(described.error());
  if (described->empty()) co_return Fail("EmptyAnswer", "no interfaces in the answer");
  co_return std::move(described->front());
}

CidrSet ItemsOf(const NetworkInterface& eni, Ipv4Address recorded_primary, bool has_record,
                bool prefixes) {
  if (prefixes) return AsCidrs(eni.ipv4_prefixes);
  CidrSet items = AsCidrs(eni.secondary_ips);
  // Without a record of the primary address it passes for a secondary one (RC-7).
  if (!has_record || recorded_primary != eni.primary_ip) items.insert(IpCidr(eni.primary_ip));
  return items;
}

// RC-4 and RC-5 for the addresses or the prefixes of one ENI that the datastore knows.
Task<void> ReconcileItems(AgentState& agent, std::string eni_id, CidrSet attached, bool prefixes) {
  const Datastore::Eni* eni = agent.datastore.FindEni(eni_id);
  if (eni == nullptr) co_return;
  bool from_metadata = true;
  std::optional<NetworkInterface> described;
  if (attached != PoolCidrs(*eni, prefixes)) {
    Result<NetworkInterface> answer = co_await AskEc2(agent, eni_id);
    if (!answer) co_return;
    const auto record = agent.primary_ips.find(eni_id);
    const bool has_record = record != agent.primary_ips.end();
    attached = ItemsOf(*answer, has_record ? record->second : Ipv4Address(), has_record, prefixes);
    described = *std::move(answer);
    from_metadata = false;
  }

  CidrSet seen;
  for (const IpCidr& item : attached) {
    const auto released = agent.released_cidrs.find(item);
    if (released != agent.released_cidrs.end()) {
      if (agent.Now() < released->second) continue;
      if (from_metadata) {
        if (!described) {
          Result<NetworkInterface> answer = co_await AskEc2(agent, eni_id);
          if (!answer) {
            seen.insert(item);
            continue;
          }
          described = *std::move(answer);
        }
        const CidrSet at_ec2 =
            prefixes ? AsCidrs(described->ipv4_prefixes) : AsCidrs(described->secondary_ips);
        if (!at_ec2.contains(item)) continue;
      }
      agent.released_cidrs.erase(item);
    }
    seen.insert(item);
    static_cast<void>(agent.datastore.AddCidr(eni_id, item));
  }
  eni = agent.datastore.FindEni(eni_id);
  if (eni == nullptr) co_return;
  for (const IpCidr& item : PoolCidrs(*eni, prefixes)) {
    if (!seen.contains(item)) static_cast<void>(agent.datastore.DeleteCidr(eni_id, item, true));
  }
}

}  // namespace

bool ReconcileDue(const AgentState& agent) {
  return agent.Now() - agent.last_pool_action > kReconcileInterval;
}

bool ReconcileWouldVerify(const AgentState& agent) {
  return std::ranges::any_of(agent.released_cidrs, [&](const auto& released) {
    return agent.datastore.Holds(released.first);
  });
}

Task<void> Reconcile(AgentState& agent) {
  Result<std::vector<MetadataEni>> enis = co_await agent.ports.metadata.GetAttachedEnis();
  if (!enis || enis->empty()) co_return;

  const auto known = [&](const MetadataEni& eni) {
    return agent.datastore.FindEni(eni.id) != nullptr;
  };
  std::vector<AttachedEni> described;
  if (!std::ranges::all_of(*enis, known)) {
    Result<std::vector<AttachedEni>> all = co_await DescribeAllEnis(agent);
    if (!all) co_return;
    described = *std::move(all);
  }

  for (MetadataEni& eni : *enis) {
    if (known(eni)) {
      CidrSet addresses = AsCidrs(eni.secondary_ips);
      co_await ReconcileItems(agent, eni.id, std::move(addresses), false);
      CidrSet prefixes = AsCidrs(eni.ipv4_prefixes);
      co_await ReconcileItems(agent, eni.id, std::move(prefixes), true);
      continue;
    }
    const auto it =
        std::ranges::find(described, eni.id, [](const AttachedEni& e) { return e.metadata.id; });
    if (it == described.end()) continue;
    const Status tagged = co_await TagEni(agent, eni.id, it->described.tags);
    if (!tagged) continue;
    const Status up = co_await SetupEni(agent, it->metadata);
    static_cast<void>(up);  // tried again by the next reconcile
  }

  std::vector<std::string> gone;
  for (const auto& eni : agent.datastore.enis()) {
    if (std::ranges::find(*enis, eni->attributes.id, &MetadataEni::id) == enis->end()) {
      gone.push_back(eni->attributes.id);
    }
  }
  for (const std::string& eni_id : gone) {
    static_cast<void>(agent.datastore.RemoveEni(eni_id, true));
    agent.primary_ips.erase(eni_id);
  }
  agent.last_pool_action = agent.Now();
}

}  // namespace cnisim
