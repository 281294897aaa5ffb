#include "core/cni/previous_result.h"

#include <fmt/format.h>

#include "core/cni/interface_names.h"
#include "core/net/numbers.h"

namespace cnisim {
namespace {

// DM-10 on the default network card, for results of releases that did not tell the table.
constexpr int kMainTable = 254;
constexpr int TableOfDevice(int device) { return device == 0 ? kMainTable : device + 1; }

}  // namespace

const PodResult::Interface* PreviousResult::Dummy() const {
  if (!config_.previous_result) return nullptr;
  const std::optional<int> index = result().Find(DummyInterfaceName(pod_));
  return index ? &result().interfaces[static_cast<size_t>(*index)] : nullptr;
}

std::optional<IpAddress> PreviousResult::AddressOf(int index) const {
  std::optional<IpAddress> found;
  for (const PodResult::Address& address : result().ips) {
    if (address.interface != index) continue;
    if (found) return std::nullopt;
    found = address.ip;
  }
  return found;
}

Result<int> PreviousResult::VlanId() const {
  const PodResult::Interface* dummy = Dummy();
  if (dummy == nullptr) return 0;
  const std::optional<int> vlan = ParseInt(dummy->mac);
  if (!vlan) {
    return Fail("prevResult", fmt::format("malformed vlanID in prevResult: {}", dummy->mac));
  }
  return *vlan;
}

Result<PodInterface> PreviousResult::BranchInterface() const {
  const std::optional<int> index = result().Find(if_name_);
  if (!index) {
    return Fail("prevResult", fmt::format("cannot find interface {} in prevResult", if_name_));
  }
  const std::optional<IpAddress> ip = AddressOf(*index);
  if (!ip) {
    return Fail("prevResult",
                fmt::format("interface {} has not one address in prevResult", if_name_));
  }
  return PodInterface{*ip, -1, 0, HostInterfaceName(BranchHostPrefix(config_), pod_, 0),
                      std::string(if_name_)};
}

std::optional<std::vector<PodInterface>> PreviousResult::Interfaces() const {
  const PodResult::Interface* dummy = Dummy();
  if (dummy == nullptr || ParseInt(dummy->mac) != 0) return std::nullopt;
  const std::optional<int> device = ParseInt(dummy->sandbox);
  if (!device) return std::nullopt;

  std::vector<PodInterface> interfaces;
  for (size_t i = 0;; ++i) {
    const std::string name = PodInterfaceName(if_name_, i);
    const std::optional<int> index = result().Find(name);
    if (!index) break;
    const std::optional<IpAddress> ip = AddressOf(*index);
    if (!ip) return std::nullopt;
    const std::string& table = result().interfaces[static_cast<size_t>(*index)].mac;
    interfaces.push_back({*ip, *device, ParseInt(table).value_or(TableOfDevice(*device)),
                          HostInterfaceName(config_.veth_prefix, pod_, i), name});
  }
  if (interfaces.empty()) return std::nullopt;
  return interfaces;
}

}  // namespace cnisim
