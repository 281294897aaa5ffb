// The VPC CNI's hands on a node: what agent and plugin ask of the kernel, as operations of the
// routing core, given to whatever kernel there is.
//
// It remembers no more than the agent's own processes could find out by asking the kernel, but for
// what it needs to take pods down again. What is there already is left as it is, and what is not
// there is not missed, as in the real agent; so a restart of the agent sets nothing up twice. It
// also repairs as little as the real one: a rule that somebody else removed stays away
// (RefreshPodRules renews only what it finds).
//
// The link of a secondary ENI comes with SetupEni and goes with DeleteEniRule, though a real one
// comes with the attachment and goes with the detachment, seconds before and after.
//
// Errors: kLinkNotFound, and those of the kernel (host_kernel.h). Complexity: a pod costs
// O(log links) and a pass over the rules. Source: amazon-vpc-cni-k8s v1.23.1, pkg/networkutils and
// cmd/routed-eni-cni-plugin/driver.
#ifndef CNISIM_CORE_HOST_VPC_CNI_HOST_H_
#define CNISIM_CORE_HOST_VPC_CNI_HOST_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cni/pod_network_driver.h"
#include "core/ipam/settings.h"
#include "core/ports/host_network.h"
#include "core/routing/host_kernel.h"
#include "core/routing/vpc_cni_planner.h"

namespace cnisim {

// What agent and init container make of the environment. `image` decides the backend of connmarks:
// AL2023's iptables is nf_tables, AL2's is not.
VpcCniHostSettings HostSettingsOf(const AgentSettings& settings, NodeImage image);

// What the instance has, whatever the agent knows of it.
class VpcCniInstance {
 public:
  virtual ~VpcCniInstance() = default;
  // Its image, primary ENI and VPC, as it boots; no pods.
  virtual VpcCniNode AtBoot() const = 0;
  // The attached ENI with this primary address; its link's index is not looked at.
  virtual std::optional<VpcCniEni> FindEni(IpAddress primary_ip) const = 0;
};

class VpcCniHost final : public HostNetwork, public PodNetworkDriver {
 public:
  // Both outlive this. The kernel is as PlanBoot leaves it. `seed` decides the random MAC addresses
  // of pods' links.
  VpcCniHost(HostKernel& kernel, const VpcCniInstance& instance, uint64_t seed)
      : kernel_(kernel), instance_(instance), seed_(seed) {}

  // A container of the agent starts with these.
  void set_settings(const VpcCniHostSettings& settings) { settings_ = settings; }
  const HostState& state() const { return kernel_.state(); }

  // The runtime removes a sandbox's namespace. Its links go along, and with them their routes; the
  // rules are the plugin's to remove.
  Status RemoveSandbox(std::string_view netns_path);

  // HostNetwork
  Task<Status> SetupHost(IpAddress primary_ip, std::vector<IpCidr> vpc_cidrs) override;
  Task<Status> CleanUpStaleChains() override { co_return Status(); }  // earlier versions' chains
  Task<Status> UpdateVpcCidrs(std::vector<IpCidr> vpc_cidrs) override;
  Task<Status> RefreshPodRules(std::vector<IpAddress> pods) override;
  Task<Status> SetupEni(IpAddress eni_primary_ip, int device_number, int network_card,
                        int route_table) override;
  Task<Result<int>> LinkIndex(IpAddress eni_primary_ip) override;
  Task<Result<std::vector<int>>> TablesOfSource(IpAddress source) override;
  Task<Status> DeleteEniRule(IpAddress eni_primary_ip) override;
  Task<Result<std::vector<std::string>>> ListLinks() override;
  Task<Status> DeleteToPodRule(IpAddress pod) override;
  Task<Status> DeleteFromPodRule(IpAddress pod) override;

  // PodNetworkDriver
  Task<Status> SetupPodNetwork(std::vector<PodInterface> interfaces, std::string netns,
                               int mtu) override;
  Task<Status> TeardownPodNetwork(std::vector<PodInterface> interfaces) override;
  Task<Status> SetupBranchPodNetwork(PodInterface interface, std::string netns, BranchLink link,
                                     int mtu, EnforcingMode mode) override;
  Task<Status> TeardownBranchPodNetwork(PodInterface interface, int vlan_id,
                                        EnforcingMode mode) override;

 private:
  using RulePredicate = std::function<bool(const Rule&)>;

  Status Init(const VpcCniNode& node);
  Status Connect(VpcCniPod pod, VpcCniHostSettings settings);
  VpcCniPodInterface Wire(const PodInterface& interface, size_t index);
  Status RemoveRules(const RulePredicate& unwanted);
  // One after the other; what is there already, or gone already, is none of its business.
  Status Carefully(const std::vector<Operation>& operations);

  HostKernel& kernel_;
  const VpcCniInstance& instance_;
  const uint64_t seed_;
  VpcCniHostSettings settings_;
  // As of the last set-up of the host, to find out what a restarted agent changes.
  struct SetUp {
    VpcCniHostSettings settings;
    VpcCniNode node;
  };
  std::optional<SetUp> set_up_;
  std::map<IpAddress, VpcCniEni> enis_;  // set up, by primary address
  // By namespace: what was done for a sandbox, and as what.
  struct Connected {
    VpcCniPod pod;
    VpcCniHostSettings settings;
  };
  std::map<std::string, Connected, std::less<>> sandboxes_;
  int next_index_ = 3;  // of links: 1 is lo, 2 the primary ENI's
};

}  // namespace cnisim

#endif  // CNISIM_CORE_HOST_VPC_CNI_HOST_H_
