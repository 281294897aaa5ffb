#include "core/ipam/leaked_enis.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/ipam/eni_tags.h"
#include "core/ipam/testing/fake_world.h"

namespace cnisim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class LeakedEnis : public testing::Test {
 protected:
  struct State : AgentState {
    explicit State(FakeWorld& world, Choice choice = Choice::Oldest())
        : AgentState(world.ports(), {}, FakeInstance().limits(), choice, nullptr) {
      identity = world.metadata.identity;
    }
  };

  void Leak(int number, Duration age) {
    NetworkInterface& eni =
        world_.ec2.AttachByHand(fmt::format("leaked-{}", number), -1, Ipv4Address({10, 9, 9, 9}));
    eni.attachment_id.clear();
    eni.description = "aws-K8S-i-9";
    eni.tags[std::string(eni_tag::kInstance)] = "i-9";
    eni.tags[std::string(eni_tag::kCreatedAt)] =
        Rfc3339(CivilEpoch{}.ToUnixNanos(world_.clock.Now() - age));
  }

  std::vector<TimePoint> RunsUntil(Duration end, Choice choice) {
    State state(world_, choice);
    Task<void> job = RunLeakedEniCleanup(state);
    job.Start();
    world_.clock.Advance(end);
    std::vector<TimePoint> runs;
    for (const Ec2Call& call : world_.ec2.calls()) runs.push_back(call.at);
    return runs;
  }

  FakeWorld world_;
};

TEST_F(LeakedEnis, AreDeletedFromFiveMinutesOn) {
  Leak(1, minutes(5));
  Leak(2, minutes(5) - nanoseconds(1));
  Leak(3, hours(100));
  State state(world_);
  world_.Run(CleanUpLeakedEnis(state));
  EXPECT_EQ(world_.ec2.Find("leaked-1"), nullptr);
  EXPECT_NE(world_.ec2.Find("leaked-2"), nullptr);
  EXPECT_EQ(world_.ec2.Find("leaked-3"), nullptr);
}

TEST_F(LeakedEnis, AreFoundOnEveryPage) {
  for (int i = 0; i < 7; ++i) Leak(i, hours(1));
  world_.ec2.page_size = 3;
  State state(world_);
  world_.Run(CleanUpLeakedEnis(state));
  EXPECT_EQ(world_.ec2.enis().size(), 1u);  // the primary one
  EXPECT_EQ(std::ranges::count(world_.ec2.calls(), FakeEc2Action::kFind, &Ec2Call::action), 3);
}

TEST_F(LeakedEnis, OneThatStaysDoesNotKeepTheOthers) {
  Leak(1, hours(1));
  Leak(2, hours(1));
  world_.ec2.FailNext(FakeEc2Action::kDelete, 12, ec2_error::kInternalError);
  State state(world_);
  world_.Run(CleanUpLeakedEnis(state));
  EXPECT_NE(world_.ec2.Find("leaked-1"), nullptr);
  EXPECT_EQ(world_.ec2.Find("leaked-2"), nullptr);
}

TEST_F(LeakedEnis, AreLookedForEveryHourAndUpToFiveMinutes) {
  std::set<TimePoint> first_runs;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    world_.ec2.ForgetCalls();
    const TimePoint begin = world_.clock.Now();
    const std::vector<TimePoint> runs = RunsUntil(hours(10), Choice::Random(seed));
    ASSERT_GE(runs.size(), 9u);
    TimePoint earliest = begin;
    for (const TimePoint run : runs) {
      EXPECT_GE(run, earliest);
      EXPECT_LE(run, earliest + seconds(299));
      EXPECT_EQ((run - begin) % seconds(1), Duration::zero());
      earliest = run + hours(1);
    }
    first_runs.insert(TimePoint(runs.front() - begin));
  }
  EXPECT_GT(first_runs.size(), 50u);  // of 300
}

}  // namespace
}  // namespace cnisim
