// The scenario format as data: every key with its help, types, ranges, words and default, as the
// readers themselves tell it (schema_note.h). Help texts are in schema_help.inc.
#ifndef CNISIM_SIM_SCENARIO_SCENARIO_SCHEMA_H_
#define CNISIM_SIM_SCENARIO_SCENARIO_SCHEMA_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/schema_note.h"

namespace cnisim {

struct ScenarioSchema {
  const SchemaNote* root = nullptr;
  // Values that are read in several places: distributions, costs.
  const std::map<std::string, std::unique_ptr<SchemaNote>>* shared = nullptr;
};

// Made when it is first asked for.
ScenarioSchema TheScenarioSchema();

// One line of schema_help.inc.
struct SchemaHelp {
  std::string_view path;  // "spec.nodeGroups[].maxPods", "(distribution).fixed"
  std::string_view help;
};
const std::vector<SchemaHelp>& AllSchemaHelp();

// All paths of the schema, in order; those whose key the user chooses end in ".*".
std::vector<std::string> SchemaPaths();

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_SCENARIO_SCHEMA_H_
