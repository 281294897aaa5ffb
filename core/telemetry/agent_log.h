// What the agent and the CNI plugin say, one function an event, so that the flows that say it stay
// readable and users find in these logs what they look for in the real ones: the level and the
// beginning of each message are those of amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd, pkg/awsutils,
// cmd/routed-eni-cni-plugin). testdata/log_events.txt lists them all.
//
// `where` is the line that calls; nothing is formatted for a log that does not listen.
#ifndef CNISIM_CORE_TELEMETRY_AGENT_LOG_H_
#define CNISIM_CORE_TELEMETRY_AGENT_LOG_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "core/net/ip.h"
#include "core/ports/checkpoint_store.h"
#include "core/ports/clock.h"
#include "core/ports/log.h"
#include "core/ports/result.h"

namespace cnisim::agent_log {

using Where = SourceLine;

// --- Start ---
void Starting(const Log& log, std::string_view version, Where where = Where::Current());
struct PoolTargets {
  int max_pods = 0;
  int warm_eni = 0;
  int warm_ip = 0;
  int minimum_ip = 0;
  int warm_prefix = 0;
};
void ManagerStarts(const Log& log, const PoolTargets& targets, Where where = Where::Current());

// --- Restoring the checkpoint ---
void RecoveryBegins(const Log& log, Where where = Where::Current());
void Recovered(const Log& log, const IpamKey& key, std::string_view eni, IpAddress ip,
               Where where = Where::Current());
// Its host interface is gone (RS-3).
void AllocationStale(const Log& log, const IpamKey& key, IpAddress ip,
                     Where where = Where::Current());
// Its address is on no ENI (RS-5).
void AllocationUnknown(const Log& log, const IpamKey& key, IpAddress ip,
                       Where where = Where::Current());

// --- Pool loop ---
struct PoolFigures {
  bool prefix_mode = false;
  int total_ips = 0;
  int total_prefixes = 0;
  int assigned_ips = 0;
  int cooling_ips = 0;
  int max_ips_per_eni = 0;
};
// Each loop and card.
void IpStats(const Log& log, int card, const PoolFigures& pool, Where where = Where::Current());
// When the pool is judged.
void PoolStatistics(const Log& log, int card, const PoolFigures& pool,
                    Where where = Where::Current());
void PoolTooLow(const Log& log, int card, Where where = Where::Current());
void IncreaseStarts(const Log& log, int card, Where where = Where::Current());
void DecreaseStarts(const Log& log, int card, Where where = Where::Current());
// The last decrease was too short a time ago (DN-2).
void DecreaseSkipped(const Log& log, Duration since_last, Where where = Where::Current());
// The subnet has no address or no block left (UP-8, UP-10) ...
void SubnetExhausted(const Log& log, const Error& error, Where where = Where::Current());
// ... and so nothing is tried for a while (UP-2).
void SubnetExhaustedLately(const Log& log, Where where = Where::Current());

// --- EC2 ---
void Allocating(const Log& log, int addresses, std::string_view eni,
                Where where = Where::Current());
void AllocatedIps(const Log& log, int count, Where where = Where::Current());
void AllocatedPrefixes(const Log& log, int count, Where where = Where::Current());
void UnassigningIps(const Log& log, std::string_view eni, std::span<const IpCidr> ips,
                    Where where = Where::Current());
void UnassigningPrefixes(const Log& log, std::string_view eni, std::span<const IpCidr> prefixes,
                         Where where = Where::Current());
void EniCreated(const Log& log, std::string_view eni, Where where = Where::Current());
void EniAttached(const Log& log, std::string_view eni, int device, Where where = Where::Current());
void FreeingEni(const Log& log, std::string_view eni, Where where = Where::Current());
void EniFreed(const Log& log, std::string_view eni, Where where = Where::Current());
void LeakedEniCleanup(const Log& log, Where where = Where::Current());

// --- Datastore ---
void CidrAdded(const Log& log, std::string_view eni, IpCidr cidr, Where where = Where::Current());
void CidrDeleted(const Log& log, std::string_view eni, IpCidr cidr, Where where = Where::Current());
// What keeps an ENI in the pool, in the order of the tests (RM-3).
enum class EniKeptBecause : uint8_t {
  kPrimary,
  kTooYoung,
  kCooling,
  kPods,
  kWarmIpTarget,
  kMinimumIpTarget,
  kWarmPrefixTarget,
  kTrunk,
  kEfa,
};
void EniKept(const Log& log, std::string_view eni, EniKeptBecause reason,
             Where where = Where::Current());

// --- ADD and DEL ---
struct AddRequest {
  std::string_view pod_namespace;
  std::string_view pod_name;
  std::string_view container_id;
  std::string_view interface_name;
};
void AddReceived(const Log& log, const AddRequest& request, Where where = Where::Current());
void AddressAssigned(const Log& log, const IpamKey& key, IpAddress ip,
                     Where where = Where::Current());
void AddIsDuplicate(const Log& log, const IpamKey& key, IpAddress ip,
                    Where where = Where::Current());
void NoAddress(const Log& log, Where where = Where::Current());
void AddReplied(const Log& log, bool success, Where where = Where::Current());
void DelReceived(const Log& log, std::string_view container_id, Where where = Where::Current());
void AddressReleased(const Log& log, const IpamKey& key, IpAddress ip,
                     Where where = Where::Current());
void AddressCools(const Log& log, IpAddress ip, Where where = Where::Current());
void DelOfUnknown(const Log& log, const IpamKey& key, Where where = Where::Current());
void DelReplied(const Log& log, bool success, Where where = Where::Current());

// --- Reconcile ---
void Reconciling(const Log& log, Duration since_last, Where where = Where::Current());
void MetadataDiffers(const Log& log, std::string_view eni, Where where = Where::Current());

// --- CNI plugin ---
// The arguments of a CNI command.
struct PluginRequest {
  std::string_view container_id;
  std::string_view netns;
  std::string_view interface_name;
  std::string_view args;
};
void PluginAdd(const Log& log, const PluginRequest& request, Where where = Where::Current());
void PluginDel(const Log& log, const PluginRequest& request, Where where = Where::Current());
void PluginReply(const Log& log, std::string_view container_id, bool success,
                 Where where = Where::Current());
void PluginFailed(const Log& log, std::string_view container_id, Where where = Where::Current());

}  // namespace cnisim::agent_log

#endif  // CNISIM_CORE_TELEMETRY_AGENT_LOG_H_
