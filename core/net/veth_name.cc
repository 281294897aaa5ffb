#include "core/net/veth_name.h"

#include <fmt/format.h>

#include <boost/uuid/detail/sha1.hpp>

namespace cnisim {

std::string VethSuffix(std::string_view pod_namespace, std::string_view pod_name) {
  boost::uuids::detail::sha1 sha1;
  sha1.process_bytes(pod_namespace.data(), pod_namespace.size());
  sha1.process_byte('.');
  sha1.process_bytes(pod_name.data(), pod_name.size());
  boost::uuids::detail::sha1::digest_type digest;
  sha1.get_digest(digest);
  return fmt::format("{:08x}{:03x}", digest[0], digest[1] >> 20);
}

}  // namespace cnisim
