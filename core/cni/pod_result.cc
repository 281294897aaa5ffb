#include "core/cni/pod_result.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/net/numbers.h"

namespace cnisim {
namespace {

tl::unexpected<Error> Malformed(std::string what) { return Fail("result", std::move(what)); }

// The members of the list `name`; empty if there is none.
Result<std::vector<const Json*>> Items(const Json& object, std::string_view name) {
  std::vector<const Json*> items;
  const Json* list = FindField(object, name);
  if (list == nullptr) return items;
  if (!list->is_array()) return Malformed(fmt::format("{} must be a list", name));
  for (const Json& item : *list) {
    if (!item.is_object()) return Malformed(fmt::format("{} must hold objects", name));
    items.push_back(&item);
  }
  return items;
}

Result<PodResult::Interface> ParseInterface(const Json& json) {
  PodResult::Interface parsed;
  for (const auto& [name, field] :
       {std::pair("name", &parsed.name), {"mac", &parsed.mac}, {"sandbox", &parsed.sandbox}}) {
    if (const Status read = ReadField(json, name, field); !read) {
      return tl::unexpected(read.error());
    }
  }
  return parsed;
}

// "10.0.0.1/32", host bits allowed.
Result<PodResult::Address> ParseAddress(const Json& json) {
  std::string text;
  if (const Status read = ReadField(json, "address", &text); !read) {
    return tl::unexpected(read.error());
  }
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return Malformed("an address must have a prefix length");
  const auto ip = IpAddress::Parse(text.substr(0, slash));
  const std::optional<int> length = ParseInt(text.substr(slash + 1));
  if (!ip || !length || *length < 0 || *length > (ip->is_v4() ? 32 : 128)) {
    return Malformed(fmt::format("'{}' is no address with a prefix length", text));
  }
  PodResult::Address parsed{*ip, *length, std::nullopt};
  if (FindField(json, "interface") != nullptr) {
    int index = 0;
    if (const Status read = ReadField(json, "interface", &index); !read) {
      return tl::unexpected(read.error());
    }
    parsed.interface = index;
  }
  return parsed;
}

}  // namespace

bool IsSupportedCniVersion(std::string_view version) {
  return std::ranges::find(kCniVersions, version) != kCniVersions.end();
}

std::optional<int> PodResult::Find(std::string_view name) const {
  const auto it = std::ranges::find(interfaces, name, &Interface::name);
  if (it == interfaces.end()) return std::nullopt;
  return static_cast<int>(it - interfaces.begin());
}

std::string RenderResult(const PodResult& result, std::string_view version) {
  Json json;
  json["cniVersion"] = version;
  for (const PodResult::Interface& each : result.interfaces) {
    Json item;
    item["name"] = each.name;
    if (!each.mac.empty()) item["mac"] = each.mac;
    if (!each.sandbox.empty()) item["sandbox"] = each.sandbox;
    json["interfaces"].push_back(std::move(item));
  }
  for (const PodResult::Address& each : result.ips) {
    Json item;
    if (version != "1.0.0") item["version"] = each.ip.is_v4() ? "4" : "6";
    if (each.interface) item["interface"] = *each.interface;
    item["address"] = fmt::format("{}/{}", each.ip.ToString(), each.length);
    json["ips"].push_back(std::move(item));
  }
  json["dns"] = Json::object();
  return json.dump(4, ' ', false, Json::error_handler_t::replace);
}

Result<PodResult> ParseResult(const Json& json) {
  if (!json.is_object()) return Malformed("a result must be an object");
  const auto interfaces = Items(json, "interfaces");
  if (!interfaces) return tl::unexpected(interfaces.error());
  const auto ips = Items(json, "ips");
  if (!ips) return tl::unexpected(ips.error());
  PodResult result;
  for (const Json* item : *interfaces) {
    auto parsed = ParseInterface(*item);
    if (!parsed) return tl::unexpected(parsed.error());
    result.interfaces.push_back(*std::move(parsed));
  }
  for (const Json* item : *ips) {
    const auto parsed = ParseAddress(*item);
    if (!parsed) return tl::unexpected(parsed.error());
    result.ips.push_back(*parsed);
  }
  return result;
}

}  // namespace cnisim
