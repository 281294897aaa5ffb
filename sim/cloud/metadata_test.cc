#include "sim/cloud/metadata.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/ipam/pool_digest.h"
#include "sim/cloud/test_world.h"

namespace cnisim {
namespace {

using namespace cloud_test;

std::vector<SubnetSpec> OneSubnet() { return {MakeSubnet("a", "z", "10.0.0.0/22")}; }

uint64_t DigestOf(const std::vector<MetadataEni>& enis) {
  uint64_t digest = 0;
  for (const MetadataEni& eni : enis) {
    digest ^= EniDigest(eni.id);
    for (const Ipv4Address ip : eni.secondary_ips) {
      digest ^= PoolItemDigest(EniDigest(eni.id), Ipv4Cidr(ip));
    }
    for (const Ipv4Cidr p : eni.ipv4_prefixes) digest ^= PoolItemDigest(EniDigest(eni.id), p);
  }
  return digest;
}

struct World {
  explicit World(Ec2Config config = MakeConfig(OneSubnet()))
      : ec2(simulation, std::move(config)),
        instance(*ec2.AddInstance("n1", *FindInstanceType("m5.4xlarge"), 0, 5)),
        metadata(ec2.metadata(instance)) {}

  std::vector<MetadataEni> Enumerate() { return *Await(simulation, metadata.GetAttachedEnis()); }
  std::string Attach(int device, int ips) {
    const std::string id = ec2.CreateNetworkInterface(Create(ec2.subnet_id(0), ips))->id;
    attachments[id] = *ec2.AttachNetworkInterface(AttachTo(id, ec2.instance_id(instance), device));
    return id;
  }

  Simulation simulation;
  Ec2 ec2;
  InstanceIndex instance;
  MetadataService& metadata;
  std::map<std::string, std::string> attachments;
};

TEST(Metadata, ShowsThePrimaryAtBoot) {
  World w;
  EXPECT_TRUE(w.metadata.settled());
  const auto enis = w.Enumerate();
  ASSERT_EQ(enis.size(), 1u);
  EXPECT_EQ(enis[0].id, w.metadata.identity().primary_eni_id);
  EXPECT_EQ(enis[0].primary_ip, w.metadata.identity().primary_ip);
  EXPECT_EQ(enis[0].device_number, 0);
  EXPECT_EQ(w.metadata.VisibleDigest(), DigestOf(enis));
  EXPECT_EQ(Await(w.simulation, w.metadata.GetVpcCidrs(/*ipv6=*/false))->size(), 1u);
  EXPECT_EQ(Await(w.simulation, w.metadata.GetSecurityGroups())->size(), 1u);
  EXPECT_EQ(Await(w.simulation, w.metadata.GetIdentity())->instance_type, "m5.4xlarge");
}

TEST(Metadata, RequestsCostTimeAndAreCounted) {
  Ec2Config config = MakeConfig(OneSubnet());
  config.timing.imds_request = Uniform(milliseconds(1), milliseconds(9));
  World w(config);
  for (int round = 0; round < 20; ++round) {
    const TimePoint start = w.simulation.Now();
    w.Enumerate();
    EXPECT_EQ(w.simulation.Now() - start, w.metadata.RequestTime(EnumerationRequests(1), start));
  }
  EXPECT_EQ(w.metadata.requests(), 20 * EnumerationRequests(1));
  w.metadata.CountRequests(3);
  EXPECT_EQ(w.metadata.requests(), 203);
  // The account's count includes instances that are gone.
  const auto other = *w.ec2.AddInstance("n2", *FindInstanceType("m5.large"), 0, 6);
  (void)Await(w.simulation, w.ec2.metadata(other).GetVpcCidrs(/*ipv6=*/false));
  w.ec2.RemoveInstance(other);
  EXPECT_EQ(w.ec2.metadata_requests(), 204);
}

TEST(Metadata, ChangesShowAfterTheirLag) {
  Ec2Config config = MakeConfig(OneSubnet());
  config.timing.imds_lag = Fixed(seconds(1));
  World w(config);
  int changes = 0;
  w.metadata.set_on_change([&] { ++changes; });
  const std::string eni = w.Attach(1, 2);
  EXPECT_EQ(changes, 1);
  EXPECT_FALSE(w.metadata.settled());
  w.simulation.Run(At(milliseconds(999)));
  EXPECT_EQ(w.metadata.visible_enis(), 1u);
  w.simulation.Run(At(seconds(1)));
  EXPECT_EQ(w.metadata.visible_enis(), 2u);
  EXPECT_TRUE(w.metadata.settled());
  EXPECT_EQ(changes, 2);
  ASSERT_TRUE(w.ec2.DetachNetworkInterface(w.attachments[eni]));
  w.simulation.Run(At(milliseconds(4499)));  // 2.5 s to detach, 1 s to show
  EXPECT_EQ(w.metadata.visible_enis(), 2u);
  EXPECT_FALSE(w.metadata.settled());
  w.simulation.Run(At(milliseconds(4500)));
  EXPECT_EQ(w.metadata.visible_enis(), 1u);
  EXPECT_TRUE(w.metadata.settled());
}

TEST(Metadata, EnumeratesOldestAttachmentFirst) {
  for (uint64_t seed = 1; seed < 20; ++seed) {
    Ec2Config config = MakeConfig(OneSubnet());
    config.seed = seed;
    World w(config);
    for (int device = 5; device >= 1; --device) w.Attach(device, 1);
    w.simulation.Run(At(seconds(1)));
    const auto early = w.Enumerate();
    EXPECT_TRUE(std::is_sorted(early.begin() + 1, early.end(),
                               [](const MetadataEni& a, const MetadataEni& b) {
                                 return a.device_number > b.device_number;
                               }));
    w.simulation.Run(At(seconds(5)));
    EXPECT_EQ(w.Enumerate().size(), 6u);
  }
}

// Whatever the lags, each ENI is seen going through its states in the order in which it had them.
TEST(Metadata, ChangesOfOneEniNeverOvertake) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Ec2Config config = MakeConfig(OneSubnet());
    config.seed = seed;
    config.timing.imds_lag = Uniform(seconds(0), seconds(10));
    World w(config);
    RandomStream random(seed, "lag", "ops");
    using State = std::vector<Ipv4Address>;
    std::map<std::string, std::vector<State>> history;
    std::map<std::string, size_t> seen;
    std::vector<std::string> enis;
    for (int device = 1; device <= 3; ++device) {
      enis.push_back(w.Attach(device, 2));
      const auto eni = w.ec2.DescribeNetworkInterfaces({enis.back()})->front();
      history[enis.back()].push_back(eni.secondary_ips);
    }
    int looked = 0;
    int behind = 0;
    for (int step = 0; step < 300; ++step) {
      const std::string& id = enis[random.NextBelow(enis.size())];
      const State now = w.ec2.DescribeNetworkInterfaces({id})->front().secondary_ips;
      if (now.size() < 20 && random.Bernoulli(0.5)) {
        ASSERT_TRUE(w.ec2.AssignPrivateIpAddresses(Assign(id, 2)));
      } else if (!now.empty()) {
        ASSERT_TRUE(w.ec2.UnassignPrivateIpAddresses(Unassign(id, {now[now.size() / 2]})));
      } else {
        continue;
      }
      history[id].push_back(w.ec2.DescribeNetworkInterfaces({id})->front().secondary_ips);
      w.simulation.Run(w.simulation.Now() + milliseconds(random.NextBelow(2000)));
      const uint64_t digest = w.metadata.VisibleDigest();
      const std::vector<MetadataEni> view = w.Enumerate();
      ASSERT_EQ(digest, DigestOf(view));
      for (const MetadataEni& eni : view) {
        if (!history.count(eni.id)) continue;
        const std::vector<State>& states = history[eni.id];
        const auto at = std::find(states.begin() + static_cast<std::ptrdiff_t>(seen[eni.id]),
                                  states.end(), eni.secondary_ips);
        ASSERT_NE(at, states.end());
        seen[eni.id] = static_cast<size_t>(at - states.begin());
        ++looked;
        behind += at + 1 != states.end() ? 1 : 0;
      }
    }
    EXPECT_GT(behind, looked / 4);
    w.simulation.Run(w.simulation.Now() + seconds(11));
    EXPECT_TRUE(w.metadata.settled());
    for (const MetadataEni& eni : w.Enumerate()) {
      if (history.count(eni.id)) {
        EXPECT_EQ(eni.secondary_ips, history[eni.id].back());
      }
    }
    EXPECT_TRUE(w.ec2.CheckInvariants().empty());
  }
}

TEST(Metadata, FrozenMetadataThaws) {
  World w;
  w.metadata.SetFrozen(true);
  w.Attach(1, 1);
  w.simulation.Run(At(seconds(600)));
  EXPECT_EQ(w.metadata.visible_enis(), 1u);
  EXPECT_FALSE(w.metadata.settled());
  w.metadata.SetFrozen(false);
  w.simulation.Run(At(seconds(600)));
  EXPECT_EQ(w.metadata.visible_enis(), 2u);
  EXPECT_TRUE(w.metadata.settled());
}

TEST(Metadata, ErrorsOnOrder) {
  World w;
  EXPECT_TRUE(w.metadata.Answers());
  w.metadata.SetError(Error{"Unavailable", "503"});
  EXPECT_FALSE(w.metadata.Answers());
  EXPECT_EQ(CodeOf(Await(w.simulation, w.metadata.GetAttachedEnis())), "Unavailable");
  EXPECT_EQ(CodeOf(Await(w.simulation, w.metadata.GetIdentity())), "Unavailable");
  EXPECT_EQ(w.metadata.requests(), 2);
  w.metadata.SetError(std::nullopt);
  EXPECT_EQ(CodeOf(Await(w.simulation, w.metadata.GetAttachedEnis())), "ok");
}

// Asking more often changes no lag.
TEST(Metadata, PollsDoNotShiftDraws) {
  const auto visible_at = [](bool poll) {
    World w;
    std::vector<TimePoint> at;
    w.metadata.set_on_change([&] { at.push_back(w.simulation.Now()); });
    for (int i = 1; i < 4; ++i) {
      if (poll) {
        w.simulation.Spawn(
            [](World& world) -> Task<void> { (void)co_await world.metadata.GetAttachedEnis(); }(w));
      }
      w.Attach(i, 1);
      w.simulation.Run(w.simulation.Now() + seconds(4));
    }
    return at;
  };
  EXPECT_EQ(visible_at(false), visible_at(true));
}

}  // namespace
}  // namespace cnisim
