// Expectations as JUnit XML, as continuous integration systems read it.
#ifndef CNISIM_TOOLS_CNISIM_RUN_JUNIT_H_
#define CNISIM_TOOLS_CNISIM_RUN_JUNIT_H_

#include <span>
#include <string>

#include "core/ports/result.h"
#include "tools/cnisim/run/figures.h"

namespace cnisim {

// Whether `path` can be written, without doing so: a new or regular file, a link to one, a
// character device such as a terminal, or whatever standard output or error is. Code "usage" if it
// never can.
Status CheckJunit(const std::string& path);

// One suite a run, one test case an expectation; those that only warn are never failures. What XML
// cannot hold becomes U+FFFD. A file appears whole or not at all.
Status WriteJunit(std::span<const RunFigures> runs, const std::string& path);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_RUN_JUNIT_H_
