// A real cluster's description as a scenario: files of the AWS CLI, kubectl, eksctl and the agents
// in, YAML out. Any subset of the files will do; what they do not say is assumed, and told.
//
// What the text says loads (loader.h). Pure functions of the files' texts.
#ifndef CNISIM_SIM_IMPORT_IMPORT_H_
#define CNISIM_SIM_IMPORT_IMPORT_H_

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "sim/import/notes.h"
#include "sim/import/scenario_writer.h"
#include "sim/scenario/diagnostic.h"

namespace cnisim {

struct ImportFile {
  std::string name;
  std::string text;
};

struct ImportedScenario {
  std::string yaml;
  Notes notes;
  // For a line that sums up.
  size_t nodes = 0;
  size_t groups = 0;
  size_t subnets = 0;
  size_t workloads = 0;
};

// The errors, never empty, in order of place. Texts are given up as they are read.
using ImportResult = tl::expected<ImportedScenario, std::vector<Diagnostic>>;

ImportResult ImportCluster(std::vector<ImportFile> files, const WriteOptions& options = {});

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_IMPORT_H_
