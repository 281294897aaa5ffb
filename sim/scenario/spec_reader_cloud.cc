// spec.vpc and spec.ec2.
#include <algorithm>

#include "sim/cloud/ec2_defaults.h"
#include "sim/scenario/distribution_reader.h"
#include "sim/scenario/spec_reader.h"

namespace cnisim {
namespace {

// Amazon VPC user guide: a VPC's and a subnet's IPv4 block is a /16 to a /28.
constexpr int kLargestBlock = 16;
constexpr int kSmallestBlock = 28;
// The first four addresses of a subnet and its last.
constexpr int64_t kReserved = 5;
constexpr double kMaxTokens = 1e6;
// Amazon VPC user guide: a VPC's IPv6 block is a /56, which has 256 subnets of /64.
constexpr int kIpv6VpcLength = 56;
constexpr uint64_t kIpv6Subnets = 256;
// Amazon VPC user guide, VPC CIDR blocks: none of "this" network and loopback (RFC 1122),
// link-local (RFC 3927) and multicast (RFC 5771).
constexpr std::string_view kRefusedBlocks[] = {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
                                               "224.0.0.0/4"};

std::optional<Ipv4Cidr> ReadBlock(Field field) {
  const std::optional<Ipv4Cidr> cidr = field.Cidr();
  if (!cidr) return std::nullopt;
  if (cidr->length() >= kLargestBlock && cidr->length() <= kSmallestBlock) {
    const auto refused = std::ranges::find_if(kRefusedBlocks, [&](std::string_view block) {
      return Ipv4Cidr::Parse(block)->Contains(*cidr);
    });
    if (refused == std::end(kRefusedBlocks)) return cidr;
    field.Error("out-of-range", fmt::format("{} {} is in {}, of which EC2 gives no VPC a block",
                                            field.label(), cidr->ToString(), *refused));
    return std::nullopt;
  }
  field.Error("out-of-range", fmt::format("{} must be a /{} to a /{}, not {}", field.label(),
                                          kLargestBlock, kSmallestBlock, cidr->ToString()));
  return std::nullopt;
}

}  // namespace

void SpecReader::ReadVpc(Field vpc) {
  MapReader map = vpc.Map("vpc");
  Field blocks = map.Get("cidrBlocks").Required();
  for (Field& item : blocks.List("CIDR block")) {
    const std::optional<Ipv4Cidr> block = ReadBlock(item.Required());
    if (!block) continue;
    for (const Ipv4Cidr& earlier : scenario.vpc.cidr_blocks) {
      if (!earlier.Overlaps(*block)) continue;
      item.Error("overlap",
                 fmt::format("CIDR block {} overlaps {}", block->ToString(), earlier.ToString()));
    }
    scenario.vpc.cidr_blocks.push_back(*block);
  }
  if (blocks.present() && blocks.node()->kind == YamlNode::Kind::kList &&
      blocks.node()->items.empty()) {
    blocks.Error("missing-value", "a VPC needs at least one CIDR block");
  }
  Field ipv6 = map.Get("ipv6CidrBlock");
  if (const std::optional<std::string> text = ipv6.Text()) {
    scenario.vpc.ipv6_cidr = Ipv6Cidr::Parse(*text);
    if (!scenario.vpc.ipv6_cidr || scenario.vpc.ipv6_cidr->length() != kIpv6VpcLength) {
      ipv6.Error("bad-cidr", fmt::format("{} must be a /{} such as 2600:1f13:0:ff00::/56, not '{}'",
                                         ipv6.label(), kIpv6VpcLength, *text));
      scenario.vpc.ipv6_cidr.reset();
    }
  }
  Field subnets = map.Get("subnets").Required();
  for (Field& item : subnets.List("subnet")) ReadSubnet(item);
  if (subnets.present() && subnets.node()->kind == YamlNode::Kind::kList &&
      scenario.vpc.subnets.empty()) {
    subnets.Error("missing-value", "a VPC needs at least one subnet");
  }
  map.Done();
}

void SpecReader::ReadSubnet(Field item) {
  MapReader map = item.Required().Map(item.label());
  SubnetSpec subnet;
  subnet.name = subnets_.Take(map, &Field::Name);
  subnet.availability_zone = map.Get("availabilityZone").Required().DnsLabel().value_or("");

  Field cidr_field = map.Get("cidr").Required();
  const std::optional<Ipv4Cidr> cidr = ReadBlock(cidr_field);
  int64_t usable = int64_t{1} << 32;
  if (cidr) {
    subnet.cidr = *cidr;
    usable = static_cast<int64_t>(cidr->size()) - kReserved;
    const std::vector<Ipv4Cidr>& blocks = scenario.vpc.cidr_blocks;
    const bool inside =
        std::ranges::any_of(blocks, [&](const Ipv4Cidr& b) { return b.Contains(*cidr); });
    if (!inside && !blocks.empty()) {
      cidr_field.Error("outside-vpc", fmt::format("{} {} is inside none of the VPC's CIDR blocks",
                                                  map.what(), cidr->ToString()));
    }
    for (const SubnetSpec& earlier : scenario.vpc.subnets) {
      // A default-constructed block belongs to a subnet that was already reported.
      if (earlier.cidr == Ipv4Cidr() || !earlier.cidr.Overlaps(*cidr)) continue;
      cidr_field.Error("overlap",
                       fmt::format("{} {} overlaps subnet '{}' {}", map.what(), cidr->ToString(),
                                   earlier.name, earlier.cidr.ToString()));
    }
  }
  Field used = map.Get("usedAtStart");
  subnet.used_at_start = used.Int<int64_t>(0, int64_t{1} << 32).value_or(0);
  if (subnet.used_at_start > usable) {
    used.Error("out-of-range", fmt::format("{} is {}, but {} has {} usable addresses", used.label(),
                                           subnet.used_at_start, subnet.cidr.ToString(), usable));
  }
  subnet.used_layout =
      map.Get("usedLayout")
          .OneOf<UsedLayout>({{"scattered", UsedLayout::kScattered}, {"dense", UsedLayout::kDense}})
          .value_or(UsedLayout::kScattered);
  if (scenario.vpc.ipv6_cidr) {
    // The VPC's /64s in the order of the subnets.
    const uint64_t number = scenario.vpc.subnets.size() % kIpv6Subnets;
    const Ipv6Address vpc = scenario.vpc.ipv6_cidr->network();
    subnet.ipv6_cidr = Ipv6Cidr(Ipv6Address(vpc.high() | number, vpc.low()), 64);
  }
  MapReader tags = map.Get("tags").Map(fmt::format("'tags' of {}", map.what()));
  for (const YamlEntry& entry : tags.entries()) {
    subnet.tags[entry.key] = tags.Get(entry.key).Text().value_or("");
  }
  map.Done();
  scenario.vpc.subnets.push_back(std::move(subnet));
}

void SpecReader::ReadEc2(Field ec2) {
  MapReader map = ec2.Map("ec2");
  MapReader throttles = map.Get("throttles").Map("'throttles' of ec2");
  MapReader latency = map.Get("latency").Map("'latency' of ec2");
  for (const Ec2ActionInfo& action : AllEc2Actions()) {
    const std::string name(action.name);
    Field throttle = throttles.Get(action.name);
    throttle.DescribeAs("throttle");
    if (throttle.present()) {
      MapReader bucket = throttle.Map(fmt::format("the throttle of {}", name));
      BucketSpec& spec = scenario.ec2.throttles[name];
      spec.bucket = bucket.Get("bucket").Required().Number(1, kMaxTokens).value_or(1);
      spec.refill_per_second =
          bucket.Get("refillPerSecond").Required().Number(0.001, kMaxTokens).value_or(1);
      bucket.Done();
    }
    if (const auto distribution = ReadDistribution(latency.Get(action.name))) {
      scenario.ec2.latency[name] = *distribution;
    }
  }
  throttles.Done();
  latency.Done();
  map.Done();
}

}  // namespace cnisim
