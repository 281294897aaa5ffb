#include "core/ipamd/ipamd.h"

#include <utility>

#include "core/telemetry/agent_log.h"

namespace cnisim {
namespace {

Result<std::vector<PodIp>> AsPodIps(const Result<std::vector<PodAddress>>& addresses) {
  if (!addresses) return tl::unexpected(addresses.error());
  std::vector<PodIp> result;
  for (const PodAddress& address : *addresses) {
    result.push_back({address.ip, address.device_number, address.route_table});
  }
  return result;
}

}  // namespace

Task<Status> Ipamd::Init() {
  agent_log::Starting(agent_.state().log(), version_);
  const Status ready = co_await agent_.Init();
  if (!ready) co_return ready;
  const AgentState& state = agent_.state();
  const BackendPorts ports{*this,        *this,      state.ports.kubernetes, state.ports.clock,
                           state.choice, state.log()};
  backend_.emplace(SettingsOfBackend(), ports);
  co_return Status();
}

BackendSettings Ipamd::SettingsOfBackend() const {
  const AgentState& state = agent_.state();
  BackendSettings settings;
  settings.version = version_;
  settings.ipv6 = state.settings.enable_ipv6;
  settings.enable_pod_eni = state.settings.enable_pod_eni;
  settings.annotate_pod_ip = state.settings.annotate_pod_ip;
  settings.enable_multi_nic = state.settings.enable_multi_nic;
  settings.external_snat = state.settings.network.external_snat;
  const std::vector<Ipv4Cidr>& excluded = state.settings.network.exclude_snat_cidrs;
  settings.snat_exclusions.assign(excluded.begin(), excluded.end());
  settings.network_policy_mode = state.settings.network_policy_mode;
  settings.node_ip = state.identity.primary_ip;
  settings.instance_id = state.identity.instance_id;
  settings.region = state.identity.region;
  return settings;
}

Result<std::vector<PodIp>> Ipamd::Assign(const IpamKey& key, const IpamMetadata& metadata,
                                         bool every_card) {
  return AsPodIps(agent_.AddPod(key, metadata, every_card));
}

Task<Result<std::vector<PodIp>>> Ipamd::Release(const IpamKey& key) {
  co_return AsPodIps(co_await agent_.DelPod(key));
}

Task<Result<std::vector<IpCidr>>> Ipamd::VpcCidrs() {
  AgentState& state = agent_.state();
  co_return co_await state.ports.metadata.GetVpcCidrs(state.settings.enable_ipv6);
}

Task<Result<int>> Ipamd::TrunkLinkIndex() {
  AgentState& state = agent_.state();
  const Datastore::Eni* trunk = state.default_pool().FindTrunk();
  if (trunk == nullptr) co_return Fail("trunk", "no trunk ENI is attached");
  const auto primary = state.primary_ips.find(trunk->attributes.id);
  if (primary == state.primary_ips.end()) co_return Fail("trunk", "its address is not known");
  co_return co_await state.ports.host.LinkIndex(primary->second);
}

}  // namespace cnisim
