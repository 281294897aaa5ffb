// What the process tells its caller.
#ifndef CNISIM_TOOLS_CNISIM_BASE_EXIT_CODE_H_
#define CNISIM_TOOLS_CNISIM_BASE_EXIT_CODE_H_

namespace cnisim {

enum class ExitCode {
  kOk = 0,
  kRuntimeError = 1,
  kUsage = 2,  // or an invalid scenario
  kExpectationFailed = 3,
  kNotDeterministic = 4,
  kInvariantViolated = 5,
  kSomeRunsFailed = 6,
  kInterrupted = 130,
};

// Of several things that happened, the one that counts: 2 (nothing ran), then 130, 5, 4, 1, 6, 3.
constexpr ExitCode Worse(ExitCode a, ExitCode b) {
  constexpr ExitCode kOrder[] = {ExitCode::kUsage,
                                 ExitCode::kInterrupted,
                                 ExitCode::kInvariantViolated,
                                 ExitCode::kNotDeterministic,
                                 ExitCode::kRuntimeError,
                                 ExitCode::kSomeRunsFailed,
                                 ExitCode::kExpectationFailed};
  for (const ExitCode code : kOrder) {
    if (a == code || b == code) return code;
  }
  return ExitCode::kOk;
}

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_BASE_EXIT_CODE_H_
