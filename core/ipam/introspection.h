// What the agent tells about itself over HTTP on 127.0.0.1:61679, for people and support scripts:
// the same paths and JSON as amazon-vpc-cni-k8s v1.23.1 (pkg/ipamd/introspect.go), members in the
// order in which Go writes them.
//
//   /v1/enis                      every network card's ENIs, CIDRs and addresses
//   /v1/eni-configs               the name of the node's ENIConfig
//   /v1/ipamd-env-settings        effective settings of the pool
//   /v1/networkutils-env-settings effective settings of the host's network; which variables the
//   real
//                                 agent lists was not to be had: these are all that it reads
//   anything else                 {"AvailableCommands":[these four]}, sorted
//
// Container ids and interface names are blanked: who may read this page need not know them. Times
// are UTC. Pure functions; the server is somebody else's.
#ifndef CNISIM_CORE_IPAM_INTROSPECTION_H_
#define CNISIM_CORE_IPAM_INTROSPECTION_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ipam/pool_snapshot.h"
#include "core/ipam/settings.h"
#include "core/net/ip.h"
#include "core/ports/civil_time.h"
#include "core/ports/result.h"

namespace cnisim {

struct IntrospectionSources {
  std::span<const CardDatastore> cards;
  const AgentSettings& settings;
  Result<std::string> eni_config;  // the name, or why there is none
  CivilEpoch epoch;
};

struct HttpReply {
  int status = 200;
  std::string body;

  friend bool operator==(const HttpReply&, const HttpReply&) = default;
};

inline constexpr std::string_view kEniConfigsPath = "/v1/eni-configs";

HttpReply Introspect(std::string_view path, const IntrospectionSources& sources);

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_INTROSPECTION_H_
