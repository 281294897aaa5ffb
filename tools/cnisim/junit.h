// Expectations as JUnit XML, as continuous integration systems read it.
#ifndef CNISIM_TOOLS_CNISIM_JUNIT_H_
#define CNISIM_TOOLS_CNISIM_JUNIT_H_

#include <span>
#include <string>

#include "core/ports/result.h"
#include "tools/cnisim/figures.h"

namespace cnisim {

// One suite a run, one test case an expectation; those that only warn are never failures. The file
// appears whole or not at all.
Status WriteJunit(std::span<const RunFigures> runs, const std::string& path);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_JUNIT_H_
