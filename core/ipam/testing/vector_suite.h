// Plays conformance vectors as tests: for conformance_test.cc files only.
#ifndef CNISIM_CORE_IPAM_TESTING_VECTOR_SUITE_H_
#define CNISIM_CORE_IPAM_TESTING_VECTOR_SUITE_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/ipam/testing/vector_script.h"

namespace cnisim {

// The lines of the case, after those of the cases that it follows.
template <typename Script>
testing::AssertionResult Play(const Vectors& all, const VectorCase& played, Script& script) {
  if (!played.after.empty()) {
    const VectorCase* earlier = all.Find(played.after);
    if (earlier == nullptr || earlier->line >= played.line || earlier->file != played.file) {
      return testing::AssertionFailure() << played.file << ":" << played.line
                                         << ": no earlier case " << played.after << " in this file";
    }
    const testing::AssertionResult before = Play(all, *earlier, script);
    if (!before) return before;
  }
  for (const VectorLine& line : played.lines) {
    const std::string wrong = script.Run(line);
    if (!wrong.empty()) {
      return testing::AssertionFailure()
             << played.file << ":" << line.number << ": " << line.command << "\n  " << wrong;
    }
  }
  return testing::AssertionSuccess();
}

inline std::vector<std::string> IdsOf(const Vectors& all) {
  std::vector<std::string> ids;
  for (const VectorCase& each : all.cases) ids.push_back(each.id);
  return ids;
}

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_TESTING_VECTOR_SUITE_H_
