// One function a kind of document: reads it into the facts. Keys that nobody asks for are other
// people's business and no mistake; what is asked for and of another type is an error.
#ifndef CNISIM_SIM_IMPORT_FACT_READERS_H_
#define CNISIM_SIM_IMPORT_FACT_READERS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/import/cluster_facts.h"
#include "sim/scenario/yaml_reader.h"

namespace cnisim {

// `document` is the whole answer.
void ReadVpcs(MapReader& document, ClusterFacts& facts);
void ReadSubnets(MapReader& document, ClusterFacts& facts);
void ReadInstances(MapReader& document, ClusterFacts& facts);
void ReadNetworkInterfaces(MapReader& document, ClusterFacts& facts);

// One object; `kind` is the list's if it has none of its own. False if objects of the kind say
// nothing of a cluster's network: they are left out.
bool ReadKubernetesObject(Field item, const std::string& kind, ClusterFacts& facts);
// spec.allocatable's and the like: a quantity in quotes, or a number.
std::optional<int> WholeNumber(Field field);
// Taints that keep pods away, and in `soft` the others' number if it is not null.
std::vector<Taint> ReadTaints(Field list, int* soft);

void ReadEksctl(MapReader& document, ClusterFacts& facts);

// The agent's /v1/enis, of the file `name`.
void ReadAgentPage(MapReader& document, const std::string& name, ClusterFacts& facts);

// Text if it is there, else empty.
std::string OptionalText(MapReader& map, std::string_view key);
// Text that must be there.
std::string NeededText(MapReader& map, std::string_view key);
// A mapping of texts; absent: empty.
Texts ReadTexts(Field field, const std::string& what);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_FACT_READERS_H_
