// The ipamd process of one node: the agent, and the gRPC services that the CNI plugin calls.
//
//   Ipamd ipamd(version, ports, settings, limits, choice, listener);
//   Status ready = co_await ipamd.Init();   // an error is fatal; make a new Ipamd and try again
//   channel.set_backend(ipamd.backend());   // now it serves
//   co_await ipamd.Run();                   // for ever
//
// No request is served before node init is over (section 3.1 of the rules; amazon-vpc-cni-k8s
// v1.23.1, cmd/aws-k8s-agent). Destroying it is a kill; its handlers must have ended before.
#ifndef CNISIM_CORE_IPAMD_IPAMD_H_
#define CNISIM_CORE_IPAMD_IPAMD_H_

#include <optional>
#include <string>
#include <vector>

#include "core/ipam/agent.h"
#include "core/ports/result.h"
#include "core/ports/task.h"
#include "core/rpc/backend.h"

namespace cnisim {

class Ipamd final : private AddressAllocator, private NodeSource {
 public:
  // `version` is what clients must have too.
  Ipamd(std::string version, AgentPorts ports, AgentSettings settings, InstanceLimits limits,
        Choice choice, PoolListener* listener)
      : version_(std::move(version)),
        agent_(std::move(ports), std::move(settings), limits, choice, listener) {}
  Ipamd(const Ipamd&) = delete;
  Ipamd& operator=(const Ipamd&) = delete;

  Task<Status> Init();
  Task<void> Run() { return agent_.Run(); }

  Agent& agent() { return agent_; }
  // nullptr until Init has succeeded.
  Backend* backend() { return backend_ ? &*backend_ : nullptr; }

 private:
  Result<std::vector<PodIp>> Assign(const IpamKey& key, const IpamMetadata& metadata,
                                    bool every_card) override;
  Task<Result<std::vector<PodIp>>> Release(const IpamKey& key) override;
  Task<Result<std::vector<IpCidr>>> VpcCidrs() override;
  Task<Result<int>> TrunkLinkIndex() override;
  BackendSettings SettingsOfBackend() const;

  std::string version_;
  Agent agent_;
  std::optional<Backend> backend_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAMD_IPAMD_H_
