// Ten thousand lives of a node, each with one sudden death.
//
// A repaired agent (every quirk off) lives in a SlowWorld: pods come and go, EC2 now and then
// refuses, and at one point the agent is killed: where it waits for a call that has not been
// carried out yet, for one that has, for time to pass, or just before or after a checkpoint is
// saved. What is in flight at EC2 takes effect, pods are deleted while nobody listens, and after
// ten to twenty seconds (longer than any call takes) a new agent starts. Pods come and go for a
// little longer; then all is quiet for 70 minutes. Thereafter EC2, datastore, checkpoint and pods
// must agree, nothing may be left behind at EC2, and at no time may two pods have had one address,
// or a pod one that EC2 took away.
//
// Half of the deaths are at a point drawn evenly over the life, a quarter at a name of a point
// drawn evenly, and a quarter at whichever name has seen the fewest, so that agents have died at
// every point where any agent ever was.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include "core/ipam/testing/slow_world.h"
#include "core/net/format.h"
#include "core/net/veth_name.h"

namespace cnisim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

#if defined(__SANITIZE_ADDRESS__)
constexpr int kRuns = 1'000;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr int kRuns = 1'000;
#else
constexpr int kRuns = 10'000;
#endif
#else
constexpr int kRuns = 10'000;
#endif

constexpr Duration kQuiet = minutes(70);
// Thereof with the pool loop three times slower than it is; later it is a hundred times slower.
constexpr Duration kSettling = minutes(2);
// In which ENIs get old enough to be removed.
constexpr Duration kLull = seconds(80);

struct Variant {
  const char* name;
  FakeInstance instance;
  AgentSettings settings;
  // What the agent is started with later, if not the same.
  std::optional<bool> prefixes_after_restart;
  bool exclude_primary_subnet = false;  // while the node lives
  int network_cards = 1;
};

std::vector<Variant> Variants() {
  std::vector<Variant> variants;
  const auto add = [&](const char* name, FakeInstance instance) -> Variant& {
    Variant& variant = variants.emplace_back();
    variant.name = name;
    variant.instance = instance;
    variant.settings.enable_ipv4 = true;
    return variant;
  };
  add("WarmEni", {3, 3});
  AgentSettings& targets = add("Targets", {3, 3}).settings;
  targets.warm_ip_target = 1;
  targets.minimum_ip_target = 2;
  AgentSettings& prefixes = add("Prefixes", {3, 2}).settings;
  prefixes.prefix_delegation = true;
  prefixes.warm_prefix_target = 1;
  Variant& to_addresses = add("PrefixesToAddresses", {3, 3});
  to_addresses.settings.prefix_delegation = true;
  to_addresses.settings.warm_prefix_target = 1;
  to_addresses.prefixes_after_restart = false;
  Variant& to_prefixes = add("AddressesToPrefixes", {3, 3});
  to_prefixes.settings.warm_prefix_target = 1;
  to_prefixes.prefixes_after_restart = true;
  Variant& custom = add("CustomNetworking", {3, 3});
  custom.settings.custom_networking = true;
  Variant& excluded = add("Excluded", {3, 3});
  excluded.exclude_primary_subnet = true;
  Variant& cards = add("TwoCards", {3, 3});
  cards.settings.enable_multi_nic = true;
  cards.settings.warm_ip_target = 1;
  cards.network_cards = 2;
  Variant& trunk = add("AwaitsTrunk", {3, 3});
  trunk.settings.enable_pod_eni = true;
  trunk.settings.warm_ip_target = 1;
  Variant& ipv6 = add("Ipv6", {2, 3});
  ipv6.settings.enable_ipv4 = false;
  ipv6.settings.enable_ipv6 = true;
  ipv6.settings.prefix_delegation = true;
  return variants;
}

struct Pod {
  std::string name;
  IpamKey key;  // of its latest sandbox
  std::vector<PodAddress> addresses;
};

// Which quirks have struck, by name.
class Struck final : public PoolListener {
 public:
  void OnPoolChanged() override {}
  void OnQuirk(Quirk quirk) override {
    names.emplace(std::ranges::find(AllQuirks(), quirk, &QuirkInfo::member)->name);
  }

  std::set<std::string_view> names;
};

// One node: the agent, the kubelet with its pods, and what goes wrong.
class Life {
 public:
  Life(const Variant& variant, const Quirks& quirks, uint64_t seed, Death death)
      : variant_(variant),
        settings_(variant.settings),
        slow_(variant.instance,
              {{"subnet-a", Ipv4Cidr({10, 0, 0, 0}, 25)},
               {"subnet-b", Ipv4Cidr({10, 0, 1, 0}, 25), {{"kubernetes.io/role/cni", "1"}}}},
              seed, std::move(death)),
        choice_(Choice::Random(seed)) {
    settings_.quirks = quirks;
    EniConfig config;
    config.subnet_id = "subnet-b";
    slow_.world.kubernetes.eni_configs["default"] = config;
    life_ = Live();
    life_.Start();
  }

  // What went wrong; empty if nothing.
  std::string Live70QuietMinutes() {
    const uint64_t deeds = 10 + slow_.Draw(10);
    const uint64_t restart_at = slow_.Draw(2 * deeds);  // every other life has one
    for (uint64_t i = 0; i < deeds; ++i) {
      Pass(slow_.DrawDuration(milliseconds(100), seconds(8)));
      Misfortune();
      if (slow_.Draw(5) < 3) {
        Create();
      } else {
        Delete();
      }
      if (i == deeds / 2 && variant_.exclude_primary_subnet) {
        slow_.world.ec2.subnets().front().tags["kubernetes.io/role/cni"] = "0";
      }
      if (i == restart_at) Restart();
      RetryAdds();
    }
    if (slow_.Draw(2) == 0) {
      slow_.pacer.slowness = 4;
      Pass(kLull);
      slow_.pacer.slowness = 1;
    }
    if (deaths_ == 0) Die();  // the point was never reached
    for (int i = 0; i < 6; ++i) {
      Pass(slow_.DrawDuration(milliseconds(100), seconds(8)));
      if (i % 3 == 0) Create();
      if (i % 3 == 1) Delete();
      RetryAdds();
    }
    slow_.world.ec2.StopFailing();
    slow_.pacer.slowness = 3;
    for (Duration quiet{}; quiet < kSettling; quiet += seconds(20)) {
      Pass(seconds(20));
      RetryAdds();
    }
    slow_.pacer.slowness = 100;
    Pass(kQuiet - kSettling);
    if (wrong_.empty()) wrong_ = CompareAll();
    return wrong_;
  }

  const SlowWorld& slow() const { return slow_; }
  const std::set<std::string_view>& struck() const { return struck_.names; }

 private:
  Task<void> Live() {
    for (;;) {
      InstanceLimits limits = variant_.instance.limits();
      limits.network_cards = variant_.network_cards;
      limits.trunk_compatible = true;
      agent_ = std::make_unique<Agent>(slow_.ports(), settings_, limits, choice_, &struck_);
      const Status ready = co_await agent_->Init();
      if (ready) break;
      co_await slow_.world.clock.Sleep(kCrashPause);
    }
    serving_ = true;
    co_await agent_->Run();
  }

  void Die() {
    ++deaths_;
    slow_.Bury();
    Restart();
  }

  void Restart() {
    dels_.clear();
    life_ = Task<void>();
    agent_.reset();
    serving_ = false;
    if (variant_.prefixes_after_restart) {
      settings_.prefix_delegation = *variant_.prefixes_after_restart;
    }
    life_ = LiveAfter(slow_.DrawDuration(seconds(10), seconds(20)));
    life_.Start();
  }

  Task<void> LiveAfter(Duration pause) {
    co_await slow_.world.clock.Sleep(pause);
    co_await Live();
  }

  void Pass(Duration d) {
    const TimePoint end = slow_.world.clock.Now() + d;
    while (slow_.RunUntilDeathFor(end - slow_.world.clock.Now())) Die();
    std::erase_if(dels_, [](const auto& del) { return del.done(); });
  }

  // EC2 refuses the next call of some kind.
  void Misfortune() {
    if (slow_.Draw(3) != 0) return;
    constexpr std::pair<FakeEc2Action, std::string_view> kRefusals[] = {
        {FakeEc2Action::kCreate, ec2_error::kInsufficientFreeAddresses},
        {FakeEc2Action::kAttach, ec2_error::kAttachmentLimitExceeded},
        {FakeEc2Action::kDetach, ec2_error::kInternalError},
        {FakeEc2Action::kDelete, ec2_error::kEniInUse},
        {FakeEc2Action::kModify, ec2_error::kRequestLimitExceeded},
        {FakeEc2Action::kDescribeInterfaces, ec2_error::kInternalError},
        {FakeEc2Action::kDescribeSubnets, ec2_error::kRequestLimitExceeded},
        {FakeEc2Action::kAssign, ec2_error::kInsufficientFreeAddresses},
        {FakeEc2Action::kUnassign, ec2_error::kInternalError},
        {FakeEc2Action::kTag, ec2_error::kRequestLimitExceeded},
        {FakeEc2Action::kFind, ec2_error::kRequestLimitExceeded},
    };
    const auto& [action, code] = kRefusals[slow_.Draw(std::size(kRefusals))];
    slow_.world.ec2.FailNext(action, 1, code);
  }

  // --- The kubelet ---

  void Create() {
    Pod& pod = pods_.emplace_back();
    pod.name = fmt::format("pod-{}", ++created_);
  }

  void RetryAdds() {
    for (Pod& pod : pods_) {
      if (pod.addresses.empty() && serving_) Add(pod);
    }
  }

  void Add(Pod& pod) {
    pod.key = {"aws-cni", fmt::format("sandbox-{}", ++sandboxes_), "eth0"};
    const bool every_card = variant_.network_cards > 1 && created_ % 2 == 0;
    const Result<std::vector<PodAddress>> got =
        agent_->AddPod(pod.key, {"default", pod.name, 0}, every_card);
    if (slow_.dead()) return Die();  // no reply
    if (!got) return Del(pod.key);   // the kubelet cleans up
    for (const Pod& other : pods_) {
      for (const PodAddress& one : other.addresses) {
        const bool twice = std::ranges::any_of(
            *got, [&](const PodAddress& address) { return address.ip == one.ip; });
        if (twice) wrong_ += fmt::format("{} got {} of {}\n", pod.name, one.ip, other.name);
      }
    }
    pod.addresses = *got;
    slow_.world.host.links.push_back("eni" + VethSuffix("default", pod.name));
  }

  void Delete() {
    if (pods_.empty()) return;
    const auto it = pods_.begin() + static_cast<std::ptrdiff_t>(slow_.Draw(pods_.size()));
    const Pod pod = *it;
    pods_.erase(it);
    std::erase(slow_.world.host.links, "eni" + VethSuffix("default", pod.name));
    // Without an agent the plugin says that all is well.
    if (pod.key.container.empty()) return;
    if (serving_) return Del(pod.key);
    // Seen from outside only: the agent may have looked for gone pods already.
    if (settings_.quirks.missedDelsLeak) struck_.OnQuirk(&Quirks::missedDelsLeak);
  }

  void Del(const IpamKey& key) {
    dels_.push_back(agent_->DelPod(key));
    dels_.back().Start();
    if (slow_.dead()) Die();
  }

  // --- What must hold in the end ---

  std::string CompareAll() {
    if (!serving_) return "the agent is not ready\n";
    std::string out;
    std::set<std::string> known;
    for (const auto& pool : agent_->state().pools) {
      for (const auto& eni : pool->enis()) known.insert(eni->attributes.id);
      out += CompareCheckpoint(*pool);
    }
    std::vector<FakeSubnet> expected = FreshSubnets();
    for (const NetworkInterface& eni : slow_.world.ec2.enis()) {
      if (eni.device_index < 0) {
        out += fmt::format("{} is left behind\n", eni.id);
        continue;
      }
      if (known.erase(eni.id) == 0) out += fmt::format("the datastore lacks {}\n", eni.id);
      out += CompareEni(eni);
      for (FakeSubnet& subnet : expected) Occupy(subnet, eni);
    }
    for (const std::string& id : known) out += fmt::format("EC2 lacks {}\n", id);
    if (slow_.world.ec2.subnets() != expected) out += "EC2's subnets do not add up\n";
    return out + ComparePods();
  }

  std::string CompareEni(const NetworkInterface& eni) {
    std::set<IpCidr> at_ec2(eni.ipv4_prefixes.begin(), eni.ipv4_prefixes.end());
    at_ec2.insert(eni.ipv6_prefixes.begin(), eni.ipv6_prefixes.end());
    for (const Ipv4Address ip : eni.secondary_ips) at_ec2.insert(IpCidr(ip));
    std::set<IpCidr> in_book;
    const Datastore* pool = agent_->state().PoolOfEni(eni.id);
    if (pool == nullptr) return {};
    for (const Datastore::Cidr& cidr : pool->FindEni(eni.id)->cidrs) in_book.insert(cidr.cidr);
    return at_ec2 == in_book ? "" : fmt::format("EC2 and datastore differ on {}\n", eni.id);
  }

  std::string CompareCheckpoint(const Datastore& pool) {
    const auto& saved = slow_.world.checkpoints.ForCard(pool.network_card()).saved;
    const std::vector<Allocation> held = pool.AllAllocations();
    if (saved ? std::ranges::is_permutation(*saved, held) : held.empty()) return {};
    return fmt::format("checkpoint and datastore of card {} differ\n", pool.network_card());
  }

  std::string ComparePods() {
    std::string out;
    std::set<std::pair<IpamKey, IpAddress>> held;
    for (const auto& pool : agent_->state().pools) {
      for (const Allocation& each : pool->AllAllocations()) held.emplace(each.key, each.ip);
    }
    for (const Pod& pod : pods_) {
      for (const PodAddress& address : pod.addresses) {
        if (held.erase({pod.key, address.ip}) == 0) {
          out += fmt::format("{} has lost {}\n", pod.name, address.ip);
        }
      }
    }
    for (const auto& [key, ip] : held) out += fmt::format("{} leaked {}\n", key.container, ip);
    return out;
  }

  static void Take(FakeSubnet& subnet, Ipv4Cidr cidr) {
    if (!subnet.cidr.Contains(cidr.network())) return;
    const uint32_t at = cidr.network().bits() - subnet.cidr.network().bits();
    std::fill_n(subnet.taken.begin() + at, cidr.size(), true);
  }
  static void Occupy(FakeSubnet& subnet, const NetworkInterface& eni) {
    Take(subnet, Ipv4Cidr(eni.primary_ip));
    for (const Ipv4Address ip : eni.secondary_ips) Take(subnet, Ipv4Cidr(ip));
    for (const Ipv4Cidr& prefix : eni.ipv4_prefixes) Take(subnet, prefix);
  }
  std::vector<FakeSubnet> FreshSubnets() {
    std::vector<FakeSubnet> fresh;
    for (const FakeSubnet& subnet : slow_.world.ec2.subnets()) {
      fresh.emplace_back(subnet.id, subnet.cidr, subnet.tags);
    }
    return fresh;
  }

  const Variant& variant_;
  AgentSettings settings_;
  SlowWorld slow_;
  Choice choice_;
  Struck struck_;
  std::vector<Pod> pods_;
  int created_ = 0;
  int sandboxes_ = 0;
  int deaths_ = 0;
  bool serving_ = false;
  std::string wrong_;
  std::unique_ptr<Agent> agent_;
  std::list<Task<Result<std::vector<PodAddress>>>> dels_;
  Task<void> life_;  // destroyed before the agent
};

TEST(Crash, AfterAnyDeathAllIsWellAgain) {
  constexpr int kPointsInALife = 90;  // most have more
  const std::vector<Variant> variants = Variants();
  std::map<std::string, Points> seen;  // by variant
  Points died;
  for (int run = 0; run < kRuns; ++run) {
    const auto seed = static_cast<uint64_t>(run);
    const Variant& variant = variants[seed % variants.size()];
    Death death;
    const Points& known = seen[variant.name];
    std::mt19937_64 random(~seed);
    switch (seed / variants.size() % 4) {
      case 0:
      case 1:
        death.count = 1 + static_cast<int>(random() % kPointsInALife);
        break;
      case 2:
        death.point = std::next(known.begin(), static_cast<int>(random() % known.size()))->first;
        death.count = 1;
        break;
      default:
        death.point = std::ranges::min_element(known, {}, [&](const auto& point) {
                        return died[point.first];
                      })->first;
        death.count = 1 + static_cast<int>(random() % 2);
    }
    Life life(variant, AllRepaired(), seed, death);
    const std::string wrong = life.Live70QuietMinutes();
    ASSERT_TRUE(wrong.empty()) << variant.name << ", seed " << seed << ", killed at '"
                               << life.slow().died_at() << "':\n"
                               << wrong;
    for (const auto& [name, times] : life.slow().seen()) {
      seen[variant.name][name] += times;
    }
    ++died[life.slow().died_at()];
  }
  // The flows were all there.
  for (const char* name : {"identity",
                           "SetupHost",
                           "Tag",
                           "RefreshPodRules",
                           "ListLinks",
                           "DeleteFromPodRule",
                           "TablesOfSource",
                           "Assign",
                           "Unassign",
                           "DescribeSubnets",
                           "GetEniConfig",
                           "Create",
                           "DescribeDevices",
                           "Attach",
                           "Modify",
                           "attached ENIs",
                           "SetupEni",
                           "Detach",
                           "after Detach",
                           "Delete",
                           "back-off",
                           "DeleteEniRule",
                           "AssignIpv6",
                           "PatchCniNode",
                           "half period",
                           "metadata poll",
                           "CIDR of excluded ENI",
                           "Find",
                           "first leaked-ENI run",
                           "next leaked-ENI run",
                           "before a save",
                           "after a save",
                           "before a rewrite",
                           "after a rewrite"}) {
    EXPECT_GT(died[name], 0) << name;
  }
  for (const auto& [variant, points] : seen) {
    for (const auto& [name, times] : points) {
      EXPECT_GT(died[name], 0) << variant << ": no agent died at '" << name << "', passed " << times
                               << " times";
    }
  }
}

// What an agent as it is breaks, it has said.
TEST(Crash, WithQuirksWhatBreaksIsNamed) {
  struct Cause {
    std::string_view symptom;
    std::set<std::string_view> quirks;
  };
  const Cause causes[] = {
      {" leaked ", {"missedDelsLeak"}},
      {" got ", {"subnetLookupBlocksSetup", "trunkWaitDropsReused"}},
      {" has lost ", {"subnetLookupBlocksSetup", "trunkWaitDropsReused"}},
      {"the datastore lacks ", {"subnetLookupBlocksSetup"}},
  };
  const std::vector<Variant> variants = Variants();
  std::set<std::string_view> seen;
  for (int run = 0; run < 2'000; ++run) {
    const auto seed = static_cast<uint64_t>(run);
    const Variant& variant = variants[seed % variants.size()];
    Death death;
    death.count = 1 + static_cast<int>(std::mt19937_64(~seed)() % 90);
    Life life(variant, Quirks(), seed, death);
    std::istringstream wrong(life.Live70QuietMinutes());
    for (std::string line; std::getline(wrong, line);) {
      const bool named = std::ranges::any_of(causes, [&](const Cause& cause) {
        if (line.find(cause.symptom) == std::string::npos) return false;
        seen.insert(cause.symptom);
        return std::ranges::any_of(
            cause.quirks, [&](std::string_view quirk) { return life.struck().contains(quirk); });
      });
      EXPECT_TRUE(named) << variant.name << ", seed " << seed << ": " << line << " ("
                         << fmt::format("{}", fmt::join(life.struck(), ", ")) << " struck)";
    }
  }
  for (const Cause& cause : causes) EXPECT_TRUE(seen.contains(cause.symptom)) << cause.symptom;
}

}  // namespace
}  // namespace cnisim
