// Reading JSON objects as Go's encoding/json fills a struct, for texts that upstream reads so.
//
// A member belongs to a field if the names are equal but for the case of ASCII letters; the last
// such member counts; null leaves the field as it was; a value of another type is an error.
// O(members) a field.
#ifndef CNISIM_CORE_RPC_JSON_FIELDS_H_
#define CNISIM_CORE_RPC_JSON_FIELDS_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/result.h"

namespace cnisim {

// Keeps members in the order of the text.
using Json = nlohmann::ordered_json;

// nullopt instead of an exception if `text` is no JSON.
std::optional<Json> ParseJson(std::string_view text);

// nullptr if `object` has no such member, or null.
const Json* FindField(const Json& object, std::string_view name);

// `value` stays as it is if the member is missing.
Status ReadField(const Json& object, std::string_view name, std::string* value);
Status ReadField(const Json& object, std::string_view name, int* value);

}  // namespace cnisim

#endif  // CNISIM_CORE_RPC_JSON_FIELDS_H_
