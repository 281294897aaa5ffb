#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "sim/scenario/quantities.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/inspect/inspect_export.h"
#include "tools/cnisim/inspect/inspect_path.h"
#include "tools/cnisim/inspect/inspect_views.h"
#include "tools/cnisim/inspect/snapshot.h"

namespace cnisim {
namespace {

struct Options {
  SnapshotOptions snapshot;
  std::vector<std::string> words;
  std::string at;
  ViewOptions view;
  bool ipv6 = false;
  PathOptions path;
};

std::string Joined(const std::vector<View>& views) {
  if (views.size() == 1) return views.front().text;
  std::string text;
  for (const View& view : views) {
    if (!text.empty()) text += '\n';
    text += fmt::format("# {}\n{}", view.command, view.text);
  }
  return text;
}

// What the words ask for.
Result<std::string> TextOf(WorldView& world, const Options& options) {
  if (options.words.front() == "path") return PathText(world, options.path);
  if (options.words.front() == "export") return ExportTo(world, options.words[1]);
  std::vector<View> views;
  for (const std::string& word : options.words) {
    Result<std::vector<View>> more = word == "cluster" ? ClusterViews(world, options.view.format)
                                                       : ViewsOf(world, word, options.view);
    if (!more) return tl::unexpected(more.error());
    for (View& view : *more) views.push_back(std::move(view));
  }
  if (options.view.format != OutputFormat::kTable && views.size() > 1) {
    return Fail("usage", "several tables are no one document: ask for one view with -o");
  }
  return Joined(views);
}

Status ReadWords(Options& options) {
  if (options.words.empty()) {
    return Fail("usage",
                "no view; write cluster, path FROM TO, or --node NODE and views such as "
                "rule and route");
  }
  if (options.words.front() == "export") {
    if (options.words.size() != 2) return Fail("usage", "write export DIR");
    return CheckExportFolder(options.words[1]);
  }
  if (options.words.front() != "path") return {};
  if (options.words.size() != 3) return Fail("usage", "write path FROM TO");
  options.path.from = options.words[1];
  options.path.to = options.words[2];
  return {};
}

ExitCode Inspect(Options options) {
  if (options.snapshot.source.empty()) {
    return UsageError("inspect: no scenario or results file");
  }
  if (const Status read = ReadWords(options); !read) return ErrorOf("inspect", read.error());
  if (!options.at.empty()) {
    const auto at = ParseDuration(options.at);
    if (!at) {
      return UsageError(fmt::format("inspect: --at: '{}' {}", options.at, at.error().message));
    }
    options.snapshot.at = kTimeZero + *at;
  }
  if (options.ipv6) options.view.family = Family::kV6;

  ExitCode code = ExitCode::kOk;
  const std::optional<SnapshotSource> source = LoadSnapshotSource(options.snapshot, code);
  if (!source) return code;
  Result<std::string> text;
  const Status looked =
      Look(*source, options.snapshot, [&](WorldView& world) { text = TextOf(world, options); });
  if (!looked) return ErrorOf("inspect", looked.error());
  if (!text) return ErrorOf("inspect", text.error());
  fmt::print("{}", *text);
  return ExitCode::kOk;
}

}  // namespace

Command AddInspect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("SOURCE", options->snapshot.source, "A results file, or a scenario")
      ->type_name("");
  app.add_option("VIEW", options->words, "What to look at; see below")->type_name("");
  app.add_option("--node", options->view.node, "The node")->type_name("NODE");
  app.add_option("--pod", options->view.pod, "Inside this pod's network namespace")
      ->type_name("POD");
  app.add_option("--at", options->at, "The moment, such as 12m30s (default: the end)")
      ->type_name("TIME");
  app.add_option("--table", options->view.table, "Of route: only this table")->type_name("N");
  app.add_flag("-6", options->ipv6, "IPv6 rules, routes, neighbours and chains");
  app.add_option("--protocol", options->path.protocol,
                 "Of path: tcp, udp or icmp (default: the service's, or tcp)")
      ->check(CLI::IsMember({"tcp", "udp", "icmp"}).description(""))
      ->type_name("NAME");
  app.add_option("--port", options->path.port, "Of path: the destination's (default 80)")
      ->type_name("N");
  app.add_option("--size", options->path.size, "Of path: bytes of the IP packet (default 100)")
      ->check(CLI::Range(20, 65535).description(""))
      ->type_name("N");
  app.add_option("--run", options->snapshot.run, "Which run of a results file")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
  AddSeedOption(app, options->snapshot.seed, "Seed of a scenario");
  AddSetOption(app, options->snapshot.sets);
  AddOutputOption(app, options->view.format);
  std::string footer =
      "Views:\n"
      "  cluster        pods and nodes as kubectl and aws list them\n"
      "  path FROM TO   follows a packet: pods, svc/SERVICE, node/NODE, an address, outside\n"
      "  export DIR     files as aws, kubectl and the agents would print them, which import "
      "reads\n";
  for (const ViewInfo& view : AllViews()) {
    footer += fmt::format("  {:<14} {}\n", view.name, view.help);
  }
  footer +=
      "\n  cnisim inspect quickstart.db cluster\n"
      "  cnisim inspect quickstart.db --node workers-1 --at 12m30s addr rule route\n"
      "  cnisim inspect quickstart.db path web-1 8.8.8.8";
  app.footer(footer);
  return [options] { return Inspect(*options); };
}

}  // namespace cnisim
