#include "tools/cnisim/run/log_directory.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace cnisim {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPiece = 64 * 1024;

}  // namespace

Status CreateLogDirectory(const std::string& directory, bool overwrite) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Fail("usage", fmt::format("--log-dir {}: {}", directory, error.message()));
  const bool empty = fs::is_empty(directory, error);
  if (error) return Fail("usage", fmt::format("--log-dir {}: {}", directory, error.message()));
  if (!empty && !overwrite) {
    return Fail("usage", fmt::format("--log-dir {}: there is something in it already; --overwrite "
                                     "replaces logs",
                                     directory));
  }
  return {};
}

void LogDirectory::Append(std::string_view node, NodeLogFile file, std::string_view text) {
  auto it = pending_.find(node);
  if (it == pending_.end()) it = pending_.try_emplace(std::string(node)).first;
  Pending& pending = it->second[static_cast<size_t>(file)];
  pending.text += text;
  if (pending.text.size() >= kPiece) Flush(node, file, pending);
}

void LogDirectory::Flush(std::string_view node, NodeLogFile file, Pending& pending) {
  if (failed()) return;
  const fs::path directory = directory_ / node;
  const fs::path path = directory / FileNameOf(file);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    status_ = Fail("io", fmt::format("{}: {}", directory.string(), error.message()));
    return;
  }
  errno = 0;
  std::ofstream out(path, pending.begun ? std::ios::app : std::ios::trunc);
  out << pending.text;
  out.close();
  if (!out) {
    const char* why = errno == 0 ? "it cannot be written" : std::strerror(errno);
    status_ = Fail("io", fmt::format("{}: {}", path.string(), why));
    return;
  }
  pending.begun = true;
  pending.text.clear();
}

Status LogDirectory::Finish() {
  for (auto& [node, files] : pending_) {
    for (size_t i = 0; i < files.size(); ++i) {
      if (!files[i].text.empty()) Flush(node, static_cast<NodeLogFile>(i), files[i]);
    }
  }
  return status_;
}

std::vector<std::string> LogDirectory::Missing() const {
  std::vector<std::string> missing;
  for (const std::string& node : nodes_) {
    if (!pending_.contains(node)) missing.push_back(node);
  }
  return missing;
}

}  // namespace cnisim
