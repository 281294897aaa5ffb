#include "tools/cnisim/completion/command_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string_view>

#include "results/embedded_sql.h"
#include "sim/cloud/instance_types.h"
#include "sim/dataplane/cost_profile.h"
#include "sim/scenario/codes.h"
#include "sim/scenario/profile_reader.h"
#include "sim/scenario/scenario.h"
#include "tools/cnisim/inspect/inspect_views.h"

namespace cnisim {
namespace {

using Kind = ValueChoice::Kind;

ValueChoice Words(std::vector<std::string> words) { return {Kind::kWords, std::move(words), {}}; }
ValueChoice Files(std::vector<std::string> extensions, std::vector<std::string> words = {}) {
  return {Kind::kFiles, std::move(words), std::move(extensions)};
}

ValueChoice Networks() {
  ValueChoice networks = Words({"aws-vpc-cni"});
  for (const auto& [name, encapsulation] : kEncapsulations) {
    networks.words.push_back(fmt::format("calico:{}", name));
  }
  return networks;
}

ValueChoice Codes() {
  ValueChoice codes = Words({});
  for (const CodeInfo& info : AllCodes()) codes.words.emplace_back(info.code);
  return codes;
}

ValueChoice Queries() {
  ValueChoice queries = Words({});
  for (const SavedQuery& query : SavedQueries()) queries.words.emplace_back(query.name);
  return queries;
}

ValueChoice InstanceTypes() {
  ValueChoice types = Words({});
  for (const InstanceType& type : AllInstanceTypes()) types.words.emplace_back(type.name);
  return types;
}

ValueChoice Views() {
  ValueChoice views = Words({"cluster", "path"});
  for (const ViewInfo& view : AllViews()) views.words.emplace_back(view.name);
  return views;
}

ValueChoice Profiles() {
  ValueChoice profiles = Files({"yaml", "yml"});
  for (const std::string_view name : BuiltinProfiles()) profiles.words.emplace_back(name);
  return profiles;
}

ValueChoice Costs() {
  ValueChoice costs = Words({});
  for (const CostInfo& cost : kAllCosts) costs.words.emplace_back(cost.name);
  return costs;
}

// By "VERB KEY", or by KEY for all verbs: KEY is an option's long name or an argument's name.
const std::map<std::string, ValueChoice, std::less<>>& Choices() {
  static const std::map<std::string, ValueChoice, std::less<>> kChoices{
      {"--output", Words({"table", "json", "yaml", "csv"})},
      {"import --output", Files({"yaml", "yml"})},
      {"import FILE", Files({"json", "yaml", "yml"})},
      {"--network", Networks()},
      {"--explain", Codes()},
      {"--profile", Profiles()},
      {"--fit", Costs()},
      {"--protocol", Words({"tcp", "udp", "icmp"})},
      {"--db", Files({"db"})},
      {"--junit", Files({"xml"})},
      {"--write", Files({"yaml", "yml"})},
      {"--emit", Words({"slurm", "kubernetes"})},
      {"PART", Files({"db"})},
      {"--log-dir", {Kind::kFolders, {}, {}}},
      {"--file", Files({"yaml", "yml"})},
      {"FILE", Files({"yaml", "yml"})},
      {"calibrate FILE", Files({"csv"})},
      {"DB", Files({"db"})},
      {"SOURCE", Files({"db", "yaml", "yml"})},
      {"QUERY", Queries()},
      {"TYPE", InstanceTypes()},
      {"VIEW", Views()},
      {"SHELL", Words({"bash", "zsh", "fish"})},
      {"WHAT", Words({"results", "scenario"})},
      {"TOPIC", Words({"scenario"})},
      // What only the user can know.
      {"--set", {}},
      {"--vary", {}},
      {"--metric", {}},
      {"--shard", {}},
      {"--shards", {}},
      {"--image", {}},
      {"--name", {}},
      {"--seed", {}},
      {"--seeds", {}},
      {"--jobs", {}},
      {"--param", {}},
      {"--log-nodes", {}},
      {"--ip", {}},
      {"--pod", {}},
      {"--run", {}},
      {"--node", {}},
      {"--at", {}},
      {"--table", {}},
      {"--port", {}},
      {"--size", {}},
  };
  return kChoices;
}

ValueChoice ValueOf(const std::string& verb, const std::string& key) {
  const auto& choices = Choices();
  for (const std::string& name : {verb + " " + key, key}) {
    if (const auto it = choices.find(name); it != choices.end()) return it->second;
  }
  throw std::logic_error(fmt::format("nobody tells what {} of verb '{}' takes", key, verb));
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

void AddOptions(const CLI::App& app, const std::string& verb, TreeVerb& tree) {
  for (const CLI::Option* option : app.get_options()) {
    TreeOption of;
    for (const std::string& name : option->get_snames()) of.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) of.names.push_back("--" + name);
    of.help = FirstLine(option->get_description());
    of.takes_value = option->get_items_expected_max() > 0;
    if (of.takes_value && !of.names.empty()) of.value = ValueOf(verb, of.names.back());
    if (!of.names.empty()) tree.options.push_back(of);
    if (option->get_positional()) {  // maybe besides other names, as FILE is of --file
      const std::string name = option->get_name(true);
      tree.arguments.push_back({name, option->get_items_expected_max() > 1, ValueOf(verb, name)});
    }
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_name().empty()) AddOptions(*sub, verb, tree);  // a group of options
  }
}

TreeVerb TreeOf(const CLI::App& app, const std::string& above) {
  TreeVerb tree;
  tree.name = app.get_name();
  tree.path = above.empty() ? tree.name : above + " " + tree.name;
  tree.help = FirstLine(app.get_description());
  AddOptions(app, tree.name, tree);
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_name().empty()) tree.verbs.push_back(TreeOf(*sub, tree.path));
  }
  return tree;
}

}  // namespace

TreeVerb CommandTreeOf(const CLI::App& root) { return TreeOf(root, ""); }

std::vector<const TreeVerb*> AllVerbs(const TreeVerb& root) {
  std::vector<const TreeVerb*> all{&root};
  for (const TreeVerb& verb : root.verbs) {
    const std::vector<const TreeVerb*> below = AllVerbs(verb);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

}  // namespace cnisim
