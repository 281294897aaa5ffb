#include "core/ipam/checkpoint_json.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/ipam/metadata_json.h"
#include "core/net/ip.h"

namespace cnisim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kVersion = "vpc-cni-ipam/1";

tl::unexpected<Error> Malformed(std::string_view what) {
  return Fail(std::string(checkpoint_error::kMalformed), fmt::format("checkpoint: {}", what));
}

Json ToJson(const Allocation& allocation, CivilEpoch epoch) {
  const IpAddress ip = allocation.ip;
  return {{"networkName", allocation.key.network},
          {"containerID", allocation.key.container},
          {"ifName", allocation.key.interface_name},
          {ip.is_v4() ? "ipv4" : "ipv6", ip.ToString()},
          {"allocationTimestamp", epoch.ToUnixNanos(allocation.allocated)},
          {"metadata", MetadataJson(allocation.metadata)}};
}

// Reads members of one object; remembers the first that has the wrong type. An absent member and a
// null are the same.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {
    if (!object.is_object()) wrong_ = "an entry is no object";
  }

  std::string Text(const char* name) {
    const Json* value = Find(name);
    if (value == nullptr) return {};
    if (const auto* text = value->get_ptr<const std::string*>()) return *text;
    wrong_ = fmt::format("{} is no string", name);
    return {};
  }

  // Of at most the given size, either way.
  int64_t Integer(const char* name, int64_t largest) {
    const Json* value = Find(name);
    if (value == nullptr) return 0;
    if (value->is_number_unsigned()) {
      const auto number = value->get<uint64_t>();
      if (number <= static_cast<uint64_t>(largest)) return static_cast<int64_t>(number);
    } else if (value->is_number_integer()) {
      const auto number = value->get<int64_t>();
      if (number >= -largest - 1) return number;
    }
    wrong_ = fmt::format("{} is no whole number of its size", name);
    return 0;
  }

  // nullptr if absent.
  const Json* Find(const char* name) {
    if (!object_.is_object()) return nullptr;
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }

  const std::string& wrong() const { return wrong_; }

 private:
  const Json& object_;
  std::string wrong_;
};

IpAddress ParseAddress(Members& entry) {
  for (const char* name : {"ipv4", "ipv6"}) {
    if (const auto address = IpAddress::Parse(entry.Text(name))) return *address;
  }
  return IpAddress();
}

Result<Allocation> FromJson(const Json& json, CivilEpoch epoch) {
  Members entry(json);
  Allocation allocation;
  allocation.key = {entry.Text("networkName"), entry.Text("containerID"), entry.Text("ifName")};
  allocation.ip = ParseAddress(entry);
  allocation.allocated = epoch.FromUnixNanos(
      entry.Integer("allocationTimestamp", std::numeric_limits<int64_t>::max()));
  if (const Json* object = entry.Find("metadata")) {
    Members metadata(*object);
    allocation.metadata = {
        metadata.Text("k8sPodNamespace"), metadata.Text("k8sPodName"),
        static_cast<int>(metadata.Integer("interfacesCount", std::numeric_limits<int>::max()))};
    if (!metadata.wrong().empty()) return Malformed(metadata.wrong());
  }
  if (!entry.wrong().empty()) return Malformed(entry.wrong());
  return allocation;
}

}  // namespace

std::string FormatCheckpoint(const std::vector<Allocation>& allocations, CivilEpoch epoch) {
  Json entries = Json::array();
  for (const Allocation& allocation : allocations) entries.push_back(ToJson(allocation, epoch));
  const Json checkpoint = {{"version", kVersion}, {"allocations", std::move(entries)}};
  return checkpoint.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

Result<std::vector<Allocation>> ParseCheckpoint(std::string_view text, CivilEpoch epoch) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Malformed(text.empty() ? "it is empty" : "it is no JSON");
  Members checkpoint(json);
  const std::string version = checkpoint.Text("version");
  const Json* entries = checkpoint.Find("allocations");
  if (!checkpoint.wrong().empty()) return Malformed(checkpoint.wrong());
  if (version != kVersion) {
    return Fail(std::string(checkpoint_error::kOtherVersion),
                fmt::format("checkpoint: version \"{}\" is not \"{}\"", version, kVersion));
  }
  std::vector<Allocation> allocations;
  if (entries == nullptr) return allocations;
  if (!entries->is_array()) return Malformed("allocations is no list");
  allocations.reserve(entries->size());
  for (const Json& entry : *entries) {
    Result<Allocation> allocation = FromJson(entry, epoch);
    if (!allocation) return tl::unexpected(allocation.error());
    allocations.push_back(*std::move(allocation));
  }
  return allocations;
}

}  // namespace cnisim
