// Lets fmt print whatever has a ToString() of its own: addresses, CIDR blocks, keys.
#ifndef CNISIM_CORE_NET_FORMAT_H_
#define CNISIM_CORE_NET_FORMAT_H_

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

template <typename T>
requires requires(const T& value) {
  { value.ToString() } -> std::same_as<std::string>;
}
struct fmt::formatter<T> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const T& value, Context& context) const {
    return fmt::formatter<std::string_view>::format(value.ToString(), context);
  }
};

#endif  // CNISIM_CORE_NET_FORMAT_H_
