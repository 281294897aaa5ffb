#include "sim/cloud/ec2_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "sim/cloud/test_world.h"

namespace cnisim {
namespace {

using namespace cloud_test;

constexpr auto kAssign = Ec2Action::kAssignPrivateIpAddresses;
const Error kThrottled{"RequestLimitExceeded", "slow down"};
const Error kInternal{"InternalError", "oops"};

Ec2Config BaseConfig() {
  Ec2Config config = MakeConfig({MakeSubnet("a", "z", "10.0.0.0/16")});
  config.ec2.latency["AssignPrivateIpAddresses"] = Fixed(milliseconds(600));
  return config;
}

struct World {
  explicit World(Ec2Config config = BaseConfig(), int nodes = 1)
      : ec2(simulation, std::move(config)) {
    entities = MakeEntities(1);
    ec2.SetObserver(&recorder, entities);
    for (int i = 0; i < nodes; ++i) {
      const auto instance =
          *ec2.AddInstance("node-" + std::to_string(i), *FindInstanceType("m5.24xlarge"), 0,
                           static_cast<EntityId>(1000 + i));
      instances.push_back(instance);
      clients.push_back(std::make_unique<Ec2Client>(ec2, instance));
    }
  }
  std::string Primary(size_t i = 0) { return ec2.metadata(instances[i]).identity().primary_eni_id; }
  Task<Result<AssignedAddresses>> AssignOne(size_t i = 0) {
    return clients[i]->AssignPrivateIpAddresses(Assign(Primary(i), 1));
  }
  EntityId EntityOf(Ec2Action action) const {
    return entities.actions[static_cast<size_t>(action)];
  }

  Simulation simulation;
  Ec2 ec2;
  CloudEntities entities;
  Recorder recorder;
  std::vector<InstanceIndex> instances;
  std::vector<std::unique_ptr<Ec2Client>> clients;
};

TEST(Ec2Client, EffectHalfwayAnswerAtTheEnd) {
  World w;
  std::optional<Result<AssignedAddresses>> answer;
  w.simulation.Spawn(Keep(w.AssignOne(), &answer));
  w.simulation.Run(At(milliseconds(299)));
  EXPECT_EQ(w.ec2.addresses_held(), 1);
  w.simulation.Run(At(milliseconds(300)));
  EXPECT_EQ(w.ec2.addresses_held(), 2);
  w.simulation.Run(At(milliseconds(599)));
  EXPECT_FALSE(answer);
  EXPECT_TRUE(w.recorder.attempts.empty());
  w.simulation.Run(At(milliseconds(600)));
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)->ips.size(), 1u);
  ASSERT_EQ(w.recorder.attempts.size(), 1u);
  const ApiAttempt& attempt = w.recorder.attempts[0];
  EXPECT_EQ(attempt.action, w.EntityOf(kAssign));
  EXPECT_EQ(attempt.node, 1000u);
  EXPECT_EQ(attempt.sent, kTimeZero);
  EXPECT_EQ(attempt.latency, milliseconds(600));
  EXPECT_EQ(attempt.outcome, ApiOutcome::kOk);
}

TEST(Ec2Client, EveryActionWorks) {
  World w;
  Ec2Client& client = *w.clients[0];
  Simulation& s = w.simulation;
  const std::string instance = w.ec2.instance_id(w.instances[0]);
  const auto eni = Await(s, client.CreateNetworkInterface(Create(w.ec2.subnet_id(0), 2)));
  ASSERT_TRUE(eni);
  EXPECT_EQ(*Await(s, client.DescribeInstanceDevices(instance, 0)), std::vector<int>{0});
  const auto attachment = Await(s, client.AttachNetworkInterface(AttachTo(eni->id, instance, 1)));
  ASSERT_TRUE(attachment);
  ModifyNetworkInterfaceAttributeRequest modify;
  modify.network_interface_id = eni->id;
  modify.delete_on_termination_of = *attachment;
  EXPECT_TRUE(Await(s, client.ModifyNetworkInterfaceAttribute(modify)));
  EXPECT_TRUE(Await(s, client.CreateTags(eni->id, {{"k", "v"}})));
  const auto assigned = Await(s, client.AssignPrivateIpAddresses(Assign(eni->id, 0, 2)));
  ASSERT_TRUE(assigned);
  EXPECT_TRUE(
      Await(s, client.UnassignPrivateIpAddresses(Unassign(eni->id, {}, {assigned->prefixes[0]}))));
  const auto seen = Await(s, client.DescribeNetworkInterfaces({eni->id}));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->front().ipv4_prefixes, std::vector<Ipv4Cidr>{assigned->prefixes[1]});
  EXPECT_EQ(seen->front().tags.at("k"), "v");
  EXPECT_EQ(Await(s, client.DescribeSubnets(w.ec2.vpc_id(), "z"))->size(), 1u);
  NetworkInterfaceFilter filter;
  filter.tag_key = "k";
  filter.vpc_id = w.ec2.vpc_id();
  const auto found = Await(s, client.FindNetworkInterfaces(filter, ""));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->interfaces.size(), 1u);
  filter.available = true;
  EXPECT_TRUE(Await(s, client.FindNetworkInterfaces(filter, ""))->interfaces.empty());
  EXPECT_EQ(Await(s, client.DescribeInstanceType("m5.large"))->ipv4_per_eni, 10);
  const auto ipv6 = Await(s, client.AssignIpv6Prefixes(eni->id, 1));
  EXPECT_EQ(CodeOf(ipv6), "InvalidParameterValue");  // the subnet has no IPv6 block
  EXPECT_TRUE(Await(s, client.UnassignIpv6Prefixes(eni->id, {})));
  EXPECT_EQ(CodeOf(Await(s, client.AssociateTrunkInterface(Associate(eni->id, eni->id, 1)))),
            "OperationNotPermitted");
  EXPECT_TRUE(Await(s, client.DetachNetworkInterface(*attachment)));
  s.Run(s.Now() + seconds(5));
  EXPECT_EQ(Await(s, client.FindNetworkInterfaces(filter, ""))->interfaces.size(), 1u);
  EXPECT_TRUE(Await(s, client.DeleteNetworkInterface(eni->id)));
  EXPECT_EQ(CodeOf(Await(s, client.DeleteNetworkInterface(eni->id))),
            "InvalidNetworkInterfaceID.NotFound");
  std::vector<EntityId> told;
  for (const ApiAttempt& attempt : w.recorder.attempts) told.push_back(attempt.action);
  std::sort(told.begin(), told.end());
  told.erase(std::unique(told.begin(), told.end()), told.end());
  EXPECT_EQ(told.size(), kEc2ActionCount);
  // One each, three of DescribeNetworkInterfaces more, and another refusal; those are not retried.
  EXPECT_EQ(w.recorder.attempts.size(), kEc2ActionCount + 4);
  EXPECT_EQ(w.recorder.attempts.back().outcome, ApiOutcome::kFailed);
  EXPECT_EQ(client.retry_quota(), Ec2Client::kRetryQuota);
}

TEST(Ec2Client, RetriesTwiceWithGrowingJitter) {
  for (const Error& error : {kThrottled, kInternal}) {
    double longest_first = 0;
    double longest_second = 0;
    for (uint64_t seed = 1; seed <= 200; ++seed) {
      Ec2Config config = BaseConfig();
      config.seed = seed;
      World w(config);
      w.ec2.endpoint().faults().FailAlways(kAssign, error);
      EXPECT_EQ(CodeOf(Await(w.simulation, w.AssignOne())), error.code);
      const auto& attempts = w.recorder.attempts;
      ASSERT_EQ(attempts.size(), 3u);
      const auto pause = [&](size_t i) {
        return ToSeconds(attempts[i].sent - attempts[i - 1].sent - attempts[i - 1].latency);
      };
      EXPECT_GE(pause(1), 0);
      EXPECT_GE(pause(2), 0);
      longest_first = std::max(longest_first, pause(1));
      longest_second = std::max(longest_second, pause(2));
      EXPECT_EQ(attempts[2].outcome,
                error == kThrottled ? ApiOutcome::kThrottled : ApiOutcome::kFailed);
      EXPECT_EQ(w.clients[0]->last_throttled(),
                error == kThrottled ? w.simulation.Now() : TimePoint::min());
    }
    // The longest of 200 uniform draws exceeds 95 % of the range but for one time in 28,000.
    EXPECT_GT(longest_first, 1.9);
    EXPECT_LT(longest_first, 2.0);
    EXPECT_GT(longest_second, 3.8);
    EXPECT_LT(longest_second, 4.0);
  }
}

TEST(Ec2Client, OtherErrorsAreNotRetried) {
  World w;
  w.ec2.endpoint().faults().FailNext(kAssign, 1, Error{"UnauthorizedOperation", "no"});
  EXPECT_EQ(CodeOf(Await(w.simulation, w.AssignOne())), "UnauthorizedOperation");
  EXPECT_EQ(w.recorder.attempts.size(), 1u);
  EXPECT_EQ(CodeOf(Await(w.simulation, w.AssignOne())), "ok");
}

TEST(Ec2Client, QuotaBoundsRetries) {
  World w;
  Ec2Client& client = *w.clients[0];
  FaultPlan& faults = w.ec2.endpoint().faults();
  // Success after one retry gives back its cost; after two, the cost of the last.
  faults.FailNext(kAssign, 1, kInternal);
  EXPECT_TRUE(Await(w.simulation, w.AssignOne()));
  EXPECT_EQ(client.retry_quota(), 500);
  faults.FailNext(kAssign, 2, kInternal);
  EXPECT_TRUE(Await(w.simulation, w.AssignOne()));
  EXPECT_EQ(client.retry_quota(), 495);
  EXPECT_TRUE(Await(w.simulation, w.AssignOne()));
  EXPECT_EQ(client.retry_quota(), 496);
  // A client that only fails runs dry: 49 calls of two retries, then one of one retry, then none.
  faults.FailAlways(kAssign, kThrottled);
  const size_t before = w.recorder.attempts.size();
  for (int i = 0; i < 49; ++i) (void)Await(w.simulation, w.AssignOne());
  EXPECT_EQ(w.recorder.attempts.size() - before, 49u * 3);
  EXPECT_EQ(client.retry_quota(), 6);
  (void)Await(w.simulation, w.AssignOne());
  EXPECT_EQ(w.recorder.attempts.size() - before, 49u * 3 + 2);
  (void)Await(w.simulation, w.AssignOne());
  EXPECT_EQ(w.recorder.attempts.size() - before, 49u * 3 + 3);
  EXPECT_EQ(client.retry_quota(), 1);
}

TEST(Ec2Client, TimeOutsCostMoreAndTheEffectStillHappens) {
  Ec2Config config = BaseConfig();
  config.ec2.latency["AssignPrivateIpAddresses"] = Fixed(seconds(30));
  World w(config);
  EXPECT_EQ(CodeOf(Await(w.simulation, w.AssignOne())), "RequestTimeout");
  EXPECT_EQ(w.clients[0]->retry_quota(), 480);
  ASSERT_EQ(w.recorder.attempts.size(), 3u);
  for (const ApiAttempt& attempt : w.recorder.attempts) EXPECT_EQ(attempt.latency, seconds(10));
  w.simulation.Run(w.simulation.Now() + seconds(30));
  EXPECT_EQ(w.ec2.addresses_held(), 1 + 3);
}

TEST(Ec2Client, CreateIsIdempotentWithinOneCall) {
  for (const Duration latency : {Duration(seconds(15)), Duration(seconds(30))}) {
    Ec2Config config = BaseConfig();
    config.ec2.latency["CreateNetworkInterface"] = Fixed(latency);
    World w(config);
    (void)Await(w.simulation, w.clients[0]->CreateNetworkInterface(Create(w.ec2.subnet_id(0), 3)));
    w.simulation.Run(w.simulation.Now() + seconds(30));
    EXPECT_EQ(w.ec2.DescribeNetworkInterfaces({})->size(), 2u);
  }
}

TEST(Ec2Client, AssociateIsIdempotentWithinOneCall) {
  Ec2Config config = BaseConfig();
  config.ec2.latency["AssociateTrunkInterface"] = Fixed(seconds(15));
  World w(config);
  const std::string subnet = w.ec2.subnet_id(0);
  const std::string trunk =
      w.ec2.CreateNetworkInterface(CreateOf(InterfaceType::kTrunk, subnet))->id;
  ASSERT_TRUE(w.ec2.AttachNetworkInterface(AttachTo(trunk, w.ec2.instance_id(w.instances[0]), 1)));
  const std::string branch =
      w.ec2.CreateNetworkInterface(CreateOf(InterfaceType::kBranch, subnet))->id;
  // The second request finds the branch associated, by the first one, and is not refused.
  EXPECT_EQ(CodeOf(Await(w.simulation,
                         w.clients[0]->AssociateTrunkInterface(Associate(trunk, branch, 1)))),
            "RequestTimeout");
  EXPECT_EQ(w.recorder.attempts.size(), 3u);
  EXPECT_EQ(w.ec2.branch_enis(), 1);
}

TEST(Ec2Client, WhatWasSentOutlivesItsSender) {
  World w;
  {
    Task<Result<AssignedAddresses>> call = w.AssignOne();
    call.Start();
    w.simulation.Run(At(milliseconds(100)));
  }
  w.clients[0].reset();
  w.simulation.Run(At(seconds(5)));
  EXPECT_EQ(w.ec2.addresses_held(), 2);
  ASSERT_EQ(w.recorder.attempts.size(), 1u);
  EXPECT_EQ(w.recorder.attempts[0].latency, milliseconds(600));
}

// Wherever it is killed, a call has had each effect at most once and stops asking.
TEST(Ec2Client, KilledAtAnyInstant) {
  for (int64_t ms = 0; ms < 9000; ms += 50) {
    World w;
    w.ec2.endpoint().faults().FailNext(kAssign, 2, kThrottled);
    Task<Result<AssignedAddresses>> call = w.AssignOne();
    call.Start();
    w.simulation.Run(At(milliseconds(ms)));
    const auto sent = w.ec2.caller(w.instances[0]).requests[static_cast<size_t>(kAssign)];
    call = Task<Result<AssignedAddresses>>();
    w.clients[0].reset();
    w.simulation.Run(At(seconds(60)));
    EXPECT_EQ(w.recorder.attempts.size(), sent);
    EXPECT_EQ(w.ec2.addresses_held(), sent == 3 ? 2 : 1);
  }
}

TEST(Ec2Client, NodesShareTheAccountsBucket) {
  Ec2Config config = BaseConfig();
  config.ec2.throttles["AssignPrivateIpAddresses"] = BucketSpec{5, 0};
  World w(config, 20);
  std::vector<std::optional<Result<AssignedAddresses>>> answers(20);
  for (size_t i = 0; i < 20; ++i) w.simulation.Spawn(Keep(w.AssignOne(i), &answers[i]));
  w.simulation.Run(At(seconds(60)));
  int ok = 0;
  for (const auto& answer : answers) ok += answer && *answer ? 1 : 0;
  EXPECT_EQ(ok, 5);
  EXPECT_EQ(w.recorder.attempts.size(), 5u + 15 * 3);
  for (const ApiAttempt& attempt : w.recorder.attempts) {
    if (attempt.outcome == ApiOutcome::kThrottled) {
      EXPECT_GE(attempt.latency, milliseconds(300));  // it got there
      EXPECT_LT(attempt.latency, milliseconds(600));
    }
  }
  // Other actions have buckets of their own.
  EXPECT_TRUE(Await(w.simulation, w.clients[0]->DescribeSubnets(w.ec2.vpc_id(), "z")));
  // And throttling can be off.
  w.ec2.endpoint().SetThrottling(false);
  EXPECT_TRUE(Await(w.simulation, w.AssignOne(0)));
  EXPECT_TRUE(w.ec2.CheckInvariants().empty());
}

TEST(Ec2Client, WarmUpIsNotTold) {
  World w;
  w.ec2.SetObserver(nullptr, w.entities);
  std::optional<Result<AssignedAddresses>> answer;
  w.simulation.Spawn(Keep(w.AssignOne(), &answer));
  w.simulation.Run(At(milliseconds(400)));
  w.ec2.SetObserver(&w.recorder, w.entities);
  w.simulation.Run(At(seconds(1)));
  EXPECT_TRUE(answer && *answer);
  EXPECT_TRUE(w.recorder.attempts.empty());
}

Task<void> Churn(World& w, size_t node, int calls) {
  for (int i = 0; i < calls; ++i) {
    const Result<AssignedAddresses> got = co_await w.AssignOne(node);
    if (got && i % 2 == 1) {
      (void)co_await w.clients[node]->UnassignPrivateIpAddresses(
          Unassign(w.Primary(node), got->ips));
    }
  }
}

std::vector<ApiAttempt> ChurnAttempts(int nodes, bool throttling) {
  Ec2Config config = BaseConfig();
  config.ec2.latency.clear();
  World w(config, nodes);
  w.ec2.endpoint().SetThrottling(throttling);
  for (int i = 0; i < nodes; ++i) {
    w.simulation.Spawn(Churn(w, static_cast<size_t>(i), 40));
  }
  w.simulation.Run(At(std::chrono::hours(1)));
  EXPECT_TRUE(w.ec2.CheckInvariants().empty());
  return w.recorder.attempts;
}

bool Same(const ApiAttempt& a, const ApiAttempt& b) {
  return a.action == b.action && a.node == b.node && a.sent == b.sent && a.latency == b.latency &&
         a.outcome == b.outcome;
}

TEST(Ec2Client, SameSeedSameAttempts) {
  const auto a = ChurnAttempts(20, true);
  const auto b = ChurnAttempts(20, true);
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end(), Same));
  EXPECT_TRUE(std::any_of(a.begin(), a.end(), [](const ApiAttempt& attempt) {
    return attempt.outcome == ApiOutcome::kThrottled;
  }));
}

TEST(Ec2Client, AnotherNodeShiftsNobodysDraws) {
  const auto few = ChurnAttempts(5, false);
  auto many = ChurnAttempts(6, false);
  std::erase_if(many, [](const ApiAttempt& attempt) { return attempt.node == 1005; });
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin(), many.end(), Same));
}

TEST(Ec2Defaults, NamesAndFigures) {
  EXPECT_EQ(FindEc2Action("AttachNetworkInterface"), Ec2Action::kAttachNetworkInterface);
  EXPECT_EQ(FindEc2Action("Attach"), std::nullopt);
  for (const Ec2ActionInfo& info : AllEc2Actions()) {
    EXPECT_EQ(FindEc2Action(info.name), info.action);
    EXPECT_EQ(NameOf(info.action), info.name);
    EXPECT_LE(info.low, info.p50);
    EXPECT_LE(info.p50, info.high);
    EXPECT_LT(info.p50, info.p99);
    EXPECT_GT(info.throttle.bucket, 0);
  }
}

}  // namespace
}  // namespace cnisim
