// Any bytes as a checkpoint file: reading never fails but with an error, and what was read is read
// again, the same, after it was written.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/ipam/checkpoint_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const cnisim::CivilEpoch epoch{1'767'323'045'000'000'000};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = cnisim::ParseCheckpoint(text, epoch);
  if (!read) return 0;
  const auto again = cnisim::ParseCheckpoint(cnisim::FormatCheckpoint(*read, epoch), epoch);
  if (!again || *again != *read) std::abort();
  return 0;
}
