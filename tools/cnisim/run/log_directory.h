// The directory of --log-dir: NODE/ipamd.log, NODE/plugin.log and the agent's pages for each node,
// or SCENARIO-SEED/NODE/... where there are several runs.
//
// Lines are kept back and written in pieces, each file being open only meanwhile: there may be
// thousands. A node whose log cannot be written is given up, and so is the run (`failed`).
#ifndef CNISIM_TOOLS_CNISIM_RUN_LOG_DIRECTORY_H_
#define CNISIM_TOOLS_CNISIM_RUN_LOG_DIRECTORY_H_

#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/result.h"
#include "sim/cluster/node_logs.h"

namespace cnisim {

// Makes the directory. With code "usage" if there is something in it already, unless `overwrite`.
Status CreateLogDirectory(const std::string& directory, bool overwrite);

// The logs of one run. Only nodes named in `nodes`, or all if that is empty.
class LogDirectory final : public NodeLogs {
 public:
  LogDirectory(std::filesystem::path directory, std::set<std::string, std::less<>> nodes)
      : directory_(std::move(directory)), nodes_(std::move(nodes)) {}

  bool Wants(std::string_view node) const override {
    return nodes_.empty() || nodes_.contains(node);
  }
  void Append(std::string_view node, NodeLogFile file, std::string_view text) override;

  bool failed() const { return !status_.has_value(); }
  // Writes what was kept back; says what could not be written.
  Status Finish();
  // Those of `nodes` that never said anything.
  std::vector<std::string> Missing() const;

 private:
  struct Pending {
    std::string text;
    bool begun = false;  // the file
  };

  void Flush(std::string_view node, NodeLogFile file, Pending& pending);

  std::filesystem::path directory_;
  std::set<std::string, std::less<>> nodes_;
  std::map<std::string, std::array<Pending, kNodeLogFiles>, std::less<>>
      pending_;  // by node, by file
  Status status_;
};

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_RUN_LOG_DIRECTORY_H_
