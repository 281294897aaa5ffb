// cnisim VERB: see commands.h.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/suggest.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/interrupt.h"
#include "tools/cnisim/base/say.h"

namespace cnisim {
namespace {

struct Verb {
  const char* name;
  const char* help;
  Command (*add)(CLI::App&);
};
constexpr Verb kVerbs[] = {
    {"run", "Run scenarios, print a summary, write a results file", AddRun},
    {"validate", "Check scenario files", AddValidate},
    {"test", "Run scenarios and judge their expectations", AddTest},
    {"sweep", "Run a scenario in every combination of some settings", AddSweep},
    {"merge", "Join the parts of a sweep", AddMerge},
    {"query", "Ask a results file with SQL or a saved query", AddQuery},
    {"inspect", "Look into a cluster or a node at any moment", AddInspect},
    {"compare", "One workload on several networks, side by side, with a verdict", AddCompare},
    {"trace", "Who held an address, or what a pod held, and when", AddTrace},
    {"import", "A real cluster's description to a scenario", AddImport},
    {"calibrate", "Compare measurements with the model, and fit its costs", AddCalibrate},
    {"catalog", "Instance types, max pods, constants, metrics, variables, quirks", AddCatalog},
    {"schema", "Print the SQL of results files, or the JSON Schema of scenarios", AddSchema},
    {"help", "The format of scenarios, or a verb's help", AddHelp},
    {"completion", "Print a script that completes commands in bash, zsh or fish", AddCompletion},
    {"version", "Print the version", AddVersion},
};

// As CLI11 prints help, but an option shows its name and type only.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string type = option->get_type_name();
    return type.empty() ? "" : " " + type;
  }
};

// The sub-command that the arguments got into.
CLI::App* Deepest(CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

// The long names of an app's options, those of its groups included.
std::vector<std::string> OptionNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* group :
       app->get_subcommands([](const CLI::App* a) { return a->get_name().empty(); })) {
    for (std::string& name : OptionNames(group)) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> VerbNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_name().empty()) names.push_back(sub->get_name());
  }
  return names;
}

std::string Suggestion(std::string_view word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = Nearest(word, views);
  return near ? fmt::format("; did you mean '{}'?", *near) : "";
}

ExitCode ExplainUsage(CLI::App& app, const CLI::ParseError& error) {
  CLI::App* at = Deepest(&app);
  std::string path = "cnisim";
  if (at != &app) {
    path = (at->get_parent() == &app ? "cnisim " : "cnisim " + at->get_parent()->get_name() + " ") +
           at->get_name();
  }
  // What was left over is what was not understood.
  const std::vector<std::string> extras = app.remaining(true);
  const std::vector<std::string> verbs = VerbNames(at);
  std::string message = error.what();
  if (!extras.empty() && extras.front().starts_with('-')) {
    const std::string option = extras.front().substr(0, extras.front().find('='));
    message = fmt::format("unknown option '{}'{}", option, Suggestion(option, OptionNames(at)));
  } else if (!extras.empty() && !verbs.empty()) {
    message = fmt::format("unknown verb '{}'{}", extras.front(), Suggestion(extras.front(), verbs));
  } else if (!extras.empty()) {
    message = fmt::format("'{}' is one argument too many", extras.front());
  } else if (!verbs.empty()) {
    message = "no verb";
  }
  Say("{}: {}\nTry '{} --help'.\n", path, message, path);
  return ExitCode::kUsage;
}

ExitCode Main(int argc, char** argv) {
  CLI::App app("cnisim simulates the IP address management of Kubernetes clusters on AWS.",
               "cnisim");
  app.require_subcommand(0, 1);
  const auto formatter = std::make_shared<HelpFormatter>();
  formatter->column_width(30);
  formatter->label("SUBCOMMAND", "VERB");
  app.formatter(formatter);
  std::vector<std::pair<CLI::App*, Command>> commands;
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.help);
    sub->group("Verbs");
    commands.emplace_back(sub, verb.add(*sub));
  }
  app.footer(
      "  cnisim run scenarios/quickstart.yaml\n"
      "  cnisim run black-friday.yaml --seeds 1..10 --set nodeGroups[workers].maxSize=40\n"
      "  cnisim query black-friday.db slowest-pods\n\n"
      "`cnisim VERB --help` tells more.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help
    app.exit(success, std::cout, std::cerr);
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    return ExplainUsage(app, error);
  }
  for (const auto& [sub, command] : commands) {
    if (sub->parsed()) return command();
  }
  Say("{}", app.help());
  return ExitCode::kUsage;
}

// Results that do not reach their reader are an error.
ExitCode FlushResults(ExitCode code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return Worse(code, RuntimeError(fmt::format("standard output: {}", std::strerror(errno))));
}

}  // namespace

}  // namespace cnisim

int main(int argc, char** argv) {
  cnisim::PrepareProcess();
  try {
    return static_cast<int>(cnisim::FlushResults(cnisim::Main(argc, argv)));
  } catch (const std::exception& error) {
    return static_cast<int>(cnisim::RuntimeError(error.what()));
  }
}
