#include "core/ipam/testing/conformance_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "core/ipam/agent_pages.h"
#include "core/ipam/backoff.h"
#include "core/ipam/eni_enumeration.h"
#include "core/ipam/eni_removal.h"
#include "core/ipam/eni_setup.h"
#include "core/ipam/eni_tags.h"
#include "core/ipam/leaked_enis.h"
#include "core/ipam/pool_manager.h"
#include "core/ipam/reconciler.h"
#include "core/ipam/release.h"
#include "core/ipam/subnet_choice.h"
#include "core/ipam/trunk.h"
#include "core/net/veth_name.h"

namespace cnisim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

// "30s", "1001ms", "10m".
Duration ToDuration(const std::string& text) {
  const size_t unit = std::min(text.find_first_not_of("0123456789"), text.size());
  const int number = ToInt(text.substr(0, unit));
  const std::string name = text.substr(unit);
  if (name == "ns") return Duration(number);
  if (name == "ms") return milliseconds(number);
  if (name == "s") return seconds(number);
  if (name == "m") return std::chrono::minutes(number);
  throw Malformed{"'" + text + "' is not a duration"};
}

Ipv4Address ToAddress(const std::string& text) {
  const auto ip = Ipv4Address::Parse(text);
  if (!ip) throw Malformed{"'" + text + "' is not an address"};
  return *ip;
}

IpamKey KeyOf(const std::string& pod) { return {"net1", pod, "eth0"}; }

// NAME=VALUE words.
Environment Named(const std::vector<std::string>& words) {
  Environment named;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) throw Malformed{"'" + word + "' is not NAME=VALUE"};
    named[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return named;
}

std::string YesNo(bool value) { return value ? "yes" : "no"; }
std::string ErrorText(const Error& error) { return "error " + error.code; }
std::string StatusText(const Status& status) { return status ? "ok" : ErrorText(status.error()); }
std::string CountedText(const std::vector<std::string>& items) {
  return fmt::format("{} {}", items.size(), ListText(items));
}
Result<PodAddress> AddressOf(const Result<ReleasedAddress>& released) {
  if (!released) return tl::unexpected(released.error());
  return released->address;
}

std::string PodText(const Result<PodAddress>& pod) {
  if (!pod) return ErrorText(pod.error());
  return fmt::format("{} on {} device {} table {}", pod->ip.ToString(), pod->eni_id,
                     pod->device_number, pod->route_table);
}

std::string TagsText(const Tags& tags) {
  std::vector<std::string> items;
  for (const auto& [key, value] : tags) items.push_back(key + ":" + value);
  return ListText(items);
}

PoolMode ToMode(const std::string& word) {
  if (word == "prefix") return PoolMode::kPrefixes;
  if (word == "secondary") return PoolMode::kSecondaryIps;
  if (word == "ipv6") return PoolMode::kIpv6;
  throw Malformed{"'" + word + "' is none of secondary, prefix and ipv6"};
}

}  // namespace

// --- Lines ---

ConformanceScript::ConformanceScript() : world_(std::make_unique<FakeWorld>()) {}
ConformanceScript::~ConformanceScript() = default;

const std::map<std::string, ConformanceScript::Handler, std::less<>>&
ConformanceScript::Handlers() {
  using S = ConformanceScript;
  static const std::map<std::string, Handler, std::less<>> handlers{
      {"datastore", &S::MakeDatastore},
      {"mode", &S::SetMode},
      {"eni", &S::AddEni},
      {"remove-eni", &S::RemoveEni},
      {"cidr", &S::AddCidr},
      {"delete", &S::DeleteCidr},
      {"exclude", &S::Exclude},
      {"assign", &S::Assign},
      {"unassign", &S::Unassign},
      {"checkpoint", &S::Checkpoint},
      {"checkpoint-fails", &S::CheckpointFails},
      {"wait", &S::Wait},
      {"stats", &S::Stats},
      {"enis", &S::Enis},
      {"cidrs", &S::Cidrs},
      {"pods-on", &S::PodsOn},
      {"raw-total", &S::RawTotal},
      {"allocatable", &S::Allocatable},
      {"freeable", &S::Freeable},
      {"has-empty-eni", &S::HasEmptyEni},
      {"trunk", &S::Trunk},
      {"efas", &S::Efas},
      {"remove-unused", &S::RemoveUnused},
      {"forced-removals", &S::ForcedRemovals},
      {"forget-if-unused", &S::ForgetIfUnused},
      {"route-table", &S::RouteTable},
      {"policy", &S::MakePolicy},
      {"pool", &S::SetPool},
      {"target", &S::Target},
      {"low", &S::Low},
      {"high", &S::High},
      {"needed", &S::Needed},
      {"to-assign", &S::ToAssign},
      {"to-release", &S::ToRelease},
      {"try-removal", &S::TryRemoval},
      {"divide", &S::Divide},
      {"node", &S::MakeNode},
      {"attached", &S::Attached},
      {"detached", &S::Detached},
      {"metadata", &S::Metadata},
      {"fail", &S::FailCalls},
      {"stop-failing", &S::StopFailing},
      {"host-fails", &S::HostFails},
      {"checkpoint-holds", &S::CheckpointHolds},
      {"links", &S::Links},
      {"subnet-tags", &S::SubnetTags},
      {"init", &S::Init},
      {"run", &S::RunLoop},
      {"setup", &S::Setup},
      {"increase", &S::Increase},
      {"update", &S::Update},
      {"reconcile", &S::Reconcile},
      {"calls", &S::Calls},
      {"all-calls", &S::AllCalls},
      {"host-calls", &S::HostCalls},
      {"primary-records", &S::PrimaryRecords},
      {"forget-primary-record", &S::ForgetPrimaryRecord},
      {"pods", &S::Pods},
      {"delete-pods", &S::DeletePods},
      {"shape", &S::Shape},
      {"restart", &S::Restart},
      {"add", &S::AddPod},
      {"del", &S::DelPod},
      {"card", &S::ChooseCard},
      {"cards", &S::Cards},
      {"quirk", &S::Quirk},
      {"subnet", &S::MakeSubnet},
      {"eni-config", &S::MakeEniConfig},
      {"node-has", &S::NodeIs},
      {"tags", &S::TagsAre},
      {"tags-of", &S::TagsOf},
      {"groups-of", &S::GroupsOf},
      {"tracking", &S::Tracking},
      {"source-tables", &S::SourceTables},
      {"devices-used", &S::DevicesUsed},
      {"describe", &S::Describe},
      {"unmanaged", &S::Unmanaged},
      {"tag", &S::GiveTags},
      {"free", &S::Free},
      {"release-excluded", &S::ReleaseExcluded},
      {"is-excluded", &S::IsExcluded},
      {"request-trunk", &S::RequestTrunk},
      {"announce-custom-networking", &S::AnnounceCustomNetworking},
      {"cni-node", &S::CniNode},
      {"available", &S::Available},
      {"clean-up", &S::CleanUp},
      {"terminate", &S::Terminate},
      {"last-error", &S::LastError},
      {"limits", &S::Limits},
      {"unknown-type", &S::UnknownType},
      {"clock", &S::Clock},
      {"metric", &S::Metric},
      {"env", &S::Env},
      {"config", &S::Config},
      {"backoff", &S::BackoffPauses},
      {"retry", &S::Retry},
      {"usable", &S::Usable},
      {"excluded", &S::Excluded},
      {"veth", &S::Veth},
  };
  return handlers;
}

std::string ConformanceScript::Run(const VectorLine& line) {
  std::vector<std::string> words = Words(line.command);
  const auto handler = words.empty() ? Handlers().end() : Handlers().find(words.front());
  if (handler == Handlers().end()) return "unknown command";
  words.erase(words.begin());
  try {
    Arguments arguments(std::move(words));
    const Answer answer = (this->*handler->second)(arguments);
    arguments.ExpectEnd();
    if (line.expected ? Matches(answer, *line.expected) : !answer.text.starts_with("error")) {
      return {};
    }
    return fmt::format("expected: {}\n       got: {}", line.expected.value_or("no error"),
                       answer.text);
  } catch (const Malformed& malformed) {
    return "malformed: " + malformed.what;
  }
}

bool ConformanceScript::Matches(const Answer& answer, const std::string& expected) {
  return answer.complete ? answer.text == expected : MatchesWords(answer.text, expected);
}

Datastore& ConformanceScript::book() {
  if (agent_) {
    Datastore* pool = agent_->state().PoolOfCard(card_);
    if (pool == nullptr) throw Malformed{fmt::format("card {} is not managed", card_)};
    return *pool;
  }
  if (!datastore_) throw Malformed{"there is no datastore yet"};
  return *datastore_;
}

// --- Datastore ---

ConformanceScript::Answer ConformanceScript::MakeDatastore(Arguments& a) {
  Datastore::Config config;
  config.mode = ToMode(a.Word("the mode"));
  if (const auto cooldown = a.Option("cooldown")) config.ip_cooldown = ToDuration(*cooldown);
  config.quirks = quirks_;
  datastore_ = std::make_unique<Datastore>(config, world_->checkpoint, Choice::Oldest(), nullptr);
  return "ok";
}

ConformanceScript::Answer ConformanceScript::SetMode(Arguments& a) {
  book().SetMode(ToMode(a.Word("the mode")));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::AddEni(Arguments& a) {
  EniAttributes attributes;
  attributes.id = a.Word("the ENI");
  attributes.device_number = a.Int("device");
  attributes.route_table = RouteTableOf(attributes.device_number, 0);
  attributes.is_primary = a.Flag("primary");
  attributes.is_trunk = a.Flag("trunk");
  attributes.is_efa = a.Flag("efa");
  attributes.subnet_id = a.Option("subnet").value_or("");
  return StatusText(book().AddEni(std::move(attributes), Now()));
}

ConformanceScript::Answer ConformanceScript::RemoveEni(Arguments& a) {
  const std::string eni = a.Word("the ENI");
  return StatusText(book().RemoveEni(eni, a.Flag("force")));
}

ConformanceScript::Answer ConformanceScript::AddCidr(Arguments& a) {
  const std::string eni = a.Word("the ENI");
  return StatusText(book().AddCidr(eni, ToCidr(a.Word("the CIDR"))));
}

ConformanceScript::Answer ConformanceScript::DeleteCidr(Arguments& a) {
  const std::string eni = a.Word("the ENI");
  const IpCidr cidr = ToCidr(a.Word("the CIDR"));
  return StatusText(book().DeleteCidr(eni, cidr, a.Flag("force")));
}

ConformanceScript::Answer ConformanceScript::Exclude(Arguments& a) {
  return StatusText(book().SetExcluded(a.Word("the ENI"), true));
}

ConformanceScript::Answer ConformanceScript::Assign(Arguments& a) {
  return PodText(book().Assign(KeyOf(a.Word("the pod")), {}, Now()));
}

ConformanceScript::Answer ConformanceScript::Unassign(Arguments& a) {
  return PodText(AddressOf(book().Unassign(KeyOf(a.Word("the pod")), Now())));
}

ConformanceScript::Answer ConformanceScript::Checkpoint(Arguments&) {
  std::vector<std::string> entries;
  for (const Allocation& allocation :
       world_->checkpoint.saved.value_or(std::vector<Allocation>())) {
    entries.push_back(allocation.key.container + ":" + allocation.ip.ToString());
  }
  std::ranges::sort(entries);
  Answer answer(ListText(entries));
  answer.complete = true;
  return answer;
}

ConformanceScript::Answer ConformanceScript::CheckpointFails(Arguments& a) {
  world_->checkpoint.failing = a.Word("yes or no") == "yes";
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Wait(Arguments& a) {
  world_->clock.Advance(ToDuration(a.Word("the duration")));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Stats(Arguments&) {
  const PoolStats s = book().Stats(Now());
  return fmt::format("total={} assigned={} cooling={} available={} prefixes={} free-prefixes={}",
                     s.total_ips, s.assigned_ips, s.cooling_ips, s.available_ips(),
                     s.total_prefixes, s.free_prefixes);
}

ConformanceScript::Answer ConformanceScript::Enis(Arguments&) {
  std::vector<std::string> ids;
  for (const auto& eni : book().enis()) {
    ids.push_back(eni->attributes.id + (eni->excluded ? "(excluded)" : ""));
  }
  return CountedText(ids);
}

ConformanceScript::Answer ConformanceScript::Cidrs(Arguments& a) {
  const Datastore::Eni* eni = book().FindEni(a.Word("the ENI"));
  if (eni == nullptr) return "error unknown ENI";
  std::vector<std::string> cidrs;
  for (const Datastore::Cidr& cidr : eni->cidrs) cidrs.push_back(cidr.cidr.ToString());
  return CountedText(cidrs);
}

ConformanceScript::Answer ConformanceScript::PodsOn(Arguments& a) {
  const Datastore::Eni* eni = book().FindEni(a.Word("the ENI"));
  return eni == nullptr ? "error unknown ENI" : fmt::format("{}", eni->pods());
}

ConformanceScript::Answer ConformanceScript::RawTotal(Arguments&) {
  return fmt::format("{}", book().raw_total_ips());
}

ConformanceScript::Answer ConformanceScript::Allocatable(Arguments& a) {
  std::vector<std::string> ids;
  for (const Datastore::Eni* eni : book().AllocatableEnis(a.Int("slots"))) {
    ids.push_back(eni->attributes.id);
  }
  return CountedText(ids);
}

ConformanceScript::Answer ConformanceScript::Freeable(Arguments& a) {
  std::vector<std::string> cidrs;
  const std::string eni = a.Word("the ENI");
  const bool prefixes_only = a.Flag("prefixes");
  for (const IpCidr& cidr : prefixes_only ? book().FreeableCidrs(eni, PoolMode::kPrefixes, Now())
                                          : book().FreeableCidrs(eni, Now())) {
    cidrs.push_back(cidr.ToString());
  }
  return CountedText(cidrs);
}

ConformanceScript::Answer ConformanceScript::HasEmptyEni(Arguments&) {
  return YesNo(book().HasEmptyEni());
}

ConformanceScript::Answer ConformanceScript::Trunk(Arguments&) {
  const Datastore::Eni* trunk = book().FindTrunk();
  return trunk == nullptr ? "none" : trunk->attributes.id;
}

ConformanceScript::Answer ConformanceScript::Efas(Arguments&) {
  std::vector<std::string> ids;
  for (const auto& eni : book().enis()) {
    if (eni->attributes.is_efa) ids.push_back(eni->attributes.id);
  }
  return ListText(ids);
}

ConformanceScript::Answer ConformanceScript::RemoveUnused(Arguments& a) {
  const Datastore::RemovalTargets targets{a.Int("warm", 0), a.Int("minimum", 0),
                                          a.Int("prefixes", 0)};
  return book().RemoveUnusedEni(targets, Now()).value_or("none");
}

ConformanceScript::Answer ConformanceScript::ForcedRemovals(Arguments&) {
  return fmt::format("ips={} enis={}", book().forced_removals_of_ips(),
                     book().forced_removals_of_enis());
}

ConformanceScript::Answer ConformanceScript::ForgetIfUnused(Arguments& a) {
  const std::string eni = a.Word("the ENI");
  const IpCidr cidr = ToCidr(a.Word("the CIDR"));
  return book().DeleteUnusedCidrOfExcluded(eni, cidr) ? "removed" : "kept";
}

ConformanceScript::Answer ConformanceScript::RouteTable(Arguments& a) {
  const int device = a.Int("device");
  return fmt::format("{}", RouteTableOf(device, a.Int("card", 0)));
}

// --- Policy ---

PoolStats ConformanceScript::PoolNow() { return pool_ ? *pool_ : book().Stats(Now()); }

ConformanceScript::Answer ConformanceScript::MakePolicy(Arguments& a) {
  policy_ = {};
  policy_.prefix_mode = ToMode(a.Word("the mode")) == PoolMode::kPrefixes;
  policy_.slots_per_eni = a.Int("slots", 14);
  policy_.warm_eni_target = a.Int("eni", 1);
  policy_.warm_ip_target = a.Int("warm", 0);
  policy_.minimum_ip_target = a.Int("minimum", 0);
  policy_.warm_prefix_target = a.Int("prefix", 0);
  policy_.max_pods = a.Int("maxpods", 500);
  return "ok";
}

ConformanceScript::Answer ConformanceScript::SetPool(Arguments& a) {
  if (a.Flag("of-datastore")) {
    pool_ = std::nullopt;
    return "ok";
  }
  PoolStats stats;
  if (const auto per_prefix = a.Option("pods-per-prefix")) {
    for (const std::string& text : SplitAtCommas(*per_prefix)) {
      const int pods = ToInt(text);
      ++stats.total_prefixes;
      stats.total_ips += kAddressesPerPrefix;
      stats.assigned_ips += pods;
      stats.free_prefixes += pods == 0 ? 1 : 0;
    }
  } else {
    stats.total_ips = a.Int("total");
    stats.assigned_ips = a.Int("assigned", 0);
  }
  pool_ = stats;
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Target(Arguments&) {
  const TargetState state = TargetStateOf(PoolNow(), policy_);
  if (!state.defined) return "undefined";
  return fmt::format("short={} over={}", state.short_by, state.over_by);
}

ConformanceScript::Answer ConformanceScript::Low(Arguments&) {
  return YesNo(IsTooLow(PoolNow(), policy_));
}
ConformanceScript::Answer ConformanceScript::High(Arguments&) {
  return YesNo(IsTooHigh(PoolNow(), policy_));
}
ConformanceScript::Answer ConformanceScript::Needed(Arguments&) {
  return fmt::format("{}", PrefixesNeeded(PoolNow(), policy_));
}
ConformanceScript::Answer ConformanceScript::ToAssign(Arguments& a) {
  return fmt::format("{}", AssignQuantity(PoolNow(), policy_, a.Int("used", 0)));
}
ConformanceScript::Answer ConformanceScript::ToRelease(Arguments&) {
  return fmt::format("{}", ReleaseBudget(PoolNow(), policy_));
}
ConformanceScript::Answer ConformanceScript::TryRemoval(Arguments& a) {
  return YesNo(ShouldTryRemoveEni(PoolNow(), policy_, a.Flag("with-empty-eni")));
}
ConformanceScript::Answer ConformanceScript::Divide(Arguments& a) {
  const int dividend = ToInt(a.Word("the dividend"));
  return fmt::format("{}", DivideRoundingUp(dividend, ToInt(a.Word("the divisor"))));
}

// --- Node ---

ConformanceScript::Answer ConformanceScript::MakeNode(Arguments& a) {
  FakeInstance instance;
  instance.max_enis = a.Int("enis", 4);
  instance.slots_per_eni = a.Int("slots", 14);
  instance.with_primary_eni = !a.Flag("without-primary");
  const int max_pods = a.Int("maxpods", 500);
  limits_ = instance.limits();
  limits_.network_cards = a.Int("cards", 1);
  limits_.trunk_compatible = a.Flag("trunk-compatible");
  if (a.Flag("unknown-type")) limits_.max_enis = 0;
  const Ipv4Cidr cidr = ToCidr(a.Option("subnet").value_or("10.0.0.0/20")).v4();
  environment_ = ManifestEnvironment();
  // Its calls would stand among those that a row is about.
  environment_["DISABLE_LEAKED_ENI_CLEANUP"] = "true";
  for (auto& [name, value] : Named(a.Rest())) environment_[name] = value;
  loop_ = Task<void>();
  agent_.reset();
  world_ = std::make_unique<FakeWorld>(instance, std::vector<FakeSubnet>{{"subnet-a", cidr}});
  world_->kubernetes.node.capacity_pods = max_pods;
  card_ = 0;
  pods_.clear();
  pods_asked_ = 0;
  const std::string refused = StartAgent();
  if (!refused.empty()) return refused;
  agent_->state().identity = world_->metadata.identity;
  agent_->state().max_pods = max_pods;
  return "ok";
}

std::string ConformanceScript::StartAgent() {
  Result<ParsedEnvironment> parsed = ParseEnvironment(environment_);
  if (!parsed) return ErrorText(parsed.error());
  parsed->settings.quirks = quirks_;
  loop_ = Task<void>();
  agent_ = std::make_unique<Agent>(world_->ports(), parsed->settings, limits_, Choice::Oldest(),
                                   nullptr);
  return {};
}

// Kills the agent; a new one initialises itself.
ConformanceScript::Answer ConformanceScript::Restart(Arguments& a) {
  for (auto& [name, value] : Named(a.Rest())) environment_[name] = value;
  const std::string refused = StartAgent();
  if (!refused.empty()) return refused;
  return StatusText(world_->Run(agent_->Init()));
}

ConformanceScript::Answer ConformanceScript::Attached(Arguments& a) {
  const std::string id = a.Word("the ENI");
  const auto ip = a.Option("ip");
  const int device = a.Int("device", 0);
  NetworkInterface* eni = world_->ec2.Find(id);
  if (eni == nullptr) {
    if (!ip) throw Malformed{"ip= is missing for a new ENI"};
    eni = &world_->ec2.AttachByHand(id, device, ToAddress(*ip));
  }
  eni->network_card_index = a.Int("card", eni->network_card_index);
  eni->subnet_id = a.Option("subnet").value_or(eni->subnet_id);
  eni->is_efa_only = eni->is_efa_only || a.Flag("efa-only");
  eni->is_trunk = eni->is_trunk || a.Flag("trunk");
  if (const auto prefix = a.Option("ipv6-prefix")) eni->ipv6_prefixes = {ToCidr(*prefix).v6()};
  if (const auto ips = a.Option("ips")) {
    eni->secondary_ips.clear();
    for (const std::string& text : SplitAtCommas(*ips)) {
      eni->secondary_ips.push_back(ToAddress(text));
    }
  }
  if (const auto prefixes = a.Option("prefixes")) {
    eni->ipv4_prefixes.clear();
    for (const std::string& text : SplitAtCommas(*prefixes)) {
      eni->ipv4_prefixes.push_back(ToCidr(text).v4());
    }
  }
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Detached(Arguments& a) {
  world_->ec2.DetachByHand(a.Word("the ENI"));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Metadata(Arguments& a) {
  const std::string what = a.Word("what metadata shows");
  std::vector<MetadataEni> view = world_->metadata.Truth();
  world_->metadata.view = std::nullopt;
  world_->metadata.failing = what == "fails";
  world_->metadata.most_items = std::numeric_limits<size_t>::max();
  if (what == "primary-addresses-only") {
    for (MetadataEni& eni : view) {
      eni.secondary_ips.clear();
      eni.ipv4_prefixes.clear();
    }
    world_->metadata.view = std::move(view);
  } else if (what == "shows-nothing") {
    world_->metadata.view.emplace();
  } else if (what == "at-most") {
    world_->metadata.most_items = static_cast<size_t>(ToInt(a.Word("how many addresses")));
  } else if (what == "frozen") {
    world_->metadata.view = std::move(view);
  } else if (what != "truth" && what != "fails") {
    throw Malformed{"metadata cannot be " + what};
  }
  return "ok";
}

ConformanceScript::Answer ConformanceScript::FailCalls(Arguments& a) {
  const std::string name = a.Word("the action");
  const std::optional<FakeEc2Action> action = Ec2ActionNamed(name);
  if (!action) throw Malformed{"no action " + name};
  const std::string times = a.Word("how many times");
  const std::string code = a.Word("the error code");
  if (times == "always") {
    world_->ec2.FailAlways(*action, code);
  } else {
    world_->ec2.FailNext(*action, ToInt(times), code);
  }
  return "ok";
}

ConformanceScript::Answer ConformanceScript::StopFailing(Arguments&) {
  world_->ec2.StopFailing();
  return "ok";
}

ConformanceScript::Answer ConformanceScript::HostFails(Arguments& a) {
  const std::string what = a.Word("what fails");
  FakeHost& host = world_->host;
  const std::map<std::string, bool*> steps{{"eni-setup", &host.eni_setup_fails},
                                           {"rule-deletion", &host.rule_deletion_fails},
                                           {"link-listing", &host.link_listing_fails}};
  if (!steps.contains(what)) throw Malformed{"no host step " + what};
  *steps.at(what) = true;
  return "ok";
}

ConformanceScript::Answer ConformanceScript::CheckpointHolds(Arguments& a) {
  Allocation held;
  held.key = KeyOf(a.Word("the pod"));
  held.ip = ToAddress(a.Word("the address"));
  if (!a.empty()) {
    held.metadata.pod_namespace = a.Word("the namespace");
    held.metadata.pod_name = a.Word("the pod's name");
  }
  auto& saved = world_->checkpoint.saved;
  if (!saved) saved.emplace();
  saved->push_back(std::move(held));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Links(Arguments& a) {
  world_->host.links.clear();
  world_->host.links_vanish_once_listed = a.Flag("vanish-once-listed");
  while (!a.empty()) world_->host.links.push_back(a.Word("a link"));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Init(Arguments&) {
  return StatusText(world_->Run(agent_->Init()));
}

ConformanceScript::Answer ConformanceScript::RunLoop(Arguments&) {
  loop_ = agent_->Run();
  loop_.Start();
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Setup(Arguments& a) {
  const std::string id = a.Word("the ENI");
  for (const MetadataEni& eni : world_->metadata.Truth()) {
    if (eni.id != id) continue;
    AttachedEni attached;
    attached.metadata = eni;
    return StatusText(world_->Run(SetupEni(agent_->state(), std::move(attached))));
  }
  throw Malformed{id + " is not attached"};
}

ConformanceScript::Answer ConformanceScript::Increase(Arguments&) {
  return StatusText(world_->Run(IncreasePool(agent_->state(), book())));
}

ConformanceScript::Answer ConformanceScript::Update(Arguments&) {
  return world_->Run(UpdatePool(agent_->state())) ? "acted" : "idle";
}

ConformanceScript::Answer ConformanceScript::Reconcile(Arguments&) {
  const TimePoint before = agent_->state().last_pool_action;
  Task<void> task = cnisim::Reconcile(agent_->state());
  task.Start();
  while (!task.done() && world_->clock.Step()) continue;
  return agent_->state().last_pool_action == before ? "aborted" : "ok";
}

ConformanceScript::Answer ConformanceScript::Calls(Arguments&) {
  std::string text;
  for (const Ec2Call& call : world_->ec2.calls()) {
    switch (call.action) {
      case FakeEc2Action::kCreate:
      case FakeEc2Action::kAttach:
      case FakeEc2Action::kDetach:
      case FakeEc2Action::kDelete:
      case FakeEc2Action::kAssign:
      case FakeEc2Action::kUnassign:
      case FakeEc2Action::kAssignIpv6:
      case FakeEc2Action::kUnassignIpv6:
        text += (text.empty() ? "" : " ") + call.ToString();
        break;
      default:
        break;
    }
  }
  world_->ec2.ForgetCalls();
  Answer answer(text.empty() ? "none" : text);
  answer.complete = true;
  return answer;
}

ConformanceScript::Answer ConformanceScript::AllCalls(Arguments&) {
  std::string text;
  for (const Ec2Call& call : world_->ec2.calls()) {
    text += (text.empty() ? "" : " ") + std::string(NameOf(call.action));
  }
  world_->ec2.ForgetCalls();
  Answer answer(text.empty() ? "none" : text);
  answer.complete = true;
  return answer;
}

ConformanceScript::Answer ConformanceScript::HostCalls(Arguments&) {
  Answer answer(world_->host.calls.empty() ? "none"
                                           : fmt::format("{}", fmt::join(world_->host.calls, " ")));
  world_->host.calls.clear();
  answer.complete = true;
  return answer;
}

ConformanceScript::Answer ConformanceScript::PrimaryRecords(Arguments&) {
  return fmt::format("{}", agent_->state().primary_ips.size());
}

ConformanceScript::Answer ConformanceScript::ForgetPrimaryRecord(Arguments& a) {
  agent_->state().primary_ips.erase(a.Word("the ENI"));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Pods(Arguments& a) {
  constexpr Duration kRetry = seconds(5);
  constexpr Duration kGiveUp = std::chrono::minutes(3);
  const int wanted = ToInt(a.Word("how many pods"));
  while (pods_asked_ < wanted) {
    const IpamKey key = KeyOf(fmt::format("pod-{}", ++pods_asked_));
    for (Duration waited{}; waited < kGiveUp; waited += kRetry) {
      const Result<std::vector<PodAddress>> got = agent_->AddPod(key, {});
      if (got) pods_.push_back(key);
      world_->clock.Advance(kRetry);
      if (got) break;
    }
  }
  return fmt::format("running={} waiting={}", pods_.size(),
                     pods_asked_ - static_cast<int>(pods_.size()));
}

ConformanceScript::Answer ConformanceScript::DeletePods(Arguments&) {
  for (const IpamKey& key : std::exchange(pods_, {})) {
    const Result<std::vector<PodAddress>> gone = world_->Run(agent_->DelPod(key));
    if (!gone) return ErrorText(gone.error());
  }
  pods_asked_ = 0;
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Shape(Arguments&) {
  const PoolStats stats = book().Stats(Now());
  std::vector<std::string> cidrs;
  for (const auto& eni : book().enis()) cidrs.push_back(fmt::format("{}", eni->cidrs.size()));
  return fmt::format("enis={} per-eni={} free={} prefixes={} free-prefixes={}", cidrs.size(),
                     fmt::join(cidrs, "+"), stats.available_ips(), stats.total_prefixes,
                     stats.free_prefixes);
}

namespace {

// cni=VALUE is the role tag, for=CLUSTER the tag of a cluster; anything else stands for itself.
Tags ToTags(const Environment& words) {
  Tags tags;
  for (const auto& [name, value] : words) {
    if (name == "cni") {
      tags["kubernetes.io/role/cni"] = value;
    } else if (name.starts_with("for")) {
      tags["cni.networking.k8s.aws/cluster/" + value] = "shared";
    } else {
      tags[name] = value;
    }
  }
  return tags;
}

}  // namespace

ConformanceScript::Answer ConformanceScript::AddPod(Arguments& a) {
  const IpamKey key = KeyOf(a.Word("the pod"));
  const Result<std::vector<PodAddress>> got =
      agent_->AddPod(key, {"default", key.container, 0}, a.Flag("every-card"));
  if (!got) return ErrorText(got.error());
  std::vector<std::string> texts;
  for (const PodAddress& address : *got) texts.push_back(PodText(address));
  return texts.empty() ? "nothing" : fmt::format("{}", fmt::join(texts, " and "));
}

ConformanceScript::Answer ConformanceScript::DelPod(Arguments& a) {
  const Result<std::vector<PodAddress>> got = world_->Run(agent_->DelPod(KeyOf(a.Word("the pod"))));
  if (!got) return ErrorText(got.error());
  std::vector<std::string> texts;
  for (const PodAddress& address : *got) texts.push_back(address.ip.ToString());
  return texts.empty() ? "nothing" : ListText(texts);
}

ConformanceScript::Answer ConformanceScript::ChooseCard(Arguments& a) {
  card_ = ToInt(a.Word("the card"));
  return agent_->state().PoolOfCard(card_) == nullptr ? "error not managed" : "ok";
}

ConformanceScript::Answer ConformanceScript::Cards(Arguments&) {
  std::vector<std::string> cards;
  for (const auto& pool : agent_->state().pools) {
    cards.push_back(fmt::format("{}", pool->network_card()));
  }
  return ListText(cards);
}

ConformanceScript::Answer ConformanceScript::Quirk(Arguments& a) {
  const std::string name = a.Word("the quirk");
  const bool on = a.Word("on or off") == "on";
  for (const QuirkInfo& quirk : AllQuirks()) {
    if (quirk.name != name) continue;
    quirks_.*quirk.member = on;
    return "ok";
  }
  throw Malformed{"no quirk " + name};
}

ConformanceScript::Answer ConformanceScript::MakeSubnet(Arguments& a) {
  const std::string id = a.Word("the subnet");
  const Ipv4Cidr cidr = ToCidr(a.Word("the CIDR")).v4();
  world_->ec2.subnets().emplace_back(id, cidr, ToTags(Named(a.Rest())));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::MakeEniConfig(Arguments& a) {
  EniConfig& config = world_->kubernetes.eni_configs[a.Word("the name")];
  config.subnet_id = a.Option("subnet").value_or("");
  config.security_group_ids = SplitAtCommas(a.Option("groups").value_or(""));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::NodeIs(Arguments& a) {
  NodeObject& node = world_->kubernetes.node;
  const std::string what = a.Word("label, annotation or taint");
  const std::string key = a.Word("the key");
  const std::string value = a.Word("the value, or the effect");
  if (what == "taint") {
    node.taints.push_back({key, "", value});
  } else if (what == "label" || what == "annotation") {
    (what == "label" ? node.labels : node.annotations)[key] = value;
  } else {
    throw Malformed{"a node has no " + what};
  }
  return "ok";
}

ConformanceScript::Answer ConformanceScript::TagsAre(Arguments& a) {
  NetworkInterface* eni = world_->ec2.Find(a.Word("the ENI"));
  if (eni == nullptr) throw Malformed{"no such ENI"};
  eni->tags = Named(a.Rest());
  return "ok";
}

ConformanceScript::Answer ConformanceScript::TagsOf(Arguments& a) {
  const NetworkInterface* eni = world_->ec2.Find(a.Word("the ENI"));
  Answer answer(eni == nullptr ? "error unknown ENI" : TagsText(eni->tags));
  answer.complete = true;
  return answer;
}

ConformanceScript::Answer ConformanceScript::GroupsOf(Arguments& a) {
  const NetworkInterface* eni = world_->ec2.Find(a.Word("the ENI"));
  return eni == nullptr ? "error unknown ENI" : ListText(eni->security_group_ids);
}

ConformanceScript::Answer ConformanceScript::Tracking(Arguments& a) {
  NetworkInterface* eni = world_->ec2.Find(a.Word("the ENI"));
  if (eni == nullptr) throw Malformed{"no such ENI"};
  const auto seconds_of = [&](const char* name) -> std::optional<int> {
    const auto text = a.Option(name);
    if (!text) return std::nullopt;
    return ToInt(*text);
  };
  if (!a.empty()) {
    eni->connection_tracking.emplace();
    eni->connection_tracking->tcp_established = seconds_of("tcp");
    eni->connection_tracking->udp_stream = seconds_of("udp-stream");
    eni->connection_tracking->udp = seconds_of("udp");
  }
  if (!eni->connection_tracking) return "none";
  const auto text = [](std::optional<int> value) {
    return value ? fmt::format("{}", *value) : std::string("unset");
  };
  return fmt::format("tcp={} udp-stream={} udp={}", text(eni->connection_tracking->tcp_established),
                     text(eni->connection_tracking->udp_stream),
                     text(eni->connection_tracking->udp));
}

ConformanceScript::Answer ConformanceScript::SourceTables(Arguments& a) {
  world_->host.source_tables.clear();
  while (!a.empty()) world_->host.source_tables.push_back(ToInt(a.Word("a table")));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::DevicesUsed(Arguments& a) {
  const int wanted = ToInt(a.Word("how many"));
  for (int device = 1; device < wanted; ++device) {
    world_->ec2.AttachByHand(fmt::format("other-{}", device), device,
                             Ipv4Address({10, 9, 0, static_cast<uint8_t>(device)}));
  }
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Describe(Arguments&) {
  const Result<std::vector<AttachedEni>> enis = world_->Run(DescribeAllEnis(agent_->state()));
  if (!enis) return ErrorText(enis.error());
  std::vector<std::string> managed;
  for (const AttachedEni& eni : *enis) {
    if (IsManaged(agent_->state(), eni.metadata)) managed.push_back(eni.metadata.id);
  }
  return fmt::format("enis={} managed={} tagged={}", enis->size(), ListText(managed),
                     std::ranges::count_if(*enis, [](const AttachedEni& eni) {
                       return !eni.described.tags.empty();
                     }));
}

ConformanceScript::Answer ConformanceScript::Unmanaged(Arguments&) {
  const UnmanagedEnis& unmanaged = agent_->state().unmanaged;
  return fmt::format("{} {}", unmanaged.OnCard(card_), ListText(unmanaged.ids));
}

ConformanceScript::Answer ConformanceScript::GiveTags(Arguments& a) {
  const NetworkInterface* eni = world_->ec2.Find(a.Word("the ENI"));
  if (eni == nullptr) throw Malformed{"no such ENI"};
  return StatusText(world_->Run(TagEni(agent_->state(), eni->id, eni->tags)));
}

ConformanceScript::Answer ConformanceScript::Free(Arguments& a) {
  return StatusText(world_->Run(DetachAndDeleteEni(agent_->state(), a.Word("the ENI"))));
}

ConformanceScript::Answer ConformanceScript::ReleaseExcluded(Arguments&) {
  Task<void> released = ReleaseUnusedOfExcludedEnis(agent_->state());
  world_->Run(std::move(released));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::IsExcluded(Arguments& a) {
  const Result<bool> excluded =
      world_->Run(SubnetIsExcluded(agent_->state(), a.Word("the subnet")));
  return excluded ? YesNo(*excluded) : ErrorText(excluded.error());
}

ConformanceScript::Answer ConformanceScript::RequestTrunk(Arguments&) {
  Task<void> requested = cnisim::RequestTrunk(agent_->state());
  world_->Run(std::move(requested));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::AnnounceCustomNetworking(Arguments&) {
  return StatusText(world_->Run(cnisim::AnnounceCustomNetworking(agent_->state())));
}

ConformanceScript::Answer ConformanceScript::CniNode(Arguments&) {
  std::vector<std::string> features;
  for (const CniNodeFeature& feature : world_->kubernetes.features) {
    features.push_back(feature.name + (feature.value.empty() ? "" : ":" + feature.value));
  }
  return CountedText(features);
}

// Detached, and marked as made `age` ago.
ConformanceScript::Answer ConformanceScript::Available(Arguments& a) {
  const std::string id = a.Word("the ENI");
  NetworkInterface& eni = world_->ec2.AttachByHand(id, -1, Ipv4Address({10, 9, 9, 9}));
  eni.attachment_id.clear();
  eni.instance_id.clear();
  eni.description = a.Option("description").value_or("aws-K8S-i-1");
  eni.tags[std::string(eni_tag::kInstance)] = "i-9";
  if (const auto cluster = a.Option("cluster")) eni.tags[std::string(eni_tag::kCluster)] = *cluster;
  if (const auto created = a.Option("created")) {
    eni.tags[std::string(eni_tag::kCreatedAt)] = *created;
  } else if (const auto age = a.Option("age")) {
    eni.tags[std::string(eni_tag::kCreatedAt)] =
        Rfc3339(CivilEpoch{}.ToUnixNanos(Now() - ToDuration(*age)));
  }
  return "ok";
}

ConformanceScript::Answer ConformanceScript::CleanUp(Arguments&) {
  Task<void> cleaned = CleanUpLeakedEnis(agent_->state());
  world_->Run(std::move(cleaned));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Terminate(Arguments&) {
  agent_->Terminate();
  return "ok";
}

ConformanceScript::Answer ConformanceScript::LastError(Arguments&) {
  const Error& error = agent_->state().last_ec2_error;
  return error.code.empty() ? "none" : fmt::format("{}: {}", error.code, error.message);
}

ConformanceScript::Answer ConformanceScript::Limits(Arguments&) {
  return fmt::format("enis={} slots={}", agent_->state().MaxEnis(), agent_->state().SlotsPerEni());
}

// What EC2 says of the instance's type.
ConformanceScript::Answer ConformanceScript::UnknownType(Arguments& a) {
  InstanceTypeNetwork& type = world_->ec2.type;
  type.max_enis = a.Int("enis");
  type.default_card_max_enis = a.Int("on-default-card", type.max_enis);
  type.ipv4_per_eni = a.Int("addresses");
  type.is_nitro = true;
  return "ok";
}

// The time since the beginning, in seconds.
ConformanceScript::Answer ConformanceScript::Clock(Arguments&) {
  return fmt::format("{}", ToSeconds(Now() - kTimeZero));
}

// The series of that name on the agent's page: VALUE, or LABEL=VALUE,...:VALUE, in their order.
ConformanceScript::Answer ConformanceScript::Metric(Arguments& a) {
  const std::string wanted = "awscni_" + a.Word("the metric");
  std::istringstream page(MetricsPageOf(agent_->state(), {}, {"v1", "c++"}));
  std::vector<std::string> series;
  for (std::string line; std::getline(page, line);) {
    const size_t end = line.find_first_of("{ ");
    if (line.substr(0, end) != wanted) continue;
    line = line.substr(end);
    std::erase_if(line, [](char c) { return c == '{' || c == '}' || c == '"'; });
    std::ranges::replace(line, ' ', ':');
    series.push_back(line.starts_with(':') ? line.substr(1) : line);
  }
  Answer answer(series.empty() ? "none" : fmt::format("{}", fmt::join(series, " ")));
  answer.complete = true;
  return answer;
}

// --- Settings and helpers ---

ConformanceScript::Answer ConformanceScript::Env(Arguments& a) {
  const Result<ParsedEnvironment> parsed = ParseEnvironment(Named(a.Rest()));
  if (!parsed) return ErrorText(parsed.error());
  const AgentSettings& s = parsed->settings;
  return fmt::format(
      "warm-eni={} warm-ip={} minimum-ip={} warm-prefix={} prefix-mode={} ip-targets={} max-eni={} "
      "cooldown={} warnings={} ipv4={} ipv6={} pod-eni={} annotate={} multi-nic={} "
      "manage-untagged={} leaked-cleanup={} provisioning={} additional-tags={}",
      s.warm_eni_target, s.warm_ip_target, s.minimum_ip_target, s.warm_prefix_target,
      YesNo(s.prefix_delegation), YesNo(s.ip_targets_defined()),
      s.max_eni ? fmt::format("{}", *s.max_eni) : "none", ToSeconds(s.ip_cooldown),
      parsed->warnings.size(), YesNo(s.enable_ipv4), YesNo(s.enable_ipv6), YesNo(s.enable_pod_eni),
      YesNo(s.annotate_pod_ip), YesNo(s.enable_multi_nic), YesNo(s.manage_untagged_enis),
      YesNo(!s.leaked_eni_cleanup_disabled()), YesNo(!s.provisioning_disabled()),
      TagsText(s.additional_eni_tags));
}

ConformanceScript::Answer ConformanceScript::Config(Arguments& a) {
  const bool nitro = !a.Flag("xen");
  Result<ParsedEnvironment> parsed = ParseEnvironment(Named(a.Rest()));
  if (!parsed) return ErrorText(parsed.error());
  const Status valid = ValidateConfiguration(parsed->settings, nitro, parsed->warnings);
  if (!valid) return ErrorText(valid.error());
  return fmt::format("ok prefix-mode {}", YesNo(parsed->settings.prefix_delegation));
}

ConformanceScript::Answer ConformanceScript::BackoffPauses(Arguments& a) {
  BackoffRule rule{};
  rule.first = ToDuration(a.Word("the first pause"));
  rule.maximum = ToDuration(a.Word("the longest pause"));
  rule.multiplier = a.Int("factor");
  rule.tries = a.Int("tries");
  const Choice choice = Choice::Oldest();
  Backoff backoff(rule, choice, 0);
  std::string text;
  while (backoff.Next()) {
    if (backoff.MoreToCome()) text += fmt::format("{} ", ToSeconds(backoff.Pause(kTimeZero)));
  }
  Answer answer(text.substr(0, text.empty() ? 0 : text.size() - 1));
  answer.complete = true;
  return answer;
}

ConformanceScript::Answer ConformanceScript::Retry(Arguments& a) {
  BackoffRule rule{seconds(1), seconds(1), 0, 1, a.Int("tries")};
  const int succeeds = a.Int("succeeds-at", 0);
  const Choice choice = Choice::Oldest();
  Backoff backoff(rule, choice, 0);
  int tries = 0;
  int pauses = 0;
  while (backoff.Next()) {
    if (++tries == succeeds) return fmt::format("ok tries {} pauses {}", tries, pauses);
    if (!backoff.MoreToCome()) continue;
    static_cast<void>(backoff.Pause(kTimeZero));
    ++pauses;
  }
  return fmt::format("error tries {} pauses {}", tries, pauses);
}

ConformanceScript::Answer ConformanceScript::SubnetTags(Arguments& a) {
  world_->ec2.subnets().front().tags = ToTags(Named(a.Rest()));
  return "ok";
}

ConformanceScript::Answer ConformanceScript::Usable(Arguments& a) {
  const std::string which = a.Word("primary or secondary");
  const std::string cluster = a.Option("cluster").value_or("");
  return YesNo(SubnetUsable(ToTags(Named(a.Rest())), which == "primary", cluster));
}

ConformanceScript::Answer ConformanceScript::Excluded(Arguments& a) {
  const std::string cluster = a.Option("cluster").value_or("");
  return YesNo(SubnetExcluded(ToTags(Named(a.Rest())), cluster));
}

ConformanceScript::Answer ConformanceScript::Veth(Arguments& a) {
  const std::string pod_namespace = a.Word("the namespace");
  return VethSuffix(pod_namespace, a.Word("the pod"));
}

}  // namespace cnisim
