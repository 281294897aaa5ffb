// A kernel that does what it is asked and remembers it, or fails.
#ifndef CNISIM_CORE_CNI_TESTING_FAKE_DRIVER_H_
#define CNISIM_CORE_CNI_TESTING_FAKE_DRIVER_H_

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "core/cni/pod_network_driver.h"

namespace cnisim {

class FakeDriver final : public PodNetworkDriver {
 public:
  Task<Status> SetupPodNetwork(std::vector<PodInterface> interfaces, std::string netns,
                               int mtu) override {
    co_return Answer(setup_fails,
                     fmt::format("setup({},{},mtu={})", TextOf(interfaces), netns, mtu));
  }
  Task<Status> TeardownPodNetwork(std::vector<PodInterface> interfaces) override {
    co_return Answer(teardown_fails, fmt::format("teardown({})", TextOf(interfaces)));
  }
  Task<Status> SetupBranchPodNetwork(PodInterface interface, std::string netns, BranchLink link,
                                     int mtu, EnforcingMode mode) override {
    co_return Answer(setup_fails,
                     fmt::format("setup-branch({},{},vlan={},{},gw={},parent={},mtu={},{})",
                                 TextOf({interface}), netns, link.vlan_id, link.mac, link.gateway,
                                 link.parent_index, mtu, NameOf(mode)));
  }
  Task<Status> TeardownBranchPodNetwork(PodInterface interface, int vlan_id,
                                        EnforcingMode mode) override {
    co_return Answer(teardown_fails, fmt::format("teardown-branch({},vlan={},{})",
                                                 TextOf({interface}), vlan_id, NameOf(mode)));
  }

  bool setup_fails = false;
  bool teardown_fails = false;
  std::vector<std::string> calls;

 private:
  static std::string NameOf(EnforcingMode mode) {
    return mode == EnforcingMode::kStrict ? "strict" : "standard";
  }
  // "10.0.0.1@2:eni0123=eth0" for an address, its table, and the names outside and inside.
  static std::string TextOf(const std::vector<PodInterface>& interfaces) {
    std::string text;
    for (const PodInterface& each : interfaces) {
      text += fmt::format("{}{}@{}:{}={}", text.empty() ? "" : "+", each.ip.ToString(),
                          each.route_table, each.host_name, each.container_name);
    }
    return text;
  }
  Status Answer(bool fails, std::string call) {
    calls.push_back(std::move(call));
    if (fails) return Fail("netlink", "the kernel refuses");
    return {};
  }
};

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_TESTING_FAKE_DRIVER_H_
