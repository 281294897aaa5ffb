// Shapes: Amazon EC2 API reference (DescribeVpcs, DescribeSubnets, DescribeInstances,
// DescribeNetworkInterfaces) as the AWS CLI v2 prints them.
#include <algorithm>

#include "sim/import/fact_readers.h"

namespace cnisim {
namespace {

constexpr int64_t kMost = int64_t{1} << 32;

Texts ReadTags(MapReader& map, std::string_view key) {
  Texts tags;
  for (Field& item : map.Get(key).List("tag")) {
    MapReader tag = item.Map(item.label());
    tags[OptionalText(tag, "Key")] = OptionalText(tag, "Value");
  }
  return tags;
}

void NoteMore(MapReader& document, const char* answer, ClusterFacts& facts) {
  facts.seen.insert(answer);
  if (document.Get("NextToken").present()) facts.incomplete.emplace_back(answer);
}

// What DescribeInstances and DescribeNetworkInterfaces both tell of an ENI.
EniFact ReadEni(MapReader& map) {
  EniFact eni;
  eni.id = NeededText(map, "NetworkInterfaceId");
  map.Rename("network interface " + eni.id);
  eni.subnet = OptionalText(map, "SubnetId");
  eni.vpc = OptionalText(map, "VpcId");
  eni.type = OptionalText(map, "InterfaceType");
  Field primary = map.Get("PrivateIpAddress");
  if (primary.present()) {
    const std::string text = primary.Text().value_or("");
    if (const auto ip = Ipv4Address::Parse(text)) {
      eni.primary_ip = *ip;
    } else {
      primary.Error("bad-address",
                    fmt::format("{} must be an IPv4 address, not '{}'", primary.label(), text));
    }
  }
  for (Field& item : map.Get("PrivateIpAddresses").List("address")) {
    MapReader address = item.Map(item.label());
    Field is_primary = address.Get("Primary");
    if (!(is_primary.present() && is_primary.Bool().value_or(false))) ++eni.secondary_ips;
  }
  eni.prefixes = static_cast<int64_t>(map.Get("Ipv4Prefixes").List("prefix").size());
  for (Field& item : map.Get("Groups").List("security group")) {
    MapReader group = item.Map(item.label());
    eni.groups.push_back(NeededText(group, "GroupId"));
  }
  return eni;
}

}  // namespace

int64_t EniFact::addresses() const { return 1 + secondary_ips + 16 * prefixes; }

void ReadVpcs(MapReader& document, ClusterFacts& facts) {
  NoteMore(document, "describe-vpcs", facts);
  for (Field& item : document.Get("Vpcs").List("VPC")) {
    MapReader map = item.Required().Map(item.label());
    VpcFact vpc;
    vpc.id = NeededText(map, "VpcId");
    map.Rename("VPC " + vpc.id);
    for (Field& association : map.Get("CidrBlockAssociationSet").List("CIDR block association")) {
      MapReader block = association.Map(association.label());
      MapReader state = block.Get("CidrBlockState").Map("'CidrBlockState' of " + map.what());
      if (const std::string word = OptionalText(state, "State");
          !word.empty() && word != "associated") {
        continue;
      }
      if (const auto cidr = block.Get("CidrBlock").Required().Cidr()) vpc.blocks.push_back(*cidr);
    }
    if (vpc.blocks.empty()) {
      if (const auto cidr = map.Get("CidrBlock").Required().Cidr()) vpc.blocks.push_back(*cidr);
    }
    for (Field& association : map.Get("Ipv6CidrBlockAssociationSet").List("IPv6 block")) {
      MapReader block = association.Map(association.label());
      vpc.ipv6_block = OptionalText(block, "Ipv6CidrBlock");
    }
    facts.vpcs[vpc.id] = std::move(vpc);
  }
}

void ReadSubnets(MapReader& document, ClusterFacts& facts) {
  NoteMore(document, "describe-subnets", facts);
  for (Field& item : document.Get("Subnets").List("subnet")) {
    MapReader map = item.Required().Map(item.label());
    SubnetFact subnet;
    subnet.id = NeededText(map, "SubnetId");
    map.Rename("subnet " + subnet.id);
    subnet.vpc = OptionalText(map, "VpcId");
    subnet.zone = NeededText(map, "AvailabilityZone");
    subnet.cidr = map.Get("CidrBlock").Required().Cidr();
    if (Field available = map.Get("AvailableIpAddressCount"); available.present()) {
      subnet.available = available.Int<int64_t>(0, kMost);
    }
    subnet.tags = ReadTags(map, "Tags");
    facts.subnets[subnet.id] = std::move(subnet);
  }
}

void ReadInstances(MapReader& document, ClusterFacts& facts) {
  NoteMore(document, "describe-instances", facts);
  for (Field& reservation : document.Get("Reservations").List("reservation")) {
    MapReader of_reservation = reservation.Required().Map(reservation.label());
    for (Field& item : of_reservation.Get("Instances").List("instance")) {
      MapReader map = item.Required().Map(item.label());
      InstanceFact instance;
      instance.id = NeededText(map, "InstanceId");
      map.Rename("instance " + instance.id);
      instance.type = NeededText(map, "InstanceType");
      MapReader state = map.Get("State").Map("'State' of " + map.what());
      instance.state = OptionalText(state, "Name");
      MapReader placement = map.Get("Placement").Map("'Placement' of " + map.what());
      instance.zone = OptionalText(placement, "AvailabilityZone");
      instance.vpc = OptionalText(map, "VpcId");
      instance.subnet = OptionalText(map, "SubnetId");
      instance.private_ip = OptionalText(map, "PrivateIpAddress");
      instance.private_dns_name = OptionalText(map, "PrivateDnsName");
      instance.tags = ReadTags(map, "Tags");
      for (Field& interface : map.Get("NetworkInterfaces").List("network interface")) {
        MapReader of_eni = interface.Map(interface.label());
        EniFact eni = ReadEni(of_eni);
        eni.instance = instance.id;
        // describe-network-interfaces tells the same, and more.
        facts.enis.emplace(eni.id, std::move(eni));
      }
      const auto same = std::ranges::find(facts.instances, instance.id, &InstanceFact::id);
      if (same == facts.instances.end()) {
        facts.instances.push_back(std::move(instance));
      } else {
        *same = std::move(instance);
      }
    }
  }
}

void ReadNetworkInterfaces(MapReader& document, ClusterFacts& facts) {
  NoteMore(document, "describe-network-interfaces", facts);
  for (Field& item : document.Get("NetworkInterfaces").List("network interface")) {
    MapReader map = item.Required().Map(item.label());
    EniFact eni = ReadEni(map);
    MapReader attachment = map.Get("Attachment").Map("'Attachment' of " + map.what());
    eni.instance = OptionalText(attachment, "InstanceId");
    // The tag that amazon-vpc-resource-controller-k8s gives its branch ENIs.
    eni.trunk = ReadTags(map, "TagSet")["vpcresources.k8s.aws/trunk-eni-id"];
    facts.enis[eni.id] = std::move(eni);
  }
}

}  // namespace cnisim
