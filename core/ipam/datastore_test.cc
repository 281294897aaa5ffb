// Long random histories of the datastore beside its slow twin.
#include "core/ipam/datastore.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "core/ipam/testing/fake_world.h"
#include "core/ipam/testing/naive_datastore.h"
#include "core/net/hash.h"

namespace cnisim {
namespace {

using std::chrono::seconds;

constexpr int kSteps = 4000;
constexpr int kEnis = 5;
constexpr int kPods = 40;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  int Below(int n) { return static_cast<int>(HashMix(++state_) % static_cast<uint64_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};

class CountingListener final : public PoolListener {
 public:
  int changes = 0;
  void OnPoolChanged() override { ++changes; }
};

class DatastoreHistory {
 public:
  DatastoreHistory(uint64_t seed, PoolMode mode, bool random_choice, bool repaired)
      : random_(HashMix(seed)),
        oldest_first_(!random_choice),
        choice_(random_choice ? Choice::Random(seed) : Choice::Oldest()) {
    twin_.mode = mode;
    if (repaired) twin_.quirks = AllRepaired();
    Restart();
  }

  void Step() {
    now_ += Duration(random_.OneIn(3) ? seconds(random_.Below(40)) : seconds(0));
    const uint64_t version = real_->version();
    const int changes = listener_.changes;
    restarted_ = false;
    Act();
    if (!restarted_) {
      EXPECT_EQ(real_->version() != version, listener_.changes != changes);
    }
    EXPECT_EQ(CompareBooks(*real_, twin_, now_), "");
    EXPECT_EQ(checkpoint_.wrong_changes, 0);
    CompareLists();
    CheckNextUnprotected();
  }

 private:
  std::string SomeEni() { return fmt::format("eni-{}", random_.Below(kEnis)); }
  IpamKey SomeKey() { return {"aws-cni", fmt::format("c{}", random_.Below(kPods)), "eth0"}; }
  // Every ENI has ranges of its own: the same CIDR is never on two.
  IpCidr SomeCidr(const std::string& eni) {
    const auto block = static_cast<uint8_t>(eni.back() - '0');
    if (random_.OneIn(twin_.mode == PoolMode::kIpv6 ? 2 : 8)) {
      return Ipv6Cidr(Ipv6Address(0x20010db800000000 | block, uint64_t(random_.Below(2)) << 48),
                      80);
    }
    if (random_.OneIn(2)) {
      return Ipv4Cidr(Ipv4Address(10, 1, block, static_cast<uint8_t>(random_.Below(4) * 16)), 28);
    }
    return Ipv4Cidr(Ipv4Address(10, 2, block, static_cast<uint8_t>(random_.Below(6))));
  }

  void Act() {
    const std::string eni = SomeEni();
    const IpCidr cidr = SomeCidr(eni);
    const bool force = random_.OneIn(3);
    checkpoint_.failing = random_.OneIn(12);
    switch (random_.Below(16)) {
      case 0: {
        EniAttributes attributes;
        attributes.id = eni;
        attributes.is_primary = eni == "eni-0";
        attributes.is_trunk = random_.OneIn(8);
        attributes.is_efa = random_.OneIn(8);
        attributes.device_number = eni.back() - '0';
        EXPECT_EQ(real_->AddEni(attributes, now_).has_value(), twin_.AddEni(attributes, now_));
        return;
      }
      case 1:
        if (!random_.OneIn(4)) return;
        ExpectForcedRemoval(eni, force);
        return;
      case 2:
      case 3:
      case 4:
        EXPECT_EQ(real_->AddCidr(eni, cidr).has_value(), twin_.AddCidr(eni, cidr));
        return;
      case 5:
        if (random_.OneIn(2)) {
          EXPECT_EQ(real_->DeleteUnusedCidrOfExcluded(eni, cidr),
                    twin_.DeleteUnusedCidrOfExcluded(eni, cidr));
          return;
        }
        EXPECT_EQ(real_->DeleteCidr(eni, cidr, force).has_value(),
                  twin_.DeleteCidr(eni, cidr, force));
        return;
      case 6:
        if (NaiveEni* known = twin_.FindEni(eni)) known->excluded = force;
        EXPECT_EQ(real_->SetExcluded(eni, force).has_value(), twin_.FindEni(eni) != nullptr);
        return;
      case 7:
        if (!random_.OneIn(20)) return;
        twin_.mode = static_cast<PoolMode>(random_.Below(kPoolModes));
        real_->SetMode(twin_.mode);
        return;
      case 8:
        if (random_.OneIn(10)) Restart();
        return;
      case 9:
        RemoveUnused();
        return;
      case 10:
      case 11:
      case 12:
        Unassign(SomeKey());
        return;
      default:
        Assign(SomeKey());
        return;
    }
  }

  void ExpectForcedRemoval(const std::string& eni, bool force) {
    const NaiveEni* known = twin_.FindEni(eni);
    const int pods = known != nullptr && force ? known->pods() : 0;
    const int ips = real_->forced_removals_of_ips();
    EXPECT_EQ(real_->RemoveEni(eni, force).has_value(), twin_.RemoveEni(eni, force));
    EXPECT_EQ(real_->forced_removals_of_ips(), ips + pods);
  }

  void Assign(const IpamKey& key) {
    const std::optional<PodAddress> held = twin_.Find(key);
    const std::optional<PodAddress> expected = twin_.Pick(now_);
    const Result<PodAddress> got = real_->Assign(key, {}, now_);
    if (held) {
      ASSERT_TRUE(got);
      EXPECT_EQ(*got, *held);
      return;
    }
    if (!expected) {
      ASSERT_FALSE(got);
      EXPECT_EQ(got.error().code, datastore_error::kNoAddress);
      return;
    }
    if (!got) {
      EXPECT_TRUE(checkpoint_.failing);
      // Which address it was is only known if the oldest goes first; the twin forgets as it did.
      if (oldest_first_) {
        twin_.Serve(*expected, key, now_, false);
      } else {
        ForgetLikeTheRealOne();
      }
      return;
    }
    EXPECT_FALSE(checkpoint_.failing);
    if (oldest_first_) {
      EXPECT_EQ(*got, *expected);
    }
    ASSERT_TRUE(twin_.MayServe(got->eni_id, got->ip, now_)) << got->ip.ToString();
    twin_.Serve(*got, key, now_, true);
  }

  // Past-cooldown addresses that the real one has forgotten, from one CIDR at most.
  void ForgetLikeTheRealOne() {
    int cidrs = 0;
    for (const auto& eni : real_->enis()) {
      for (const Datastore::Cidr& cidr : eni->cidrs) {
        NaiveCidr* known = twin_.FindCidr(eni->attributes.id, cidr.cidr);
        const size_t forgotten = std::erase_if(known->addresses, [&](const auto& address) {
          const auto at = static_cast<size_t>(cidr.cidr.OffsetOf(address.first));
          return !address.second.key && !twin_.Cooling(address.second, now_) &&
                 cidr.slots[at].state == Datastore::Cidr::State::kAbsent;
        });
        cidrs += forgotten > 0 ? 1 : 0;
      }
    }
    EXPECT_LE(cidrs, 1);
  }

  void Unassign(const IpamKey& key) {
    const std::optional<PodAddress> held = twin_.Find(key);
    const Result<ReleasedAddress> got = real_->Unassign(key, now_);
    if (!held) {
      ASSERT_FALSE(got);
      EXPECT_EQ(got.error().code, datastore_error::kUnknownPod);
      return;
    }
    ASSERT_EQ(got.has_value(), !checkpoint_.failing);
    if (!got) return;
    EXPECT_EQ(got->address, *held);
    twin_.Release(key, now_);
  }

  void RemoveUnused() {
    const Datastore::RemovalTargets targets{random_.Below(8), random_.Below(8), random_.Below(3)};
    std::vector<std::string> allowed;
    for (const NaiveEni& eni : twin_.enis) {
      if (twin_.MayRemove(eni, targets, now_)) allowed.push_back(eni.attributes.id);
    }
    const std::optional<std::string> removed = real_->RemoveUnusedEni(targets, now_);
    ASSERT_EQ(removed.has_value(), !allowed.empty());
    if (!removed) return;
    if (oldest_first_) {
      EXPECT_EQ(*removed, allowed.front());
    }
    EXPECT_TRUE(std::ranges::count(allowed, *removed) == 1) << *removed;
    EXPECT_TRUE(twin_.RemoveEni(*removed, false));
  }

  // A new datastore with the same ENIs takes over what the checkpoint says.
  void Restart() {
    restarted_ = true;
    checkpoint_.failing = false;
    real_ =
        std::make_unique<Datastore>(Datastore::Config{twin_.mode, twin_.cooldown, 0, twin_.quirks},
                                    checkpoint_, choice_, &listener_);
    twin_.lost_ips = twin_.lost_prefixes = 0;
    for (NaiveEni& eni : twin_.enis) {
      eni.created = now_;
      EXPECT_TRUE(real_->AddEni(eni.attributes, now_));
      EXPECT_TRUE(real_->SetExcluded(eni.attributes.id, eni.excluded));
      for (NaiveCidr& cidr : eni.cidrs) {
        EXPECT_TRUE(real_->AddCidr(eni.attributes.id, cidr.cidr));
        cidr.addresses.clear();
      }
    }
    size_t dropped = 0;
    const std::vector<Allocation> saved = checkpoint_.saved.value_or(std::vector<Allocation>());
    for (const Allocation& allocation : saved) {
      bool found = false;
      for (NaiveEni& eni : twin_.enis) {
        for (NaiveCidr& cidr : eni.cidrs) {
          if (!cidr.cidr.Contains(allocation.ip)) continue;
          cidr.addresses[allocation.ip] = {allocation.key, {}};
          found = true;
        }
      }
      dropped += found ? 0 : 1;
    }
    const Result<std::vector<Allocation>> restored = real_->Restore(saved);
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->size(), dropped);
    EXPECT_TRUE(checkpoint_.Rewrite(*real_));
  }

  void CompareLists() {
    std::vector<std::string> allocatable;
    for (const NaiveEni& eni : twin_.enis) {
      if (!eni.excluded && !eni.attributes.is_trunk && eni.cidrs.size() < 4) {
        allocatable.push_back(eni.attributes.id);
      }
      EXPECT_EQ(real_->FreeableCidrs(eni.attributes.id, now_), twin_.Freeable(eni, now_));
    }
    std::vector<std::string> got;
    for (const Datastore::Eni* eni : real_->AllocatableEnis(4)) got.push_back(eni->attributes.id);
    EXPECT_EQ(got, allocatable);
    EXPECT_TRUE(real_->FreeableCidrs("eni-9", now_).empty());
  }

  std::vector<std::string> Removable(TimePoint at) const {
    std::vector<std::string> ids;
    for (const NaiveEni& eni : twin_.enis) {
      if (twin_.MayRemove(eni, {}, at)) ids.push_back(eni.attributes.id);
    }
    return ids;
  }

  // Which ENIs may go changes at the time that the datastore names, and not before.
  void CheckNextUnprotected() {
    const TimePoint next = real_->NextEniUnprotected(now_);
    ASSERT_GT(next, now_);
    EXPECT_EQ(Removable(now_),
              Removable(next == kForever ? now_ + seconds(100000) : next - Duration(1)));
    if (next != kForever) {
      EXPECT_NE(Removable(now_), Removable(next));
    }
  }

  Random random_;
  bool oldest_first_;
  Choice choice_;
  MemoryCheckpointStore checkpoint_;
  CountingListener listener_;
  NaiveDatastore twin_;
  std::unique_ptr<Datastore> real_;
  TimePoint now_ = kTimeZero;
  bool restarted_ = false;
};

std::string_view NameOf(PoolMode mode) {
  if (mode == PoolMode::kIpv6) return "Ipv6";
  return mode == PoolMode::kPrefixes ? "Prefix" : "Ip";
}

class DatastoreRandom : public testing::TestWithParam<std::tuple<PoolMode, bool, int>> {};

TEST_P(DatastoreRandom, AgreesWithItsTwin) {
  const auto [mode, random_choice, seed] = GetParam();
  const bool repaired = seed % 4 == 0;
  DatastoreHistory history(static_cast<uint64_t>(seed), mode, random_choice, repaired);
  for (int step = 0; step < kSteps; ++step) {
    history.Step();
    if (HasFailure()) {
      FAIL() << "at step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Histories, DatastoreRandom,
                         testing::Combine(testing::Values(PoolMode::kSecondaryIps,
                                                          PoolMode::kPrefixes, PoolMode::kIpv6),
                                          testing::Bool(), testing::Range(1, 9)),
                         [](const auto& info) {
                           return fmt::format("{}{}{}", NameOf(std::get<0>(info.param)),
                                              std::get<1>(info.param) ? "Random" : "Oldest",
                                              std::get<2>(info.param));
                         });

TEST(Datastore, FindsPodsOfOldAgents) {
  MemoryCheckpointStore checkpoint;
  Datastore datastore({}, checkpoint, Choice::Oldest(), nullptr);
  EniAttributes eni;
  eni.id = "eni-1";
  ASSERT_TRUE(datastore.AddEni(eni, kTimeZero));
  ASSERT_TRUE(datastore.AddCidr("eni-1", Ipv4Cidr({10, 0, 0, 1}, 32)));
  ASSERT_TRUE(datastore.Assign({"_migrated-from-cri", "c1", "unknown"}, {}, kTimeZero));
  EXPECT_TRUE(datastore.Unassign({"aws-cni", "c1", "eth0"}, kTimeZero));
}

TEST(Datastore, RefusesACheckpointThatGivesAnAddressTwice) {
  MemoryCheckpointStore checkpoint;
  Datastore datastore({}, checkpoint, Choice::Oldest(), nullptr);
  EniAttributes eni;
  eni.id = "eni-1";
  ASSERT_TRUE(datastore.AddEni(eni, kTimeZero));
  ASSERT_TRUE(datastore.AddCidr("eni-1", Ipv4Cidr({10, 0, 0, 1}, 32)));
  const Ipv4Address ip(10, 0, 0, 1);
  const auto restored = datastore.Restore(
      {{{"n", "c1", "i"}, ip, kTimeZero, {}}, {{"n", "c2", "i"}, ip, kTimeZero, {}}});
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, datastore_error::kDuplicateAddress);
}

// A random choice spreads pods over ENIs and addresses, and is the same for the same seed.
TEST(Datastore, RandomChoiceIsSeeded) {
  const auto place = [](uint64_t seed) {
    MemoryCheckpointStore checkpoint;
    Datastore datastore({}, checkpoint, Choice::Random(seed), nullptr);
    for (uint8_t i = 0; i < 4; ++i) {
      EniAttributes eni;
      eni.id = fmt::format("eni-{}", i);
      EXPECT_TRUE(datastore.AddEni(eni, kTimeZero));
      for (uint8_t j = 0; j < 8; ++j) {
        EXPECT_TRUE(datastore.AddCidr(eni.id, Ipv4Cidr({10, 0, i, j}, 32)));
      }
    }
    std::string placed;
    for (int i = 0; i < 8; ++i) {
      const auto got =
          datastore.Assign({"n", fmt::format("c{}", i), "i"}, {}, kTimeZero + seconds(i));
      placed += got ? got->ip.ToString() + " " : "none ";
    }
    return placed;
  };
  EXPECT_EQ(place(1), place(1));
  EXPECT_NE(place(1), place(2));
}

}  // namespace
}  // namespace cnisim
