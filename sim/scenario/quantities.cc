#include "sim/scenario/quantities.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

namespace cnisim {
namespace {

using Wide = __int128;

constexpr Wide kMaxInt64 = std::numeric_limits<int64_t>::max();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// digits / scale, exactly.
struct Decimal {
  Wide digits = 0;
  Wide scale = 1;
};

// Takes a decimal number off the front of `text`. With more than 18 digits it would not fit any
// quantity here.
std::optional<Decimal> TakeDecimal(std::string_view& text) {
  constexpr int kMaxDigits = 18;
  Decimal value;
  int digits = 0;
  bool point = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !point) {
      point = true;
    } else if (IsDigit(text[i])) {
      if (++digits > kMaxDigits) return std::nullopt;
      value.digits = value.digits * 10 + (text[i] - '0');
      if (point) value.scale *= 10;
    } else {
      break;
    }
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(i);
  return value;
}

struct Unit {
  std::string_view name;
  int64_t size;
};

constexpr std::array<Unit, 8> kDurationUnits{{{"d", 86'400'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000},
                                              {"us", 1'000},
                                              {"\u00b5s", 1'000},
                                              {"ns", 1}}};

// What people write instead of a unit.
struct Alias {
  std::string_view written;
  std::string_view unit;
};
constexpr std::array<Alias, 20> kDurationAliases{
    {{"sec", "s"}, {"secs", "s"}, {"second", "s"}, {"seconds", "s"}, {"S", "s"},
     {"min", "m"}, {"mins", "m"}, {"minute", "m"}, {"minutes", "m"}, {"M", "m"},
     {"hr", "h"},  {"hrs", "h"},  {"hour", "h"},   {"hours", "h"},   {"H", "h"},
     {"day", "d"}, {"days", "d"}, {"D", "d"},      {"msec", "ms"},   {"millis", "ms"}}};

constexpr int64_t kMi = int64_t{1} << 20;
constexpr std::array<Unit, 12> kMemoryUnits{{{"Ki", int64_t{1} << 10},
                                             {"Mi", int64_t{1} << 20},
                                             {"Gi", int64_t{1} << 30},
                                             {"Ti", int64_t{1} << 40},
                                             {"Pi", int64_t{1} << 50},
                                             {"k", 1'000},
                                             {"M", 1'000'000},
                                             {"G", 1'000'000'000},
                                             {"T", 1'000'000'000'000},
                                             {"P", 1'000'000'000'000'000},
                                             {"", 1},
                                             {"m", 0}}};

tl::unexpected<QuantityError> Bad(std::string message, std::string suggestion = "") {
  return tl::unexpected<QuantityError>({std::move(message), std::move(suggestion)});
}

std::string Mean(std::string_view text) { return fmt::format("did you mean '{}'?", text); }

const Unit* FindUnit(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::string_view TakeUnit(std::string_view& text) {
  size_t i = 0;
  while (i < text.size() && !IsDigit(text[i]) && text[i] != '.') ++i;
  const std::string_view unit = text.substr(0, i);
  text.remove_prefix(i);
  return unit;
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The text with the unit's usual spelling, if that is what went wrong.
std::string DurationGuess(std::string_view number, std::string_view unit) {
  const std::string_view bare = Trim(unit);
  for (const Alias& alias : kDurationAliases) {
    if (alias.written == bare) return Mean(fmt::format("{}{}", number, alias.unit));
  }
  if (bare != unit && FindUnit(kDurationUnits, bare) != nullptr) {
    return Mean(fmt::format("{}{}", number, bare));
  }
  return "";
}

// In units of so many bytes, rounded up.
Quantity<int64_t> ParseSize(std::string_view text, int64_t bytes_each, std::string_view not_one) {
  if (text.starts_with('-')) return Bad("must not be negative");
  std::string_view rest = text;
  const std::optional<Decimal> number = TakeDecimal(rest);
  if (!number) return Bad(std::string(not_one));
  const std::string_view digits = text.substr(0, text.size() - rest.size());
  const Unit* unit = FindUnit(kMemoryUnits, rest);
  if (unit == nullptr) {
    const std::string_view bare = Trim(rest);
    for (const char prefix : {'K', 'M', 'G', 'T', 'P'}) {
      const char lower = static_cast<char>(prefix - 'A' + 'a');
      if (!bare.empty() && (bare.front() == prefix || bare.front() == lower) && bare.size() <= 3) {
        return Bad(std::string(not_one), Mean(fmt::format("{}{}i", digits, prefix)));
      }
    }
    return Bad(std::string(not_one));
  }
  if (unit->size == 0) {
    return Bad("is in thousandths of a byte", Mean(fmt::format("{}Mi", digits)));
  }
  const Wide bytes = number->digits * unit->size;
  const Wide each = number->scale * bytes_each;
  const Wide count = bytes / each + (bytes % each != 0 ? 1 : 0);
  if (count > kMaxInt64) return Bad("is too large");
  return static_cast<int64_t>(count);
}

}  // namespace

Quantity<Duration> ParseDuration(std::string_view text) {
  constexpr std::string_view kNotOne = "is not a duration such as 30s, 5m, 1h30m or 250ms";
  if (text == "0") return Duration::zero();
  if (text.starts_with('-')) return Bad("must not be negative");
  std::string_view rest = text;
  Wide total = 0;
  int64_t last_unit = 0;
  if (rest.empty()) return Bad(std::string(kNotOne));
  while (!rest.empty()) {
    const std::string_view from = rest;
    const std::optional<Decimal> number = TakeDecimal(rest);
    if (!number) {
      return Bad(IsDigit(from.front()) ? "is too large for a duration" : std::string(kNotOne));
    }
    const std::string_view digits = from.substr(0, from.size() - rest.size());
    const std::string_view name = TakeUnit(rest);
    if (name.empty() && from.size() == text.size()) {
      return Bad("is a bare number; a duration needs a unit", Mean(fmt::format("{}s", digits)));
    }
    const Unit* unit = FindUnit(kDurationUnits, name);
    if (unit == nullptr) {
      return Bad(std::string(kNotOne),
                 from.size() == text.size() && rest.empty() ? DurationGuess(digits, name) : "");
    }
    if (last_unit > 0 && unit->size >= last_unit) {
      return Bad("has its units twice or out of order; write it as in 1h30m");
    }
    last_unit = unit->size;
    const Wide scaled = number->digits * unit->size;
    if (scaled % number->scale != 0) return Bad("is finer than a nanosecond");
    total += scaled / number->scale;
    if (total > kMaxInt64) return Bad("is too large for a duration");
  }
  return Duration(static_cast<int64_t>(total));
}

std::string FormatDuration(Duration d) {
  int64_t rest = d.count();
  std::string text;
  for (const std::string_view name : {"h", "m", "s", "ms", "us", "ns"}) {
    const int64_t size = FindUnit(kDurationUnits, name)->size;
    if (rest >= size) text += fmt::format("{}{}", rest / size, name);
    rest %= size;
  }
  return text.empty() ? "0s" : text;
}

Quantity<int64_t> ParseCpuMilli(std::string_view text) {
  constexpr std::string_view kNotOne = "is not an amount of CPU such as 500m, 2 or 0.5";
  if (text.starts_with('-')) return Bad("must not be negative");
  std::string_view rest = text;
  const std::optional<Decimal> number = TakeDecimal(rest);
  if (!number) return Bad(std::string(kNotOne));
  if (!rest.empty() && rest != "m") {
    const std::string_view unit = Trim(rest);
    const std::string_view digits = text.substr(0, text.size() - rest.size());
    const bool cores = unit == "cpu" || unit == "cpus" || unit == "core" || unit == "cores";
    return Bad(std::string(kNotOne), cores ? Mean(digits) : "");
  }
  const Wide milli = number->digits * (rest == "m" ? 1 : 1000);
  const Wide rounded = (milli + number->scale - 1) / number->scale;
  if (rounded > kMaxInt64) return Bad("is too large");
  return static_cast<int64_t>(rounded);
}

Quantity<int64_t> ParseMemoryMib(std::string_view text) {
  return ParseSize(text, kMi, "is not an amount of memory such as 500Mi or 10Gi");
}

Quantity<int64_t> ParseBytes(std::string_view text) {
  return ParseSize(text, 1, "is not a size such as 900, 8Ki or 1Mi");
}

Quantity<double> ParseRate(std::string_view text) {
  constexpr std::string_view kNotOne = "is not a rate such as 20/s, 5/m or 100/h";
  const size_t slash = text.find('/');
  const std::string_view digits = text.substr(0, slash);
  const std::optional<double> number = ParseNumber(digits);
  if (!number) return Bad(std::string(kNotOne));
  if (*number < 0) return Bad("must not be negative");
  if (slash == std::string_view::npos) {
    return Bad("is a bare number; a rate needs a unit", Mean(fmt::format("{}/s", digits)));
  }
  const std::string_view per = text.substr(slash + 1);
  if (per == "s") return *number;
  if (per == "m") return *number / 60;
  if (per == "h") return *number / 3600;
  if (per == "d") return *number / 86400;
  for (const Alias& alias : kDurationAliases) {
    if (alias.written == per) {
      return Bad(std::string(kNotOne), Mean(fmt::format("{}/{}", digits, alias.unit)));
    }
  }
  return Bad(std::string(kNotOne));
}

std::string FormatRate(double per_second) { return fmt::format("{}/s", per_second); }

std::optional<double> ParseNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !(IsDigit(text.front()) || text.front() == '-' || text.front() == '.')) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace cnisim
