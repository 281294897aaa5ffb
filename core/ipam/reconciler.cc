#include "core/ipam/reconciler.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/ipam/eni_enumeration.h"
#include "core/ipam/eni_setup.h"
#include "core/ipam/eni_tags.h"
#include "core/telemetry/agent_log.h"

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

CidrSet ItemsOf(const NetworkInterface& eni, std::optional<IpAddress> recorded_primary,
                bool prefixes) {
  if (prefixes) return AsCidrs(eni.ipv4_prefixes);
  CidrSet items = AsCidrs(eni.secondary_ips);
  // Without a record of the primary address it passes for a secondary one (RC-7).
  if (recorded_primary != IpAddress(eni.primary_ip)) items.insert(IpCidr(eni.primary_ip));
  return items;
}

// RC-4 and RC-5 for the addresses or the prefixes of one ENI that the datastore knows.
Task<void> ReconcileItems(AgentState& agent, Datastore& pool, std::string eni_id, CidrSet attached,
                          bool prefixes) {
  const Datastore::Eni* eni = pool.FindEni(eni_id);
  if (eni == nullptr) co_return;
  const CidrSet in_pool = PoolCidrs(*eni, prefixes);
  PerLabel<IpamdError>& errors = agent.metrics.ipamd_errors;
  bool from_metadata = true;
  std::optional<NetworkInterface> described;
  if (attached != in_pool) {
    agent_log::MetadataDiffers(agent.log(), eni_id);
    Result<NetworkInterface> answer = co_await DescribeEni(agent, eni_id);
    if (!answer) co_return;
    std::optional<IpAddress> primary;
    if (const auto record = agent.primary_ips.find(eni_id); record != agent.primary_ips.end()) {
      primary = record->second;
    }
    attached = ItemsOf(*answer, primary, prefixes);
    described = *std::move(answer);
    from_metadata = false;
  }

  CidrSet seen;
  for (const IpCidr& item : attached) {
    const auto released = agent.released_cidrs.find(item);
    if (released != agent.released_cidrs.end()) {
      // What is in the pool has been handed out again since (trunkWaitDropsReused).
      if (agent.Now() < released->second &&
          (!in_pool.contains(item) || agent.Strikes(&Quirks::trunkWaitDropsReused))) {
        continue;
      }
      if (from_metadata) {
        if (!described) {
          Result<NetworkInterface> answer = co_await DescribeEni(agent, eni_id);
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
    const Status added = pool.AddCidr(eni_id, item);
    if (added) {
      agent_log::CidrAdded(agent.log(), eni_id, item);
    } else if (added.error().code != datastore_error::kDuplicateCidr) {
      ++errors[prefixes ? IpamdError::kReconcileAddPrefix : IpamdError::kReconcileAddIp];
      continue;
    }
    ++agent.metrics.reconciles[ReconcileAction::kAddCidr];  // new or not (RC-8)
  }
  eni = pool.FindEni(eni_id);
  if (eni == nullptr) co_return;
  for (const IpCidr& item : PoolCidrs(*eni, prefixes)) {
    if (seen.contains(item)) continue;
    if (pool.DeleteCidr(eni_id, item, true)) {
      agent_log::CidrDeleted(agent.log(), eni_id, item);
      ++agent.metrics.reconciles[ReconcileAction::kDeleteCidr];
    } else {
      ++errors[IpamdError::kReconcileDeleteIp];
    }
  }
}

// RC-6: an ENI that no datastore knows.
Task<void> Adopt(AgentState& agent, AttachedEni eni) {
  if (!eni.described.is_trunk && !agent.settings.provisioning_disabled()) {
    const Status tagged = co_await TagEni(agent, eni.metadata.id, eni.described.tags);
    if (!tagged) {
      ++agent.metrics.ipamd_errors[IpamdError::kReconcileAddEni];
      co_return;
    }
  }
  const Status up = co_await SetupEni(agent, std::move(eni));
  if (up) {
    ++agent.metrics.reconciles[ReconcileAction::kAddEni];
  } else {  // tried again by the next reconcile
    ++agent.metrics.ipamd_errors[IpamdError::kReconcileAddEni];
  }
}

// ENIs that metadata does not show any more lose their pods (RC-6).
void ForgetDetached(AgentState& agent, Datastore& pool, const std::vector<MetadataEni>& attached) {
  std::vector<std::string> gone;
  for (const auto& eni : pool.enis()) {
    if (std::ranges::find(attached, eni->attributes.id, &MetadataEni::id) == attached.end()) {
      gone.push_back(eni->attributes.id);
    }
  }
  for (const std::string& eni_id : gone) {
    static_cast<void>(pool.RemoveEni(eni_id, true));
    agent.primary_ips.erase(eni_id);
    agent.metrics.card_written_last = pool.network_card();
    ++agent.metrics.reconciles[ReconcileAction::kDeleteEni];
  }
}

}  // namespace

bool ReconcileDue(const AgentState& agent) {
  return agent.WaitsForTrunk() || agent.Now() - agent.last_pool_action > kReconcileInterval;
}

bool ReconcileWouldVerify(const AgentState& agent) {
  return std::ranges::any_of(agent.released_cidrs, [&](const auto& released) {
    return std::ranges::any_of(agent.pools,
                               [&](const auto& pool) { return pool->Holds(released.first); });
  });
}

Task<void> Reconcile(AgentState& agent) {
  const ActionInProgress running(agent.metrics, IpamdAction::kReconcile);
  agent_log::Reconciling(agent.log(), agent.Now() - agent.last_pool_action);
  Result<std::vector<MetadataEni>> enis = co_await agent.ports.metadata.GetAttachedEnis();
  if (!enis || enis->empty()) {
    ++agent.metrics.ipamd_errors[IpamdError::kReconcileGetEnis];
    co_return;
  }

  const auto unknown = [&](const MetadataEni& eni) {
    return IsManaged(agent, eni) && agent.PoolOfCard(eni.network_card) != nullptr &&
           agent.PoolOfEni(eni.id) == nullptr;
  };
  std::vector<AttachedEni> described;
  if (std::ranges::any_of(*enis, unknown)) {
    Result<std::vector<AttachedEni>> all = co_await DescribeAllEnis(agent);
    if (!all) co_return;
    described = *std::move(all);
  }

  for (MetadataEni& eni : *enis) {
    if (!IsManaged(agent, eni)) continue;
    if (Datastore* pool = agent.PoolOfEni(eni.id)) {
      CidrSet addresses = AsCidrs(eni.secondary_ips);
      co_await ReconcileItems(agent, *pool, eni.id, std::move(addresses), false);
      CidrSet prefixes = AsCidrs(eni.ipv4_prefixes);
      co_await ReconcileItems(agent, *pool, eni.id, std::move(prefixes), true);
      continue;
    }
    const auto it =
        std::ranges::find(described, eni.id, [](const AttachedEni& e) { return e.metadata.id; });
    if (it != described.end() && unknown(eni)) co_await Adopt(agent, std::move(*it));
  }
  for (const auto& pool : agent.pools) ForgetDetached(agent, *pool, *enis);
  agent.last_pool_action = agent.Now();
}

}  // namespace cnisim
