// The scenario format for people: a page of text, and the same as a manual page.
#ifndef CNISIM_TOOLS_CNISIM_FORMAT_FORMAT_PAGE_H_
#define CNISIM_TOOLS_CNISIM_FORMAT_FORMAT_PAGE_H_

#include <string>

namespace cnisim {

// Lines of at most 100 characters.
std::string ScenarioPage();
// In roff (man(7)), section 5.
std::string ScenarioManPage();

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_FORMAT_FORMAT_PAGE_H_
