#include "sim/scenario/spec_reader.h"

#include <algorithm>
#include <cmath>

#include "sim/cloud/ec2_defaults.h"
#include "sim/scenario/distribution_reader.h"
#include "sim/scenario/file_reader.h"
#include "sim/scenario/suggest.h"

namespace cnisim {
namespace {

// The catalogue's ranges are in seconds.
Duration FromSeconds(double seconds) { return Duration(std::llround(seconds * 1e9)); }

void ReadHeader(MapReader& root, Scenario& scenario) {
  root.Get("apiVersion").Required().OneOf<int>({{"cnisim.dev/v1alpha1", 1}});
  root.Get("kind").Required().OneOf<int>({{"Scenario", 1}});
  MapReader metadata = root.Get("metadata").Required().Map("metadata");
  scenario.name = metadata.Get("name").Required().DnsLabel().value_or("");
  metadata.Done();
}

}  // namespace

void SpecReader::Read(const YamlNode* document, SchemaPlace schema) {
  MapReader root(document, document == nullptr ? Location() : document->where, "the scenario",
                 diagnostics_, false, schema);
  ReadHeader(root, scenario);
  MapReader spec = root.Get("spec").Required().Map("spec");
  ReadTiming(spec);
  ReadVpc(spec.Get("vpc").Required());
  ReadEc2(spec.Get("ec2"));
  ReadConstants(spec.Get("constants"));
  ReadNetwork(spec.Get("network"));
  ReadNodeGroups(spec.Get("nodeGroups").Required());
  MapReader scheduler = spec.Get("scheduler").Map("scheduler");
  scenario.scheduler.placement =
      scheduler.Get("placement")
          .OneOf<Placement>({{"spread", Placement::kSpread}, {"pack", Placement::kPack}})
          .value_or(Placement::kSpread);
  scheduler.Done();
  ReadWorkloads(spec.Get("workloads"));
  ReadServices(spec.Get("services"));
  ReadEvents(spec.Get("events"));
  CheckSecurityGroups();
  ReadKubeProxy();
  ReadTraffic(spec.Get("traffic"));
  ReadDataPlane(spec.Get("dataPlane"));
  ReadExpectations(spec.Get("expectations"));
  ReadRecord(spec.Get("record"));
  MapReader engine = spec.Get("engine").Map("engine");
  scenario.park_idle_pools = engine.Get("parkIdlePools").Bool().value_or(true);
  engine.Done();
  spec.Done();
  root.Done();
}

void SpecReader::ReadTiming(MapReader& spec) {
  constexpr Duration kShortest(1);
  // An unreadable duration must not make every time in the file an error.
  scenario.duration = spec.Get("duration").Required().Time(kShortest, kLongest).value_or(kLongest);
  scenario.seed = spec.Get("seed").Unsigned64().value_or(1);
  scenario.repetitions = spec.Get("repetitions").Int(1, kMaxRepetitions).value_or(1);
  Field measure_from = spec.Get("measureFrom");
  scenario.measure_from = measure_from.Time({}, kLongest).value_or(Duration{});
  if (scenario.measure_from >= scenario.duration) {
    measure_from.Error("out-of-range",
                       fmt::format("'measureFrom' must be before the end of the run, {}",
                                   FormatDuration(scenario.duration)));
  }
  scenario.initial_state =
      spec.Get("initialState")
          .OneOf<InitialState>({{"settled", InitialState::kSettled}, {"cold", InitialState::kCold}})
          .value_or(InitialState::kSettled);
  scenario.system_pods =
      spec.Get("systemPods").OneOf<bool>({{"default", true}, {"none", false}}).value_or(true);
}

void SpecReader::ReadConstants(Field constants) {
  MapReader map = constants.Map("constants");
  for (const ConstantInfo& info : AllConstants()) {
    Field field = map.Get(info.name);
    if (info.number != nullptr) {
      if (const auto value = field.Number(info.low, info.high)) {
        scenario.constants.*info.number = *value;
      }
      continue;
    }
    const std::optional<Distribution> value = ReadDistribution(field);
    if (!value) continue;
    const Duration mean = value->Mean();
    const Duration low = FromSeconds(info.low);
    const Duration high = FromSeconds(info.high);
    if (mean < low || mean > high) {
      field.Error("out-of-range",
                  fmt::format("the mean of constant '{}' must be from {} to {}, not {}", info.name,
                              FormatDuration(low), FormatDuration(high), FormatDuration(mean)));
    }
    scenario.constants.*info.duration = *value;
  }
  map.Done();
}

void SpecReader::ReadRecord(Field record) {
  MapReader map = record.Map("record");
  RecordSpec& spec = scenario.record;
  spec.interval = map.Get("interval")
                      .Time(std::chrono::milliseconds(1), kLongest)
                      .value_or(RecordSpec{}.interval);
  spec.pods = map.Get("pods")
                  .OneOf<PodRows>({{"all", PodRows::kAll}, {"none", PodRows::kNone}})
                  .value_or(PodRows::kAll);
  map.Done();
}

void SpecReader::ReadExpectations(Field list) {
  Names names("expectation");
  const LabelChecker check = [this](EntityKind kind, const std::string& value) {
    return CheckLabel(kind, value);
  };
  for (Field& item : list.List("expectation")) {
    MapReader map = item.Required().Map(item.label());
    std::string name = names.Take(map, &Field::String);
    Field assertion = map.Get("assert").Required();
    const std::optional<bool> warn_only =
        map.Get("severity").OneOf<bool>({{"error", false}, {"warn", true}});
    map.Done();
    const std::optional<std::string> written = assertion.String();
    if (!written) continue;
    auto expectation = ParseExpectation(*written, check);
    if (!expectation) {
      assertion.Error("bad-expectation",
                      fmt::format("{}: {}", map.what(), expectation.error().message),
                      expectation.error().suggestion);
      continue;
    }
    expectation->name = std::move(name);
    expectation->warn_only = warn_only.value_or(false);
    scenario.expectations.push_back(*std::move(expectation));
  }
}

LabelCheck SpecReader::CheckLabel(EntityKind kind, const std::string& value) const {
  std::vector<std::string_view> names;
  switch (kind) {
    case EntityKind::kSubnet:
      names = subnets_.All();
      break;
    case EntityKind::kNodeGroup:
      names = node_groups_.All();
      break;
    case EntityKind::kWorkload:
      names = workloads_.All();
      break;
    case EntityKind::kAction:
      for (const Ec2ActionInfo& action : AllEc2Actions()) names.push_back(action.name);
      break;
    case EntityKind::kTraffic:
      for (const TrafficSpec& traffic : scenario.traffic) names.push_back(traffic.name);
      break;
    case EntityKind::kNode: {
      LabelCheck check;
      std::string problem;
      check.known = IsNode(value, problem, check.suggestion);
      return check;
    }
    case EntityKind::kCluster:
      break;
  }
  if (std::ranges::find(names, value) != names.end()) return {};
  return {false, DidYouMean(value, names)};
}

std::optional<TimePoint> SpecReader::Moment(Field field) {
  const std::optional<Duration> at = field.Time({}, kLongest);
  if (!at) return std::nullopt;
  if (*at >= scenario.duration) {
    field.Error("after-the-end",
                fmt::format("{} is {}, but the run ends at {}", field.label(), field.node()->text,
                            FormatDuration(scenario.duration)));
    return std::nullopt;
  }
  return kTimeZero + *at;
}

bool SpecReader::IsNode(const std::string& name, std::string& problem,
                        std::string& suggestion) const {
  const size_t dash = name.rfind('-');
  const std::optional<int64_t> number = dash == std::string::npos
                                            ? std::nullopt
                                            : ParseInteger(std::string_view(name).substr(dash + 1));
  if (!number || *number < 1) {
    problem = fmt::format("'{}' is not a node's name, which is GROUP-N with N from 1", name);
    return false;
  }
  const std::string group = name.substr(0, dash);
  const std::optional<int> index = node_groups_.Find(group);
  if (!index) {
    problem = fmt::format("there is no node group '{}'", group);
    suggestion = DidYouMean(group, node_groups_.All());
    return false;
  }
  const int max_size = scenario.node_groups[static_cast<size_t>(*index)].max_size;
  if (*number > max_size) {
    problem = fmt::format("there is no node '{}': node group '{}' has at most {} nodes", name,
                          group, max_size);
    return false;
  }
  return true;
}

std::optional<SpecReader::ReadableFile> SpecReader::OpenFile(Field path) {
  const std::optional<std::string> name = path.String();
  if (!name) return std::nullopt;
  const std::filesystem::path full = directory_ / *name;
  Result<std::string> text = ReadFile(full);
  if (!text) {
    path.Error(Code::Of(text.error().code),
               fmt::format("the file '{}' {}", full.string(), text.error().message));
    return std::nullopt;
  }
  return ReadableFile{*std::move(text), diagnostics_.AddSource(full.string())};
}

std::optional<SpecReader::ReadableFile> SpecReader::OpenFile(Field path, Field content_hash,
                                                             SourceFile& record) {
  const std::optional<std::string> expected = content_hash.String();
  std::optional<ReadableFile> file = OpenFile(path);
  if (!file) return std::nullopt;
  record.path = path.node()->text;
  record.content_hash = ContentHash(file->text);
  if (expected && *expected != record.content_hash) {
    content_hash.Error("file-changed",
                       fmt::format("the file '{}' has changed: its content hash is now {}",
                                   (directory_ / record.path).string(), record.content_hash));
  }
  return file;
}

}  // namespace cnisim
