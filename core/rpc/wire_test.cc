// The messages on the wire: numbers and types against bytes written down by hand.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <random>

#include "core/rpc/cni_backend.pb.h"

namespace cnisim {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

// --- Bytes by hand (protobuf encoding: tag = number << 3 | wire type) ---

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string Number(int field, int64_t value) {
  return Varint(static_cast<uint64_t>(field) << 3) + Varint(static_cast<uint64_t>(value));
}
std::string Text(int field, const std::string& value) {
  return Varint(static_cast<uint64_t>(field) << 3 | 2) + Varint(value.size()) + value;
}

template <typename T>
T Parsed(const std::string& bytes) {
  T message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  // All of it was understood, and is written the same again.
  EXPECT_EQ(message.GetReflection()->GetUnknownFields(message).field_count(), 0);
  EXPECT_EQ(message.SerializeAsString(), bytes);
  return message;
}

TEST(Wire, AddNetworkRequest) {
  const auto m = Parsed<rpc::AddNetworkRequest>(Text(1, "a") + Text(2, "b") + Text(3, "c") +
                                                Text(4, "d") + Text(5, "e") + Text(6, "f") +
                                                Text(7, "g") + Text(8, "h") + Number(9, 1));
  EXPECT_EQ(m.k8s_pod_name(), "a");
  EXPECT_EQ(m.k8s_pod_namespace(), "b");
  EXPECT_EQ(m.k8s_pod_infra_container_id(), "c");
  EXPECT_EQ(m.netns(), "d");
  EXPECT_EQ(m.ifname(), "e");
  EXPECT_EQ(m.networkname(), "f");
  EXPECT_EQ(m.containerid(), "g");
  EXPECT_EQ(m.clientversion(), "h");
  EXPECT_TRUE(m.requiresmultinicattachment());
}

TEST(Wire, AddNetworkReply) {
  const std::string ip = Text(1, "a") + Text(2, "b") + Number(3, -1) + Number(4, 254);
  const auto m = Parsed<rpc::AddNetworkReply>(
      Number(1, 1) + Text(2, ip) + Text(2, ip) + Number(5, 1) + Text(6, "c") + Text(6, "d") +
      Number(7, 8) + Text(8, "e") + Text(9, "f") + Number(10, 9) + Text(12, "g") + Text(13, "h"));
  EXPECT_TRUE(m.success());
  ASSERT_EQ(m.ipallocationmetadata_size(), 2);
  EXPECT_EQ(m.ipallocationmetadata(0).ipv4addr(), "a");
  EXPECT_EQ(m.ipallocationmetadata(0).ipv6addr(), "b");
  EXPECT_EQ(m.ipallocationmetadata(0).devicenumber(), -1);
  EXPECT_EQ(m.ipallocationmetadata(0).routetableid(), 254);
  EXPECT_TRUE(m.useexternalsnat());
  ASSERT_EQ(m.vpcv4cidrs_size(), 2);
  EXPECT_EQ(m.vpcv4cidrs(1), "d");
  EXPECT_EQ(m.podvlanid(), 8);
  EXPECT_EQ(m.podenimac(), "e");
  EXPECT_EQ(m.podenisubnetgw(), "f");
  EXPECT_EQ(m.parentifindex(), 9);
  EXPECT_EQ(m.vpcv6cidrs(0), "g");
  EXPECT_EQ(m.networkpolicymode(), "h");
}

TEST(Wire, DelNetworkRequest) {
  const auto m = Parsed<rpc::DelNetworkRequest>(Text(1, "a") + Text(2, "b") + Text(3, "c") +
                                                Text(5, "d") + Text(6, "e") + Text(7, "f") +
                                                Text(8, "g") + Text(9, "h") + Text(10, "i"));
  EXPECT_EQ(m.k8s_pod_name(), "a");
  EXPECT_EQ(m.k8s_pod_namespace(), "b");
  EXPECT_EQ(m.k8s_pod_infra_container_id(), "c");
  EXPECT_EQ(m.reason(), "d");
  EXPECT_EQ(m.ifname(), "e");
  EXPECT_EQ(m.networkname(), "f");
  EXPECT_EQ(m.containerid(), "g");
  EXPECT_EQ(m.clientversion(), "h");
  EXPECT_EQ(m.k8s_pod_uid(), "i");
}

TEST(Wire, DelNetworkReply) {
  const auto m = Parsed<rpc::DelNetworkReply>(Number(1, 1) + Text(2, Text(1, "a")) + Number(4, 7) +
                                              Text(6, "b"));
  EXPECT_TRUE(m.success());
  EXPECT_EQ(m.ipallocationmetadata(0).ipv4addr(), "a");
  EXPECT_EQ(m.podvlanid(), 7);
  EXPECT_EQ(m.networkpolicymode(), "b");
}

TEST(Wire, NetworkPolicyMessages) {
  const auto enforce =
      Parsed<rpc::EnforceNpRequest>(Text(1, "a") + Text(2, "b") + Text(3, "c") + Number(4, 2));
  EXPECT_EQ(enforce.k8s_pod_name(), "a");
  EXPECT_EQ(enforce.k8s_pod_namespace(), "b");
  EXPECT_EQ(enforce.network_policy_mode(), "c");
  EXPECT_EQ(enforce.interfacecount(), 2);
  EXPECT_TRUE(Parsed<rpc::EnforceNpReply>(Number(1, 1)).success());
  const auto remove = Parsed<rpc::DeleteNpRequest>(Text(1, "a") + Text(2, "b"));
  EXPECT_EQ(remove.k8s_pod_name(), "a");
  EXPECT_EQ(remove.k8s_pod_namespace(), "b");
  EXPECT_TRUE(Parsed<rpc::DeleteNpReply>(Number(1, 1)).success());
  const auto config = Parsed<rpc::NetworkPolicyAgentConfigReply>(
      Text(1, "a") + Number(2, 1) + Text(3, "b") + Text(4, "c") + Text(5, "d") + Text(6, "e"));
  EXPECT_EQ(config.networkpolicymode(), "a");
  EXPECT_TRUE(config.multinicenabled());
  EXPECT_EQ(config.nodeipv4(), "b");
  EXPECT_EQ(config.nodeipv6(), "c");
  EXPECT_EQ(config.instanceid(), "d");
  EXPECT_EQ(config.region(), "e");
}

// --- Names: what reflection, JSON and a gRPC client's method paths go by ---

std::string Describe(const google::protobuf::FileDescriptor& file) {
  std::string text;
  for (int i = 0; i < file.service_count(); ++i) {
    for (int j = 0; j < file.service(i)->method_count(); ++j) {
      const auto* method = file.service(i)->method(j);
      text += method->full_name() + "(" + method->input_type()->full_name() + ")" +
              method->output_type()->full_name() + "\n";
    }
  }
  for (int i = 0; i < file.message_type_count(); ++i) {
    text += file.message_type(i)->name() + ":";
    for (int j = 0; j < file.message_type(i)->field_count(); ++j) {
      text += " " + file.message_type(i)->field(j)->name();
    }
    text += "\n";
  }
  return text;
}

TEST(Wire, NamesAreUpstreams) {
  EXPECT_EQ(Describe(*rpc::AddNetworkRequest::descriptor()->file()),
            R"(rpc.CNIBackend.AddNetwork(rpc.AddNetworkRequest)rpc.AddNetworkReply
rpc.CNIBackend.DelNetwork(rpc.DelNetworkRequest)rpc.DelNetworkReply
rpc.ConfigServerBackend.GetNetworkPolicyConfigs(google.protobuf.Empty)rpc.NetworkPolicyAgentConfigReply
rpc.NPBackend.EnforceNpToPod(rpc.EnforceNpRequest)rpc.EnforceNpReply
rpc.NPBackend.DeletePodNp(rpc.DeleteNpRequest)rpc.DeleteNpReply
AddNetworkRequest: K8S_POD_NAME K8S_POD_NAMESPACE K8S_POD_INFRA_CONTAINER_ID Netns IfName NetworkName ContainerID ClientVersion RequiresMultiNICAttachment
IPAllocationMetadata: IPv4Addr IPv6Addr DeviceNumber RouteTableId
AddNetworkReply: Success IPAllocationMetadata UseExternalSNAT VPCv4CIDRs PodVlanId PodENIMAC PodENISubnetGW ParentIfIndex VPCv6CIDRs NetworkPolicyMode
DelNetworkRequest: K8S_POD_NAME K8S_POD_NAMESPACE K8S_POD_INFRA_CONTAINER_ID Reason IfName NetworkName ContainerID ClientVersion K8S_POD_UID
DelNetworkReply: Success IPAllocationMetadata PodVlanId NetworkPolicyMode
NetworkPolicyAgentConfigReply: NetworkPolicyMode MultiNICEnabled NodeIPv4 NodeIPv6 InstanceID Region
EnforceNpRequest: K8S_POD_NAME K8S_POD_NAMESPACE NETWORK_POLICY_MODE InterfaceCount
EnforceNpReply: Success
DeleteNpRequest: K8S_POD_NAME K8S_POD_NAMESPACE
DeleteNpReply: Success
)");
}

// --- Any message of any type ---

class RandomMessages {
 public:
  explicit RandomMessages(uint32_t seed) : random_(seed) {}

  void Fill(Message* message) {
    const auto* type = message->GetDescriptor();
    const auto* reflection = message->GetReflection();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->is_repeated()) {
        for (uint32_t n = random_() % 4; n > 0; --n) {
          if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
            reflection->AddString(message, field, Word());
          } else {
            Fill(reflection->AddMessage(message, field));
          }
        }
      } else if (random_() % 4 != 0) {
        switch (field->cpp_type()) {
          case FieldDescriptor::CPPTYPE_STRING:
            reflection->SetString(message, field, Word());
            break;
          case FieldDescriptor::CPPTYPE_INT32:
            reflection->SetInt32(message, field, static_cast<int32_t>(random_()));
            break;
          case FieldDescriptor::CPPTYPE_BOOL:
            reflection->SetBool(message, field, true);
            break;
          default:
            FAIL() << field->full_name() << " has a type that no field has";
        }
      }
    }
  }

  std::string Word() {
    std::string word(random_() % 80, 'x');
    for (char& c : word) c = static_cast<char>('!' + random_() % 90);
    return word;
  }
  uint32_t Next() { return random_(); }

 private:
  std::mt19937 random_;
};

const google::protobuf::FileDescriptor& File() {
  return *rpc::AddNetworkRequest::descriptor()->file();
}

std::unique_ptr<Message> NewMessage(int type) {
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<Message>(factory->GetPrototype(File().message_type(type))->New());
}

TEST(Wire, EveryMessageComesBackAsItWas) {
  RandomMessages random(1);
  for (int type = 0; type < File().message_type_count(); ++type) {
    for (int round = 0; round < 200; ++round) {
      const auto sent = NewMessage(type);
      const auto received = NewMessage(type);
      random.Fill(sent.get());
      ASSERT_TRUE(received->ParseFromString(sent->SerializeAsString()));
      EXPECT_TRUE(MessageDifferencer::Equals(*sent, *received)) << sent->DebugString();
    }
  }
}

// A newer peer may send more: fields of numbers that are not ours are kept and do no harm.
TEST(Wire, UnknownFieldsSurvive) {
  RandomMessages random(2);
  const std::string unknown = Text(1000, "new") + Number(1001, 7);
  for (int type = 0; type < File().message_type_count(); ++type) {
    const auto sent = NewMessage(type);
    const auto received = NewMessage(type);
    random.Fill(sent.get());
    const std::string bytes = sent->SerializeAsString();
    ASSERT_TRUE(received->ParseFromString(unknown + bytes));
    EXPECT_EQ(received->SerializeAsString(), bytes + unknown);
    received->DiscardUnknownFields();
    EXPECT_TRUE(MessageDifferencer::Equals(*sent, *received));
  }
}

// Every prefix of a message, and messages with any byte changed: read or refused, and what was read
// can be written.
TEST(Wire, TruncatedAndDamagedBytesAreReadOrRefused) {
  google::protobuf::LogSilencer quiet;
  RandomMessages random(3);
  int refused = 0;
  for (int type = 0; type < File().message_type_count(); ++type) {
    const auto sent = NewMessage(type);
    random.Fill(sent.get());
    const std::string bytes = sent->SerializeAsString();
    for (size_t size = 0; size < bytes.size(); ++size) {
      std::string damaged = bytes;
      damaged[size] = static_cast<char>(random.Next());
      for (const std::string& text : {bytes.substr(0, size), damaged}) {
        const auto received = NewMessage(type);
        if (received->ParseFromString(text)) {
          EXPECT_LE(received->SerializeAsString().size(), 2 * text.size() + 16);
        } else {
          ++refused;
        }
      }
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace cnisim
