// Which BGP sessions Calico's nodes have with one another, and whose routes reach whom by them.
//
// Without route reflectors every node peers with every other (node-to-node mesh). A node with a
// cluster id is a route reflector and leaves the mesh; it peers with whom it is told to, and hands
// on what it learns as RFC 4456 says: from a client to all peers, from another peer to clients. A
// peer without cluster id, or with another one, is its client. Other nodes hand on nothing that
// they have learnt from iBGP. Next hops are kept, so a reflected route is the same route.
//
// Source: Calico v3.32, confd's BIRD templates. Complexity: sessions times nodes.
#ifndef CNISIM_CORE_ROUTING_BGP_SESSIONS_H_
#define CNISIM_CORE_ROUTING_BGP_SESSIONS_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/net/ip.h"

namespace cnisim {

struct BgpSpeaker {
  std::string name;
  IpAddress ip;
  std::string cluster_id;  // of a route reflector
};

struct BgpSession {
  std::string a;
  std::string b;
  std::string passive;  // which of both waits for the other; of mesh sessions only
  friend auto operator<=>(const BgpSession&, const BgpSession&) = default;
};

// `peers` are those that are configured beside the mesh. Ordered by names.
std::vector<BgpSession> BgpSessions(const std::vector<BgpSpeaker>& speakers, bool full_mesh,
                                    const std::set<std::pair<std::string, std::string>>& peers);

// For each speaker, whose routes it learns.
std::map<std::string, std::set<std::string>> BgpRoutesLearnt(
    const std::vector<BgpSpeaker>& speakers, const std::vector<BgpSession>& sessions);

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_BGP_SESSIONS_H_
