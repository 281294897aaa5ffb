#include "core/rpc/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace cnisim {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

tl::unexpected<Error> WrongType(std::string_view name, const char* wanted) {
  return Fail("json", fmt::format("{} must be {}", name, wanted));
}

}  // namespace

std::optional<Json> ParseJson(std::string_view text) {
  Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return std::nullopt;
  return parsed;
}

const Json* FindField(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const Json* found = nullptr;
  for (const auto& [key, value] : object.items()) {
    if (SameName(key, name) && !value.is_null()) found = &value;
  }
  return found;
}

Status ReadField(const Json& object, std::string_view name, std::string* value) {
  const Json* field = FindField(object, name);
  if (field == nullptr) return {};
  if (!field->is_string()) return WrongType(name, "a string");
  *value = field->get_ref<const std::string&>();
  return {};
}

Status ReadField(const Json& object, std::string_view name, int* value) {
  using Limits = std::numeric_limits<int>;
  const Json* field = FindField(object, name);
  if (field == nullptr) return {};
  // nlohmann keeps a non-negative integer as unsigned; what does not fit 64 bits is a float.
  const bool fits = field->is_number_unsigned()
                        ? field->get<uint64_t>() <= static_cast<uint64_t>(Limits::max())
                        : field->is_number_integer() && field->get<int64_t>() >= Limits::min();
  if (!fits) return WrongType(name, "a 32-bit integer");
  *value = static_cast<int>(field->get<int64_t>());
  return {};
}

}  // namespace cnisim
