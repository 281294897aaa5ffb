#include "core/rpc/local_channel.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/rpc/testing/fake_backend_world.h"

namespace cnisim {
namespace {

using std::chrono::seconds;

// Metadata that takes a second to answer.
class SlowNode final : public NodeSource {
 public:
  explicit SlowNode(Clock& clock) : clock_(clock) {}
  Task<Result<std::vector<IpCidr>>> VpcCidrs() override {
    co_await clock_.Sleep(seconds(1));
    co_return std::vector<IpCidr>();
  }
  Task<Result<int>> TrunkLinkIndex() override { co_return Fail("trunk", "none"); }

 private:
  Clock& clock_;
};

class LocalChannelTest : public testing::Test {
 protected:
  LocalChannelTest() {
    world_.cards.cards.resize(1);
    world_.cards.cards[0].free = {{Ipv4Address(10, 0, 0, 5), 0, 254}};
    rpc::AddNetworkRequest request;
    request.set_containerid("c1");
    request.set_ifname("eth0");
    request.set_networkname("aws-cni");
    request_ = request.SerializeAsString();
  }

  BackendPorts Ports() {
    return {world_.cards, node_, world_.kubernetes, world_.clock, Choice::Oldest()};
  }

  FakeBackendWorld world_;
  SlowNode node_{world_.clock};
  std::string request_;
  std::string reply_;
  LocalChannel channel_;
};

TEST_F(LocalChannelTest, RefusesWithoutABackend) {
  EXPECT_FALSE(RunNow(channel_.Connect(seconds(1))));
  EXPECT_EQ(RunNow(channel_.Call(rpc_method::kAddNetwork, request_, &reply_)).code,
            StatusCode::kUnavailable);
}

TEST_F(LocalChannelTest, ACallThatWaitsIsAnswered) {
  Backend backend({}, Ports());
  channel_.set_backend(&backend);
  Task<RpcStatus> call = channel_.Call(rpc_method::kAddNetwork, request_, &reply_);
  call.Start();
  EXPECT_FALSE(call.done());
  world_.clock.Advance(seconds(1));
  ASSERT_TRUE(call.done());
  EXPECT_TRUE(call.TakeValue().ok());
  EXPECT_FALSE(reply_.empty());
}

TEST_F(LocalChannelTest, ABackendThatDiesResetsItsCalls) {
  auto backend = std::make_unique<Backend>(BackendSettings(), Ports());
  channel_.set_backend(backend.get());
  Task<RpcStatus> call = channel_.Call(rpc_method::kAddNetwork, request_, &reply_);
  call.Start();
  channel_.Disconnect(world_.clock);
  backend.reset();
  EXPECT_FALSE(call.done());  // not from within Disconnect
  world_.clock.Advance(seconds(0));
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.TakeValue().code, StatusCode::kUnavailable);
  EXPECT_EQ(world_.cards.Assigned(), 1u);  // what was done is done
  EXPECT_FALSE(world_.clock.Step());       // and nobody waits for metadata any more
}

TEST_F(LocalChannelTest, ACallerThatDiesLeavesNothingBehind) {
  Backend backend({}, Ports());
  channel_.set_backend(&backend);
  {
    Task<RpcStatus> call = channel_.Call(rpc_method::kAddNetwork, request_, &reply_);
    call.Start();
  }
  EXPECT_FALSE(world_.clock.Step());
  {
    Task<RpcStatus> call = channel_.Call(rpc_method::kAddNetwork, request_, &reply_);
    call.Start();
    channel_.Disconnect(world_.clock);
  }
  EXPECT_FALSE(world_.clock.Step());
}

}  // namespace
}  // namespace cnisim
