// Strings in YAML that is written.
#ifndef CNISIM_SIM_SCENARIO_YAML_QUOTE_H_
#define CNISIM_SIM_SCENARIO_YAML_QUOTE_H_

#include <string>
#include <string_view>

namespace cnisim {

// A string that no YAML reader takes for anything else: plain where that is certain.
std::string YamlQuoted(std::string_view text);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_YAML_QUOTE_H_
