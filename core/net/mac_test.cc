#include "core/net/mac.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

TEST(MacAddress, ReadsWhatItPrints) {
  for (const uint64_t bits : {0x0ull, 0x1ull, 0x020000000001ull, 0x6607'02c1'cc60ull, ~0ull}) {
    const MacAddress mac(bits);
    EXPECT_EQ(MacAddress::Parse(mac.ToString()), mac);
  }
  EXPECT_EQ(MacAddress(0x660702c1cc60).ToString(), "66:07:02:c1:cc:60");
  EXPECT_EQ(MacAddress::Parse("EE:EE:EE:EE:EE:EE"), MacAddress(0xeeeeeeeeeeee));
}

TEST(MacAddress, RefusesWhatIsNone) {
  for (const char* text : {"", "66:07:02:c1:cc", "66:07:02:c1:cc:60:", "66-07-02-c1-cc-60",
                           "66:07:02:c1:cc:6g", "+6:07:02:c1:cc:60", "66:07:02:c1:cc: 6"}) {
    EXPECT_FALSE(MacAddress::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace cnisim
