#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/scenario/suggest.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/format/format_page.h"

namespace cnisim {
namespace {

constexpr std::string_view kScenario = "scenario";

ExitCode Help(const CLI::App& root, const std::string& topic, bool man) {
  if (topic == kScenario) {
    fmt::print("{}", man ? ScenarioManPage() : ScenarioPage());
    return ExitCode::kOk;
  }
  if (man) return UsageError("help: --man is for topic scenario");
  if (topic.empty()) {
    // Its help() is that of the verb that was given: this one.
    const std::string text =
        root.get_formatter()->make_help(&root, root.get_name(), CLI::AppFormatMode::Normal);
    fmt::print("{}", text);
    return ExitCode::kOk;
  }
  std::vector<std::string> names{std::string(kScenario)};
  for (const CLI::App* verb : root.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(verb->get_name());
    if (verb->get_name() != topic) continue;
    fmt::print("{}", verb->help(root.get_name()));
    return ExitCode::kOk;
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = Nearest(topic, views);
  return UsageError(fmt::format("help: there is no topic '{}'{}", topic,
                                near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

}  // namespace

Command AddHelp(CLI::App& app) {
  struct Options {
    std::string topic;
    bool man = false;
  };
  const auto options = std::make_shared<Options>();
  app.add_option("TOPIC", options->topic, "scenario: the format of scenarios; or a verb")
      ->type_name("");
  app.add_flag("--man", options->man, "As a manual page, for `man -l -`");
  app.footer("  cnisim help scenario | less\n  cnisim help scenario --man | man -l -");
  return [options, root = app.get_parent()] { return Help(*root, options->topic, options->man); };
}

}  // namespace cnisim
