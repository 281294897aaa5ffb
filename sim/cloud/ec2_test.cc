#include "sim/cloud/ec2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sim/cloud/test_world.h"

namespace cnisim {
namespace {

using namespace cloud_test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Ec2Test : public ::testing::Test {
 protected:
  Ec2Test()
      : ec2_(simulation_, MakeConfig({MakeSubnet("a", "us-east-1a", "10.0.0.0/24"),
                                      MakeSubnet("tiny", "us-east-1a", "10.0.1.0/28"),
                                      MakeSubnet("b", "us-east-1b", "10.0.2.0/24")})) {}
  ~Ec2Test() override { EXPECT_THAT(ec2_.CheckInvariants(), IsEmpty()); }

  InstanceIndex Add(std::string_view type = "m5.large", size_t subnet = 0) {
    const std::string name = "node-" + std::to_string(nodes_++);
    return *ec2_.AddInstance(name, *FindInstanceType(type), subnet, 100);
  }
  std::string NewEni(int ips = 0, int prefixes = 0, size_t subnet = 0) {
    return ec2_.CreateNetworkInterface(Create(ec2_.subnet_id(subnet), ips, prefixes))->id;
  }
  std::string NewEni(InterfaceType type, size_t subnet = 0) {
    return ec2_.CreateNetworkInterface(CreateOf(type, ec2_.subnet_id(subnet)))->id;
  }
  std::string NewBranch(size_t subnet = 0) { return NewEni(InterfaceType::kBranch, subnet); }
  // Attached to the instance.
  std::string NewTrunk(InstanceIndex instance) {
    const std::string eni = NewEni(InterfaceType::kTrunk);
    EXPECT_TRUE(ec2_.AttachNetworkInterface(AttachTo(eni, ec2_.instance_id(instance), 2)));
    return eni;
  }
  NetworkInterface Describe(const std::string& id) {
    return ec2_.DescribeNetworkInterfaces({id})->front();
  }
  void RunFor(Duration d) { simulation_.Run(simulation_.Now() + d); }

  Simulation simulation_;
  Ec2 ec2_;
  int nodes_ = 0;
};

TEST_F(Ec2Test, InstanceHasAPrimaryEni) {
  const InstanceIndex i = Add();
  const InstanceIdentity& identity = ec2_.metadata(i).identity();
  EXPECT_EQ(identity.instance_type, "m5.large");
  EXPECT_EQ(identity.availability_zone, "us-east-1a");
  EXPECT_EQ(identity.primary_subnet_id, ec2_.subnet_id(0));
  EXPECT_EQ(identity.vpc_id, ec2_.vpc_id());
  const NetworkInterface eni = Describe(identity.primary_eni_id);
  EXPECT_EQ(eni.device_index, 0);
  EXPECT_EQ(eni.instance_id, ec2_.instance_id(i));
  EXPECT_EQ(eni.primary_ip, identity.primary_ip);
  EXPECT_TRUE(eni.secondary_ips.empty());
  EXPECT_EQ(CodeOf(ec2_.DetachNetworkInterface(eni.attachment_id)), "OperationNotPermitted");
  EXPECT_EQ(CodeOf(ec2_.DeleteNetworkInterface(eni.id)), "InvalidNetworkInterface.InUse");
}

TEST_F(Ec2Test, InstanceNeedsAnAddress) {
  for (int i = 0; i < 11; ++i) Add("m5.large", 1);
  const auto failed = ec2_.AddInstance("late", *FindInstanceType("m5.large"), 1, 100);
  EXPECT_EQ(CodeOf(failed), "InsufficientFreeAddressesInSubnet");
  EXPECT_EQ(ec2_.addresses_held(), 11);
}

TEST_F(Ec2Test, IdsLookLikeAws) {
  std::set<std::string> ids;
  for (int i = 0; i < 50; ++i) {
    const std::string id = NewEni();
    EXPECT_EQ(id.size(), std::string("eni-0123456789abcdef0").size());
    EXPECT_THAT(id, ::testing::MatchesRegex("eni-0[0-9a-f]+"));
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 50u);
}

TEST_F(Ec2Test, CreateTakesAllOrNothing) {
  const int64_t free = ec2_.subnet(1).free_count();
  EXPECT_EQ(free, 11);
  const std::string tiny = ec2_.subnet_id(1);
  EXPECT_EQ(CodeOf(ec2_.CreateNetworkInterface(Create(tiny, 11))),
            "InsufficientFreeAddressesInSubnet");
  EXPECT_EQ(CodeOf(ec2_.CreateNetworkInterface(Create(tiny, 0, 1))), "InsufficientCidrBlocks");
  EXPECT_EQ(ec2_.subnet(1).free_count(), free);
  const auto all = ec2_.CreateNetworkInterface(Create(tiny, 10));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->secondary_ips.size(), 10u);
  EXPECT_EQ(ec2_.subnet(1).free_count(), 0);
}

TEST_F(Ec2Test, PrefixesAreKeptFromThePrimaryAddress) {
  // Blocks of a /24: 14 whole ones. All of them as prefixes, and the primary from the rest.
  const auto eni = ec2_.CreateNetworkInterface(Create(ec2_.subnet_id(0), 0, 14));
  ASSERT_TRUE(eni);
  EXPECT_EQ(eni->ipv4_prefixes.size(), 14u);
  EXPECT_EQ(ec2_.addresses_held(), 1 + 14 * 16);
  // 26 addresses are left; a prefix request fails for want of blocks, not addresses.
  EXPECT_EQ(CodeOf(ec2_.AssignPrivateIpAddresses(Assign(eni->id, 0, 1))), "InsufficientCidrBlocks");
}

TEST_F(Ec2Test, BadCreateRequests) {
  EXPECT_EQ(CodeOf(ec2_.CreateNetworkInterface(Create("subnet-0", 0))), "InvalidSubnetID.NotFound");
  EXPECT_EQ(CodeOf(ec2_.CreateNetworkInterface(Create(ec2_.subnet_id(0), 1, 1))),
            "InvalidParameterCombination");
  EXPECT_EQ(CodeOf(ec2_.CreateNetworkInterface(Create(ec2_.subnet_id(0), -1))),
            "InvalidParameterValue");
  EXPECT_EQ(CodeOf(ec2_.CreateNetworkInterface(Create(ec2_.subnet_id(0), 64))),
            "PrivateIpAddressLimitExceeded");
  EXPECT_EQ(ec2_.addresses_held(), 0);
}

TEST_F(Ec2Test, AttachChecksLimitsAndDevices) {
  const InstanceIndex i = Add();  // m5.large: 3 ENIs with 10 addresses each
  const std::string id = ec2_.instance_id(i);
  const std::string first = NewEni(9);
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(first, id, 0))), "InvalidParameterValue");
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(first, id, 1, 1))),
            "InvalidParameterValue");
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(first, "i-0", 1))),
            "InvalidInstanceID.NotFound");
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo("eni-0", id, 1))),
            "InvalidNetworkInterfaceID.NotFound");
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(NewEni(0, 0, 2), id, 1))),
            "InvalidParameterValue");  // another zone
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(NewEni(10), id, 1))),
            "PrivateIpAddressLimitExceeded");
  ASSERT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(first, id, 4))), "ok");
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(first, id, 2))),
            "InvalidNetworkInterface.InUse");
  ASSERT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(NewEni(), id, 1))), "ok");
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(NewEni(), id, 2))),
            "AttachmentLimitExceeded");
  EXPECT_THAT(*ec2_.DescribeInstanceDevices(id, 0), ElementsAre(0, 1, 4));
  EXPECT_THAT(*ec2_.DescribeInstanceDevices(id, 1), IsEmpty());
  EXPECT_EQ(CodeOf(ec2_.DescribeInstanceDevices("i-0", 0)), "InvalidInstanceID.NotFound");
  EXPECT_EQ(ec2_.enis_attached(), 3);
}

TEST_F(Ec2Test, EveryNetworkCardHasItsOwnLimit) {
  const InstanceIndex i = Add("c6in.32xlarge");  // 2 cards of 8
  const std::string id = ec2_.instance_id(i);
  for (int card = 0; card < 2; ++card) {
    for (int device = card == 0 ? 1 : 0; device < 8; ++device) {
      ASSERT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(NewEni(), id, device, card))), "ok");
    }
    EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(NewEni(), id, 9, card))),
              "AttachmentLimitExceeded");
  }
  EXPECT_EQ(ec2_.attached_enis(i), 16u);
}

TEST_F(Ec2Test, SlotsHoldAddressesAndPrefixesAlike) {
  const InstanceIndex i = Add();
  const std::string eni = ec2_.metadata(i).identity().primary_eni_id;
  ASSERT_EQ(CodeOf(ec2_.AssignPrivateIpAddresses(Assign(eni, 5))), "ok");
  ASSERT_EQ(CodeOf(ec2_.AssignPrivateIpAddresses(Assign(eni, 0, 3))), "ok");
  EXPECT_EQ(CodeOf(ec2_.AssignPrivateIpAddresses(Assign(eni, 2))), "PrivateIpAddressLimitExceeded");
  EXPECT_EQ(CodeOf(ec2_.AssignPrivateIpAddresses(Assign(eni, 0, 2))),
            "PrivateIpAddressLimitExceeded");
  ASSERT_EQ(CodeOf(ec2_.AssignPrivateIpAddresses(Assign(eni, 1))), "ok");
  EXPECT_EQ(ec2_.addresses_held(), 1 + 6 + 48);
  EXPECT_EQ(ec2_.prefixes_attached(), 3);
}

TEST_F(Ec2Test, UnassignTakesOnlyWhatIsThere) {
  const std::string eni = NewEni(3);
  const NetworkInterface before = Describe(eni);
  const auto ips = before.secondary_ips;
  const Ipv4Address other(10, 0, 0, 200);
  const std::string code = "InvalidParameterValue";
  EXPECT_EQ(CodeOf(ec2_.UnassignPrivateIpAddresses(Unassign(eni, {ips[0], other}))), code);
  EXPECT_EQ(CodeOf(ec2_.UnassignPrivateIpAddresses(Unassign(eni, {ips[0], ips[0]}))), code);
  EXPECT_EQ(CodeOf(ec2_.UnassignPrivateIpAddresses(Unassign(eni, {before.primary_ip}))), code);
  EXPECT_EQ(CodeOf(ec2_.UnassignPrivateIpAddresses(
                Unassign(eni, {}, {*Ipv4Cidr::Parse("10.0.0.16/28")}))),
            code);
  EXPECT_EQ(Describe(eni).secondary_ips, ips);
  EXPECT_EQ(CodeOf(ec2_.UnassignPrivateIpAddresses(Unassign(eni, {ips[1]}))), "ok");
  EXPECT_THAT(Describe(eni).secondary_ips, ElementsAre(ips[0], ips[2]));
  EXPECT_FALSE(ec2_.subnet(0).IsTaken(ips[1]));
}

TEST_F(Ec2Test, ReleasedAddressIsHandedOutAtOnce) {
  const std::string eni = NewEni(10, 0, 1);
  const Ipv4Address ip = Describe(eni).secondary_ips[4];
  ASSERT_TRUE(ec2_.UnassignPrivateIpAddresses(Unassign(eni, {ip})));
  EXPECT_EQ(ec2_.CreateNetworkInterface(Create(ec2_.subnet_id(1), 0))->primary_ip, ip);
}

TEST_F(Ec2Test, DetachTakesTime) {
  const InstanceIndex i = Add();
  const std::string id = ec2_.instance_id(i);
  const std::string eni = NewEni(4);
  const std::string attachment = *ec2_.AttachNetworkInterface(AttachTo(eni, id, 1));
  EXPECT_EQ(CodeOf(ec2_.DetachNetworkInterface("eni-attach-0")), "InvalidAttachmentID.NotFound");
  ASSERT_TRUE(ec2_.DetachNetworkInterface(attachment));
  EXPECT_TRUE(ec2_.DetachNetworkInterface(attachment));
  EXPECT_FALSE(ec2_.metadata(i).settled());
  RunFor(milliseconds(2499));
  EXPECT_EQ(CodeOf(ec2_.DeleteNetworkInterface(eni)), "InvalidNetworkInterface.InUse");
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(NewEni(), id, 1))),
            "InvalidParameterValue");
  EXPECT_EQ(Describe(eni).attachment_id, attachment);
  RunFor(milliseconds(1));
  EXPECT_EQ(Describe(eni).attachment_id, "");
  EXPECT_EQ(ec2_.attached_enis(i), 1u);
  EXPECT_EQ(CodeOf(ec2_.DetachNetworkInterface(attachment)), "InvalidAttachmentID.NotFound");
  ASSERT_TRUE(ec2_.DeleteNetworkInterface(eni));
  EXPECT_EQ(CodeOf(ec2_.DeleteNetworkInterface(eni)), "InvalidNetworkInterfaceID.NotFound");
  EXPECT_EQ(ec2_.addresses_held(), 2);
}

TEST_F(Ec2Test, TerminationDeletesOrLeaks) {
  const InstanceIndex i = Add();
  const std::string id = ec2_.instance_id(i);
  const std::string dies = NewEni(2);
  const std::string leaks = NewEni(3);
  ModifyNetworkInterfaceAttributeRequest modify;
  modify.network_interface_id = dies;
  modify.delete_on_termination_of = *ec2_.AttachNetworkInterface(AttachTo(dies, id, 1));
  ASSERT_TRUE(ec2_.ModifyNetworkInterfaceAttribute(modify));
  modify.network_interface_id = leaks;
  EXPECT_EQ(CodeOf(ec2_.ModifyNetworkInterfaceAttribute(modify)), "InvalidAttachmentID.NotFound");
  const std::string attachment = *ec2_.AttachNetworkInterface(AttachTo(leaks, id, 2));
  ASSERT_TRUE(ec2_.DetachNetworkInterface(attachment));
  ec2_.RemoveInstance(i);
  EXPECT_EQ(CodeOf(ec2_.DescribeNetworkInterfaces({dies})), "InvalidNetworkInterfaceID.NotFound");
  EXPECT_EQ(Describe(leaks).attachment_id, "");
  EXPECT_EQ(ec2_.addresses_held(), 4);
  EXPECT_EQ(ec2_.enis_attached(), 0);
  // Attached elsewhere, the end of the old detach does not touch it.
  const InstanceIndex other = Add();
  ASSERT_TRUE(ec2_.AttachNetworkInterface(AttachTo(leaks, ec2_.instance_id(other), 1)));
  RunFor(seconds(10));
  EXPECT_EQ(ec2_.attached_enis(other), 2u);
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(NewEni(), id, 1))),
            "InvalidInstanceID.NotFound");
}

TEST_F(Ec2Test, AnInstanceHasOneTrunkIfItsTypeCan) {
  const InstanceIndex i = Add();
  EXPECT_TRUE(Describe(NewTrunk(i)).is_trunk);
  const std::string second = NewEni(InterfaceType::kTrunk);
  for (const InstanceIndex other : {i, Add("t3.medium"), Add("bmn-sf1.metal")}) {
    EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(second, ec2_.instance_id(other), 1))),
              "OperationNotPermitted");
  }
  ASSERT_TRUE(ec2_.AttachNetworkInterface(AttachTo(NewEni(), ec2_.instance_id(i), 1)));
  EXPECT_EQ(ec2_.attached_enis(i), 3u);
}

TEST_F(Ec2Test, ABranchIsAVlanOfATrunk) {
  const InstanceIndex i = Add();
  const std::string trunk = NewTrunk(i);
  const std::string branch = NewBranch(1);
  const Ipv4Address ip = Describe(branch).primary_ip;
  EXPECT_FALSE(ec2_.FindBranch(branch));
  EXPECT_EQ(ec2_.enis_available(), 1);

  const auto code = [&](const std::string& t, const std::string& b, int vlan) {
    return CodeOf(ec2_.AssociateTrunkInterface(Associate(t, b, vlan)));
  };
  EXPECT_EQ(code(trunk, branch, 0), "InvalidParameterValue");
  EXPECT_EQ(code(trunk, branch, 122), "InvalidParameterValue");
  EXPECT_EQ(code(trunk, NewBranch(2), 1), "InvalidParameterValue");  // in another zone
  EXPECT_EQ(code(trunk, NewEni(), 1), "OperationNotPermitted");
  EXPECT_EQ(code(NewEni(InterfaceType::kTrunk), branch, 1), "OperationNotPermitted");
  EXPECT_EQ(code(branch, branch, 1), "OperationNotPermitted");
  EXPECT_EQ(code(trunk, "eni-0", 1), "InvalidNetworkInterfaceID.NotFound");
  EXPECT_EQ(code(trunk, branch, 121), "ok");
  EXPECT_EQ(code(trunk, branch, 120), "InvalidNetworkInterface.InUse");
  EXPECT_EQ(code(trunk, NewBranch(), 121), "InvalidParameterValue");

  const auto place = ec2_.FindBranch(branch);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->instance, i);
  EXPECT_EQ(place->vlan_id, 121);
  EXPECT_EQ(place->ip, ip);
  EXPECT_EQ(ec2_.branch_enis(), 1);
  EXPECT_EQ(ec2_.attached_enis(i), 2u);  // a branch is not attached
  EXPECT_EQ(CodeOf(ec2_.AttachNetworkInterface(AttachTo(branch, ec2_.instance_id(i), 1))),
            "OperationNotPermitted");
  EXPECT_EQ(CodeOf(ec2_.AssignPrivateIpAddresses(Assign(branch, 1))), "OperationNotPermitted");

  ASSERT_TRUE(ec2_.DeleteNetworkInterface(branch));
  EXPECT_EQ(ec2_.branch_enis(), 0);
  EXPECT_FALSE(ec2_.subnet(1).IsTaken(ip));
  EXPECT_EQ(code(trunk, NewBranch(), 121), "ok");
}

TEST_F(Ec2Test, ABranchHasOneAddress) {
  auto request = Create(ec2_.subnet_id(0), 1);
  request.interface_type = InterfaceType::kBranch;
  EXPECT_EQ(CodeOf(ec2_.CreateNetworkInterface(request)), "InvalidParameterCombination");
  EXPECT_EQ(ec2_.addresses_held(), 0);
}

TEST_F(Ec2Test, TheTypeBoundsTheBranchesOfATrunk) {
  const std::string trunk = NewTrunk(Add());
  for (int vlan = 1; vlan <= 9; ++vlan) {
    ASSERT_TRUE(ec2_.AssociateTrunkInterface(Associate(trunk, NewBranch(), vlan)));
  }
  EXPECT_EQ(CodeOf(ec2_.AssociateTrunkInterface(Associate(trunk, NewBranch(), 10))),
            "AttachmentLimitExceeded");
}

TEST_F(Ec2Test, ATrunkThatGoesLeavesItsBranches) {
  for (const bool terminate : {true, false}) {
    const InstanceIndex i = Add();
    const std::string trunk = NewTrunk(i);
    const std::string branch = NewBranch();
    ASSERT_TRUE(ec2_.AssociateTrunkInterface(Associate(trunk, branch, 1)));
    ModifyNetworkInterfaceAttributeRequest modify;
    modify.network_interface_id = trunk;
    modify.delete_on_termination_of = Describe(trunk).attachment_id;
    ASSERT_TRUE(ec2_.ModifyNetworkInterfaceAttribute(modify));
    if (terminate) {
      ec2_.RemoveInstance(i);
      EXPECT_EQ(CodeOf(ec2_.DescribeNetworkInterfaces({trunk})),
                "InvalidNetworkInterfaceID.NotFound");
    } else {
      ASSERT_TRUE(ec2_.DetachNetworkInterface(Describe(trunk).attachment_id));
      EXPECT_EQ(CodeOf(ec2_.AssociateTrunkInterface(Associate(trunk, NewBranch(), 2))),
                "OperationNotPermitted");
      RunFor(seconds(3));
    }
    EXPECT_FALSE(ec2_.FindBranch(branch));
    EXPECT_EQ(ec2_.branch_enis(), 0);
    EXPECT_TRUE(ec2_.DeleteNetworkInterface(branch));
  }
}

TEST_F(Ec2Test, DescribeFailsAsAWholeAndNamesTheId) {
  const std::string eni = NewEni();
  const auto result = ec2_.DescribeNetworkInterfaces({eni, "eni-0bad"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "InvalidNetworkInterfaceID.NotFound");
  EXPECT_THAT(result.error().message, HasSubstr("'eni-0bad'"));
}

TEST_F(Ec2Test, DescribeAllIsOldestFirst) {
  const std::string a = NewEni();
  const std::string b = NewEni();
  ASSERT_TRUE(ec2_.DeleteNetworkInterface(a));
  const std::string c = NewEni();
  const auto all = *ec2_.DescribeNetworkInterfaces({});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, b);
  EXPECT_EQ(all[1].id, c);
}

TEST_F(Ec2Test, TagsMerge) {
  auto request = Create(ec2_.subnet_id(0), 0);
  request.tags = {{"a", "1"}, {"b", "2"}};
  request.description = "aws-K8S-i-1";
  const std::string eni = ec2_.CreateNetworkInterface(request)->id;
  ASSERT_TRUE(ec2_.CreateTags(eni, {{"b", "3"}, {"c", "4"}}));
  const Tags expected{{"a", "1"}, {"b", "3"}, {"c", "4"}};
  EXPECT_EQ(Describe(eni).tags, expected);
  EXPECT_EQ(Describe(eni).description, "aws-K8S-i-1");
  EXPECT_EQ(CodeOf(ec2_.CreateTags("eni-0", {})), "InvalidNetworkInterfaceID.NotFound");
}

TEST_F(Ec2Test, SubnetsOfAZone) {
  NewEni(9);
  const auto subnets = *ec2_.DescribeSubnets(ec2_.vpc_id(), "us-east-1a");
  ASSERT_EQ(subnets.size(), 2u);
  EXPECT_EQ(subnets[0].id, ec2_.subnet_id(0));
  EXPECT_EQ(subnets[0].available_ip_address_count, 251 - 10);
  EXPECT_EQ(subnets[1].available_ip_address_count, 11);
  EXPECT_THAT(*ec2_.DescribeSubnets("vpc-0", "us-east-1a"), IsEmpty());
}

// Long random histories of every action: no invariant breaks, and the gauges that were told are the
// levels, each told only when it changed.
TEST(Ec2Random, InvariantsAndGauges) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Simulation simulation(At(-seconds(5)));
    Ec2Config config =
        MakeConfig({MakeSubnet("a", "z", "10.0.0.0/25", 20), MakeSubnet("b", "z", "10.0.1.0/26"),
                    MakeSubnet("c", "y", "10.0.2.0/24")});
    config.seed = seed;
    Ec2 ec2(simulation, config);
    Recorder recorder;
    RandomStream random(seed, "random", "ops");
    const std::vector<std::string_view> types{"t3.small", "m5.large", "c6in.32xlarge", "m4.large"};
    std::vector<InstanceIndex> running;
    int names = 0;
    int associations = 0;
    const auto below = [&](size_t n) { return static_cast<size_t>(random.NextBelow(n)); };
    for (int step = 0; step < 4000; ++step) {
      if (step == 500) {
        ec2.SetObserver(&recorder, MakeEntities(3));
        ec2.TellAll();
      }
      const std::vector<NetworkInterface> enis = *ec2.DescribeNetworkInterfaces({});
      const size_t op = below(26);
      if (op == 0 && running.size() < 6) {
        const auto added = ec2.AddInstance("n" + std::to_string(names++),
                                           *FindInstanceType(types[below(4)]), below(3), 9);
        if (added) running.push_back(*added);
      } else if (op == 1 && !running.empty() && below(4) == 0) {
        const size_t i = below(running.size());
        ec2.RemoveInstance(running[i]);
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
      } else if (op < 5) {
        const int n = static_cast<int>(below(8));
        (void)ec2.CreateNetworkInterface(
            Create(ec2.subnet_id(below(3)), op == 2 ? n : 0, op == 3 ? n / 3 : 0));
      } else if (op >= 19 && op < 22) {
        (void)ec2.CreateNetworkInterface(CreateOf(
            op == 19 ? InterfaceType::kTrunk : InterfaceType::kBranch, ec2.subnet_id(below(3))));
      } else if (op >= 22 && !enis.empty()) {
        std::vector<std::string> trunks;
        for (const NetworkInterface& eni : enis) {
          if (eni.is_trunk && !eni.instance_id.empty()) trunks.push_back(eni.id);
        }
        if (trunks.empty()) continue;
        const Status associated = ec2.AssociateTrunkInterface(
            Associate(trunks[below(trunks.size())], enis[below(enis.size())].id,
                      static_cast<int>(below(14))));
        associations += associated ? 1 : 0;
      } else if (!enis.empty()) {
        const NetworkInterface& eni = enis[below(enis.size())];
        if (op < 8 && !running.empty()) {
          const std::string& instance = ec2.instance_id(running[below(running.size())]);
          (void)ec2.AttachNetworkInterface(
              AttachTo(eni.id, instance, static_cast<int>(below(4)), static_cast<int>(below(2))));
        } else if (op < 9) {
          (void)ec2.DetachNetworkInterface(eni.attachment_id);
        } else if (op < 11) {
          (void)ec2.DeleteNetworkInterface(eni.id);
        } else if (op < 15) {
          (void)ec2.AssignPrivateIpAddresses(Assign(eni.id,
                                                    op < 13 ? static_cast<int>(below(6)) : 0,
                                                    op >= 13 ? static_cast<int>(below(3)) : 0));
        } else if (op < 18) {
          auto ips = eni.secondary_ips;
          auto prefixes = eni.ipv4_prefixes;
          if (!ips.empty()) ips.resize(below(ips.size() + 1));
          if (!prefixes.empty()) prefixes.resize(below(prefixes.size() + 1));
          (void)ec2.UnassignPrivateIpAddresses(Unassign(eni.id, ips, prefixes));
        } else if (op == 18) {
          ModifyNetworkInterfaceAttributeRequest modify;
          modify.network_interface_id = eni.id;
          modify.delete_on_termination_of = eni.attachment_id;
          (void)ec2.ModifyNetworkInterfaceAttribute(modify);
        }
      }
      simulation.Run(simulation.Now() + milliseconds(below(400)));
      ASSERT_THAT(ec2.CheckInvariants(), IsEmpty()) << "seed " << seed << " step " << step;
    }
    EXPECT_GT(associations, 5);
    simulation.Run(simulation.Now() + seconds(20));
    for (const InstanceIndex i : running) EXPECT_TRUE(ec2.metadata(i).settled());
    ASSERT_THAT(ec2.CheckInvariants(), IsEmpty());

    std::map<std::pair<Metric, EntityId>, int64_t> last;
    for (const Recorder::Gauge& gauge : recorder.gauges) {
      const auto [it, is_new] = last.try_emplace({gauge.metric, gauge.entity}, gauge.level);
      if (!is_new) {
        EXPECT_NE(it->second, gauge.level);
        it->second = gauge.level;
      }
    }
    const auto level = [&](Metric metric, EntityId entity) { return last.at({metric, entity}); };
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(level(Metric::kSubnetFreeIps, static_cast<EntityId>(i + 1)),
                ec2.subnet(i).free_count());
    }
    EXPECT_EQ(level(Metric::kVpcAddressesHeld, kClusterEntity), ec2.addresses_held());
    EXPECT_EQ(level(Metric::kEnisAttached, kClusterEntity), ec2.enis_attached());
    EXPECT_EQ(level(Metric::kPrefixesAttached, kClusterEntity), ec2.prefixes_attached());
    EXPECT_EQ(level(Metric::kEnisAvailable, kClusterEntity), ec2.enis_available());
    EXPECT_EQ(last.size(), 7u);
  }
}

}  // namespace
}  // namespace cnisim
