// How many requests the agent's handlers received: the metrics add_ip_req_count and
// del_ip_req_count{reason}. Requests of another version count too.
// Source: amazon-vpc-cni-k8s v1.23.1, pkg/ipamd/rpc_handler.go.
#ifndef CNISIM_CORE_TELEMETRY_REQUEST_COUNTS_H_
#define CNISIM_CORE_TELEMETRY_REQUEST_COUNTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace cnisim {

struct RequestCounts {
  uint64_t adds = 0;
  std::map<std::string, uint64_t, std::less<>> dels_by_reason;  // as the clients give it
};

}  // namespace cnisim

#endif  // CNISIM_CORE_TELEMETRY_REQUEST_COUNTS_H_
