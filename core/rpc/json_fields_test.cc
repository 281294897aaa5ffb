#include "core/rpc/json_fields.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

Result<std::string> Text(const char* json) {
  std::string value = "as before";
  const Status read = ReadField(*ParseJson(json), "vlanId", &value);
  if (!read) return tl::unexpected(read.error());
  return value;
}

Result<int> Number(const char* json) {
  int value = -7;
  const Status read = ReadField(*ParseJson(json), "vlanId", &value);
  if (!read) return tl::unexpected(read.error());
  return value;
}

// What Go's encoding/json does with a struct of one field.
TEST(JsonFields, AreReadAsGoReadsThem) {
  EXPECT_EQ(Text(R"({"vlanId":"a"})"), "a");
  EXPECT_EQ(Text(R"({"VLANID":"a"})"), "a");
  EXPECT_EQ(Text(R"({"vlanId":"a","vlanID":"b"})"), "b");
  EXPECT_EQ(Text(R"({"vlanId":null})"), "as before");
  EXPECT_EQ(Text(R"({"vlan":"a","vlanIds":"b","":"c"})"), "as before");
  EXPECT_FALSE(Text(R"({"vlanId":1})"));
  EXPECT_FALSE(Text(R"({"vlanId":["a"]})"));

  EXPECT_EQ(Number(R"({"vlanID":7})"), 7);
  EXPECT_EQ(Number(R"({"vlanId":-2147483648})"), -2147483647 - 1);
  EXPECT_EQ(Number(R"({"vlanId":2147483647})"), 2147483647);
  EXPECT_EQ(Number(R"({"vlanId":null})"), -7);
  for (const char* bad : {R"({"vlanId":2147483648})", R"({"vlanId":-2147483649})",
                          R"({"vlanId":18446744073709551616})", R"({"vlanId":7.0})",
                          R"({"vlanId":1e1})", R"({"vlanId":"7"})", R"({"vlanId":true})"}) {
    EXPECT_FALSE(Number(bad)) << bad;
  }
}

TEST(JsonFields, BadTextIsNoJson) {
  for (const char* bad : {"", "{", "{}}", "{'a':1}", "\"\xff\"", "nul", "[1,]"}) {
    EXPECT_EQ(ParseJson(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace cnisim
