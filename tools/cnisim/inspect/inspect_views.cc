#include "tools/cnisim/inspect/inspect_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/routing/kube_proxy.h"
#include "core/routing/render.h"
#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

constexpr std::array kViews{
    ViewInfo{"addr", "ip addr"},
    ViewInfo{"brief", "ip -br addr"},
    ViewInfo{"rule", "ip rule show"},
    ViewInfo{"route", "ip route show, table by table"},
    ViewInfo{"neigh", "ip neigh show: permanent entries"},
    ViewInfo{"fdb", "bridge fdb show"},
    ViewInfo{"nat", "iptables -t nat -S"},
    ViewInfo{"mangle", "iptables -t mangle -S"},
    ViewInfo{"filter", "iptables -t filter -S"},
    ViewInfo{"raw", "iptables -t raw -S"},
    ViewInfo{"nft", "the VPC CNI's nftables table"},
    ViewInfo{"pods", "the node's pods, their addresses and ENIs"},
    ViewInfo{"pool", "ENIs and what of their addresses is assigned, cooling and free"},
    ViewInfo{"enis", "the agent's /v1/enis"},
    ViewInfo{"metrics", "the agent's /metrics"},
};

tl::unexpected<Error> Usage(std::string message) { return Fail("usage", std::move(message)); }

Json TextOrNone(const std::string& text) { return text.empty() ? Json("<none>") : Json(text); }
Json AddressOrNone(const std::optional<IpAddress>& ip) {
  return ip ? Json(ip->ToString()) : Json("<none>");
}

// The network namespace that is asked for, with the host that it is on.
struct Place {
  HostState host;
  std::string netns;

  const NetState& net() const { return *host.Find(netns); }
};

Result<Place> FindPlace(WorldView& world, const ViewOptions& options) {
  Result<HostState> host = KernelOf(world, options.node, world.Services());
  if (!host) return tl::unexpected(host.error());
  if (options.pod.empty()) return Place{*std::move(host), ""};
  const Result<PodView> pod = FindPod(world, options.pod);
  if (!pod) return tl::unexpected(pod.error());
  if (pod->netns.empty() || host->Find(pod->netns) == nullptr) {
    return Usage(fmt::format("pod {} has no network namespace of its own", options.pod));
  }
  return Place{*std::move(host), pod->netns};
}

std::vector<View> RouteViews(const Place& place, const ViewOptions& options) {
  std::set<int> tables;
  for (const auto& [key, route] : place.net().routes) {
    if (FamilyOf(key.destination) == options.family) tables.insert(key.table);
  }
  if (options.table) tables = {*options.table};
  std::vector<int> ordered(tables.begin(), tables.end());
  std::ranges::stable_partition(ordered, [](int table) { return table == kMainTable; });
  std::vector<View> views;
  const std::string_view six = options.family == Family::kV6 ? "-6 " : "";
  for (const int table : ordered) {
    views.push_back({fmt::format("ip {}route show table {}", six, TableName(table)),
                     RenderRoutes(place.net(), table, options.family)});
  }
  return views;
}

// What of the place the command shows.
Result<std::vector<View>> KernelViews(WorldView& world, std::string_view view,
                                      const ViewOptions& options) {
  const Result<Place> found = FindPlace(world, options);
  if (!found) return tl::unexpected(found.error());
  const Place& place = *found;
  const NetState& net = place.net();
  const Family family = options.family;
  const std::string_view six = family == Family::kV6 ? "-6 " : "";
  if (view == "addr") return std::vector<View>{{"ip addr", RenderAddresses(net)}};
  if (view == "brief") return std::vector<View>{{"ip -br addr", RenderBriefAddresses(net)}};
  if (view == "rule") {
    return std::vector<View>{{fmt::format("ip {}rule show", six), RenderRules(net, family)}};
  }
  if (view == "route") return RouteViews(place, options);
  if (view == "neigh") {
    return std::vector<View>{
        {fmt::format("ip {}neigh show nud permanent", six), RenderNeighbours(net, "", family)}};
  }
  if (!options.pod.empty()) {
    return Usage(fmt::format("'{}' is a node's, not a pod's; leave out --pod", view));
  }
  if (view == "fdb") return std::vector<View>{{"bridge fdb show", RenderFdb(place.host)}};
  if (view == "nft") {
    return std::vector<View>{{"nft -s -y list table ip aws-cni", RenderNft(place.host)}};
  }
  const IptablesTable table = *std::ranges::find(kIptablesTables, view, &IptablesTableName);
  return std::vector<View>{
      {fmt::format("ip{}tables -t {} -S", family == Family::kV6 ? "6" : "", view),
       RenderIptables(place.host, table, family)}};
}

Table PodsOf(WorldView& world, const std::string& node) {
  Table table;
  table.columns = {"NAMESPACE", "NAME", "STATUS", "IP", "ENI", "SANDBOX"};
  for (const PodView& pod : world.Pods()) {
    if (pod.node != node) continue;
    table.rows.push_back({pod.ns, pod.name, pod.status, AddressOrNone(pod.ip), TextOrNone(pod.eni),
                          TextOrNone(pod.netns)});
  }
  return table;
}

// One line an ENI that the agent manages.
Table PoolOf(WorldView& world, const NodeView& node) {
  Table table;
  table.columns = {"CARD",     "DEVICE",    "ENI",      "SUBNET",  "PRIMARY IP", "TABLE", "CIDRS",
                   "PREFIXES", "ADDRESSES", "ASSIGNED", "COOLING", "FREE",       "NOTE"};
  NodeNetwork* network = world.NetworkOf(node.name);
  if (network == nullptr) return table;
  const Scenario& scenario = world.scenario();
  for (const PoolSnapshot& pool : network->Pools()) {
    for (const PoolSnapshot::Eni& eni : pool.enis) {
      int64_t addresses = 0;
      int64_t prefixes = 0;
      int64_t cooling = 0;
      for (const PoolSnapshot::Cidr& cidr : eni.cidrs) {
        addresses += cidr.cidr.size();
        prefixes += cidr.is_prefix ? 1 : 0;
        for (const PoolSnapshot::Address& address : cidr.addresses) {
          if (address.unassigned && world.Now() - *address.unassigned < network->IpCooldown()) {
            ++cooling;
          }
        }
      }
      const auto attached = std::ranges::find(node.enis, eni.attributes.id,
                                              [](const AttachedInterface& a) { return a.eni.id; });
      const bool known = attached != node.enis.end();
      const int64_t assigned = eni.assigned();
      std::string note = eni.attributes.is_primary ? "primary" : "";
      if (eni.attributes.is_trunk) note = "trunk";
      if (eni.excluded) note += note.empty() ? "excluded" : ", excluded";
      table.rows.push_back(
          {pool.card, eni.attributes.device_number, eni.attributes.id,
           known ? Json(scenario.vpc.subnets[attached->subnet].name) : Json("<none>"),
           known ? Json(attached->eni.primary_ip.ToString()) : Json("<none>"),
           eni.attributes.route_table, static_cast<int64_t>(eni.cidrs.size()), prefixes, addresses,
           assigned, cooling, addresses - assigned - cooling, note});
    }
  }
  return table;
}

}  // namespace

std::span<const ViewInfo> AllViews() { return kViews; }

Result<NodeView> FindNode(WorldView& world, std::string_view name) {
  std::vector<NodeView> nodes = world.Nodes();
  const auto found = std::ranges::find(nodes, name, &NodeView::name);
  if (found != nodes.end()) return *std::move(found);
  std::vector<std::string_view> names;
  for (const NodeView& node : nodes) names.push_back(node.name);
  const auto near = Nearest(name, names);
  return Usage(fmt::format("there is no node '{}' at that time{}", name,
                           near            ? fmt::format("; did you mean '{}'?", *near)
                           : names.empty() ? "; there is no node at all"
                                           : fmt::format("; there is {}", names.front())));
}

Result<HostState> KernelOf(WorldView& world, const std::string& node,
                           const std::vector<KubeServicePort>& services) {
  const HostState* kernel = FindNodeKernel(world, node);
  if (kernel == nullptr) return Usage(fmt::format("node {} has not booted at that time", node));
  HostState host = *kernel;
  if (world.scenario().system_pods) {
    if (Status planned = Apply(PlanKubeProxy(services), host); !planned) {
      return tl::unexpected(planned.error());
    }
  }
  // Felix keeps its jumps at the head (ChainInsertMode Insert), whoever came before.
  for (auto& [key, rules] : host.chains) {
    std::ranges::stable_partition(rules, [](const IptablesRule& rule) {
      const auto* jump = std::get_if<JumpTarget>(&rule.target);
      return jump != nullptr && jump->chain.starts_with("cali-");
    });
  }
  return host;
}

Result<PodView> FindPod(WorldView& world, std::string_view name) {
  std::vector<PodView> pods = world.Pods();
  std::vector<const PodView*> found;
  std::vector<std::string_view> names;
  for (const PodView& pod : pods) {
    names.push_back(pod.name);
    if (pod.name == name || fmt::format("{}/{}", pod.ns, pod.name) == name) found.push_back(&pod);
  }
  if (found.size() == 1) return *found.front();
  if (found.size() > 1) {
    return Usage(fmt::format("there are {} pods '{}'; write NAMESPACE/NAME", found.size(), name));
  }
  const auto near = Nearest(name, names);
  return Usage(fmt::format("there is no pod '{}' at that time{}", name,
                           near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

Result<std::vector<View>> ViewsOf(WorldView& world, std::string_view view,
                                  const ViewOptions& options) {
  if (std::ranges::find(kViews, view, &ViewInfo::name) == kViews.end()) {
    std::vector<std::string_view> names{"cluster", "path", "export"};
    for (const ViewInfo& info : kViews) names.push_back(info.name);
    const auto near = Nearest(view, names);
    return Usage(fmt::format("there is no view '{}'{}", view,
                             near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  ViewOptions at = options;
  if (!options.pod.empty()) {
    const Result<PodView> pod = FindPod(world, options.pod);
    if (!pod) return tl::unexpected(pod.error());
    if (!options.node.empty() && options.node != pod->node) {
      return Usage(fmt::format("pod {} is on node {}", options.pod, pod->node));
    }
    at.node = pod->node;
    if (at.node.empty()) return Usage(fmt::format("pod {} is on no node yet", options.pod));
  }
  if (at.node.empty()) return Usage(fmt::format("'{}' is a node's: add --node NODE", view));
  const Result<NodeView> node = FindNode(world, at.node);
  if (!node) return tl::unexpected(node.error());
  if (view == "pods") {
    return std::vector<View>{
        {fmt::format("kubectl get pods -A --field-selector spec.nodeName={}", at.node),
         Format(PodsOf(world, at.node), at.format)}};
  }
  const bool of_agent = view == "pool" || view == "enis" || view == "metrics";
  if (!of_agent) return KernelViews(world, view, at);
  if (world.scenario().network.plugin != Plugin::kAwsVpcCni) {
    return Usage(fmt::format("'{}' is of the VPC CNI's agent; these nodes run Calico", view));
  }
  if (view == "pool") {
    return std::vector<View>{{"the agent's pool", Format(PoolOf(world, *node), at.format)}};
  }
  const bool metrics = view == "metrics";
  NodeNetwork* network = world.NetworkOf(at.node);
  std::string page;
  if (network != nullptr) {
    page = network->AgentPage(metrics ? NodeLogFile::kMetrics : NodeLogFile::kEnis);
  }
  if (page.empty()) return Usage(fmt::format("the agent of node {} does not answer", at.node));
  if (!metrics) page = FormatDocument(Json::parse(page), OutputFormat::kJson);
  return std::vector<View>{
      {metrics ? "curl http://localhost:61678/metrics" : "curl http://localhost:61679/v1/enis | jq",
       std::move(page)}};
}

std::vector<View> ClusterViews(WorldView& world, OutputFormat format) {
  const Scenario& scenario = world.scenario();
  const std::vector<NodeView> nodes = world.Nodes();
  const std::vector<PodView> pods = world.Pods();
  Table node_table;
  node_table.columns = {"Name",         "InstanceId",
                        "InstanceType", "AvailabilityZone",
                        "SubnetId",     "PrivateIpAddress",
                        "Enis",         "Secondary",
                        "Prefixes",     "Status"};
  for (const NodeView& node : nodes) {
    int64_t secondary = 0;
    int64_t prefixes = 0;
    int64_t enis = 0;
    for (const AttachedInterface& attached : node.enis) {
      if (!attached.vlan) ++enis;
      secondary += static_cast<int64_t>(attached.eni.secondary_ips.size());
      prefixes += static_cast<int64_t>(attached.eni.ipv4_prefixes.size() +
                                       attached.eni.ipv6_prefixes.size());
    }
    const SubnetSpec& subnet = scenario.vpc.subnets[node.subnet];
    node_table.rows.push_back({node.name, node.instance_id, node.instance_type,
                               subnet.availability_zone, subnet.name, node.ip.ToString(), enis,
                               secondary, prefixes, node.status});
  }
  Table pod_table;
  pod_table.columns = {"NAMESPACE", "NAME", "IP", "STATUS", "NODE"};
  for (const PodView& pod : pods) {
    pod_table.rows.push_back(
        {pod.ns, pod.name, AddressOrNone(pod.ip), pod.status, TextOrNone(pod.node)});
  }

  if (IsDocument(format)) {
    Json both;
    both["pods"] = ToJson(pod_table);
    both["nodes"] = ToJson(node_table);
    return {{"", FormatDocument(both, format)}};
  }
  std::vector<View> views;
  views.push_back(
      {"kubectl get pods -A -o custom-columns=NAMESPACE:.metadata.namespace,"
       "NAME:.metadata.name,IP:.status.podIP,STATUS:.status.phase,NODE:.spec.nodeName",
       Format(pod_table, format)});
  views.push_back({"aws ec2 describe-instances", Format(node_table, format)});
  if (format != OutputFormat::kTable) return views;

  // Whose addresses are whose.
  const std::vector<IpCidr> vpc = BlocksOf(scenario.vpc);
  const auto in_vpc = [&](IpAddress ip) {
    return std::ranges::any_of(vpc, [&](const IpCidr& block) { return block.Contains(ip); });
  };
  int64_t with_address = 0;
  int64_t inside = 0;
  for (const PodView& pod : pods) {
    if (!pod.ip || pod.netns.empty()) continue;
    ++with_address;
    inside += in_vpc(*pod.ip) ? 1 : 0;
  }
  std::vector<std::string> blocks;
  for (const IpCidr& block : vpc) blocks.push_back(block.ToString());
  std::string answer = fmt::format(
      "{} nodes have addresses of the VPC ({}). {} of the {} pods with an address have one of the "
      "VPC",
      nodes.size(), fmt::join(blocks, ", "), inside, with_address);
  if (with_address == 0) {
    answer += ".";
  } else if (inside == with_address) {
    answer += ": pods and nodes share its range.";
  } else {
    std::vector<std::string> pools;
    for (const IpPoolSpec& pool : scenario.network.calico.ip_pools) {
      pools.push_back(pool.cidr.ToString());
    }
    answer +=
        fmt::format("; the others' are of {}, which the VPC does not know.",
                    pools.empty() ? "other blocks" : fmt::format("{}", fmt::join(pools, ", ")));
  }
  views.push_back({"do pods and nodes share the VPC's address range?", answer + "\n"});
  return views;
}

}  // namespace cnisim
