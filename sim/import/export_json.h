// The two halves of an export. Shapes are those of the AWS CLI v2 and of kubectl -o json; members
// in the order in which they print them.
#ifndef CNISIM_SIM_IMPORT_EXPORT_JSON_H_
#define CNISIM_SIM_IMPORT_EXPORT_JSON_H_

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sim/cluster/world_view.h"

namespace cnisim {

using ExportJson = nlohmann::ordered_json;
// A file's name and what is in it.
using ExportDocument = std::pair<std::string, ExportJson>;

std::vector<ExportDocument> ExportAws(const WorldView& world);
std::vector<ExportDocument> ExportKubernetes(const WorldView& world);

// The name that EC2 gives an instance with this address in us-east-1.
std::string PrivateDnsName(const IpAddress& ip);

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_EXPORT_JSON_H_
