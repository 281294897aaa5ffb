#include "core/routing/bgp_sessions.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

BgpSpeaker Speaker(const char* name, const char* ip, const char* cluster_id = "") {
  return {name, *IpAddress::Parse(ip), cluster_id};
}

TEST(BgpSessions, AMeshIsEveryPairOnceAndTheSmallerTextWaits) {
  std::vector<BgpSpeaker> speakers;
  for (int n = 0; n < 20; ++n) {
    speakers.push_back(
        Speaker(("node-" + std::to_string(n)).c_str(), ("10.0.0." + std::to_string(n)).c_str()));
  }
  const auto sessions = BgpSessions(speakers, true, {});
  EXPECT_EQ(sessions.size(), 20u * 19 / 2);
  for (const auto& [name, learnt] : BgpRoutesLearnt(speakers, sessions)) {
    EXPECT_EQ(learnt.size(), 19u) << name;
  }
  // As text, "10.0.0.10" is smaller than "10.0.0.9".
  const auto pair = BgpSessions({Speaker("a", "10.0.0.9"), Speaker("b", "10.0.0.10")}, true, {});
  EXPECT_EQ(pair, (std::vector<BgpSession>{{"a", "b", "b"}}));
}

TEST(BgpSessions, AReflectorLeavesTheMeshAndHandsOnItsClientsRoutes) {
  const std::vector<BgpSpeaker> speakers = {Speaker("a", "10.0.0.1"), Speaker("b", "10.0.0.2"),
                                            Speaker("r", "10.0.0.3", "1.1.1.1")};
  // Still meshed with each other, but nobody peers with the reflector.
  EXPECT_EQ(BgpSessions(speakers, true, {}).size(), 1u);
  const auto sessions = BgpSessions(speakers, false, {{"a", "r"}, {"r", "b"}});
  EXPECT_EQ(sessions, (std::vector<BgpSession>{{"a", "r", ""}, {"b", "r", ""}}));
  const auto learnt = BgpRoutesLearnt(speakers, sessions);
  EXPECT_EQ(learnt.at("a"), (std::set<std::string>{"b", "r"}));
  EXPECT_EQ(learnt.at("b"), (std::set<std::string>{"a", "r"}));
}

// iBGP: who is no reflector hands on nothing; reflectors of one cluster hand on to one another
// what clients say, and no further.
TEST(BgpSessions, RoutesGoNoFurtherThanReflectionAllows) {
  const std::vector<BgpSpeaker> line = {Speaker("a", "10.0.0.1"), Speaker("b", "10.0.0.2"),
                                        Speaker("c", "10.0.0.3")};
  const auto learnt = BgpRoutesLearnt(line, BgpSessions(line, false, {{"a", "b"}, {"b", "c"}}));
  EXPECT_EQ(learnt.at("a"), (std::set<std::string>{"b"}));

  // a - r1 - r2 - r3 - c, the reflectors in one cluster and so no clients of each other.
  const std::vector<BgpSpeaker> reflectors = {
      Speaker("a", "10.0.0.1"), Speaker("c", "10.0.0.2"), Speaker("r1", "10.0.0.3", "1.1.1.1"),
      Speaker("r2", "10.0.0.4", "1.1.1.1"), Speaker("r3", "10.0.0.5", "1.1.1.1")};
  const auto chain = BgpRoutesLearnt(
      reflectors,
      BgpSessions(reflectors, false, {{"a", "r1"}, {"r1", "r2"}, {"r2", "r3"}, {"c", "r3"}}));
  EXPECT_EQ(chain.at("r2"), (std::set<std::string>{"a", "c", "r1", "r3"}));
  EXPECT_FALSE(chain.at("c").contains("a"));
  // With each a cluster of its own they are each other's clients, and all is told to all.
  std::vector<BgpSpeaker> own = reflectors;
  own[3].cluster_id = "2.2.2.2";
  own[4].cluster_id = "3.3.3.3";
  const auto all = BgpRoutesLearnt(
      own, BgpSessions(own, false, {{"a", "r1"}, {"r1", "r2"}, {"r2", "r3"}, {"c", "r3"}}));
  EXPECT_TRUE(all.at("c").contains("a"));
}

}  // namespace
}  // namespace cnisim
