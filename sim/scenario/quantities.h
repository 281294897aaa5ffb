// Quantities as Kubernetes and Go write them: "1h30m", "500m", "10Gi", "20/s".
//
// Integer arithmetic throughout, so what is written is what is used; only rates are doubles.
// Errors say what is wrong and, where one can be guessed, what was meant.
#ifndef CNISIM_SIM_SCENARIO_QUANTITIES_H_
#define CNISIM_SIM_SCENARIO_QUANTITIES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/ports/clock.h"

namespace cnisim {

struct QuantityError {
  std::string message;     // "is not a duration"
  std::string suggestion;  // may be empty
};
template <typename T>
using Quantity = tl::expected<T, QuantityError>;

// "90s", "1h30m", "0.7s", "250ms"; units d, h, m, s, ms, us, ns. 0 needs no unit.
Quantity<Duration> ParseDuration(std::string_view text);
// The shortest exact form that ParseDuration reads: "1h30m", "700ms", "0s". Requires d >= 0.
std::string FormatDuration(Duration d);

// Thousandths of a CPU: "500m", "2", "0.5". Finer parts are rounded up, as Kubernetes does.
Quantity<int64_t> ParseCpuMilli(std::string_view text);
// MiB, rounded up: "500Mi", "10Gi", "1G", or plain bytes.
Quantity<int64_t> ParseMemoryMib(std::string_view text);

// Bytes, rounded up: "900", "8Ki", "1.5k".
Quantity<int64_t> ParseBytes(std::string_view text);

// Occurrences a second: "20/s", "5/m", "0.5/h", "10/d".
Quantity<double> ParseRate(std::string_view text);
// Reads back as the same double.
std::string FormatRate(double per_second);

// A decimal number, with a fraction or exponent if need be; no infinity, NaN or hexadecimal.
std::optional<double> ParseNumber(std::string_view text);
// A whole decimal number without leading zeros; nullopt also if it overflows.
std::optional<int64_t> ParseInteger(std::string_view text);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_QUANTITIES_H_
