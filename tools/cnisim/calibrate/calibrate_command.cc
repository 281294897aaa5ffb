#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <utility>

#include "sim/scenario/file_reader.h"
#include "sim/scenario/profile_reader.h"
#include "sim/scenario/quantities.h"
#include "sim/scenario/resolved_yaml.h"
#include "sim/scenario/suggest.h"
#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/base/options.h"
#include "tools/cnisim/base/say.h"
#include "tools/cnisim/base/table.h"
#include "tools/cnisim/calibrate/calibration_model.h"
#include "tools/cnisim/calibrate/cost_fit.h"
#include "tools/cnisim/calibrate/measurements.h"

namespace cnisim {
namespace {

struct Options {
  std::string file;
  std::string profile{kDefaultProfile};
  std::vector<std::string> fit;
  std::string write;
  OutputFormat format = OutputFormat::kTable;
};

// What a row without a tolerance is expected to be off, for the weights of a fit.
constexpr double kUsualTolerance = 10;

// Tells what is wrong with a file; whether something is.
bool Tell(const Diagnostics& diagnostics) {
  for (const Diagnostic& d : diagnostics.Errors()) Say("{}\n", d.ToString());
  return diagnostics.has_errors();
}

std::optional<CostProfile> LoadProfile(const std::string& name, ExitCode& code) {
  if (const CostProfile* builtin = FindBuiltinProfile(name)) return *builtin;
  code = ExitCode::kUsage;
  if (!std::filesystem::exists(name)) {
    const std::vector<std::string_view> builtins = BuiltinProfiles();
    const std::string hint = DidYouMean(name, builtins);
    code = UsageError(fmt::format("calibrate: '{}' is neither a built-in cost profile nor a file{}",
                                  name, hint.empty() ? "" : "; " + hint));
    return std::nullopt;
  }
  const Result<std::string> text = ReadFile(name);
  if (!text) {
    code = RuntimeError(fmt::format("{}: {}", name, text.error().message));
    return std::nullopt;
  }
  Diagnostics diagnostics(name);
  CostProfile profile = ReadCostProfile(*text, 0, diagnostics);
  if (Tell(diagnostics)) return std::nullopt;
  return profile;
}

std::optional<std::vector<Measurement>> LoadMeasurements(const std::string& file, ExitCode& code) {
  const Result<std::string> text = ReadFile(file);
  if (!text) {
    code = RuntimeError(fmt::format("{}: {}", file, text.error().message));
    return std::nullopt;
  }
  Diagnostics diagnostics(file);
  std::vector<Measurement> rows = ReadMeasurements(*text, diagnostics);
  code = ExitCode::kUsage;
  if (Tell(diagnostics)) return std::nullopt;
  return rows;
}

Result<std::vector<Cost>> CostsToFit(const std::vector<std::string>& names,
                                     const CostProfile& profile) {
  std::vector<std::string_view> known;
  for (const CostInfo& info : kAllCosts) known.push_back(info.name);
  std::vector<Cost> costs;
  for (const std::string& name : names) {
    const std::optional<Cost> cost = FindCost(name);
    if (!cost) {
      const auto near = Nearest(name, known);
      return Fail("usage", fmt::format("--fit: there is no cost '{}'{}", name,
                                       near ? fmt::format("; did you mean '{}'?", *near) : ""));
    }
    if (std::ranges::find(costs, *cost) != costs.end()) {
      return Fail("usage", fmt::format("--fit: '{}' is there twice", name));
    }
    if (profile.EntryOf(*cost).low == profile.EntryOf(*cost).high) {
      return Fail("usage",
                  fmt::format("--fit: profile '{}' leaves {} no range", profile.name, name));
    }
    costs.push_back(*cost);
  }
  return costs;
}

// Four digits: models and measurements have no more.
double Rounded(double value) { return ParseNumber(fmt::format("{:.4g}", value)).value_or(value); }

// Of each row; nothing where the model predicts nothing.
using Predictions = std::vector<std::optional<double>>;

// Rows of which the model cannot tell anything are told in `diagnostics`.
Predictions PredictAll(std::span<const Measurement> rows, const CostProfile& profile,
                       CalibrationModel& model, Diagnostics& diagnostics) {
  Predictions predictions;
  for (const Measurement& row : rows) {
    std::optional<double>& value = predictions.emplace_back();
    if (!row.benchmark) continue;
    const Result<double> result = model.Predict(row, profile);
    if (result) {
      value = *result;
    } else {
      diagnostics.Error(row.where, "no-prediction", result.error().message);
    }
  }
  return predictions;
}

double OffPercent(const Measurement& row, double model) { return (model / row.measured - 1) * 100; }

bool IsOff(const Measurement& row, std::optional<double> model) {
  return model && row.tolerance_percent &&
         std::abs(OffPercent(row, *model)) > *row.tolerance_percent;
}

Table MeasurementTable(std::span<const Measurement> rows, const Predictions& predictions) {
  Table table;
  table.columns = {"network",  "test",  "bytes",       "flows",     "ratio_to", "use",
                   "measured", "model", "off_percent", "tolerance", "verdict",  "label"};
  for (size_t i = 0; i < rows.size(); ++i) {
    const Measurement& row = rows[i];
    const auto text = [](const std::string& s) { return s.empty() ? Json() : Json(s); };
    Json use = row.fit ? "fit" : "check", model, off, verdict;
    if (!predictions[i]) {
      use = "not predicted";
    } else {
      model = Rounded(*predictions[i]);
      // Adding zero takes the sign off it.
      off = std::round(OffPercent(row, *predictions[i]) * 10) / 10 + 0.0;
      if (row.tolerance_percent) verdict = IsOff(row, predictions[i]) ? "off" : "ok";
    }
    table.rows.push_back({row.network, row.test, row.bytes, row.flows, text(row.ratio_to), use,
                          Rounded(row.measured), model, off,
                          row.tolerance_percent ? Json(*row.tolerance_percent) : Json(), verdict,
                          text(row.label)});
  }
  return table;
}

Json NoteOn(const FittedCost& cost, const CostProfile::Entry& entry) {
  if (!cost.standard_error) return "not determined by these measurements";
  if (*cost.standard_error > entry.high - entry.low) return "hardly determined";
  return cost.at_bound ? Json("at the end of its range") : Json();
}

Table CostTable(std::span<const FittedCost> costs, const CostProfile& profile) {
  Table table;
  table.columns = {"cost", "before", "fitted", "low", "high", "standard_error", "note"};
  for (const FittedCost& cost : costs) {
    const CostProfile::Entry& entry = profile.EntryOf(cost.cost);
    table.rows.push_back(
        {InfoOf(cost.cost).name, Rounded(cost.before), Rounded(cost.value), entry.low, entry.high,
         cost.standard_error ? Json(Rounded(*cost.standard_error)) : Json(), NoteOn(cost, entry)});
  }
  return table;
}

void Print(const Table& measurements, const std::optional<Table>& costs, OutputFormat format) {
  if (!costs) {
    fmt::print("{}", Format(measurements, format));
  } else if (IsDocument(format)) {
    Json both;
    both["costs"] = ToJson(*costs);
    both["measurements"] = ToJson(measurements);
    fmt::print("{}", FormatDocument(both, format));
  } else {
    fmt::print("{}\n{}", Format(*costs, format), Format(measurements, format));
  }
}

std::vector<FittedCost> Fit(std::span<const Cost> costs, std::span<const Measurement> rows,
                            CalibrationModel& model, CostProfile& profile) {
  const Residuals residuals = [&](const CostProfile& candidate) {
    std::vector<double> off;
    for (const Measurement& row : rows) {
      if (!row.fit || !row.benchmark) continue;
      // The rows have been predicted before.
      const double predicted = model.Predict(row, candidate).value();
      off.push_back(std::log(predicted / row.measured) * 100 /
                    row.tolerance_percent.value_or(kUsualTolerance));
    }
    return off;
  };
  return FitCosts(costs, residuals, profile);
}

Status Write(const std::string& path, const std::string& measurements,
             std::span<const FittedCost> fitted, CostProfile profile) {
  for (const FittedCost& cost : fitted) {
    if (!cost.standard_error) continue;
    profile.entries[static_cast<size_t>(cost.cost)].source =
        fmt::format("fitted to {}", std::filesystem::path(measurements).filename().string());
  }
  if (std::ofstream(path) << CostProfileYaml(profile) << std::flush) return {};
  return Fail("cannot-write", fmt::format("cannot write {}", path));
}

ExitCode RunCalibrate(const Options& options) {
  if (options.file.empty()) return UsageError("calibrate: no file of measurements");
  if (!options.write.empty() && options.fit.empty()) {
    return UsageError("calibrate: --write is for what --fit fitted");
  }
  ExitCode code = ExitCode::kOk;
  std::optional<CostProfile> profile = LoadProfile(options.profile, code);
  if (!profile) return code;
  const auto rows = LoadMeasurements(options.file, code);
  if (!rows) return code;
  const Result<std::vector<Cost>> costs = CostsToFit(options.fit, *profile);
  if (!costs) return ErrorOf("calibrate", costs.error());

  CalibrationModel model;
  Diagnostics diagnostics(options.file);
  Predictions predictions = PredictAll(*rows, *profile, model, diagnostics);
  if (Tell(diagnostics)) return ExitCode::kUsage;
  std::optional<Table> fits;
  if (!costs->empty()) {
    const std::vector<FittedCost> fitted = Fit(*costs, *rows, model, *profile);
    predictions = PredictAll(*rows, *profile, model, diagnostics);
    fits = CostTable(fitted, *profile);
    if (!options.write.empty()) {
      const Status written = Write(options.write, options.file, fitted, *profile);
      if (!written) return RuntimeError(written.error().message);
    }
  }
  Print(MeasurementTable(*rows, predictions), fits, options.format);
  for (size_t i = 0; i < rows->size(); ++i) {
    if (IsOff((*rows)[i], predictions[i])) return ExitCode::kExpectationFailed;
  }
  return ExitCode::kOk;
}

}  // namespace

Command AddCalibrate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->file, "Measurements (CSV)")->type_name("");
  app.add_option("--profile", options->profile, "Cost profile: a built-in one's name, or a file")
      ->type_name("NAME|FILE");
  app.add_option("--fit", options->fit, "Costs to fit, each within its range")
      ->type_name("COST,...")
      ->delimiter(',')
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  app.add_option("--write", options->write, "Write the fitted profile")->type_name("FILE");
  AddOutputOption(app, options->format);
  app.footer(
      "  cnisim-kernel-lab --output lab.csv\n"
      "  cnisim calibrate lab.csv --profile linux-6-18-netns\n"
      "  cnisim calibrate lab.csv --fit socketSend,vethTransmit --write my-profile.yaml\n\n"
      "Columns: network (aws-vpc-cni, calico:VXLAN, calico:IPIP, calico:None, host), test "
      "(udp_rr,\n"
      "tcp_rr, tcp_crr, ping, udp_flood, tcp_stream, udp_cpu), bytes, what was measured in "
      "p50_us,\n"
      "rate_per_s, gbit_per_s or cpu_us, or a ratio with ratio_to; if need be placement, flows,\n"
      "cpus, mtu, calico_version, one_way_us, use (fit, check), tolerance (percent), label.\n"
      "A fitted cost's standard error is how far it may be off if each row is by its tolerance, or "
      "by\n"
      "10 % if it has none. Scenarios use a profile by dataPlane.profile. Exit code 3: a row is "
      "off by\n"
      "more than its tolerance.");
  return [options] { return RunCalibrate(*options); };
}

}  // namespace cnisim
