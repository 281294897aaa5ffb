#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "sim/cluster/world.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/interrupt.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/compare/compare_report.h"
#include "tools/cnisim/run/outputs.h"

namespace cnisim {
namespace {

struct Options {
  ScenarioOptions scenario;
  RunOptions run;
  OutputFormat format = OutputFormat::kTable;
};

Status Reasonable(const ScenarioOptions& options) {
  if (options.files.size() != 1) return Fail("usage", "one scenario, please: compare FILE");
  const std::set<std::string> different(options.networks.begin(), options.networks.end());
  if (different.size() < 2 || different.size() < options.networks.size()) {
    return Fail("usage",
                "name two networks or more, each once, such as --network aws-vpc-cni "
                "--network calico:VXLAN");
  }
  return {};
}

// The ways of the first seed's pods, where the traffic is looked at last: the figures are of then.
TrafficSurvey SurveyOf(const Scenario& scenario, uint64_t seed) {
  TrafficSurvey survey;
  const std::vector<TimePoint>& moments = scenario.data_plane.at;
  LookAtWorld(scenario, seed,
              moments.empty() ? kTimeZero + scenario.duration : *std::ranges::max_element(moments),
              [&survey](WorldView& view) { survey = SurveyTraffic(view); });
  return survey;
}

Json DocumentOf(std::span<const ComparedNetwork> networks, std::span<const ComparedFigure> figures,
                const std::string& verdict) {
  Json document;
  document["figures"] = ToJson(ComparisonTable(networks, figures));
  document["verdict"] = verdict;
  return document;
}

ExitCode Compare(const Options& options) {
  if (const Status good = Reasonable(options.scenario); !good) {
    return ErrorOf("compare", good.error());
  }
  const auto files = LoadFiles(options.scenario);
  if (!files) return ExitCode::kUsage;
  if (files->front().loaded.scenario.traffic.empty()) {
    return UsageError(fmt::format(
        "compare: {} has no traffic to compare networks by; see 'traffic' in the README",
        files->front().name));
  }
  const FinishedRuns done = RunIntoFile("compare", *files, options.run,
                                        files->front().loaded.scenario.name + "-compared");
  if (done.name.empty() || !done.complete) return done.code;

  std::vector<ComparedNetwork> networks;
  std::vector<SurveyedNetwork> surveys;
  for (const ScenarioFile& scenario : *files) {
    ComparedNetwork network{scenario.network, {}};
    for (size_t i = 0; i < done.results.size(); ++i) {
      if (done.jobs[i].file == &scenario) network.runs.push_back(done.results[i].figures);
    }
    surveys.push_back({scenario.network, &scenario.loaded.scenario,
                       SurveyOf(scenario.loaded.scenario, network.runs.front().seed)});
    networks.push_back(std::move(network));
  }
  const std::vector<ComparedFigure> figures = CompareFigures(networks);
  const std::string verdict = VerdictText(networks, surveys);
  if (Interrupted()) {
    Say("results in {}\n", done.name);
    return ExitCode::kInterrupted;
  }
  switch (options.format) {
    case OutputFormat::kTable:
      fmt::print("{}\n{}", ComparisonText(networks, figures), verdict);
      break;
    case OutputFormat::kCsv:
      fmt::print("{}", Format(ComparisonTable(networks, figures), options.format));
      break;
    case OutputFormat::kJson:
    case OutputFormat::kYaml:
      fmt::print("{}", FormatDocument(DocumentOf(networks, figures, verdict), options.format));
      break;
  }
  Say("{}results in {}\n", options.format == OutputFormat::kTable ? "\n" : "", done.name);
  return done.code;
}

}  // namespace

Command AddCompare(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  AddScenarioOptions(app, options->scenario);
  AddNetworkOption(app, options->scenario.networks);
  AddRunOptions(app, options->run);
  AddOutputOption(app, options->format);
  app.footer(
      "  cnisim compare scenarios/small-requests.yaml --network aws-vpc-cni --network "
      "calico:VXLAN\n\n"
      "The same seeds on each network; differences are to the first one, seed by seed. All runs "
      "go\n"
      "into one results file. The verdict names the constants of the cost profile that would\n"
      "overturn it, each at the ends of its range.");
  return [options] { return Compare(*options); };
}

}  // namespace cnisim
