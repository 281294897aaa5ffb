#include "core/ipam/refresh.h"

#include <gtest/gtest.h>

#include "core/ipam/eni_setup.h"
#include "core/ipam/testing/fake_world.h"

namespace cnisim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Groups = std::vector<std::string>;

class Refresh : public testing::Test {
 protected:
  explicit Refresh(bool custom_networking = false)
      : settings_([&] {
          AgentSettings settings;
          settings.custom_networking = custom_networking;
          return settings;
        }()),
        state_(world_.ports(), settings_, FakeInstance().limits(), Choice::Oldest(), nullptr) {
    state_.identity = world_.metadata.identity;
    for (const MetadataEni& eni : world_.metadata.Truth()) {
      AttachedEni attached;
      attached.metadata = eni;
      EXPECT_TRUE(world_.Run(SetupEni(state_, std::move(attached))));
    }
    world_.ec2.ForgetCalls();
  }

  Groups GroupsOfPrimary() { return world_.ec2.Find("eni-1")->security_group_ids; }
  size_t Calls() { return world_.ec2.calls().size(); }

  FakeWorld world_;
  AgentSettings settings_;
  AgentState state_;
};

class RefreshWithCustomNetworking : public Refresh {
 protected:
  RefreshWithCustomNetworking() : Refresh(true) {}
};

TEST_F(Refresh, EnisFollowTheSecurityGroupsOnlyWhenTheyChange) {
  world_.metadata.security_groups = {"sg-2", "sg-1"};
  EXPECT_TRUE(world_.Run(RefreshSecurityGroups(state_)));
  EXPECT_EQ(GroupsOfPrimary(), (Groups{"sg-1", "sg-2"}));
  EXPECT_EQ(Calls(), 1u);
  world_.metadata.security_groups = {"sg-1", "sg-2"};  // the same in another order
  EXPECT_TRUE(world_.Run(RefreshSecurityGroups(state_)));
  EXPECT_EQ(Calls(), 1u);
  world_.metadata.security_groups = {"sg-3"};
  EXPECT_TRUE(world_.Run(RefreshSecurityGroups(state_)));
  EXPECT_EQ(GroupsOfPrimary(), Groups{"sg-3"});
  EXPECT_EQ(Calls(), 2u);
}

TEST_F(Refresh, SecurityGroupsThatCouldNotBeSetAreSetNextTime) {
  world_.ec2.FailNext(FakeEc2Action::kModify, 1, ec2_error::kInternalError);
  EXPECT_FALSE(world_.Run(RefreshSecurityGroups(state_)));
  EXPECT_EQ(GroupsOfPrimary(), Groups{});
  EXPECT_TRUE(world_.Run(RefreshSecurityGroups(state_)));
  EXPECT_EQ(GroupsOfPrimary(), Groups{"sg-1"});
}

TEST_F(Refresh, UnreadableMetadataChangesNothing) {
  world_.metadata.failing = true;
  EXPECT_FALSE(world_.Run(RefreshSecurityGroups(state_)));
  EXPECT_FALSE(world_.Run(RefreshVpcCidrs(state_)));
  EXPECT_EQ(Calls(), 0u);
  EXPECT_TRUE(state_.security_groups.empty());
}

TEST_F(RefreshWithCustomNetworking, LeavesTheGroupsOfEnisToTheEniConfig) {
  EXPECT_TRUE(world_.Run(RefreshSecurityGroups(state_)));
  EXPECT_EQ(state_.security_groups, Groups{"sg-1"});
  EXPECT_EQ(Calls(), 0u);
}

TEST_F(Refresh, TheHostFollowsTheVpcOnlyWhenItChanges) {
  Task<void> job = KeepVpcCidrsFresh(state_);
  job.Start();
  world_.clock.Advance(minutes(10));
  EXPECT_EQ(world_.host.calls.size(), 1u);  // nothing was known before
  world_.metadata.vpc_cidrs.push_back(Ipv4Cidr({10, 1, 0, 0}, 16));
  world_.clock.Advance(seconds(30));
  EXPECT_EQ(world_.host.calls.back(), "UpdateVpcCidrs(2)");
  world_.clock.Advance(minutes(10));
  EXPECT_EQ(world_.host.calls.size(), 2u);
}

}  // namespace
}  // namespace cnisim
