#include "core/telemetry/agent_log.h"

#include <fmt/ranges.h>

#include "core/net/format.h"

namespace cnisim::agent_log {
namespace {

using enum LogLevel;

std::string_view Text(EniKeptBecause reason) {
  switch (reason) {
    case EniKeptBecause::kPrimary:
      return "it is primary";
    case EniKeptBecause::kTooYoung:
      return "it is too young";
    case EniKeptBecause::kCooling:
      return "it has IPs in cooling";
    case EniKeptBecause::kPods:
      return "it has pods assigned";
    case EniKeptBecause::kWarmIpTarget:
      return "of WARM_IP_TARGET";
    case EniKeptBecause::kMinimumIpTarget:
      return "of MINIMUM_IP_TARGET";
    case EniKeptBecause::kWarmPrefixTarget:
      return "of WARM_PREFIX_TARGET";
    case EniKeptBecause::kTrunk:
      return "it is a trunk ENI";
    case EniKeptBecause::kEfa:
      return "it is an EFA ENI";
  }
  return "";
}

}  // namespace

// --- Start ---

void Starting(const Log& log, std::string_view version, Where where) {
  log.Say(kInfo, where, "Starting L-IPAMD {}", version);
}

void ManagerStarts(const Log& log, const PoolTargets& t, Where where) {
  log.Say(kInfo, where,
          "IP pool manager - max pods: {}, warm IP target: {}, minimum IP target: {}, warm prefix "
          "target: {}, warm ENI target: {}",
          t.max_pods, t.warm_ip, t.minimum_ip, t.warm_prefix, t.warm_eni);
}

// --- Restoring the checkpoint ---

void RecoveryBegins(const Log& log, Where where) {
  log.Say(kInfo, where, "Begin ipam state recovery");
}

void Recovered(const Log& log, const IpamKey& key, std::string_view eni, IpAddress ip,
               Where where) {
  log.Say(kDebug, where, "Recovered {} => {}/{}", key, eni, ip);
}

void AllocationStale(const Log& log, const IpamKey& key, IpAddress ip, Where where) {
  log.Say(kWarn, where, "stale IP allocation for ID {}: {} is not restored", key, ip);
}

void AllocationUnknown(const Log& log, const IpamKey& key, IpAddress ip, Where where) {
  log.Say(kInfo, where, "datastore: Sandbox {} uses unknown IP Address {}; it is taken to be gone",
          key, ip);
}

// --- Pool loop ---

void IpStats(const Log& log, int card, const PoolFigures& p, Where where) {
  log.Say(kDebug, where,
          "IP stats for Network Card {} - total IPs: {}, assigned IPs: {}, cooldown IPs: {}", card,
          p.total_ips, p.assigned_ips, p.cooling_ips);
}

void PoolStatistics(const Log& log, int card, const PoolFigures& p, Where where) {
  log.Say(kDebug, where,
          "{} pool stats for network card {}: Total IPs/Prefixes = {}/{}, "
          "AssignedIPs/CooldownIPs: {}/{}, c.maxIPsPerENI = {}",
          p.prefix_mode ? "Prefix" : "IP", card, p.total_ips, p.total_prefixes, p.assigned_ips,
          p.cooling_ips, p.max_ips_per_eni);
}

void PoolTooLow(const Log& log, int card, Where where) {
  log.Say(kDebug, where, "IP pool is too low for Network Card {}", card);
}

void IncreaseStarts(const Log& log, int card, Where where) {
  log.Say(kDebug, where, "Starting to increase pool size for network card {}", card);
}

void DecreaseStarts(const Log& log, int card, Where where) {
  log.Say(kDebug, where, "Starting to decrease pool size for network card {}", card);
}

void DecreaseSkipped(const Log& log, Duration since_last, Where where) {
  log.Say(kDebug, where, "Skipping decrease Datastore pool: the last was {:.1f} s ago",
          ToSeconds(since_last));
}

void SubnetExhausted(const Log& log, const Error& error, Where where) {
  log.Say(kError, where, "Unable to attach IPs/Prefixes for the ENI: {}: {}", error.code,
          error.message);
}

void SubnetExhaustedLately(const Log& log, Where where) {
  log.Say(kDebug, where, "Recently we had InsufficientCidr error; the subnet is left alone");
}

// --- EC2 ---

void Allocating(const Log& log, int addresses, std::string_view eni, Where where) {
  log.Say(kInfo, where, "Trying to allocate {} IP addresses on ENI {}", addresses, eni);
}

void AllocatedIps(const Log& log, int count, Where where) {
  log.Say(kInfo, where, "Allocated {} private IP addresses", count);
}

void AllocatedPrefixes(const Log& log, int count, Where where) {
  log.Say(kInfo, where, "Allocated {} private IP prefixes", count);
}

void UnassigningIps(const Log& log, std::string_view eni, std::span<const IpCidr> ips,
                    Where where) {
  log.Say(kInfo, where, "Trying to unassign the following IPs [{}] from ENI {}",
          fmt::join(ips, " "), eni);
}

void UnassigningPrefixes(const Log& log, std::string_view eni, std::span<const IpCidr> prefixes,
                         Where where) {
  log.Say(kInfo, where, "Trying to unassign the following Prefixes [{}] from ENI {}",
          fmt::join(prefixes, " "), eni);
}

void EniCreated(const Log& log, std::string_view eni, Where where) {
  log.Say(kInfo, where, "Created a new ENI: {}", eni);
}

void EniAttached(const Log& log, std::string_view eni, int device, Where where) {
  log.Say(kInfo, where, "Successfully created and attached a new ENI {} as device {}", eni, device);
}

void FreeingEni(const Log& log, std::string_view eni, Where where) {
  log.Say(kInfo, where, "Trying to free ENI: {}", eni);
}

void EniFreed(const Log& log, std::string_view eni, Where where) {
  log.Say(kInfo, where, "Successfully freed ENI: {}", eni);
}

void LeakedEniCleanup(const Log& log, Where where) {
  log.Say(kInfo, where, "Will attempt to clean up AWS CNI leaked ENIs");
}

// --- Datastore ---

void CidrAdded(const Log& log, std::string_view eni, IpCidr cidr, Where where) {
  log.Say(kInfo, where, "Added ENI({})'s IP/Prefix {} to datastore", eni, cidr);
}

void CidrDeleted(const Log& log, std::string_view eni, IpCidr cidr, Where where) {
  log.Say(kInfo, where, "Deleted ENI({})'s IP/Prefix {} from datastore", eni, cidr);
}

void EniKept(const Log& log, std::string_view eni, EniKeptBecause reason, Where where) {
  log.Say(kDebug, where, "ENI {} cannot be deleted because {}", eni, Text(reason));
}

// --- ADD and DEL ---

void AddReceived(const Log& log, const AddRequest& r, Where where) {
  log.Say(kInfo, where, "Received AddNetwork for NS {}, Pod {}, Sandbox {}, ifname {}",
          r.pod_namespace, r.pod_name, r.container_id, r.interface_name);
}

void AddressAssigned(const Log& log, const IpamKey& key, IpAddress ip, Where where) {
  log.Say(kInfo, where, "assignPodIPAddressUnsafe: Assign IP {} to sandbox {}", ip, key);
}

void AddIsDuplicate(const Log& log, const IpamKey& key, IpAddress ip, Where where) {
  log.Say(kInfo, where, "AssignPodIPv4Address: duplicate pod assign for sandbox {}: it has {}", key,
          ip);
}

void NoAddress(const Log& log, Where where) {
  log.Say(kError, where, "DataStore has no available IP/Prefix addresses");
}

void AddReplied(const Log& log, bool success, Where where) {
  log.Say(kInfo, where, "Send AddNetworkReply: Success: {}", success);
}

void DelReceived(const Log& log, std::string_view container_id, Where where) {
  log.Say(kInfo, where, "Received DelNetwork for Sandbox {}", container_id);
}

void AddressReleased(const Log& log, const IpamKey& key, IpAddress ip, Where where) {
  log.Say(kInfo, where, "UnassignPodIPAddress: sandbox {} gives back {}", key, ip);
}

void AddressCools(const Log& log, IpAddress ip, Where where) {
  log.Say(kDebug, where, "IP {} entering cooldown period", ip);
}

void DelOfUnknown(const Log& log, const IpamKey& key, Where where) {
  log.Say(kWarn, where, "UnassignPodIPAddress: Failed to find sandbox {}", key);
}

void DelReplied(const Log& log, bool success, Where where) {
  log.Say(kInfo, where, "Send DelNetworkReply: Success: {}", success);
}

// --- Reconcile ---

void Reconciling(const Log& log, Duration since_last, Where where) {
  log.Say(kDebug, where, "Reconciling ENI/IP pool info because time since last {:.1f} s",
          ToSeconds(since_last));
}

void MetadataDiffers(const Log& log, std::string_view eni, Where where) {
  log.Say(kWarn, where, "Instance metadata does not match data store for ENI {}", eni);
}

// --- CNI plugin ---

void PluginAdd(const Log& log, const PluginRequest& r, Where where) {
  log.Say(kInfo, where, "Received CNI add request: ContainerID({}) Netns({}) IfName({}) Args({})",
          r.container_id, r.netns, r.interface_name, r.args);
}

void PluginDel(const Log& log, const PluginRequest& r, Where where) {
  log.Say(kInfo, where, "Received CNI del request: ContainerID({}) Netns({}) IfName({}) Args({})",
          r.container_id, r.netns, r.interface_name, r.args);
}

void PluginReply(const Log& log, std::string_view container_id, bool success, Where where) {
  log.Say(kInfo, where, "Received add network response from ipamd for container {}: Success: {}",
          container_id, success);
}

void PluginFailed(const Log& log, std::string_view container_id, Where where) {
  log.Say(kError, where, "Failed to assign an IP address to container {}", container_id);
}

}  // namespace cnisim::agent_log
