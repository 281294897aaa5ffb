#include <algorithm>
#include <map>

#include "sim/import/export_json.h"

namespace cnisim {
namespace {

constexpr const char* kOwner = "111122223333";

ExportJson TagList(const std::map<std::string, std::string>& tags) {
  ExportJson list = ExportJson::array();
  for (const auto& [key, value] : tags) list.push_back({{"Key", key}, {"Value", value}});
  return list;
}

ExportJson GroupList(const std::vector<std::string>& groups) {
  ExportJson list = ExportJson::array();
  for (const std::string& id : groups) list.push_back({{"GroupName", id}, {"GroupId", id}});
  return list;
}

ExportJson Addresses(const NetworkInterface& eni) {
  ExportJson list = ExportJson::array();
  list.push_back({{"Primary", true}, {"PrivateIpAddress", eni.primary_ip.ToString()}});
  for (const Ipv4Address ip : eni.secondary_ips) {
    list.push_back({{"Primary", false}, {"PrivateIpAddress", ip.ToString()}});
  }
  return list;
}

ExportJson Prefixes(const NetworkInterface& eni) {
  ExportJson list = ExportJson::array();
  for (const Ipv4Cidr& prefix : eni.ipv4_prefixes) {
    list.push_back({{"Ipv4Prefix", prefix.ToString()}});
  }
  return list;
}

ExportJson Ipv6Prefixes(const NetworkInterface& eni) {
  ExportJson list = ExportJson::array();
  for (const Ipv6Cidr& prefix : eni.ipv6_prefixes) {
    list.push_back({{"Ipv6Prefix", prefix.ToString()}});
  }
  return list;
}

// What both answers about an ENI have alike. `type` is interface, trunk or branch.
ExportJson Interface(const WorldView& world, const NetworkInterface& eni, const std::string& type) {
  ExportJson json;
  json["Description"] = eni.description;
  json["Groups"] = GroupList(eni.security_group_ids);
  json["InterfaceType"] = type;
  json["Ipv6Addresses"] = ExportJson::array();
  json["MacAddress"] = eni.mac.ToString();
  json["NetworkInterfaceId"] = eni.id;
  json["OwnerId"] = kOwner;
  json["PrivateDnsName"] = PrivateDnsName(eni.primary_ip);
  json["PrivateIpAddress"] = eni.primary_ip.ToString();
  json["PrivateIpAddresses"] = Addresses(eni);
  if (!eni.ipv4_prefixes.empty()) json["Ipv4Prefixes"] = Prefixes(eni);
  if (!eni.ipv6_prefixes.empty()) json["Ipv6Prefixes"] = Ipv6Prefixes(eni);
  json["SourceDestCheck"] = true;
  json["Status"] = eni.instance_id.empty() && type != "branch" ? "available" : "in-use";
  json["SubnetId"] = eni.subnet_id;
  json["VpcId"] = world.VpcId();
  return json;
}

ExportJson Attachment(const NetworkInterface& eni) {
  return {{"AttachmentId", eni.attachment_id},
          {"DeleteOnTermination", true},
          {"DeviceIndex", eni.device_index},
          {"NetworkCardIndex", eni.network_card_index},
          {"InstanceId", eni.instance_id},
          {"InstanceOwnerId", kOwner},
          {"Status", "attached"}};
}

ExportJson Vpcs(const WorldView& world) {
  const VpcSpec& spec = world.scenario().vpc;
  ExportJson vpc;
  vpc["CidrBlock"] = spec.cidr_blocks.front().ToString();
  vpc["DhcpOptionsId"] = "dopt-0123456789abcdef0";
  vpc["State"] = "available";
  vpc["VpcId"] = world.VpcId();
  vpc["OwnerId"] = kOwner;
  vpc["InstanceTenancy"] = "default";
  if (spec.ipv6_cidr) {
    vpc["Ipv6CidrBlockAssociationSet"] = {{{"Ipv6CidrBlock", spec.ipv6_cidr->ToString()},
                                           {"Ipv6CidrBlockState", {{"State", "associated"}}}}};
  }
  ExportJson blocks = ExportJson::array();
  for (const Ipv4Cidr& block : spec.cidr_blocks) {
    blocks.push_back({{"AssociationId", "vpc-cidr-assoc-0123456789abcdef0"},
                      {"CidrBlock", block.ToString()},
                      {"CidrBlockState", {{"State", "associated"}}}});
  }
  vpc["CidrBlockAssociationSet"] = blocks;
  vpc["IsDefault"] = false;
  return {{"Vpcs", ExportJson::array({vpc})}};
}

ExportJson Subnets(const WorldView& world) {
  const VpcSpec& vpc = world.scenario().vpc;
  const std::vector<SubnetView> views = world.Subnets();
  ExportJson list = ExportJson::array();
  for (size_t i = 0; i < vpc.subnets.size(); ++i) {
    const SubnetSpec& spec = vpc.subnets[i];
    std::map<std::string, std::string> tags = spec.tags;
    tags["Name"] = spec.name;
    ExportJson subnet;
    subnet["AvailabilityZone"] = spec.availability_zone;
    subnet["AvailableIpAddressCount"] = views[i].free;
    subnet["CidrBlock"] = spec.cidr.ToString();
    subnet["DefaultForAz"] = false;
    subnet["MapPublicIpOnLaunch"] = false;
    subnet["State"] = "available";
    subnet["SubnetId"] = views[i].id;
    subnet["VpcId"] = world.VpcId();
    subnet["OwnerId"] = kOwner;
    subnet["Tags"] = TagList(tags);
    list.push_back(std::move(subnet));
  }
  return {{"Subnets", std::move(list)}};
}

ExportJson Instances(const WorldView& world) {
  const Scenario& scenario = world.scenario();
  const std::vector<SubnetView> subnets = world.Subnets();
  ExportJson reservations = ExportJson::array();
  for (const NodeView& node : world.Nodes()) {
    const std::string& group = scenario.node_groups[static_cast<size_t>(node.node_group)].name;
    ExportJson instance;
    instance["AmiLaunchIndex"] = 0;
    instance["ImageId"] = "ami-0123456789abcdef0";
    instance["InstanceId"] = node.instance_id;
    instance["InstanceType"] = node.instance_type;
    instance["Placement"] = {
        {"AvailabilityZone", scenario.vpc.subnets[node.subnet].availability_zone},
        {"GroupName", ""},
        {"Tenancy", "default"}};
    instance["PrivateDnsName"] = PrivateDnsName(node.ip);
    instance["PrivateIpAddress"] = node.ip.ToString();
    instance["State"] = {{"Code", 16}, {"Name", "running"}};
    instance["SubnetId"] = subnets[node.subnet].id;
    instance["VpcId"] = world.VpcId();
    ExportJson interfaces = ExportJson::array();
    for (const AttachedInterface& attached : node.enis) {
      if (attached.vlan) continue;  // a branch ENI is attached to no instance
      ExportJson interface =
          Interface(world, attached.eni, attached.eni.is_trunk ? "trunk" : "interface");
      interface["Attachment"] = Attachment(attached.eni);
      interfaces.push_back(std::move(interface));
    }
    instance["NetworkInterfaces"] = std::move(interfaces);
    instance["SecurityGroups"] = GroupList(node.enis.front().eni.security_group_ids);
    instance["SourceDestCheck"] = true;
    instance["Tags"] = TagList({{"Name", scenario.name + "-" + group},
                                {"eks:cluster-name", scenario.name},
                                {"eks:nodegroup-name", group},
                                {"kubernetes.io/cluster/" + scenario.name, "owned"}});
    reservations.push_back({{"Groups", ExportJson::array()},
                            {"Instances", ExportJson::array({std::move(instance)})},
                            {"OwnerId", kOwner},
                            {"ReservationId", "r-" + node.instance_id.substr(2)}});
  }
  return {{"Reservations", std::move(reservations)}};
}

ExportJson NetworkInterfaces(const WorldView& world) {
  std::map<std::string, std::string> trunk_of;  // by branch ENI
  for (const NodeView& node : world.Nodes()) {
    std::string trunk;
    for (const AttachedInterface& attached : node.enis) {
      if (attached.eni.is_trunk) trunk = attached.eni.id;
      if (attached.vlan) trunk_of[attached.eni.id] = trunk;
    }
  }
  ExportJson list = ExportJson::array();
  for (const NetworkInterface& eni : world.Interfaces()) {
    const auto branch = trunk_of.find(eni.id);
    const bool is_branch = branch != trunk_of.end();
    ExportJson json = Interface(world, eni,
                                is_branch      ? "branch"
                                : eni.is_trunk ? "trunk"
                                               : "interface");
    if (!eni.instance_id.empty() && !is_branch) json["Attachment"] = Attachment(eni);
    std::map<std::string, std::string> tags(eni.tags.begin(), eni.tags.end());
    if (is_branch) tags["vpcresources.k8s.aws/trunk-eni-id"] = branch->second;
    json["TagSet"] = TagList(tags);
    list.push_back(std::move(json));
  }
  return {{"NetworkInterfaces", std::move(list)}};
}

}  // namespace

std::string PrivateDnsName(const IpAddress& ip) {
  std::string text = ip.ToString();
  std::ranges::replace(text, '.', '-');
  return "ip-" + text + ".ec2.internal";
}

std::vector<ExportDocument> ExportAws(const WorldView& world) {
  return {{"describe-vpcs.json", Vpcs(world)},
          {"describe-subnets.json", Subnets(world)},
          {"describe-instances.json", Instances(world)},
          {"describe-network-interfaces.json", NetworkInterfaces(world)}};
}

}  // namespace cnisim
