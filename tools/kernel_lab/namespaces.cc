#include "tools/kernel_lab/namespaces.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "tools/kernel_lab/process.h"

namespace cnisim {
namespace {

constexpr std::string_view kAll = "cnisim-";

// Of all processes' namespaces, those whose name begins so.
std::vector<std::string> ListWith(std::string_view prefix) {
  std::vector<std::string> names;
  std::istringstream lines(RunCommand({"ip", "netns", "list"}).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.substr(0, line.find(' '));  // "NAME (id: 3)"
    if (name.starts_with(prefix)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

Namespaces::Namespaces() {
  static int owners = 0;
  prefix_ = fmt::format("{}{}-{}-", kAll, getpid(), owners++);
  for (const std::string& name : ListWith(kAll)) {
    const pid_t owner = std::atoi(name.c_str() + kAll.size());
    if (owner > 0 && kill(owner, 0) != 0 && errno == ESRCH)
      (void)RunCommand({"ip", "netns", "del", name});
  }
}

Namespaces::~Namespaces() {
  for (const std::string& name : List()) (void)RunCommand({"ip", "netns", "del", name});
}

Status Namespaces::Add(const std::string& name) {
  return RunCommands({{"ip", "netns", "add", NameOf(name)},
                      {"ip", "-n", NameOf(name), "link", "set", "dev", "lo", "up"}});
}

std::vector<std::string> Namespaces::List() const { return ListWith(prefix_); }

}  // namespace cnisim
