// What a user is told about a scenario file: where, what, and what they may have meant.
//
// `code` is stable and names the kind of mistake (codes.h); texts may change. Lines and columns
// count from 1; 0 means that the place has none (a value given with --set, a file that cannot be
// read).
#ifndef CNISIM_SIM_SCENARIO_DIAGNOSTIC_H_
#define CNISIM_SIM_SCENARIO_DIAGNOSTIC_H_

#include <compare>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/codes.h"

namespace cnisim {

// An error refuses the scenario; a warning says that it hardly does what was meant; an info is
// worth knowing.
enum class DiagnosticKind { kError, kWarning, kInfo };
std::string_view NameOf(DiagnosticKind kind);  // "error", ...

struct Diagnostic {
  DiagnosticKind kind = DiagnosticKind::kError;
  std::string code;
  std::string file;  // or "--set KEY"
  int line = 0;
  int column = 0;
  std::string message;
  std::string suggestion;  // may be empty

  // "a.yaml:12:7: error: unknown key 'replica' in workload 'api'; did you mean 'replicas'?
  // [unknown-key]", on one line.
  std::string ToString() const;
};

// A place in one of the sources of a Diagnostics. Ordered as diagnostics are reported.
struct Location {
  int source = 0;
  int line = 0;
  int column = 0;

  friend auto operator<=>(const Location&, const Location&) = default;
};

// Collects what is wrong with one scenario and the files it names.
class Diagnostics {
 public:
  static constexpr size_t kMaxReported = 20;

  // `file` is source 0.
  explicit Diagnostics(std::string file) : sources_{std::move(file)} {}
  // With the sources of another one, never empty.
  explicit Diagnostics(std::vector<std::string> sources) : sources_(std::move(sources)) {}

  // Another file, or a --set; reported after all earlier sources.
  int AddSource(std::string name);

  void Error(Location where, Code code, std::string message, std::string suggestion = "");
  // Takes back errors that a later, better one explains.
  void Retract(Location where, Code code, std::string_view message);
  void Warning(Location where, Code code, std::string message, std::string suggestion = "");
  void Info(Location where, Code code, std::string message, std::string suggestion = "");

  bool has_errors() const;
  // In order of place, each once. At most kMaxReported errors, then one that says how many more
  // there are.
  std::vector<Diagnostic> Errors() const;
  std::vector<Diagnostic> Warnings() const;
  // Everything but errors, in order of place, each once.
  std::vector<Diagnostic> Advice() const;

  const std::vector<std::string>& sources() const { return sources_; }

 private:
  struct Entry {
    Location where;
    Diagnostic diagnostic;
  };

  void Add(DiagnosticKind kind, Location where, Code code, std::string message,
           std::string suggestion);
  std::vector<Diagnostic> Sorted(std::initializer_list<DiagnosticKind> kinds) const;

  std::vector<std::string> sources_;
  std::vector<Entry> entries_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_DIAGNOSTIC_H_
