#include <fmt/format.h>

#include <map>
#include <set>

#include "core/ipam/settings.h"
#include "sim/import/export_json.h"

namespace cnisim {
namespace {

constexpr const char* kImages = "602401143452.dkr.ecr.us-east-1.amazonaws.com";
// The pod-template-hash of every ReplicaSet: nobody changes a template.
constexpr const char* kTemplateHash = "5d4f8c7b96";

ExportJson List(ExportJson items) {
  return {{"apiVersion", "v1"},
          {"items", std::move(items)},
          {"kind", "List"},
          {"metadata", {{"resourceVersion", ""}}}};
}

ExportJson TextMap(const std::map<std::string, std::string>& texts) {
  ExportJson map = ExportJson::object();
  for (const auto& [key, value] : texts) map[key] = value;
  return map;
}

ExportJson Tolerations(const std::vector<Toleration>& tolerations) {
  ExportJson list = ExportJson::array();
  for (const Toleration& toleration : tolerations) {
    ExportJson json = ExportJson::object();
    if (!toleration.effect.empty()) json["effect"] = toleration.effect;
    if (!toleration.key.empty()) json["key"] = toleration.key;
    json["operator"] = toleration.exists ? "Exists" : "Equal";
    if (!toleration.value.empty()) json["value"] = toleration.value;
    list.push_back(std::move(json));
  }
  return list;
}

ExportJson PodSpec(const PodTemplate& pod, const std::string& name) {
  ExportJson container{{"image", "registry.k8s.io/pause:3.10"}, {"name", name}};
  ExportJson requests = ExportJson::object();
  if (pod.cpu_milli > 0) requests["cpu"] = fmt::format("{}m", pod.cpu_milli);
  if (pod.memory_mib > 0) requests["memory"] = fmt::format("{}Mi", pod.memory_mib);
  container["resources"] = ExportJson::object();
  if (!requests.empty()) container["resources"]["requests"] = std::move(requests);
  ExportJson spec{{"containers", ExportJson::array({std::move(container)})}};
  if (pod.host_network) spec["hostNetwork"] = true;
  if (!pod.node_selector.empty()) spec["nodeSelector"] = TextMap(pod.node_selector);
  if (!pod.tolerations.empty()) spec["tolerations"] = Tolerations(pod.tolerations);
  return spec;
}

ExportJson Owner(const char* api, const char* kind, const std::string& name) {
  return ExportJson::array({{{"apiVersion", api},
                             {"blockOwnerDeletion", true},
                             {"controller", true},
                             {"kind", kind},
                             {"name", name}}});
}

class Exporter {
 public:
  explicit Exporter(const WorldView& world)
      : world_(world),
        scenario_(world.scenario()),
        calico_(scenario_.network.plugin == Plugin::kCalico) {}

  std::vector<ExportDocument> Export() {
    std::vector<ExportDocument> documents;
    documents.emplace_back("nodes.json", List(Nodes()));
    documents.emplace_back("pods.json", List(Pods()));
    Workloads();
    const auto add = [&](const char* name, ExportJson& items) {
      if (!items.empty()) documents.emplace_back(name, List(std::move(items)));
    };
    add("deployments.json", deployments_);
    add("daemonsets.json", daemon_sets_);
    add("securitygrouppolicies.json", policies_);
    ExportJson configs = EniConfigs();
    add("eniconfigs.json", configs);
    ExportJson pools = IpPools();
    add("ippools.json", pools);
    return documents;
  }

 private:
  const WorkloadSpec& WorkloadOf(const PodView& pod) const {
    return scenario_.workloads[static_cast<size_t>(pod.workload)];
  }

  ExportJson Nodes() {
    ExportJson items = ExportJson::array();
    for (const NodeView& node : world_.Nodes()) {
      const NodeGroupSpec& group = scenario_.node_groups[static_cast<size_t>(node.node_group)];
      const std::string& zone = scenario_.vpc.subnets[node.subnet].availability_zone;
      std::map<std::string, std::string> labels = group.labels;
      labels.emplace("eks.amazonaws.com/nodegroup", group.name);
      labels["kubernetes.io/hostname"] = PrivateDnsName(node.ip);
      labels["kubernetes.io/os"] = "linux";
      labels["node.kubernetes.io/instance-type"] = node.instance_type;
      labels["topology.kubernetes.io/region"] = zone.substr(0, zone.size() - 1);
      labels["topology.kubernetes.io/zone"] = zone;
      ExportJson spec{{"providerID", fmt::format("aws:///{}/{}", zone, node.instance_id)}};
      ExportJson taints = ExportJson::array();
      for (const Taint& taint : group.taints) {
        ExportJson json{{"effect", taint.effect}, {"key", taint.key}};
        if (!taint.value.empty()) json["value"] = taint.value;
        taints.push_back(std::move(json));
      }
      if (node.status.find("SchedulingDisabled") != std::string::npos) {
        taints.push_back({{"effect", "NoSchedule"}, {"key", "node.kubernetes.io/unschedulable"}});
        spec["unschedulable"] = true;
      }
      if (!taints.empty()) spec["taints"] = std::move(taints);
      const std::string pods = std::to_string(node.max_pods);
      items.push_back(
          {{"apiVersion", "v1"},
           {"kind", "Node"},
           {"metadata", {{"labels", TextMap(labels)}, {"name", node.name}}},
           {"spec", std::move(spec)},
           {"status",
            {{"addresses",
              ExportJson::array({{{"address", node.ip.ToString()}, {"type", "InternalIP"}},
                                 {{"address", PrivateDnsName(node.ip)}, {"type", "InternalDNS"}}})},
             {"allocatable", {{"pods", pods}}},
             {"capacity", {{"pods", pods}}},
             {"nodeInfo",
              {{"operatingSystem", "linux"},
               {"osImage",
                group.image == NodeImage::kAl2 ? "Amazon Linux 2" : "Amazon Linux 2023"}}}}}});
    }
    return items;
  }

  ExportJson Pods() {
    ExportJson items = ExportJson::array();
    std::map<std::string, std::string> node_ips;
    for (const NodeView& node : world_.Nodes()) node_ips[node.name] = node.ip.ToString();
    for (const PodView& pod : world_.Pods()) {
      const WorkloadSpec& workload = WorkloadOf(pod);
      const bool terminating = pod.status == "Terminating";
      if (!terminating) ++pods_of_[pod.workload];
      ExportJson metadata{{"name", pod.name}, {"namespace", pod.ns}};
      std::map<std::string, std::string> labels{{"app", workload.name}};
      if (std::holds_alternative<DeploymentSpec>(workload.kind)) {
        labels["pod-template-hash"] = kTemplateHash;
        metadata["ownerReferences"] =
            Owner("apps/v1", "ReplicaSet", workload.name + "-" + kTemplateHash);
      } else if (std::holds_alternative<DaemonSetSpec>(workload.kind)) {
        metadata["ownerReferences"] = Owner("apps/v1", "DaemonSet", workload.name);
      } else if (std::holds_alternative<CronJobSpec>(workload.kind)) {
        metadata["ownerReferences"] = Owner("batch/v1", "Job", workload.name);
      }
      metadata["labels"] = TextMap(labels);
      if (terminating) metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z";
      if (!workload.pod.security_groups.empty() && pod.ip) {
        metadata["annotations"]["vpc.amazonaws.com/pod-eni"] =
            ExportJson::array({{{"eniId", pod.eni}, {"privateIp", pod.ip->ToString()}}}).dump();
      }
      ExportJson spec = PodSpec(workload.pod, workload.name);
      ExportJson status{{"phase", pod.status == "ContainerCreating" ? "Pending"
                                  : terminating                     ? "Running"
                                                                    : pod.status}};
      if (!pod.node.empty()) {
        spec["nodeName"] = pod.node;
        status["hostIP"] = node_ips[pod.node];
      }
      if (pod.ip) status["podIP"] = pod.ip->ToString();
      items.push_back({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata", std::move(metadata)},
                       {"spec", std::move(spec)},
                       {"status", std::move(status)}});
    }
    if (scenario_.system_pods) {
      for (const auto& [node, ip] : node_ips) {
        for (const char* agent : {calico_ ? "calico-node" : "aws-node", "kube-proxy"}) {
          items.push_back(SystemPod(agent, node, ip));
        }
      }
    }
    return items;
  }

  static ExportJson SystemPod(const std::string& agent, const std::string& node,
                              const std::string& ip) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata",
             {{"name", agent + "-" + node},
              {"namespace", "kube-system"},
              {"labels", {{"k8s-app", agent}}},
              {"ownerReferences", Owner("apps/v1", "DaemonSet", agent)}}},
            {"spec",
             {{"containers",
               ExportJson::array({{{"name", agent}, {"resources", ExportJson::object()}}})},
              {"hostNetwork", true},
              {"nodeName", node},
              {"tolerations", ExportJson::array({{{"operator", "Exists"}}})}}},
            {"status", {{"hostIP", ip}, {"phase", "Running"}, {"podIP", ip}}}};
  }

  static ExportJson Workload(const char* kind, const std::string& ns, const std::string& name,
                             ExportJson pod_spec) {
    const ExportJson labels{{"app", name}};
    return {{"apiVersion", "apps/v1"},
            {"kind", kind},
            {"metadata", {{"labels", labels}, {"name", name}, {"namespace", ns}}},
            {"spec",
             {{"selector", {{"matchLabels", labels}}},
              {"template", {{"metadata", {{"labels", labels}}}, {"spec", std::move(pod_spec)}}}}}};
  }

  void Workloads() {
    for (size_t i = 0; i < scenario_.workloads.size(); ++i) {
      const WorkloadSpec& workload = scenario_.workloads[i];
      ExportJson pod = PodSpec(workload.pod, workload.name);
      if (std::holds_alternative<DeploymentSpec>(workload.kind)) {
        ExportJson json = Workload("Deployment", workload.pod.ns, workload.name, std::move(pod));
        json["spec"]["replicas"] = pods_of_[static_cast<int>(i)];
        deployments_.push_back(std::move(json));
      } else if (std::holds_alternative<DaemonSetSpec>(workload.kind)) {
        daemon_sets_.push_back(
            Workload("DaemonSet", workload.pod.ns, workload.name, std::move(pod)));
      }
      if (!workload.pod.security_groups.empty()) {
        policies_.push_back(
            {{"apiVersion", "vpcresources.k8s.aws/v1beta1"},
             {"kind", "SecurityGroupPolicy"},
             {"metadata", {{"name", workload.name}, {"namespace", workload.pod.ns}}},
             {"spec",
              {{"podSelector", {{"matchLabels", {{"app", workload.name}}}}},
               {"securityGroups", {{"groupIds", workload.pod.security_groups}}}}}});
      }
    }
    daemon_sets_.push_back(calico_ ? CalicoNode() : AwsNode());
    daemon_sets_.push_back(Agent("kube-proxy", "eks/kube-proxy:v1.33.0", ExportJson::array()));
  }

  static ExportJson Agent(const char* name, const std::string& image, ExportJson env) {
    ExportJson container{{"env", std::move(env)},
                         {"image", fmt::format("{}/{}", kImages, image)},
                         {"name", name},
                         {"resources", ExportJson::object()}};
    return Workload("DaemonSet", "kube-system", name,
                    {{"containers", ExportJson::array({std::move(container)})},
                     {"hostNetwork", true},
                     {"tolerations", ExportJson::array({{{"operator", "Exists"}}})}});
  }

  // With the variables that hold now: the scenario's, and what events have set since.
  ExportJson AwsNode() const {
    std::map<std::string, std::optional<std::string>> env = scenario_.network.env;
    for (const EventSpec& event : scenario_.events) {
      if (event.at > world_.Now()) continue;
      if (const auto* set = std::get_if<SetEnv>(&event.action)) {
        for (const auto& [name, value] : set->env) env[name] = value;
      }
    }
    ExportJson list = ExportJson::array();
    for (const auto& [name, value] : ManifestEnvironmentWith(env)) {
      list.push_back({{"name", name}, {"value", value}});
    }
    list.push_back(
        {{"name", "MY_NODE_NAME"},
         {"valueFrom", {{"fieldRef", {{"apiVersion", "v1"}, {"fieldPath", "spec.nodeName"}}}}}});
    return Agent("aws-node", "amazon-k8s-cni:v1.23.1", std::move(list));
  }

  ExportJson CalicoNode() const {
    const CalicoSpec& calico = scenario_.network.calico;
    ExportJson json = Agent("calico-node", "", ExportJson::array());
    json["spec"]["template"]["spec"]["containers"][0]["image"] =
        fmt::format("quay.io/calico/node:v3.{}.{}", calico.minor, calico.patch);
    return json;
  }

  ExportJson EniConfigs() const {
    ExportJson items = ExportJson::array();
    const std::vector<SubnetView> subnets = world_.Subnets();
    for (const EniConfigSpec& config : scenario_.network.eni_configs) {
      items.push_back(
          {{"apiVersion", "crd.k8s.amazonaws.com/v1alpha1"},
           {"kind", "ENIConfig"},
           {"metadata", {{"name", config.name}}},
           {"spec",
            {{"securityGroups", config.security_groups}, {"subnet", subnets[config.subnet].id}}}});
    }
    return items;
  }

  ExportJson IpPools() const {
    ExportJson items = ExportJson::array();
    if (!calico_) return items;
    for (const IpPoolSpec& pool : scenario_.network.calico.ip_pools) {
      const Encapsulation e = pool.encapsulation;
      items.push_back({{"apiVersion", "projectcalico.org/v3"},
                       {"kind", "IPPool"},
                       {"metadata", {{"name", pool.name}}},
                       {"spec",
                        {{"blockSize", pool.block_size},
                         {"cidr", pool.cidr.ToString()},
                         {"ipipMode", e == Encapsulation::kIpip              ? "Always"
                                      : e == Encapsulation::kIpipCrossSubnet ? "CrossSubnet"
                                                                             : "Never"},
                         {"natOutgoing", pool.nat_outgoing},
                         {"nodeSelector", "all()"},
                         {"vxlanMode", e == Encapsulation::kVxlan              ? "Always"
                                       : e == Encapsulation::kVxlanCrossSubnet ? "CrossSubnet"
                                                                               : "Never"}}}});
    }
    return items;
  }

  const WorldView& world_;
  const Scenario& scenario_;
  const bool calico_;
  std::map<int, int> pods_of_;  // not being deleted, by workload
  ExportJson deployments_ = ExportJson::array();
  ExportJson daemon_sets_ = ExportJson::array();
  ExportJson policies_ = ExportJson::array();
};

}  // namespace

std::vector<ExportDocument> ExportKubernetes(const WorldView& world) {
  return Exporter(world).Export();
}

}  // namespace cnisim
