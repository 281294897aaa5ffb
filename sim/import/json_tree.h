// JSON text as the tree of values that YAML is read into, so that one set of readers serves both
// and can tell where a value was written.
//
// A text may hold several documents one after the other, as pages of an answer appended to one
// file. Numbers and booleans are plain scalars, strings quoted ones. A string's column is exact
// unless it has escapes. Lists and objects under keys that no reader asks for (`kSkippedKeys`: most
// of what kubectl prints) are checked but not kept: a file of 10,000 pods becomes a small tree.
#ifndef CNISIM_SIM_IMPORT_JSON_TREE_H_
#define CNISIM_SIM_IMPORT_JSON_TREE_H_

#include <optional>
#include <string_view>
#include <vector>

#include "sim/scenario/diagnostic.h"
#include "sim/scenario/yaml_tree.h"

namespace cnisim {

// nullopt after an error has been told to `diagnostics`. Linear in the text.
std::optional<std::vector<YamlNode>> ParseJsonDocuments(std::string_view text, int source,
                                                        Diagnostics& diagnostics);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_JSON_TREE_H_
