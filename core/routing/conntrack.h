// The connections that a host has seen, as Linux's conntrack remembers them: what they were sent
// as, what replies look like after address translation, and their mark.
//
// A connection is remembered once its first packet has passed the host. Nothing expires here.
#ifndef CNISIM_CORE_ROUTING_CONNTRACK_H_
#define CNISIM_CORE_ROUTING_CONNTRACK_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/net/ip.h"

namespace cnisim {

// What tells a packet's flow. Protocols without ports have 0.
struct FlowTuple {
  IpAddress src;
  IpAddress dst;
  std::string protocol = "tcp";
  uint16_t source_port = 0;
  uint16_t destination_port = 0;

  FlowTuple Reversed() const { return {dst, src, protocol, destination_port, source_port}; }
  friend auto operator<=>(const FlowTuple&, const FlowTuple&) = default;
};

struct Connection {
  FlowTuple original;
  FlowTuple reply;  // what comes back, before it is translated back
  uint32_t mark = 0;
};

class Conntrack {
 public:
  struct Found {
    std::shared_ptr<Connection> connection;  // null if there is none
    bool is_reply = false;
  };

  Found Find(const FlowTuple& tuple) const {
    const auto found = flows_.find(tuple);
    return found == flows_.end() ? Found{} : found->second;
  }

  // Remembers a connection. If another one has its replies' tuple already, replies go to the next
  // free port, as the kernel's translation would choose.
  void Confirm(const std::shared_ptr<Connection>& connection) {
    FlowTuple& reply = connection->reply;
    while (flows_.contains(reply)) {
      if (++reply.destination_port == 0) reply.destination_port = 1024;
    }
    flows_[connection->original] = {connection, false};
    flows_[reply] = {connection, true};
  }

  size_t size() const { return flows_.size() / 2; }

 private:
  std::map<FlowTuple, Found> flows_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_CONNTRACK_H_
