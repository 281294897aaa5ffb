// Every case of core/ipam/calico/vectors/*.txt as a test of its own, named by its id; README.md
// there tells what the commands mean.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/ipam/calico/calico_ipam.h"
#include "core/ipam/calico/errors.h"
#include "core/ipam/calico/garbage_collector.h"
#include "core/ipam/testing/vector_script.h"
#include "core/ipam/testing/vector_suite.h"

namespace cnisim {
namespace {

// --- Words ---

Ipv4Address ToAddress(const std::string& text) {
  const auto address = Ipv4Address::Parse(text);
  if (!address) throw Malformed{"'" + text + "' is not an address"};
  return *address;
}

Ipv4Cidr ToBlock(const std::string& text) {
  const auto cidr = Ipv4Cidr::Parse(text);
  if (!cidr) throw Malformed{"'" + text + "' is not a CIDR"};
  return *cidr;
}

Duration ToDuration(const std::string& text) {
  for (const auto& [unit, length] :
       std::initializer_list<std::pair<std::string, Duration>>{{"ns", Duration(1)},
                                                               {"ms", std::chrono::milliseconds(1)},
                                                               {"s", std::chrono::seconds(1)},
                                                               {"m", std::chrono::minutes(1)}}) {
    if (text.ends_with(unit)) return ToInt(text.substr(0, text.size() - unit.size())) * length;
  }
  throw Malformed{"'" + text + "' is not a duration"};
}

std::vector<std::string> Items(const std::string& text) {
  std::string spaced = text;
  std::ranges::replace(spaced, ',', ' ');
  return Words(spaced);
}

template <typename Value>
Value OneOf(const std::string& text,
            std::initializer_list<std::pair<std::string_view, Value>> values) {
  for (const auto& [name, value] : values) {
    if (name == text) return value;
  }
  throw Malformed{"'" + text + "' is none of the words allowed"};
}

CalicoTunnel ToTunnel(const std::string& text) {
  return OneOf<CalicoTunnel>(text, {{"ipip", CalicoTunnel::kIpip},
                                    {"vxlan", CalicoTunnel::kVxlan},
                                    {"wireguard", CalicoTunnel::kWireguard}});
}

PoolUse ToUse(const std::string& text) {
  return OneOf<PoolUse>(text, {{"Workload", PoolUse::kWorkload},
                               {"Tunnel", PoolUse::kTunnel},
                               {"LoadBalancer", PoolUse::kLoadBalancer}});
}

Selector ToSelector(const std::string& text) {
  const auto selector = Selector::Parse(text);
  if (!selector) throw Malformed{selector.error().message};
  return *selector;
}

constexpr std::pair<std::string_view, AffinityState> kStates[] = {
    {"pending", AffinityState::kPending},
    {"confirmed", AffinityState::kConfirmed},
    {"pendingDeletion", AffinityState::kPendingDeletion}};

std::string Text(const std::vector<Ipv4Address>& addresses) {
  std::vector<std::string> texts;
  for (const Ipv4Address a : addresses) texts.push_back(a.ToString());
  return ListText(texts);
}

std::string Text(const std::vector<Ipv4Cidr>& blocks) {
  std::vector<std::string> texts;
  for (const Ipv4Cidr b : blocks) texts.push_back(b.ToString());
  return ListText(texts);
}

std::string Text(const Status& status) { return status ? "ok" : "error " + status.error().code; }

// --- The script ---

// A cluster, its garbage collector and what Kubernetes says of nodes and pods.
class Script : private CalicoClusterView {
 public:
  // Plays one line; what is wrong with the answer, or empty.
  std::string Run(const VectorLine& line) {
    std::vector<std::string> words = Words(line.command);
    const auto handler = Handlers().find(words.front());
    if (handler == Handlers().end()) return "unknown command";
    words.erase(words.begin());
    try {
      ScriptArguments arguments(std::move(words));
      const std::string answer = (this->*handler->second)(arguments);
      arguments.ExpectEnd();
      if (line.expected ? MatchesWords(answer, *line.expected) : !answer.starts_with("error")) {
        return {};
      }
      return fmt::format("expected: {}\n       got: {}", line.expected.value_or("no error"),
                         answer);
    } catch (const Malformed& malformed) {
      return "malformed: " + malformed.what;
    }
  }

  std::vector<std::string> Violations() { return store().CheckInvariants(); }

 private:
  using Arguments = ScriptArguments;
  using Handler = std::string (Script::*)(Arguments&);

  static const std::map<std::string, Handler>& Handlers() {
    static const std::map<std::string, Handler> kHandlers{
        {"config", &Script::Config},
        {"reserve", &Script::Reserve},
        {"pool", &Script::AddPool},
        {"change-pool", &Script::ChangePool},
        {"node", &Script::Node},
        {"node-gone", &Script::NodeGone},
        {"namespace", &Script::Namespace},
        {"pod", &Script::Pod},
        {"wait", &Script::Wait},
        {"assign", &Script::Assign},
        {"assign-ip", &Script::AssignIp},
        {"fill", &Script::Fill},
        {"tunnel", &Script::Tunnel},
        {"claim", &Script::Claim},
        {"release", &Script::Release},
        {"release-pod", &Script::ReleasePod},
        {"release-ips", &Script::ReleaseIps},
        {"release-block", &Script::ReleaseBlock},
        {"release-host", &Script::ReleaseHost},
        {"write-affinity", &Script::WriteAffinity},
        {"create-block", &Script::CreateBlock},
        {"gc", &Script::Gc},
        {"affinities", &Script::Affinities},
        {"routes", &Script::Routes},
        {"block", &Script::Block},
        {"holder", &Script::Holder},
        {"handle", &Script::Handle},
        {"stats", &Script::Stats},
        {"cost", &Script::Cost},
        {"violations", &Script::CountViolations},
    };
    return kHandlers;
  }

  BlockStore& store() {
    if (!store_) {
      store_ = std::make_unique<BlockStore>(reservations_);
      ipam_ = std::make_unique<CalicoIpam>(*store_, config_);
      collector_ = std::make_unique<CalicoGarbageCollector>(*ipam_, grace_);
    }
    return *store_;
  }
  CalicoIpam& ipam() { return store(), *ipam_; }

  // --- What is there

  std::string Config(Arguments& a) {
    if (store_) throw Malformed{"config comes first"};
    config_.strict_affinity = a.Flag("strict");
    config_.auto_allocate_blocks = !a.Flag("no-auto-allocate");
    config_.reclaim_empty_blocks = !a.Flag("no-reclaim");
    config_.max_blocks_per_host = a.Int("max-blocks", 0);
    if (const auto cooldown = a.Option("cooldown")) config_.ip_cooldown = ToDuration(*cooldown);
    if (const auto grace = a.Option("gc-grace")) grace_ = ToDuration(*grace);
    const Status valid = ValidateConfig(config_);
    if (!valid) config_ = {};
    return Text(valid);
  }
  std::string Reserve(Arguments& a) {
    if (store_) throw Malformed{"reserve comes before pools"};
    for (const std::string& cidr : a.Rest()) reservations_.push_back(ToBlock(cidr));
    return "ok";
  }
  static void ReadPool(Arguments& a, IpPool& pool) {
    pool.block_size = a.Int("block", pool.block_size);
    if (const auto tunnel = a.Option("tunnel")) pool.tunnel = ToTunnel(*tunnel);
    if (a.Flag("disabled")) pool.enabled = false;
    if (a.Flag("manual")) pool.automatic = false;
    if (const auto uses = a.Option("uses")) {
      pool.allowed_uses.clear();
      for (const std::string& use : Items(*uses)) pool.allowed_uses.insert(ToUse(use));
    }
    if (const auto nodes = a.Option("nodes")) pool.node_selector = ToSelector(*nodes);
    if (const auto spaces = a.Option("namespaces")) pool.namespace_selector = ToSelector(*spaces);
  }
  std::string AddPool(Arguments& a) {
    IpPool pool;
    pool.name = a.Word("the name");
    pool.cidr = ToBlock(a.Word("the CIDR"));
    ReadPool(a, pool);
    return Text(store().AddPool(std::move(pool)));
  }
  // As if applied anew with other fields; `enabled` and `automatic` are the opposites of the flags.
  std::string ChangePool(Arguments& a) {
    const IpPool* current = store().FindPool(a.Word("the name"));
    if (current == nullptr) return std::string("error ") + std::string(calico_error::kUnknownPool);
    IpPool pool = *current;
    pool.enabled = pool.automatic = true;
    if (const auto cidr = a.Option("cidr")) pool.cidr = ToBlock(*cidr);
    ReadPool(a, pool);
    return Text(store().UpdatePool(std::move(pool)));
  }
  static Labels ToLabels(std::vector<std::string> words) {
    Labels labels;
    for (const std::string& word : words) {
      const size_t equals = word.find('=');
      if (equals == word.npos) throw Malformed{"'" + word + "' is no label=value"};
      labels[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return labels;
  }
  std::string Node(Arguments& a) {
    const std::string name = a.Word("the node");
    nodes_.insert(name);
    store().SetNodeLabels(name, ToLabels(a.Rest()));
    return "ok";
  }
  std::string NodeGone(Arguments& a) {
    if (nodes_.erase(a.Word("the node")) == 0) throw Malformed{"there is no such node"};
    return "ok";
  }
  std::string Namespace(Arguments& a) {
    const std::string name = a.Word("the namespace");
    store().SetNamespaceLabels(name, ToLabels(a.Rest()));
    return "ok";
  }
  std::string Pod(Arguments& a) {
    const std::string name = a.Word("the pod");
    if (a.Flag("gone")) {
      pods_.erase(name);
    } else {
      pods_[name] = ToAddress(a.Word("its address, or gone"));
    }
    return "ok";
  }
  std::string Wait(Arguments& a) {
    now_ += ToDuration(a.Word("how long"));
    store().Advance(now_);
    return "ok";
  }

  // --- Assignment

  AssignRequest ReadRequest(Arguments& a) {
    AssignRequest request;
    request.host = a.Text("host");
    request.pod_namespace = a.Option("namespace").value_or("default");
    request.max_blocks = a.Int("max-blocks", 0);
    request.count = a.Int("n", 1);
    request.finest_block = a.Int("finest", request.finest_block);
    request.pools = RequestedPools(Items(a.Text("pod-pools")), Items(a.Text("namespace-pools")),
                                   Items(a.Text("cni-pools")));
    if (const auto use = a.Option("use")) request.use = ToUse(*use);
    return request;
  }
  std::string Answer(const AssignReply& reply) {
    cost_ = reply.cost;
    std::vector<Ipv4Address> addresses;
    std::vector<Ipv4Cidr> blocks;
    std::vector<std::string> how;
    const auto add = [](auto& list, auto item) {
      if (std::ranges::find(list, item) == list.end()) list.push_back(std::move(item));
    };
    for (const AssignedAddress& assigned : reply.addresses) {
      addresses.push_back(assigned.address);
      add(blocks, assigned.block);
      add(how, std::string(assigned.borrowed        ? "borrowed"
                           : assigned.block_claimed ? "claimed"
                                                    : "owned"));
      if (!assigned.reclaimed_from.empty()) add(how, "from=" + assigned.reclaimed_from);
    }
    const std::string rest =
        fmt::format("in={} how={}", Text(blocks), addresses.empty() ? "-" : ListText(how));
    if (reply.status) return fmt::format("{} {}", Text(addresses), rest);
    return fmt::format("{} got={} {}", Text(reply.status), Text(addresses), rest);
  }
  std::string Assign(Arguments& a) {
    const std::string handle = a.Word("the handle");
    AssignRequest request = ReadRequest(a);
    request.handle = handle == "-" ? "" : handle;
    request.pod = a.Flag("without-pod") ? "" : handle;
    return Answer(ipam().AutoAssign(request, now_));
  }
  // One address each for PREFIX0, PREFIX1, ...
  std::string Fill(Arguments& a) {
    const std::string prefix = a.Word("the prefix");
    const int wanted = ToInt(a.Word("how many"));
    AssignRequest request = ReadRequest(a);
    for (int i = 0; i < wanted; ++i) {
      request.handle = request.pod = prefix + std::to_string(i);
      const AssignReply reply = ipam().AutoAssign(request, now_);
      cost_ = reply.cost;
      if (!reply.status) return fmt::format("{} served={}", Text(reply.status), i);
    }
    return fmt::format("served={}", wanted);
  }
  std::string AssignIp(Arguments& a) {
    AssignAddressRequest request;
    request.owner.handle = request.owner.pod = a.Word("the handle");
    request.address = ToAddress(a.Word("the address"));
    request.owner.pod_namespace = "default";
    request.owner.node = a.Text("host");
    request.capped = a.Flag("capped");
    if (const auto use = a.Option("use")) request.use = ToUse(*use);
    return Answer(ipam().AssignAddress(request, now_));
  }
  std::string Tunnel(Arguments& a) {
    const std::string host = a.Text("host");
    return Answer(ipam().AssignTunnelAddress(host, ToTunnel(a.Word("the mode")), now_));
  }
  std::string Claim(Arguments& a) {
    const Ipv4Cidr block = ToBlock(a.Word("the block"));
    return Text(ipam().ClaimBlock(a.Text("host"), block, now_));
  }

  // --- Release

  std::string Answer(const ReleaseReply& reply) {
    cost_ = reply.cost;
    return fmt::format("{}released={} unallocated={} refused={}",
                       reply.errors.empty() ? "" : "error " + reply.errors[0].code + " ",
                       Text(reply.released), Text(reply.unallocated), reply.errors.size());
  }
  std::string Release(Arguments& a) { return Answer(ipam().Release(a.Word("the handle"), now_)); }
  std::string ReleasePod(Arguments& a) {
    const std::string sandbox = a.Word("the container"), space = a.Word("the namespace");
    return Answer(ipam().ReleasePod(sandbox, space, a.Word("the pod"), now_));
  }
  // ADDRESS, ADDRESS=HANDLE or ADDRESS=HANDLE=SEQUENCE, where `now` is the block's number for it
  // and `old` the one before.
  std::string ReleaseIps(Arguments& a) {
    std::vector<ReleaseAddressRequest> requests;
    for (const std::string& word : a.Rest()) {
      std::string spaced = word;
      std::ranges::replace(spaced, '=', ' ');
      const std::vector<std::string> parts = Words(spaced);
      ReleaseAddressRequest& request = requests.emplace_back();
      request.address = ToAddress(parts.at(0));
      if (parts.size() > 1) request.handle = parts[1];
      if (parts.size() > 2) {
        const AllocationBlock* block = store().PeekBlockOf(request.address);
        if (block == nullptr) throw Malformed{"no block has " + parts[0]};
        const uint64_t now = block->SequenceOf(block->OrdinalOf(request.address));
        request.sequence = OneOf<uint64_t>(parts[2], {{"now", now}, {"old", now - 1}});
      }
    }
    return Answer(ipam().ReleaseAddresses(requests, now_));
  }
  std::string Answer(const AffinityReleaseReply& reply) {
    cost_ = reply.cost;
    return fmt::format("{} deleted={} orphaned={}", Text(reply.status), Text(reply.deleted),
                       Text(reply.orphaned));
  }
  std::string ReleaseBlock(Arguments& a) {
    const Ipv4Cidr block = ToBlock(a.Word("the block"));
    const bool if_empty = a.Flag("if-empty");
    return Answer(ipam().ReleaseAffinity(a.Text("host"), block, if_empty, now_));
  }
  std::string ReleaseHost(Arguments& a) {
    return Answer(ipam().ReleaseHostAffinities(a.Word("the host"), now_));
  }

  // --- What a writer that died half way, or a lost write, leaves behind

  std::string WriteAffinity(Arguments& a) {
    const Ipv4Cidr block = ToBlock(a.Word("the block"));
    const std::string state = a.Word("the state");
    for (const auto& [name, value] : kStates) {
      if (name != state) continue;
      store().WriteAffinity(a.Text("host"), block, value);
      return "ok";
    }
    throw Malformed{"'" + state + "' is no state of an affinity"};
  }
  std::string CreateBlock(Arguments& a) {
    const Ipv4Cidr block = ToBlock(a.Word("the block"));
    if (!store().CreateBlock(block, a.Text("host"), now_)) throw Malformed{"the block exists"};
    return "ok";
  }

  // --- Garbage collection

  bool NodeExists(std::string_view node) const override { return nodes_.contains(node); }
  bool PodHasAddress(std::string_view, std::string_view pod, Ipv4Address address) const override {
    const auto it = pods_.find(pod);
    return it != pods_.end() && it->second == address;
  }
  // One sync, or one every sync period for a time.
  std::string Gc(Arguments& a) {
    ipam();
    TimePoint end = now_;
    if (const auto time = a.Option("for")) end += ToDuration(*time);
    GcReport all = collector_->Sync(now_, *this);
    while (now_ + collector_->sync_period() <= end) {
      now_ += collector_->sync_period();
      GcReport report = collector_->Sync(now_, *this);
      std::ranges::move(report.released, std::back_inserter(all.released));
      std::ranges::move(report.blocks_released, std::back_inserter(all.blocks_released));
      std::ranges::move(report.hosts_released, std::back_inserter(all.hosts_released));
    }
    now_ = end;
    return fmt::format("released={} blocks={} hosts={} addresses={}", Text(all.released),
                       Text(all.blocks_released), ListText(all.hosts_released),
                       all.released.size());
  }

  // --- Questions

  std::string Affinities(Arguments& a) {
    std::vector<std::string> texts;
    for (const BlockAffinity& affinity : store().AffinitiesOf(a.Word("the host"))) {
      const auto* state = std::ranges::find(kStates, affinity.state,
                                            &std::pair<std::string_view, AffinityState>::second);
      texts.push_back(affinity.cidr.ToString() + ":" + std::string(state->first));
    }
    return fmt::format("{} count={}", ListText(texts), texts.size());
  }
  std::string Routes(Arguments& a) { return Text(store().ConfirmedBlocksOf(a.Word("the host"))); }
  std::string Block(Arguments& a) {
    const AllocationBlock* block = store().PeekBlock(ToBlock(a.Word("the block")));
    if (block == nullptr) return "absent";
    return fmt::format(
        "host={} allocated={} borrowed={} cooling={} available={} free={} writes={}",
        block->host().value_or("none"), block->allocated(), block->borrowed(), block->cooling(),
        block->available(), ListText(block->FreeOrdinals()),
        block->sequence() - static_cast<uint64_t>(block->claimed_at().time_since_epoch().count()));
  }
  std::string Holder(Arguments& a) {
    const Ipv4Address address = ToAddress(a.Word("the address"));
    const AllocationBlock* block = store().PeekBlockOf(address);
    const AllocationOwner* owner =
        block == nullptr ? nullptr : block->OwnerOf(block->OrdinalOf(address));
    if (owner == nullptr) return "none";
    return fmt::format("{} node={}", owner->handle, owner->node);
  }
  std::string Handle(Arguments& a) {
    const std::string handle = a.Word("the handle");
    std::vector<std::string> texts;
    for (const HandleCount& count : store().ReadHandle(handle)) {
      texts.push_back(fmt::format("{}:{}", count.block.ToString(), count.count));
    }
    return fmt::format("{} holds={}", ListText(texts), Text(store().AddressesOf(handle)));
  }
  std::string Stats(Arguments&) {
    const IpamStatistics& s = store().statistics();
    return fmt::format("blocks={} affine={} allocated={} borrowed={} cooling={}", s.blocks,
                       s.affine_blocks, s.allocated, s.borrowed, s.cooling);
  }
  std::string Cost(Arguments&) {
    return fmt::format("reads={} writes={} lists={} items={}", cost_.reads, cost_.writes,
                       cost_.lists, cost_.listed_items);
  }
  std::string CountViolations(Arguments&) {
    return std::to_string(store().CheckInvariants().size());
  }

  CalicoIpamConfig config_;
  Duration grace_ = kDefaultLeakGrace;
  std::vector<Ipv4Cidr> reservations_;
  std::unique_ptr<BlockStore> store_;
  std::unique_ptr<CalicoIpam> ipam_;
  std::unique_ptr<CalicoGarbageCollector> collector_;
  std::set<std::string, std::less<>> nodes_;
  std::map<std::string, Ipv4Address, std::less<>> pods_;
  TimePoint now_ = kTimeZero;
  DatastoreCost cost_;
};

const Vectors& AllVectors() {
  static const Vectors all = ReadVectors(CNISIM_SOURCE_DIR, "core/ipam/calico/vectors");
  return all;
}

class CalicoConformance : public testing::TestWithParam<std::string> {};

// Whatever a case does to the datastore, it ends with all of it in order.
TEST_P(CalicoConformance, Holds) {
  const VectorCase& played = *AllVectors().Find(GetParam());
  Script script;
  EXPECT_FALSE(played.lines.empty());
  EXPECT_TRUE(Play(AllVectors(), played, script)) << played.id << ": " << played.title;
  EXPECT_THAT(script.Violations(), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Vectors, CalicoConformance, testing::ValuesIn(IdsOf(AllVectors())),
                         [](const auto& info) { return info.param; });

TEST(CalicoConformanceFiles, AreWellFormed) {
  for (const std::string& problem : AllVectors().problems) ADD_FAILURE() << problem;
}

TEST(CalicoConformanceFiles, BadLinesFail) {
  const auto wrong = [](std::string command, std::optional<std::string> expected) {
    Script script;
    EXPECT_EQ(script.Run({1, "pool p 10.0.0.0/24", std::nullopt}), "");
    return script.Run({2, std::move(command), std::move(expected)});
  };
  EXPECT_EQ(wrong("stats", "blocks=0"), "");
  EXPECT_NE(wrong("stats", "blocks=1"), "");
  EXPECT_EQ(wrong("frobnicate", std::nullopt), "unknown command");
  EXPECT_TRUE(wrong("stats please", std::nullopt).starts_with("malformed"));
  EXPECT_TRUE(wrong("claim 10.0.0.0/33 host=a", std::nullopt).starts_with("malformed"));
  EXPECT_TRUE(wrong("pool q 10.1.0.0/24 nodes=has(", std::nullopt).starts_with("malformed"));
  EXPECT_TRUE(wrong("config", std::nullopt).starts_with("malformed"));
  EXPECT_NE(wrong("assign x host=a cni-pools=q", std::nullopt), "");
  EXPECT_EQ(wrong("assign x host=a cni-pools=q", "error"), "");
}

}  // namespace
}  // namespace cnisim
