#include "core/host/vpc_cni_host.h"

#include <algorithm>
#include <utility>

#include "core/net/hash.h"
#include "core/routing/host_diff.h"

namespace cnisim {
namespace {

// "/var/run/netns/cni-1" is the namespace cni-1.
std::string NamespaceName(std::string_view path) {
  return std::string(path.substr(path.find_last_of('/') + 1));
}

bool IsFrom(const Rule& rule, int priority, IpAddress source) {
  return rule.priority == priority && rule.from == IpCidr(source);
}

bool IsTo(const Rule& rule, int priority, IpAddress destination) {
  return rule.priority == priority && rule.to == IpCidr(destination);
}

}  // namespace

VpcCniHostSettings HostSettingsOf(const AgentSettings& settings, NodeImage image) {
  const HostNetworkSettings& network = settings.network;
  VpcCniHostSettings host;
  host.connmark = network.connmark;
  host.exclude_snat_cidrs.assign(network.exclude_snat_cidrs.begin(),
                                 network.exclude_snat_cidrs.end());
  host.external_snat = network.external_snat;
  host.external_service_cidrs = network.external_service_cidrs;
  host.mtu = network.mtu;
  host.pod_mtu = network.pod_mtu;
  host.node_port_support = network.node_port_support;
  host.randomize_snat = network.randomize_snat;
  host.veth_prefix = network.veth_prefix;
  host.ipv6 = settings.enable_ipv6;
  host.pod_eni = settings.enable_pod_eni;
  host.enforcing = network.enforcing;
  host.tcp_early_demux = network.tcp_early_demux;
  host.connmark_backend =
      image == NodeImage::kAl2 ? ConnmarkBackend::kIptables : ConnmarkBackend::kNftables;
  return host;
}

Status VpcCniHost::Carefully(const std::vector<Operation>& operations) {
  for (const Operation& operation : operations) {
    const Status done = kernel_.Execute({&operation, 1});
    if (!done && done.error().code != kOperationExists && done.error().code != kOperationMissing) {
      return done;
    }
  }
  return {};
}

Status VpcCniHost::RemoveRules(const RulePredicate& unwanted) {
  std::vector<Operation> operations;
  for (const Rule& rule : kernel_.state().net.rules) {
    if (unwanted(rule)) operations.push_back({Verb::kRemove, "", rule});
  }
  return kernel_.Execute(operations);
}

// --- The host ---

Task<Status> VpcCniHost::SetupHost(IpAddress, std::vector<IpCidr> vpc_cidrs) {
  VpcCniNode node = instance_.AtBoot();
  node.vpc_cidrs = std::move(vpc_cidrs);
  co_return Init(node);
}

Task<Status> VpcCniHost::UpdateVpcCidrs(std::vector<IpCidr> vpc_cidrs) {
  VpcCniNode node = set_up_ ? set_up_->node : instance_.AtBoot();
  node.vpc_cidrs = std::move(vpc_cidrs);
  co_return Init(node);
}

Status VpcCniHost::Init(const VpcCniNode& node) {
  Status done;
  if (!set_up_) {
    done = kernel_.Execute(PlanNodeInit(settings_, node));
  } else {
    // Nodes with their primary ENI alone: the rest does not depend on what has changed.
    const Result<HostState> from = PlanNode(set_up_->settings, set_up_->node);
    const Result<HostState> to = PlanNode(settings_, node);
    if (!from) return tl::unexpected(from.error());
    if (!to) return tl::unexpected(to.error());
    done = kernel_.Execute(PlanAgentRestart(set_up_->settings, set_up_->node));
    if (done) done = kernel_.Execute(Diff(*from, *to));
  }
  if (done) set_up_ = {settings_, node};
  return done;
}

Task<Status> VpcCniHost::RefreshPodRules(std::vector<IpAddress> pods) {
  for (const IpAddress pod : pods) {
    std::optional<Rule> last;
    for (const Rule& rule : kernel_.state().net.rules) {
      if (IsFrom(rule, kFromPodRule, pod)) last = rule;
    }
    if (!last) continue;
    const Status removed =
        RemoveRules([&](const Rule& rule) { return IsFrom(rule, kFromPodRule, pod); });
    if (!removed) co_return removed;
    const Operation again{Verb::kAdd, "", *last};
    if (Status added = kernel_.Execute({&again, 1}); !added) co_return added;
  }
  co_return Status();
}

// --- ENIs ---

Task<Status> VpcCniHost::SetupEni(IpAddress eni_primary_ip, int, int, int route_table) {
  std::optional<VpcCniEni> eni = instance_.FindEni(eni_primary_ip);
  if (!eni)
    co_return Fail(std::string(kLinkNotFound),
                   "no link of the ENI with " + eni_primary_ip.ToString());
  eni->route_table = route_table;
  const auto known = enis_.find(eni_primary_ip);
  eni->link_index = known != enis_.end() ? known->second.link_index : next_index_++;
  std::vector<Operation> operations = PlanEniAttach(settings_, *eni);
  // A link that is there gets the MTU of the settings.
  if (known != enis_.end()) operations.front().verb = Verb::kReplace;
  const Status done = Carefully(operations);
  if (done) enis_.insert_or_assign(eni_primary_ip, *std::move(eni));
  co_return done;
}

Task<Status> VpcCniHost::DeleteEniRule(IpAddress eni_primary_ip) {
  const auto found = enis_.find(eni_primary_ip);
  if (found == enis_.end()) co_return Status();
  const Status done = Carefully(PlanEniDetach(settings_, found->second));
  enis_.erase(found);
  co_return done;
}

Task<Result<int>> VpcCniHost::LinkIndex(IpAddress eni_primary_ip) {
  for (const auto& [key, attributes] : kernel_.state().net.addresses) {
    if (key.address == eni_primary_ip) co_return kernel_.state().net.links.at(key.dev).index;
  }
  co_return Fail(std::string(kLinkNotFound), "no link has " + eni_primary_ip.ToString());
}

Task<Result<std::vector<int>>> VpcCniHost::TablesOfSource(IpAddress source) {
  std::vector<int> tables;
  for (const Rule& rule : kernel_.state().net.rules) {
    if (rule.from == IpCidr(source)) tables.push_back(rule.table);
  }
  co_return tables;
}

Task<Result<std::vector<std::string>>> VpcCniHost::ListLinks() {
  std::vector<std::string> names;
  for (const auto& [name, link] : kernel_.state().net.links) names.push_back(name);
  co_return names;
}

// --- Pods ---

Task<Status> VpcCniHost::DeleteToPodRule(IpAddress pod) {
  co_return RemoveRules([&](const Rule& rule) { return IsTo(rule, kToPodRule, pod); });
}

Task<Status> VpcCniHost::DeleteFromPodRule(IpAddress pod) {
  co_return RemoveRules([&](const Rule& rule) { return IsFrom(rule, kFromPodRule, pod); });
}

VpcCniPodInterface VpcCniHost::Wire(const PodInterface& interface, size_t index) {
  VpcCniPodInterface wired;
  wired.ip = interface.ip;
  if (interface.route_table != 0) wired.route_table = interface.route_table;
  wired.host_name = interface.host_name;
  wired.container_name = interface.container_name;
  wired.host_mac =
      MacAddress::LocallyAdministered(HashMix(seed_ + static_cast<uint64_t>(next_index_)));
  wired.host_index = next_index_++;
  wired.container_mac = MacAddress(wired.host_mac.bits() ^ 1);
  wired.container_index = 2 + static_cast<int>(index);
  return wired;
}

Status VpcCniHost::Connect(VpcCniPod pod, VpcCniHostSettings settings) {
  // A sandbox that was not taken down, or another of the same pod.
  const auto same = [&](const auto& sandbox) {
    return sandbox.second.pod.interfaces.front().host_name == pod.interfaces.front().host_name;
  };
  for (auto it = std::ranges::find_if(sandboxes_, same); it != sandboxes_.end();
       it = std::ranges::find_if(sandboxes_, same)) {
    if (Status removed = RemoveSandbox(std::string(it->first)); !removed) return removed;
  }
  if (Status done = Carefully(PlanPodAdd(settings, pod)); !done) return done;
  const std::string netns = pod.netns;
  sandboxes_.insert_or_assign(netns, Connected{std::move(pod), std::move(settings)});
  return {};
}

Task<Status> VpcCniHost::SetupPodNetwork(std::vector<PodInterface> interfaces, std::string netns,
                                         int mtu) {
  VpcCniPod pod;
  pod.netns = NamespaceName(netns);
  for (size_t i = 0; i < interfaces.size(); ++i) pod.interfaces.push_back(Wire(interfaces[i], i));
  VpcCniHostSettings settings = settings_;
  settings.pod_mtu = mtu;
  co_return Connect(std::move(pod), std::move(settings));
}

Task<Status> VpcCniHost::TeardownPodNetwork(std::vector<PodInterface> interfaces) {
  for (const PodInterface& interface : interfaces) {
    const Status rules = RemoveRules([&](const Rule& rule) {
      return IsTo(rule, kToPodRule, interface.ip) || IsFrom(rule, kFromPodRule, interface.ip);
    });
    if (!rules) co_return rules;
    const Operation route{
        Verb::kRemove, "",
        RouteEntry{{kMainTable, IpCidr(interface.ip), interface.ip.is_v4() ? 0U : 1024U}, {}}};
    if (Status done = Carefully({route}); !done) co_return done;
  }
  co_return Status();
}

Task<Status> VpcCniHost::SetupBranchPodNetwork(PodInterface interface, std::string netns,
                                               BranchLink link, int mtu, EnforcingMode mode) {
  const auto gateway = IpAddress::Parse(link.gateway);
  const auto mac = MacAddress::Parse(link.mac);
  const auto& links = kernel_.state().net.links;
  const auto trunk =
      std::ranges::find(links, link.parent_index, [](const auto& l) { return l.second.index; });
  if (!gateway || !mac || trunk == links.end()) {
    co_return Fail(std::string(kLinkNotFound),
                   "no usable trunk link for VLAN " + std::to_string(link.vlan_id));
  }
  VpcCniPod pod;
  pod.netns = NamespaceName(netns);
  pod.interfaces.push_back(Wire(interface, 0));
  pod.branch.emplace();
  pod.branch->vlan_id = link.vlan_id;
  pod.branch->mac = *mac;
  pod.branch->gateway = *gateway;
  pod.branch->trunk_link = trunk->first;
  pod.branch->link_index = next_index_++;
  VpcCniHostSettings settings = settings_;
  settings.pod_mtu = mtu;
  settings.enforcing = mode;
  co_return Connect(std::move(pod), std::move(settings));
}

Task<Status> VpcCniHost::TeardownBranchPodNetwork(PodInterface interface, int vlan_id,
                                                  EnforcingMode) {
  // Whatever the mode was when it came.
  const int table = RouteTableOfBranch(vlan_id);
  co_return RemoveRules([&](const Rule& rule) {
    return (rule.priority == kBranchEniRule && rule.table == table) ||
           IsTo(rule, kToPodRule, interface.ip) || IsFrom(rule, kFromPodRule, interface.ip);
  });
}

Status VpcCniHost::RemoveSandbox(std::string_view netns_path) {
  const auto found = sandboxes_.find(NamespaceName(netns_path));
  if (found == sandboxes_.end()) return {};
  std::vector<Operation> operations = PlanPodDel(found->second.settings, found->second.pod);
  std::erase_if(operations,
                [](const Operation& o) { return std::holds_alternative<Rule>(o.subject); });
  sandboxes_.erase(found);
  return Carefully(operations);
}

}  // namespace cnisim
