#include "sim/scenario/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

namespace cnisim {

std::string_view NameOf(DiagnosticKind kind) {
  switch (kind) {
    case DiagnosticKind::kError:
      return "error";
    case DiagnosticKind::kWarning:
      return "warning";
    case DiagnosticKind::kInfo:
      return "info";
  }
  return "";
}

std::string Diagnostic::ToString() const {
  std::string text = file;
  if (line > 0) text += fmt::format(":{}", line);
  if (line > 0 && column > 0) text += fmt::format(":{}", column);
  text += fmt::format(": {}: {}", NameOf(kind), message);
  if (!suggestion.empty()) text += "; " + suggestion;
  return text + fmt::format(" [{}]", code);
}

int Diagnostics::AddSource(std::string name) {
  sources_.push_back(std::move(name));
  return static_cast<int>(sources_.size()) - 1;
}

void Diagnostics::Error(Location where, Code code, std::string message, std::string suggestion) {
  Add(DiagnosticKind::kError, where, code, std::move(message), std::move(suggestion));
}

void Diagnostics::Retract(Location where, Code code, std::string_view message) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return entry.where == where && entry.diagnostic.code == code.text() &&
           entry.diagnostic.message == message;
  });
}

void Diagnostics::Warning(Location where, Code code, std::string message, std::string suggestion) {
  Add(DiagnosticKind::kWarning, where, code, std::move(message), std::move(suggestion));
}

void Diagnostics::Info(Location where, Code code, std::string message, std::string suggestion) {
  Add(DiagnosticKind::kInfo, where, code, std::move(message), std::move(suggestion));
}

void Diagnostics::Add(DiagnosticKind kind, Location where, Code code, std::string message,
                      std::string suggestion) {
  entries_.push_back({where, Diagnostic{kind, std::string(code.text()),
                                        sources_[static_cast<size_t>(where.source)], where.line,
                                        where.column, std::move(message), std::move(suggestion)}});
}

bool Diagnostics::has_errors() const {
  return std::ranges::any_of(
      entries_, [](const Entry& entry) { return entry.diagnostic.kind == DiagnosticKind::kError; });
}

std::vector<Diagnostic> Diagnostics::Sorted(std::initializer_list<DiagnosticKind> kinds) const {
  std::vector<Entry> found;
  std::ranges::copy_if(entries_, std::back_inserter(found), [&](const Entry& entry) {
    return std::ranges::find(kinds, entry.diagnostic.kind) != kinds.end();
  });
  std::ranges::stable_sort(found, {}, &Entry::where);
  std::vector<Diagnostic> result;
  for (const Entry& entry : found) {
    // The same mistake is met twice where an alias repeats a value.
    const bool repeated = std::ranges::any_of(result, [&](const Diagnostic& earlier) {
      return earlier.ToString() == entry.diagnostic.ToString();
    });
    if (!repeated) result.push_back(entry.diagnostic);
  }
  return result;
}

std::vector<Diagnostic> Diagnostics::Errors() const {
  std::vector<Diagnostic> errors = Sorted({DiagnosticKind::kError});
  if (errors.size() > kMaxReported) {
    const size_t more = errors.size() - kMaxReported;
    errors.resize(kMaxReported);
    Diagnostic note;
    note.code = Code("more-errors").text();
    note.file = sources_[0];
    note.message = fmt::format("{} more error{} not shown", more, more == 1 ? " is" : "s are");
    errors.push_back(std::move(note));
  }
  return errors;
}

std::vector<Diagnostic> Diagnostics::Warnings() const { return Sorted({DiagnosticKind::kWarning}); }

std::vector<Diagnostic> Diagnostics::Advice() const {
  return Sorted({DiagnosticKind::kWarning, DiagnosticKind::kInfo});
}

}  // namespace cnisim
