// The scenario format as JSON Schema (draft 2020-12), for editors and other validators.
//
// Types, ranges, words and unknown keys are as the loader has them. What needs more than one value
// to be judged (names that are referred to, subnets within the VPC, which keys suit a workload's
// kind) only the loader knows, so the schema accepts more; it refuses nothing that loads.
#ifndef CNISIM_TOOLS_CNISIM_FORMAT_JSON_SCHEMA_H_
#define CNISIM_TOOLS_CNISIM_FORMAT_JSON_SCHEMA_H_

#include "tools/cnisim/base/table.h"

namespace cnisim {

Json ScenarioJsonSchema();

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_FORMAT_JSON_SCHEMA_H_
