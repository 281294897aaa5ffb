#include "core/routing/bgp_sessions.h"

#include <algorithm>

namespace cnisim {
namespace {

bool IsClient(const BgpSpeaker& reflector, const BgpSpeaker& peer) {
  return peer.cluster_id.empty() || peer.cluster_id != reflector.cluster_id;
}

}  // namespace

std::vector<BgpSession> BgpSessions(const std::vector<BgpSpeaker>& speakers, bool full_mesh,
                                    const std::set<std::pair<std::string, std::string>>& peers) {
  std::set<BgpSession> sessions;
  for (const BgpSpeaker& a : speakers) {
    for (const BgpSpeaker& b : speakers) {
      if (a.name >= b.name) continue;
      if (full_mesh && a.cluster_id.empty() && b.cluster_id.empty()) {
        // The side whose own address is the smaller text waits.
        const bool a_waits = b.ip.ToString() > a.ip.ToString();
        sessions.insert({a.name, b.name, a_waits ? a.name : b.name});
      } else if (peers.contains({a.name, b.name}) || peers.contains({b.name, a.name})) {
        sessions.insert({a.name, b.name, ""});
      }
    }
  }
  return {sessions.begin(), sessions.end()};
}

std::map<std::string, std::set<std::string>> BgpRoutesLearnt(
    const std::vector<BgpSpeaker>& speakers, const std::vector<BgpSession>& sessions) {
  std::map<std::string, const BgpSpeaker*> by_name;
  std::map<std::string, std::vector<const BgpSpeaker*>> peers;
  for (const BgpSpeaker& speaker : speakers) by_name[speaker.name] = &speaker;
  for (const BgpSession& session : sessions) {
    peers[session.a].push_back(by_name.at(session.b));
    peers[session.b].push_back(by_name.at(session.a));
  }
  std::map<std::string, std::set<std::string>> learnt;
  for (const BgpSpeaker& origin : speakers) {
    // Who has the route, and whether it came from a client, in which case it goes further.
    std::set<std::pair<std::string, bool>> seen;
    std::vector<std::pair<const BgpSpeaker*, bool>> to_tell;
    const auto tell = [&](const BgpSpeaker& from, const BgpSpeaker& to) {
      const bool from_client = !to.cluster_id.empty() && IsClient(to, from);
      if (to.name == origin.name || !seen.insert({to.name, from_client}).second) return;
      learnt[to.name].insert(origin.name);
      to_tell.emplace_back(&to, from_client);
    };
    for (const BgpSpeaker* peer : peers[origin.name]) tell(origin, *peer);
    while (!to_tell.empty()) {
      const auto [speaker, from_client] = to_tell.back();
      to_tell.pop_back();
      if (speaker->cluster_id.empty()) continue;
      for (const BgpSpeaker* peer : peers[speaker->name]) {
        if (from_client || IsClient(*speaker, *peer)) tell(*speaker, *peer);
      }
    }
  }
  return learnt;
}

}  // namespace cnisim
