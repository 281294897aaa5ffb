#include "core/ipam/counting_ports.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ipam/testing/fake_world.h"

namespace cnisim {
namespace {

class CountingPorts : public testing::Test {
 protected:
  template <typename T>
  std::function<Status()> Call(Task<Result<T>> task) {
    auto kept = std::make_shared<Task<Result<T>>>(std::move(task));
    return [this, kept]() -> Status {
      const Result<T> answer = world_.Run(std::move(*kept));
      if (!answer) return tl::unexpected(answer.error());
      return {};
    };
  }

  FakeWorld world_;
  AgentMetrics metrics_;
  CountingEc2 ec2_{world_.ec2, world_.clock, metrics_};
  CountingMetadata metadata_{world_.metadata, metrics_};
};

// Every call reaches EC2 once and counts once, by the name of its API.
TEST_F(CountingPorts, EveryCallOfEc2CountsUnderItsName) {
  CreateNetworkInterfaceRequest create;
  create.subnet_id = "subnet-a";
  AttachNetworkInterfaceRequest attach;
  attach.network_interface_id = "eni-2";
  attach.device_index = 1;
  ModifyNetworkInterfaceAttributeRequest modify;
  AssignPrivateIpAddressesRequest assign;
  UnassignPrivateIpAddressesRequest unassign;
  modify.network_interface_id = assign.network_interface_id = unassign.network_interface_id =
      "eni-1";
  std::vector<std::pair<AwsApi, std::function<Status()>>> calls;
  using enum AwsApi;
  calls.emplace_back(kCreateNetworkInterface, Call(ec2_.CreateNetworkInterface(create)));
  calls.emplace_back(kAttachNetworkInterface, Call(ec2_.AttachNetworkInterface(attach)));
  calls.emplace_back(kDetachNetworkInterface, Call(ec2_.DetachNetworkInterface("attach-2")));
  calls.emplace_back(kDeleteNetworkInterface, Call(ec2_.DeleteNetworkInterface("eni-2")));
  calls.emplace_back(kModifyNetworkInterfaceAttribute,
                     Call(ec2_.ModifyNetworkInterfaceAttribute(modify)));
  calls.emplace_back(kDescribeNetworkInterfaces, Call(ec2_.DescribeNetworkInterfaces({"eni-1"})));
  calls.emplace_back(kDescribeNetworkInterfaces, Call(ec2_.FindNetworkInterfaces({}, "")));
  calls.emplace_back(kDescribeInstances, Call(ec2_.DescribeInstanceDevices("i-1", 0)));
  calls.emplace_back(kDescribeSubnets, Call(ec2_.DescribeSubnets("vpc-1", "a")));
  calls.emplace_back(kAssignPrivateIpAddresses, Call(ec2_.AssignPrivateIpAddresses(assign)));
  calls.emplace_back(kUnassignPrivateIpAddresses, Call(ec2_.UnassignPrivateIpAddresses(unassign)));
  calls.emplace_back(kAssignIpv6Addresses, Call(ec2_.AssignIpv6Prefixes("eni-1", 1)));
  calls.emplace_back(kUnassignIpv6Addresses, Call(ec2_.UnassignIpv6Prefixes("eni-1", {})));
  calls.emplace_back(kDescribeInstanceTypes, Call(ec2_.DescribeInstanceType("m5.large")));
  calls.emplace_back(kCreateTags, Call(ec2_.CreateTags("eni-1", {{"key", "value"}})));
  PerLabel<AwsApi> expected;
  for (const auto& [api, call] : calls) {
    world_.ec2.ForgetCalls();
    EXPECT_TRUE(call()) << TextOf(api);
    EXPECT_EQ(world_.ec2.calls().size(), 1u);
    ++expected[api];
    for (size_t i = 0; i < PerLabel<AwsApi>::kSize; ++i) {
      const auto counted = static_cast<AwsApi>(i);
      EXPECT_EQ(metrics_.ec2_requests[counted], expected[counted])
          << TextOf(counted) << " after " << TextOf(api);
    }
  }
  EXPECT_TRUE(metrics_.api_errors.empty());
}

TEST_F(CountingPorts, FailuresCountByTheirCodeAndStatus) {
  const std::vector<std::pair<std::string, uint16_t>> codes{
      {std::string(ec2_error::kRequestLimitExceeded), 503},
      {std::string(ec2_error::kInternalError), 500},
      {std::string(ec2_error::kEniInUse), 400}};
  for (const auto& [code, status] : codes) {
    world_.ec2.FailNext(FakeEc2Action::kDelete, 1, code);
    EXPECT_EQ(world_.Run(ec2_.DeleteNetworkInterface("eni-1")).error().code, code);
    EXPECT_EQ((metrics_.api_errors[{"DeleteNetworkInterface", code}]), 1u);
    const AgentMetrics::ApiOutcome outcome{AwsApi::kDeleteNetworkInterface, true, status};
    EXPECT_EQ(metrics_.api_latency_ms[outcome].count, 1u);
  }
  EXPECT_EQ(metrics_.ec2_errors[AwsApi::kDeleteNetworkInterface], codes.size());
}

TEST_F(CountingPorts, MetadataCountsFailuresByGetter) {
  const auto read_all = [&] {
    world_.Run(metadata_.GetIdentity());
    world_.Run(metadata_.GetAttachedEnis());
    world_.Run(metadata_.GetVpcCidrs(false));
    world_.Run(metadata_.GetVpcCidrs(true));
    world_.Run(metadata_.GetSecurityGroups());
  };
  read_all();
  EXPECT_TRUE(metrics_.api_errors.empty());
  world_.metadata.failing = true;
  read_all();
  std::vector<std::string> getters;
  for (const auto& [labels, count] : metrics_.api_errors) {
    EXPECT_EQ(labels.second, ec2_error::kInternalError);
    EXPECT_EQ(count, 1u);
    getters.push_back(labels.first);
  }
  EXPECT_EQ(getters, (std::vector<std::string>{"GetAZ", "GetMACs", "GetSecurityGroupIDs",
                                               "GetVPCIPv4CIDRBlocks", "GetVPCIPv6CIDRBlocks"}));
}

}  // namespace
}  // namespace cnisim
