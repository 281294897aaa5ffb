// Words on standard error, after what is on its way to standard output. That nobody can read them
// is no reason to fail.
#ifndef CNISIM_TOOLS_CNISIM_BASE_SAY_H_
#define CNISIM_TOOLS_CNISIM_BASE_SAY_H_

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace cnisim {

template <typename... Args>
void Say(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_SAY_H_
