// `--set a.b=v`, as helm has it: one value of a document replaced before it is read.
//
// Paths go from the document's root or, shorter, from `spec`. An element of a list is chosen by its
// index from 0 or its name: nodeGroups[0].maxSize, nodeGroups[workers].maxSize. A point inside a
// key is written \. ; the rest of a path below `constants` is one name as it stands. Missing
// mappings on the way are made. The value is plain text that takes the type its place wants; null
// gives the default back; a value that starts with { [ " or ' is YAML.
#ifndef CNISIM_SIM_SCENARIO_OVERRIDES_H_
#define CNISIM_SIM_SCENARIO_OVERRIDES_H_

#include <string>

#include "sim/scenario/yaml_tree.h"

namespace cnisim {

// Errors are told under the source "--set PATH", as later ones about the value will be.
void ApplyOverride(const std::string& assignment, YamlNode& document, Diagnostics& diagnostics);

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_OVERRIDES_H_
