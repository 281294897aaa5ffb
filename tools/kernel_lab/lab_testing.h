// What the lab's tests ask of a cluster: that it prints, and carries, what was planned.
#ifndef CNISIM_TOOLS_KERNEL_LAB_LAB_TESTING_H_
#define CNISIM_TOOLS_KERNEL_LAB_LAB_TESTING_H_

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "core/net/ip.h"
#include "tools/kernel_lab/features.h"
#include "tools/kernel_lab/kernel_texts.h"
#include "tools/kernel_lab/lab.h"
#include "tools/kernel_lab/namespace_socket.h"
#include "tools/kernel_lab/process.h"

// Ends the test where `feature` is missing.
#define CNISIM_SKIP_WITHOUT(feature)                                 \
  if (!TheFeatures().Has(feature)) {                                 \
    GTEST_SKIP() << "kernel lab: " << TheFeatures().WhyNot(feature); \
  }

namespace cnisim {

inline const Features& TheFeatures() {
  static const Features features = Features::Probe();
  return features;
}

// Whether to test what needs the feature; says so if not.
inline bool HasOrTells(Feature feature, const std::string& what) {
  if (TheFeatures().Has(feature)) return true;
  std::printf("kernel lab: without %s: %s\n", what.c_str(), TheFeatures().WhyNot(feature).c_str());
  return false;
}

inline void ExpectDone(const Status& status) {
  ASSERT_TRUE(status) << status.error().code << ": " << status.error().message;
}

inline void ExpectTextsAsPlanned(const NamespaceKernel& node) {
  for (const KernelText& text : ReadKernelTexts(node, TheFeatures())) {
    EXPECT_EQ(text.kernel, text.planned) << text.command;
  }
}

// Sends a datagram from one to the other and back. Returns whom the receiver saw; the answer has to
// come from whom the sender asked.
inline Result<IpAddress> SourceSeen(const Place& from, const Place& to) {
  constexpr uint16_t kPort = 7;
  constexpr std::chrono::seconds kPatience(3);
  auto client = NamespaceSocket::Open(from.netns, 0);
  auto server = NamespaceSocket::Open(to.netns, kPort);
  if (!client || !server) return tl::unexpected((!client ? client : server).error());
  if (Status sent = client->Send(to.ip.v4(), kPort, "ping"); !sent) {
    return tl::unexpected(sent.error());
  }
  const auto asked = server->Receive(kPatience);
  if (!asked) return Fail("NotArrived", asked.error().message);
  if (Status sent = server->Send(asked->from, asked->from_port, "pong"); !sent) {
    return tl::unexpected(sent.error());
  }
  const auto answered = client->Receive(kPatience);
  if (!answered) return Fail("NotAnswered", answered.error().message);
  if (asked->payload != "ping" || answered->payload != "pong" || answered->from != to.ip.v4()) {
    return Fail("Garbled", "by " + answered->from.ToString());
  }
  return IpAddress(asked->from);
}

inline void ExpectSeenAs(const Place& from, const Place& to, IpAddress source) {
  const auto seen = SourceSeen(from, to);
  const std::string way = from.netns + " -> " + to.netns + " " + to.ip.ToString();
  ASSERT_TRUE(seen) << way << ": " << seen.error().code << ": " << seen.error().message;
  EXPECT_EQ(seen->ToString(), source.ToString()) << way;
}

// Of ICMP, if ping is there.
inline void ExpectPing(const std::string& netns, IpAddress to) {
  if (!TheFeatures().Has(Feature::kPing)) return;
  const auto pong =
      RunCommand(InNamespace(netns, {"ping", "-n", "-c", "1", "-W", "3", to.ToString()}));
  EXPECT_TRUE(pong) << pong.error().message;
}

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_LAB_TESTING_H_
