// Errors are values: every fallible operation of the core returns Result<T> or Status.
#ifndef CNISIM_CORE_PORTS_RESULT_H_
#define CNISIM_CORE_PORTS_RESULT_H_

#include <string>
#include <tl/expected.hpp>

namespace cnisim {

// `code` is for programs: an EC2 error code ("InsufficientCidrBlocks") or one of the core's own
// constants. `message` is for people and carries the context.
struct Error {
  std::string code;
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> Fail(std::string code, std::string message) {
  return tl::unexpected<Error>(Error{std::move(code), std::move(message)});
}

}  // namespace cnisim

#endif  // CNISIM_CORE_PORTS_RESULT_H_
