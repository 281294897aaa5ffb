// What a DEL can tell from the result of the ADD, which the runtime hands back, without the agent.
//
// Source: rule GA-9 and the tests E11 and E12 of amazon-vpc-cni-k8s v1.23.1
// (cmd/routed-eni-cni-plugin).
#ifndef CNISIM_CORE_CNI_PREVIOUS_RESULT_H_
#define CNISIM_CORE_CNI_PREVIOUS_RESULT_H_

#include <optional>
#include <string_view>
#include <vector>

#include "core/cni/network_config.h"
#include "core/cni/pod_args.h"
#include "core/cni/pod_network_driver.h"
#include "core/cni/pod_result.h"
#include "core/ports/result.h"

namespace cnisim {

class PreviousResult {
 public:
  // `config`, `pod` and the characters of `if_name` must outlive it.
  PreviousResult(const NetworkConfig& config, const PodArgs& pod, std::string_view if_name)
      : config_(config), pod_(pod), if_name_(if_name) {}

  // The VLAN of the pod's branch ENI; 0 if it has none or nothing is known; an error if what is
  // written there is no number.
  Result<int> VlanId() const;

  // The interface of a pod with a branch ENI; an error if it or its one address is missing.
  Result<PodInterface> BranchInterface() const;

  // The interfaces of a pod without branch ENI; nullopt if anything needed is missing.
  std::optional<std::vector<PodInterface>> Interfaces() const;

 private:
  const PodResult::Interface* Dummy() const;
  // The one address of the interface at `index`.
  std::optional<IpAddress> AddressOf(int index) const;
  const PodResult& result() const { return *config_.previous_result; }

  const NetworkConfig& config_;
  const PodArgs& pod_;
  std::string_view if_name_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_PREVIOUS_RESULT_H_
