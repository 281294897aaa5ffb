// CalicoIpam against a slow, obvious twin: every short history of tiny clusters, and long random
// ones. The twin really walks over the blocks and counts what it reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "core/ipam/calico/calico_ipam.h"
#include "core/ipam/calico/errors.h"
#include "core/net/hash.h"

namespace cnisim {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;

struct TwinBlock {
  bool exists = false;
  std::string host;  // empty: none
  TimePoint claimed_at;
  std::deque<int> free;
  std::map<int, std::pair<std::string, std::string>> held;  // ordinal -> handle, node
  std::set<int> cooling;

  bool IsEmpty() const { return held.empty() && cooling.empty(); }
};

class Twin {
 public:
  Twin(std::vector<IpPool> pools, CalicoIpamConfig config, int request_limit)
      : pools_(std::move(pools)), config_(config), request_limit_(request_limit) {
    std::sort(pools_.begin(), pools_.end(),
              [](const IpPool& a, const IpPool& b) { return a.name < b.name; });
    for (const IpPool& pool : pools_) blocks_.emplace_back(pool.block_count());
  }

  // The address as text, or the code of the error.
  std::string Assign(const std::string& host, const std::string& handle, TimePoint now) {
    Cool(now);
    cost = {2, 0, 2, static_cast<int64_t>(pools_.size())};
    // Own blocks in order of name.
    std::map<std::string, std::pair<size_t, uint32_t>> own;
    for (size_t p = 0; p < pools_.size(); ++p) {
      for (uint32_t i = 0; i < blocks_[p].size(); ++i) {
        if (blocks_[p][i].exists && blocks_[p][i].host == host) {
          std::string name = pools_[p].BlockAt(i).ToString();
          std::replace(name.begin(), name.end(), '.', '-');
          std::replace(name.begin(), name.end(), '/', '-');
          own[name] = {p, i};
        }
      }
    }
    ++cost.lists;
    cost.listed_items += static_cast<int64_t>(own.size());
    for (const auto& [name, where] : own) {
      cost.reads += 2;
      if (!blocks_[where.first][where.second].free.empty()) return Take(where, host, handle);
    }
    int limit = 20;
    if (config_.max_blocks_per_host > 0) limit = config_.max_blocks_per_host;
    if (request_limit_ > 0 && (config_.max_blocks_per_host == 0 || request_limit_ < limit)) {
      limit = request_limit_;
    }
    if (static_cast<int>(own.size()) >= limit) return std::string(calico_error::kBlockLimit);
    // A block that does not exist yet.
    ++cost.lists;
    for (const auto& pool : blocks_) {
      for (const TwinBlock& block : pool) cost.listed_items += block.exists ? 1 : 0;
    }
    for (size_t p = 0; p < pools_.size(); ++p) {
      for (const uint32_t i : Walk(p, host, now)) {
        if (!blocks_[p][i].exists) return Claim(p, i, host, handle, now);
      }
    }
    // Somebody's empty block.
    for (size_t p = 0; config_.reclaim_empty_blocks && p < pools_.size(); ++p) {
      for (const uint32_t i : Walk(p, host, now)) {
        TwinBlock& block = blocks_[p][i];
        if (block.host.empty() || !block.IsEmpty() || now - block.claimed_at < seconds(60)) {
          continue;
        }
        cost.reads += 2;
        cost.writes += 3;
        return Claim(p, i, host, handle, now);
      }
    }
    // One address of anybody's.
    for (size_t p = 0; !config_.strict_affinity && p < pools_.size(); ++p) {
      for (const uint32_t i : Walk(p, host, now)) {
        ++cost.reads;
        if (!blocks_[p][i].free.empty()) return Take({p, i}, host, handle);
      }
    }
    return std::string(calico_error::kPoolsExhausted);
  }

  void Release(const std::string& handle, TimePoint now) {
    Cool(now);
    cost = {1, 0, 0, 0};
    for (auto& pool : blocks_) {
      for (TwinBlock& block : pool) {
        bool touched = false;
        for (auto it = block.held.begin(); it != block.held.end();) {
          if (it->second.first != handle) {
            ++it;
            continue;
          }
          touched = true;
          if (config_.ip_cooldown > Duration(0)) {
            block.cooling.insert(it->first);
            cooling_.push_back({now + config_.ip_cooldown, &block, it->first});
          } else {
            block.free.push_back(it->first);
          }
          it = block.held.erase(it);
        }
        if (!touched) continue;
        cost.reads += 2;
        cost.writes += 2;
        DeleteIfUnused(block);
      }
    }
  }

  void DeleteHost(const std::string& host, TimePoint now) {
    Cool(now);
    cost = {0, 0, 1, 0};
    for (auto& pool : blocks_) {
      for (TwinBlock& block : pool) {
        if (!block.exists || block.host != host) continue;
        ++cost.listed_items;
        cost.reads += 2;
        cost.writes += 3;
        block.host.clear();
        DeleteIfUnused(block);
      }
    }
  }

  void ExpectSame(const BlockStore& store) const {
    IpamStatistics expected;
    std::map<std::string, size_t> owned;
    for (size_t p = 0; p < pools_.size(); ++p) {
      for (uint32_t i = 0; i < blocks_[p].size(); ++i) {
        const TwinBlock& twin = blocks_[p][i];
        const AllocationBlock* block = store.PeekBlock(pools_[p].BlockAt(i));
        ASSERT_EQ(block != nullptr, twin.exists);
        if (block == nullptr) continue;
        ++expected.blocks;
        expected.affine_blocks += twin.host.empty() ? 0 : 1;
        expected.allocated += static_cast<int64_t>(twin.held.size());
        expected.cooling += static_cast<int64_t>(twin.cooling.size());
        if (!twin.host.empty()) ++owned[twin.host];
        ASSERT_EQ(block->host().value_or(""), twin.host);
        ASSERT_EQ(block->FreeOrdinals(), std::vector<int>(twin.free.begin(), twin.free.end()));
        for (int o = 0; o < block->size(); ++o) {
          const AllocationOwner* owner = block->OwnerOf(o);
          ASSERT_EQ(owner != nullptr, twin.held.contains(o));
          ASSERT_EQ(block->IsCooling(o), twin.cooling.contains(o));
          if (owner == nullptr) continue;
          ASSERT_EQ(std::pair(owner->handle, owner->node), twin.held.at(o));
          expected.borrowed += owner->node != twin.host ? 1 : 0;
        }
      }
    }
    ASSERT_EQ(store.statistics(), expected);
    for (const auto& [host, count] : owned) {
      ASSERT_EQ(store.BlocksOf(host).size(), count);
      ASSERT_EQ(store.ConfirmedBlocksOf(host).size(), count);
    }
    ASSERT_EQ(store.Hosts().size(), owned.size());
  }

  DatastoreCost cost;

 private:
  struct Cooling {
    TimePoint ends;
    TwinBlock* block;
    int ordinal;
  };

  std::vector<uint32_t> Walk(size_t p, const std::string& host, TimePoint now) const {
    std::vector<uint32_t> order;
    const uint32_t start = CalicoIpam::WalkStart(pools_[p], host, now);
    for (uint32_t i = 0; i < blocks_[p].size(); ++i) {
      order.push_back((start + i) % static_cast<uint32_t>(blocks_[p].size()));
    }
    return order;
  }

  std::string Claim(size_t p, uint32_t i, const std::string& host, const std::string& handle,
                    TimePoint now) {
    TwinBlock& block = blocks_[p][i];
    block = TwinBlock{};
    block.exists = true;
    block.host = host;
    block.claimed_at = now;
    for (uint64_t o = 0; o < pools_[p].BlockAt(i).size(); ++o) {
      block.free.push_back(static_cast<int>(o));
    }
    cost.writes += 3;
    return Take({p, i}, host, handle);
  }

  std::string Take(std::pair<size_t, uint32_t> where, const std::string& host,
                   const std::string& handle) {
    TwinBlock& block = blocks_[where.first][where.second];
    const int ordinal = block.free.front();
    block.free.pop_front();
    block.held[ordinal] = {handle, host};
    cost.reads += 1;
    cost.writes += 2;
    const Ipv4Cidr cidr = pools_[where.first].BlockAt(where.second);
    return cidr.network().Offset(static_cast<uint32_t>(ordinal)).ToString();
  }

  void Cool(TimePoint now) {
    while (!cooling_.empty() && cooling_.front().ends <= now) {
      const Cooling c = cooling_.front();
      cooling_.pop_front();
      c.block->cooling.erase(c.ordinal);
      c.block->free.push_back(c.ordinal);
      DeleteIfUnused(*c.block);
    }
  }

  static void DeleteIfUnused(TwinBlock& block) {
    if (block.host.empty() && block.IsEmpty()) block = TwinBlock{};
  }

  std::vector<IpPool> pools_;
  CalicoIpamConfig config_;
  int request_limit_;
  std::vector<std::vector<TwinBlock>> blocks_;
  std::deque<Cooling> cooling_;
};

struct World {
  const char* name;
  std::vector<IpPool> pools;
  CalicoIpamConfig config;
  int request_limit = 0;
  int hosts = 2;
  int length = 6;
};

IpPool Pool(const char* name, const char* cidr, int block_size) {
  return IpPool{name, *Ipv4Cidr::Parse(cidr), block_size, true, std::nullopt};
}

// A cluster and its twin, driven together. Handles are numbered as they are made; addresses that
// live are known by handle, oldest first.
class Pair {
 public:
  explicit Pair(const World& world)
      : world_(world), twin_(world.pools, world.config, world.request_limit) {
    for (const IpPool& pool : world.pools) EXPECT_TRUE(store_.AddPool(pool));
  }

  void Assign(const std::string& host) {
    AssignRequest request;
    request.host = host;
    request.handle = "h" + std::to_string(made_++);
    request.pod = request.handle;
    request.max_blocks = world_.request_limit;
    const AssignReply reply = ipam_.AutoAssign(request, now_);
    const std::string expected = twin_.Assign(host, request.handle, now_);
    ASSERT_EQ(reply.address ? reply.address->address.ToString() : reply.address.error().code,
              expected);
    ASSERT_EQ(reply.cost, twin_.cost);
    if (!reply.address) return;
    live_.push_back(request.handle);
    ASSERT_TRUE(reply.address->block.Contains(reply.address->address));
    ASSERT_EQ(reply.address->borrowed, !store_.PeekBlock(reply.address->block)->BelongsTo(host));
  }
  void Release(size_t which) {
    if (live_.empty()) return;
    const std::string handle = live_[which % live_.size()];
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(which % live_.size()));
    const ReleaseReply reply = ipam_.Release(handle, now_);
    twin_.Release(handle, now_);
    ASSERT_EQ(reply.released.size(), 1u);
    ASSERT_EQ(reply.cost, twin_.cost);
  }
  void DeleteHost(const std::string& host) {
    const AffinityReleaseReply reply = ipam_.ReleaseHostAffinities(host, now_);
    twin_.DeleteHost(host, now_);
    ASSERT_EQ(reply.cost, twin_.cost);
  }
  void Pass(Duration d) { now_ += d; }
  void Check() const {
    ASSERT_THAT(store_.CheckInvariants(), IsEmpty());
    twin_.ExpectSame(store_);
    ASSERT_EQ(store_.handle_count(), static_cast<int64_t>(live_.size()));
  }

  size_t live() const { return live_.size(); }
  const BlockStore& store() const { return store_; }

 private:
  const World& world_;
  BlockStore store_;
  CalicoIpam ipam_{store_, world_.config};
  Twin twin_;
  TimePoint now_ = kTimeZero;
  int made_ = 0;
  std::deque<std::string> live_;
};

class SmallWorld : public testing::TestWithParam<World> {};

// Every history of `length` steps; shorter ones are their beginnings. A step is an assignment, the
// release of the oldest or the newest address, or the deletion of a host.
TEST_P(SmallWorld, EveryShortHistoryIsTheTwins) {
  const World& world = GetParam();
  const auto hosts = static_cast<size_t>(world.hosts);
  const size_t kinds = 2 * hosts + 2;
  size_t histories = 1;
  for (int i = 0; i < world.length; ++i) histories *= kinds;
  for (size_t history = 0; history < histories; ++history) {
    Pair pair(world);
    size_t rest = history;
    for (int step = 0; step < world.length; ++step, rest /= kinds) {
      pair.Pass(seconds(25));
      const size_t kind = rest % kinds;
      if (kind < hosts) {
        pair.Assign("node-" + std::to_string(kind));
      } else if (kind < 2 * hosts) {
        pair.DeleteHost("node-" + std::to_string(kind - hosts));
      } else if (kind == 2 * hosts) {
        pair.Release(0);
      } else {
        pair.Release(pair.live() - 1);
      }
      if (HasFatalFailure()) FAIL() << "history " << history << " step " << step;
    }
    pair.Check();
    if (HasFatalFailure()) FAIL() << "history " << history;
  }
}

const World kSmallWorlds[] = {
    {"TwoBlocksOfTwo", {Pool("p", "10.0.0.0/30", 31)}, {}},
    {"TwoBlocksOfTwoStrict",
     {Pool("p", "10.0.0.0/30", 31)},
     {.strict_affinity = true, .max_blocks_per_host = 1}},
    {"TwoBlocksOfTwoNoReclaimCooldown",
     {Pool("p", "10.0.0.0/30", 31)},
     {.ip_cooldown = seconds(40), .reclaim_empty_blocks = false}},
    {"OneBlockOfFour", {Pool("p", "10.0.0.0/30", 30)}, {.ip_cooldown = seconds(60)}},
    {"TwoBlocksOfFourThreeHosts", {Pool("p", "10.0.0.0/29", 30)}, {}, 1, 3, 5},
    {"FourBlocksOfOneThreeHosts", {Pool("p", "10.0.0.0/30", 32)}, {}, 0, 3, 5},
    {"TwoPoolsThreeHosts",
     {Pool("z", "10.0.0.0/31", 31), Pool("b", "10.0.1.0/31", 32)},
     {},
     2,
     3,
     5},
};

INSTANTIATE_TEST_SUITE_P(Calico, SmallWorld, testing::ValuesIn(kSmallWorlds),
                         [](const auto& info) { return std::string(info.param.name); });

class LongRun : public testing::TestWithParam<int> {};

TEST_P(LongRun, IsTheTwins) {
  const auto seed = static_cast<uint64_t>(GetParam());
  World world{"long", {Pool("p", "10.0.0.0/25", 29), Pool("q", "10.3.0.0/26", 30)}, {}};
  world.config.strict_affinity = seed % 2 == 1;
  world.config.reclaim_empty_blocks = seed % 4 < 2;
  if (seed % 3 == 0) world.config.ip_cooldown = seconds(30);
  world.request_limit = seed % 5 == 0 ? 3 : 0;
  Pair pair(world);
  for (uint64_t step = 0; step < 4000; ++step) {
    const uint64_t draw = HashMix(seed << 32 | step);
    // Fills up and drains in turns, so that both ends are met.
    const bool filling = step / 500 % 2 == 0;
    const std::string host = "node-" + std::to_string((draw >> 8) % 24);
    pair.Pass(std::chrono::milliseconds(draw >> 48) / 10);
    if (draw % 100 == 0) {
      pair.DeleteHost(host);
    } else if (draw % 10 < (filling ? 7u : 3u)) {
      pair.Assign(host);
    } else {
      pair.Release(static_cast<size_t>(draw >> 16));
    }
    if (step % 50 == 0) pair.Check();
    if (HasFatalFailure()) FAIL() << "step " << step;
  }
  pair.Check();
}

INSTANTIATE_TEST_SUITE_P(Calico, LongRun, testing::Range(0, 12));

}  // namespace
}  // namespace cnisim
