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

  // The addresses and the code of the error, if there is one, as one text.
  std::string Assign(const std::string& host, const std::string& handle, int count,
                     const std::vector<std::string>& named, TimePoint now) {
    Cool(now);
    cost = {2, 0, 2, static_cast<int64_t>(pools_.size())};
    std::vector<size_t> pools;
    for (const std::string& name : named) {
      for (size_t p = 0; p < pools_.size(); ++p) {
        if (pools_[p].name == name) pools.push_back(p);
      }
    }
    for (size_t p = 0; named.empty() && p < pools_.size(); ++p) {
      if (Selects(p, host)) pools.push_back(p);
    }
    if (pools.empty()) return std::string(calico_error::kNoPools);
    // Own blocks in order of name; empty ones of pools for other nodes go.
    std::map<std::string, std::pair<size_t, uint32_t>> own;
    ++cost.lists;
    for (size_t p = 0; p < pools_.size(); ++p) {
      for (uint32_t i = 0; i < blocks_[p].size(); ++i) {
        if (!blocks_[p][i].exists || blocks_[p][i].host != host) continue;
        ++cost.listed_items;
        if (std::find(pools.begin(), pools.end(), p) == pools.end()) {
          DropUnlessSelected(p, i);
          continue;
        }
        std::string name = pools_[p].BlockAt(i).ToString();
        std::replace(name.begin(), name.end(), '.', '-');
        std::replace(name.begin(), name.end(), '/', '-');
        own[name] = {p, i};
      }
    }
    std::string got;
    int wanted = count;
    for (const auto& [name, where] : own) {
      cost.reads += 2;
      Take(where, host, handle, wanted, got);
      if (wanted == 0) return got;
    }
    int limit = 20;
    if (config_.max_blocks_per_host > 0) limit = config_.max_blocks_per_host;
    if (request_limit_ > 0 && (config_.max_blocks_per_host == 0 || request_limit_ < limit)) {
      limit = request_limit_;
    }
    for (auto owned = static_cast<int>(own.size());; ++owned) {
      if (owned >= limit) return got + std::string(calico_error::kBlockLimit);
      const auto where = FindBlock(pools, host, now);
      if (!where) break;
      Claim(*where, host, now);
      Take(*where, host, handle, wanted, got);
      if (wanted == 0) return got;
    }
    // Addresses of anybody's.
    for (const size_t p : pools) {
      if (config_.strict_affinity) break;
      for (const uint32_t i : Walk(p, host, now)) {
        ++cost.reads;
        Take({p, i}, host, handle, wanted, got);
        if (wanted == 0) return got;
      }
    }
    return got + std::string(calico_error::kPoolsExhausted);
  }

  // One certain address.
  std::string AssignAddress(const std::string& host, const std::string& handle, size_t p,
                            uint32_t offset, TimePoint now) {
    Cool(now);
    cost = {2, 0, 1, static_cast<int64_t>(pools_.size())};
    const Ipv4Address address = pools_[p].cidr.network().Offset(offset);
    const uint32_t i = pools_[p].BlockIndexOf(address);
    TwinBlock& block = blocks_[p][i];
    if (!block.exists) Claim({p, i}, host, now);
    if (config_.strict_affinity && block.host != host) {
      return std::string(calico_error::kBlockClaimed);
    }
    const auto ordinal = static_cast<int>(address.bits() - pools_[p].BlockAt(i).network().bits());
    const auto place = std::find(block.free.begin(), block.free.end(), ordinal);
    if (place == block.free.end()) return std::string(calico_error::kAlreadyExists);
    block.free.erase(place);
    block.free.push_front(ordinal);
    int wanted = 1;
    std::string got;
    Take({p, i}, host, handle, wanted, got);
    return got;
  }

  // How many addresses.
  size_t Release(const std::string& handle, TimePoint now) {
    Cool(now);
    cost = {1, 0, 0, 0};
    size_t released = 0;
    for (size_t p = 0; p < pools_.size(); ++p) {
      for (uint32_t i = 0; i < blocks_[p].size(); ++i) {
        int& counted = handles[handle][{p, i}];
        if (counted > 0) ++cost.reads;
        TwinBlock& block = blocks_[p][i];
        int freed = 0;
        for (auto it = block.held.begin(); it != block.held.end();) {
          if (it->second.first != handle) {
            ++it;
            continue;
          }
          ++freed;
          if (config_.ip_cooldown > Duration(0)) {
            block.cooling.insert(it->first);
            cooling_.push_back({now + config_.ip_cooldown, &block, it->first});
          } else {
            block.free.push_back(it->first);
          }
          it = block.held.erase(it);
        }
        counted -= freed;
        if (counted == 0) handles[handle].erase({p, i});
        if (freed == 0) continue;
        released += static_cast<size_t>(freed);
        cost.reads += 1;
        cost.writes += 2;
        DeleteIfUnused(block);
        if (!block.host.empty()) DropUnlessSelected(p, i);
      }
    }
    if (handles[handle].empty()) handles.erase(handle);
    return released;
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
  std::map<std::string, std::string> zones;  // of hosts
  // What each handle counts, by pool and block; more than it holds where a block gave too little.
  std::map<std::string, std::map<std::pair<size_t, uint32_t>, int>> handles;

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

  bool Selects(size_t p, const std::string& host) {
    const std::string& selector = pools_[p].node_selector.text();
    return selector.empty() || selector == "zone == '" + zones[host] + "'";
  }

  void DropUnlessSelected(size_t p, uint32_t i) {
    TwinBlock& block = blocks_[p][i];
    if (Selects(p, block.host)) return;
    cost.reads += 2;
    if (!block.IsEmpty()) return;
    cost.writes += 3;
    block = TwinBlock{};
  }

  // A block to claim: one that does not exist yet, else somebody's empty one, which he loses.
  std::optional<std::pair<size_t, uint32_t>> FindBlock(const std::vector<size_t>& pools,
                                                       const std::string& host, TimePoint now) {
    ++cost.lists;
    for (const auto& pool : blocks_) {
      for (const TwinBlock& block : pool) cost.listed_items += block.exists ? 1 : 0;
    }
    for (const size_t p : pools) {
      for (const uint32_t i : Walk(p, host, now)) {
        if (!blocks_[p][i].exists) return std::pair(p, i);
      }
    }
    for (const size_t p : pools) {
      if (!config_.reclaim_empty_blocks) break;
      for (const uint32_t i : Walk(p, host, now)) {
        const TwinBlock& block = blocks_[p][i];
        if (block.host.empty() || block.host == host || !block.IsEmpty() ||
            now - block.claimed_at < seconds(60)) {
          continue;
        }
        cost.reads += 2;
        cost.writes += 3;
        return std::pair(p, i);
      }
    }
    return std::nullopt;
  }

  void Claim(std::pair<size_t, uint32_t> where, const std::string& host, TimePoint now) {
    TwinBlock& block = blocks_[where.first][where.second];
    block = TwinBlock{};
    block.exists = true;
    block.host = host;
    block.claimed_at = now;
    for (uint64_t o = 0; o < pools_[where.first].BlockAt(where.second).size(); ++o) {
      block.free.push_back(static_cast<int>(o));
    }
    cost.writes += 3;
  }

  // What the block has, as far as wanted.
  void Take(std::pair<size_t, uint32_t> where, const std::string& host, const std::string& handle,
            int& wanted, std::string& got) {
    TwinBlock& block = blocks_[where.first][where.second];
    if (block.free.empty()) return;
    handles[handle][where] += wanted;
    cost.reads += 1;
    cost.writes += 2;
    const Ipv4Cidr cidr = pools_[where.first].BlockAt(where.second);
    for (; wanted > 0 && !block.free.empty(); --wanted) {
      const int ordinal = block.free.front();
      block.free.pop_front();
      block.held[ordinal] = {handle, host};
      got += cidr.network().Offset(static_cast<uint32_t>(ordinal)).ToString() + " ";
    }
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
  // Also: host 0 changes its zone, takes three addresses at once, asks for one by name, or from the
  // last pool by name.
  bool more = false;
};

// With a zone, for the nodes of that zone only.
IpPool Pool(const char* name, const char* cidr, int block_size, const std::string& zone = "") {
  IpPool pool;
  pool.name = name;
  pool.cidr = *Ipv4Cidr::Parse(cidr);
  pool.block_size = block_size;
  if (!zone.empty()) pool.node_selector = *Selector::Parse("zone == '" + zone + "'");
  return pool;
}

// A cluster and its twin, driven together. Handles are numbered as they are made; addresses that
// live are known by handle, oldest first.
class Pair {
 public:
  explicit Pair(const World& world)
      : world_(world), twin_(world.pools, world.config, world.request_limit) {
    for (const IpPool& pool : world.pools) EXPECT_TRUE(store_.AddPool(pool));
  }

  void Assign(const std::string& host, int count = 1, std::vector<std::string> named = {}) {
    AssignRequest request;
    request.host = host;
    request.handle = NextHandle();
    request.pod = request.handle;
    request.max_blocks = world_.request_limit;
    request.count = count;
    request.pools = named;
    const std::string expected = twin_.Assign(host, request.handle, count, named, now_);
    Compare(ipam_.AutoAssign(request, now_), host, expected);
  }
  void AssignAddress(const std::string& host, size_t pool, uint32_t offset) {
    // The twin's pools are in order of name.
    const IpPool& from = *store_.Pools()[pool];
    AssignAddressRequest request;
    request.owner.node = host;
    request.owner.handle = NextHandle();
    request.address = from.cidr.network().Offset(offset);
    const std::string expected =
        twin_.AssignAddress(host, request.owner.handle, pool, offset, now_);
    Compare(ipam_.AssignAddress(request, now_), host, expected);
  }
  void Move(const std::string& host, const std::string& zone) {
    store_.SetNodeLabels(host, {{"zone", zone}});
    twin_.zones[host] = zone;
  }
  const std::string& ZoneOf(const std::string& host) { return twin_.zones[host]; }
  void Release(size_t which) {
    if (live_.empty()) return;
    const std::string handle = live_[which % live_.size()];
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(which % live_.size()));
    const ReleaseReply reply = ipam_.Release(handle, now_);
    ASSERT_EQ(reply.released.size(), twin_.Release(handle, now_));
    ASSERT_EQ(reply.cost, twin_.cost);
  }
  void DeleteHost(const std::string& host) {
    const AffinityReleaseReply reply = ipam_.ReleaseHostAffinities(host, now_);
    twin_.DeleteHost(host, now_);
    ASSERT_EQ(reply.cost, twin_.cost);
  }
  void Pass(Duration d) { now_ += d; }
  void Check() {
    ASSERT_THAT(store_.CheckInvariants(), IsEmpty());
    twin_.ExpectSame(store_);
    ASSERT_EQ(store_.handle_count(), static_cast<int64_t>(twin_.handles.size()));
    for (const auto& [handle, counts] : twin_.handles) {
      std::map<Ipv4Cidr, int> expected, got;
      for (const auto& [where, count] : counts) {
        expected[store_.Pools()[where.first]->BlockAt(where.second)] = count;
      }
      for (const HandleCount& count : store_.ReadHandle(handle)) got[count.block] = count.count;
      ASSERT_EQ(got, expected) << handle;
    }
  }

  size_t live() const { return live_.size(); }

 private:
  // Every third is one that was in use before: it may be counted for blocks it has nothing of.
  std::string NextHandle() {
    ++made_;
    return "h" + std::to_string(made_ % 3 == 0 ? made_ / 2 : made_);
  }
  void Compare(const AssignReply& reply, const std::string& host, const std::string& expected) {
    std::string got;
    for (const AssignedAddress& assigned : reply.addresses) {
      got += assigned.address.ToString() + " ";
      ASSERT_TRUE(assigned.block.Contains(assigned.address));
      const AllocationBlock& block = *store_.PeekBlock(assigned.block);
      ASSERT_EQ(assigned.borrowed, !block.BelongsTo(host));
      const AllocationOwner* owner = block.OwnerOf(block.OrdinalOf(assigned.address));
      ASSERT_NE(owner, nullptr);
      if (assigned.address == reply.addresses.front().address) live_.push_back(owner->handle);
    }
    if (!reply.status) got += reply.status.error().code;
    ASSERT_EQ(got, expected);
    ASSERT_EQ(reply.cost, twin_.cost);
  }

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
// release of the oldest or the newest handle, the deletion of a host, or what World::more adds.
TEST_P(SmallWorld, EveryShortHistoryIsTheTwins) {
  const World& world = GetParam();
  const auto hosts = static_cast<size_t>(world.hosts);
  const size_t kinds = 2 * hosts + (world.more ? 6 : 2);
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
      } else if (kind == 2 * hosts + 1) {
        pair.Release(pair.live() - 1);
      } else if (kind == 2 * hosts + 2) {
        pair.Move("node-0", pair.ZoneOf("node-0") == "a" ? "b" : "a");
      } else if (kind == 2 * hosts + 3) {
        pair.Assign("node-0", 3);
      } else if (kind == 2 * hosts + 4) {
        pair.AssignAddress("node-0", 0, 1);
      } else {
        pair.Assign("node-0", 1, {world.pools.back().name});
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
    {"TwoZones",
     {Pool("a", "10.0.0.0/30", 31, "a"), Pool("b", "10.0.1.0/31", 31)},
     {},
     2,
     2,
     5,
     true},
    {"TwoZonesStrictCooldown",
     {Pool("a", "10.0.0.0/30", 31, "a"), Pool("b", "10.0.1.0/30", 31, "b")},
     {.strict_affinity = true, .ip_cooldown = seconds(40)},
     0,
     2,
     5,
     true},
};

INSTANTIATE_TEST_SUITE_P(Calico, SmallWorld, testing::ValuesIn(kSmallWorlds),
                         [](const auto& info) { return std::string(info.param.name); });

class LongRun : public testing::TestWithParam<int> {};

TEST_P(LongRun, IsTheTwins) {
  const auto seed = static_cast<uint64_t>(GetParam());
  World world{"long",
              {Pool("p", "10.0.0.0/25", 29), Pool("q", "10.3.0.0/26", 30),
               Pool("r", "10.4.0.0/26", 29, "a")},
              {}};
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
    } else if (draw % 100 < 4) {
      pair.Move(host, (draw >> 32) % 2 == 0 ? "a" : "b");
    } else if (draw % 100 < 6) {
      pair.AssignAddress(host, (draw >> 32) % 2, (draw >> 40) % 64);
    } else if (draw % 10 < (filling ? 7u : 3u)) {
      const int count = (draw >> 32) % 8 == 0 ? 5 : 1;
      pair.Assign(
          host, count,
          (draw >> 36) % 8 == 0 ? std::vector<std::string>{"r", "p"} : std::vector<std::string>{});
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
