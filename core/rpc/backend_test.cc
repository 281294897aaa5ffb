// Conformance with the real agent is in core/cni/vectors; here is what vectors cannot show.
#include "core/rpc/backend.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <random>

#include "core/rpc/pod_ip_annotation.h"
#include "core/rpc/testing/fake_backend_world.h"

namespace cnisim {
namespace {

using std::chrono::milliseconds;

class BackendTest : public testing::Test {
 protected:
  BackendTest() {
    settings_.version = "v1";
    FakeCard card;
    for (uint8_t i = 0; i < 4; ++i) card.free.push_back({Ipv4Address(10, 0, 0, i), 1, 2});
    world_.cards.cards.push_back(card);
    world_.node.vpc = {Ipv4Cidr(Ipv4Address(10, 0, 0, 0), 16)};
  }

  static rpc::AddNetworkRequest AddRequest() {
    rpc::AddNetworkRequest request;
    request.set_clientversion("v1");
    request.set_containerid("sandbox");
    request.set_ifname("eth0");
    request.set_networkname("aws-cni");
    request.set_k8s_pod_namespace("default");
    request.set_k8s_pod_name("web");
    return request;
  }
  static rpc::DelNetworkRequest DelRequest() {
    rpc::DelNetworkRequest request;
    request.set_clientversion("v1");
    request.set_containerid("sandbox");
    request.set_ifname("eth0");
    request.set_networkname("aws-cni");
    request.set_k8s_pod_namespace("default");
    request.set_k8s_pod_name("web");
    request.set_reason("PodDeleted");
    return request;
  }

  BackendSettings settings_;
  FakeBackendWorld world_;
};

TEST_F(BackendTest, BytesSayWhatTheTypedCallsSay) {
  FakeBackendWorld other = world_;
  Backend typed(settings_, world_.Ports());
  Backend bytes(settings_, other.Ports());

  rpc::AddNetworkReply add;
  rpc::AddNetworkReply add_from_bytes;
  std::string reply;
  ASSERT_TRUE(RunNow(typed.AddNetwork(AddRequest(), &add)).ok());
  const std::string add_bytes = AddRequest().SerializeAsString();
  ASSERT_TRUE(RunNow(bytes.Handle(rpc_method::kAddNetwork, add_bytes, &reply)).ok());
  ASSERT_TRUE(add_from_bytes.ParseFromString(reply));
  EXPECT_TRUE(add.success());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(add, add_from_bytes));

  rpc::DelNetworkReply del;
  rpc::DelNetworkReply del_from_bytes;
  const rpc::DelNetworkRequest request = DelRequest();
  ASSERT_TRUE(RunNow(typed.DelNetwork(request, &del)).ok());
  const std::string del_bytes = request.SerializeAsString();
  ASSERT_TRUE(RunNow(bytes.Handle(rpc_method::kDelNetwork, del_bytes, &reply)).ok());
  ASSERT_TRUE(del_from_bytes.ParseFromString(reply));
  EXPECT_EQ(del.ipallocationmetadata(0).ipv4addr(), "10.0.0.0");
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(del, del_from_bytes));

  rpc::NetworkPolicyAgentConfigReply config;
  ASSERT_TRUE(RunNow(bytes.Handle(rpc_method::kGetNetworkPolicyConfigs, "", &reply)).ok());
  ASSERT_TRUE(config.ParseFromString(reply));
}

TEST_F(BackendTest, WhatIsNoCallIsRefusedAndChangesNothing) {
  google::protobuf::LogSilencer quiet;
  Backend backend(settings_, world_.Ports());
  const auto refusal = [&](std::string_view method, const std::string& bytes) {
    std::string reply = "of an earlier call";
    const RpcStatus status = RunNow(backend.Handle(method, bytes, &reply));
    EXPECT_EQ(reply, "");
    return status.code;
  };
  EXPECT_EQ(refusal("/rpc.CNIBackend/Nothing", ""), StatusCode::kUnimplemented);
  EXPECT_EQ(refusal("AddNetwork", ""), StatusCode::kUnimplemented);
  EXPECT_EQ(refusal(rpc_method::kAddNetwork, "\xff"), StatusCode::kInternal);
  EXPECT_EQ(refusal(rpc_method::kDelNetwork,
                    "\x0a\x05"
                    "abc"),
            StatusCode::kInternal);
  // A text must be UTF-8.
  EXPECT_EQ(refusal(rpc_method::kAddNetwork, "\x0a\x01\xff"), StatusCode::kInternal);
  EXPECT_EQ(refusal(rpc_method::kAddNetwork, std::string(kMaxMessageBytes + 1, '\0')),
            StatusCode::kResourceExhausted);
  // Of no version, hence of another.
  EXPECT_EQ(refusal(rpc_method::kAddNetwork, ""), StatusCode::kFailedPrecondition);
  EXPECT_EQ(world_.cards.Assigned(), 0u);
  EXPECT_EQ(backend.counts().adds, 1u);
}

class Listener final : public LogSink {
 public:
  void Write(LogLevel, SourceLine, std::string_view message) override {
    messages.emplace_back(message);
  }
  std::vector<std::string> messages;
};

TEST_F(BackendTest, SaysWhatCameInAndWhatWasAnswered) {
  Listener listener;
  world_.log = Log(listener, LogLevel::kDebug);
  Backend backend(settings_, world_.Ports());
  rpc::AddNetworkReply added;
  ASSERT_TRUE(RunNow(backend.AddNetwork(AddRequest(), &added)).ok());
  rpc::AddNetworkRequest nameless = AddRequest();
  nameless.clear_ifname();
  ASSERT_TRUE(RunNow(backend.AddNetwork(nameless, &added)).ok());
  rpc::DelNetworkReply deleted;
  ASSERT_TRUE(RunNow(backend.DelNetwork(DelRequest(), &deleted)).ok());
  ASSERT_FALSE(RunNow(backend.DelNetwork(DelRequest(), &deleted)).ok());  // gone already
  EXPECT_EQ(listener.messages,
            (std::vector<std::string>{
                "Received AddNetwork for NS default, Pod web, Sandbox sandbox, ifname eth0",
                "Send AddNetworkReply: Success: true",
                "Received AddNetwork for NS default, Pod web, Sandbox sandbox, ifname ",
                "Send AddNetworkReply: Success: false", "Received DelNetwork for Sandbox sandbox",
                "Send DelNetworkReply: Success: true", "Received DelNetwork for Sandbox sandbox"}));
}

TEST_F(BackendTest, RandomBytesNeverDoHarm) {
  google::protobuf::LogSilencer quiet;
  Backend backend(settings_, world_.Ports());
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = AddRequest().SerializeAsString();
    bytes.resize(random() % (bytes.size() + 1));
    for (uint32_t n = random() % 4; n > 0 && !bytes.empty(); --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    std::string reply;
    const std::string_view method =
        random() % 2 == 0 ? rpc_method::kAddNetwork : rpc_method::kDelNetwork;
    const RpcStatus status = RunNow(backend.Handle(method, bytes, &reply));
    if (!status.ok()) {
      EXPECT_EQ(reply, "");
    }
  }
  EXPECT_LE(world_.cards.Assigned(), 4u);
}

// --- The annotation (GA-7) ---

class Annotated : public BackendTest {
 protected:
  Annotated() {
    settings_.annotate_pod_ip = true;
    world_.kubernetes.pods["default/web"] = {};
  }

  std::string Annotation() {
    return world_.kubernetes.pods["default/web"].annotations[std::string(kPodIpsKey)];
  }
};

TEST_F(Annotated, ConflictsAreRetriedAfterGrowingPauses) {
  for (int conflicts = 0; conflicts <= 4; ++conflicts) {
    FakeBackendWorld world = world_;
    Backend backend(settings_, world.Ports());
    world.kubernetes.conflicts = conflicts;
    const rpc::AddNetworkRequest request = AddRequest();
    rpc::AddNetworkReply reply;
    Task<RpcStatus> call = backend.AddNetwork(request, &reply);
    call.Start();
    while (world.clock.Step()) {
    }
    ASSERT_TRUE(call.done());
    EXPECT_TRUE(call.TakeValue().ok());
    EXPECT_EQ(reply.success(), conflicts < 4);
    // Whether or not it is annotated, the address is there and stays assigned.
    EXPECT_EQ(reply.ipallocationmetadata(0).ipv4addr(), "10.0.0.0");
    EXPECT_EQ(world.cards.Assigned(), 1u);
    constexpr int kPauses[] = {0, 10, 60, 310, 310};
    EXPECT_EQ(world.clock.Now() - kTimeZero, milliseconds(kPauses[conflicts]));
    EXPECT_EQ(world.kubernetes.pod_patches, std::min(conflicts + 1, 4));
  }
}

TEST_F(Annotated, OtherErrorsAreNotRetried) {
  Backend backend(settings_, world_.Ports());
  world_.kubernetes.pods.clear();
  const rpc::AddNetworkRequest request = AddRequest();
  rpc::AddNetworkReply reply;
  EXPECT_TRUE(RunNow(backend.AddNetwork(request, &reply)).ok());
  EXPECT_FALSE(reply.success());
  EXPECT_EQ(world_.kubernetes.pod_patches, 0);
}

TEST_F(Annotated, IsSetOnceAndClearedOnlyByItsOwner) {
  Backend backend(settings_, world_.Ports());
  const rpc::AddNetworkRequest add = AddRequest();
  const rpc::DelNetworkRequest del = DelRequest();
  rpc::AddNetworkReply added;
  rpc::DelNetworkReply deleted;
  for (int again = 0; again < 2; ++again) {
    EXPECT_TRUE(RunNow(backend.AddNetwork(add, &added)).ok());
    EXPECT_TRUE(added.success());
  }
  EXPECT_EQ(Annotation(), "10.0.0.0");
  EXPECT_EQ(world_.kubernetes.pod_patches, 1);
  EXPECT_TRUE(RunNow(backend.DelNetwork(del, &deleted)).ok());
  EXPECT_EQ(Annotation(), "");

  EXPECT_TRUE(RunNow(backend.AddNetwork(add, &added)).ok());
  world_.kubernetes.pods["default/web"].annotations[std::string(kPodIpsKey)] = "10.9.9.9";
  EXPECT_EQ(RunNow(backend.DelNetwork(del, &deleted)).code, StatusCode::kUnknown);
  EXPECT_FALSE(deleted.success());
  EXPECT_EQ(Annotation(), "10.9.9.9");
  EXPECT_EQ(world_.cards.Assigned(), 0u);

  EXPECT_TRUE(RunNow(backend.AddNetwork(add, &added)).ok());
  world_.kubernetes.pods.clear();
  EXPECT_TRUE(RunNow(backend.DelNetwork(del, &deleted)).ok());
  EXPECT_TRUE(deleted.success());
}

// What an agent that is killed leaves behind: the address stays assigned, nothing is in the air.
TEST_F(Annotated, AHandlerCanBeKilledWhileItWaits) {
  Backend backend(settings_, world_.Ports());
  world_.kubernetes.conflicts = 1;
  const rpc::AddNetworkRequest request = AddRequest();
  rpc::AddNetworkReply reply;
  {
    Task<RpcStatus> call = backend.AddNetwork(request, &reply);
    call.Start();
    EXPECT_FALSE(call.done());
  }
  EXPECT_FALSE(world_.clock.Step());
  EXPECT_EQ(world_.cards.Assigned(), 1u);
}

}  // namespace
}  // namespace cnisim
