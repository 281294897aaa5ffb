// The formulas of the pool policy against what they mean, for all small pools and targets.
#include "core/ipam/pool_policy.h"

#include <gtest/gtest.h>

namespace cnisim {
namespace {

bool Meets(int total, int assigned, const PoolConfig& config) {
  return total - assigned >= config.warm_ip_target && total >= config.minimum_ip_target;
}

// The fewest addresses (prefixes) that meet both targets.
int FewestMissing(const PoolStats& stats, const PoolConfig& config) {
  const int unit = config.prefix_mode ? 16 : 1;
  int n = 0;
  while (!Meets(stats.total_ips + n * unit, stats.assigned_ips, config)) ++n;
  return n;
}

// The most free addresses (prefixes) that can go while both targets stay met.
int MostSuperfluous(const PoolStats& stats, const PoolConfig& config) {
  const int unit = config.prefix_mode ? 16 : 1;
  const int free = config.prefix_mode ? stats.free_prefixes : stats.available_ips();
  int n = 0;
  while (n < free && Meets(stats.total_ips - (n + 1) * unit, stats.assigned_ips, config)) ++n;
  return n;
}

TEST(PoolPolicy, SecondaryModeTargetsMeanWhatTheySay) {
  PoolConfig config;
  config.slots_per_eni = 3;
  for (config.warm_ip_target = 0; config.warm_ip_target < 6; ++config.warm_ip_target) {
    for (config.minimum_ip_target = 0; config.minimum_ip_target < 6; ++config.minimum_ip_target) {
      if (!config.ip_targets_defined()) continue;
      for (int total = 0; total < 12; ++total) {
        for (int assigned = 0; assigned <= total; ++assigned) {
          const PoolStats stats{total, assigned, 0, 0, 0};
          const TargetState expected{FewestMissing(stats, config), MostSuperfluous(stats, config),
                                     true};
          ASSERT_EQ(TargetStateOf(stats, config), expected);
          EXPECT_EQ(IsTooLow(stats, config), expected.short_by > 0);
          EXPECT_EQ(ReleaseBudget(stats, config), expected.over_by);
          EXPECT_EQ(AssignQuantity(stats, config, 1), std::min(2, expected.short_by));
          // What is asked for is never released again, and never more than is missing.
          EXPECT_TRUE(expected.short_by == 0 || expected.over_by == 0);
        }
      }
    }
  }
}

TEST(PoolPolicy, PrefixModeTargetsMeanWhatTheySay) {
  PoolConfig config;
  config.prefix_mode = true;
  config.slots_per_eni = 3;
  for (const int warm : {0, 1, 15, 16, 17, 33}) {
    for (const int minimum : {0, 1, 16, 20, 40}) {
      config.warm_ip_target = warm;
      config.minimum_ip_target = minimum;
      if (!config.ip_targets_defined()) continue;
      for (int prefixes = 0; prefixes <= 5; ++prefixes) {
        for (int free = 0; free <= prefixes; ++free) {
          const int used = prefixes - free;
          for (int assigned = used; assigned <= 16 * used; ++assigned) {
            const PoolStats stats{16 * prefixes, assigned, 0, prefixes, free};
            const TargetState expected{FewestMissing(stats, config), MostSuperfluous(stats, config),
                                       true};
            ASSERT_EQ(TargetStateOf(stats, config), expected)
                << warm << " " << minimum << " " << prefixes << " " << free << " " << assigned;
            EXPECT_EQ(PrefixesNeeded(stats, config), std::max(1, expected.short_by));
            EXPECT_EQ(IsTooHigh(stats, config), expected.over_by > 0);
          }
        }
      }
    }
  }
}

TEST(PoolPolicy, WarmPrefixesWithoutIpTargets) {
  PoolConfig config;
  config.prefix_mode = true;
  config.slots_per_eni = 4;
  for (config.warm_prefix_target = 0; config.warm_prefix_target < 4; ++config.warm_prefix_target) {
    for (int free = 0; free < 6; ++free) {
      const PoolStats stats{16 * (free + 1), 16, 0, free + 1, free};
      EXPECT_EQ(TargetStateOf(stats, config), TargetState{});
      EXPECT_EQ(PrefixesNeeded(stats, config), std::max(1, config.warm_prefix_target - free));
      EXPECT_EQ(ReleaseBudget(stats, config), std::max(0, free - config.warm_prefix_target));
      // A free prefix more than wanted is too many, also with WARM_PREFIX_TARGET=0.
      const bool low = free < config.warm_prefix_target || free == 0;
      EXPECT_EQ(IsTooLow(stats, config), low) << config.warm_prefix_target << " " << free;
      EXPECT_FALSE(ShouldTryRemoveEni({16, 16, 0, 1, 0}, config, false));
      EXPECT_TRUE(ShouldTryRemoveEni(stats, config, true));
    }
  }
}

TEST(PoolPolicy, EnoughForAllPodsIsNeverLow) {
  PoolConfig config;
  config.slots_per_eni = 3;
  config.max_pods = 5;
  for (const int warm : {0, 1, 100}) {
    config.warm_ip_target = warm;
    config.warm_eni_target = 2;
    EXPECT_FALSE(IsTooLow({5, 5, 0, 0, 0}, config));
    EXPECT_TRUE(IsTooLow({4, 4, 0, 0, 0}, config));
  }
}

TEST(PoolPolicy, AnEniIsRemovedWhenOneMoreThanWantedIsFree) {
  PoolConfig config;
  config.slots_per_eni = 9;
  config.warm_eni_target = 1;
  EXPECT_FALSE(ShouldTryRemoveEni({27, 10, 0, 0, 0}, config, true));
  EXPECT_TRUE(ShouldTryRemoveEni({27, 9, 0, 0, 0}, config, false));
  config.minimum_ip_target = 1;
  EXPECT_TRUE(ShouldTryRemoveEni({27, 27, 0, 0, 0}, config, false));
}

TEST(PoolPolicy, DivisionRoundsUp) {
  for (int a = -20; a < 100; ++a) {
    for (int b = 1; b < 20; ++b) {
      int n = 0;
      while (n * b < a) ++n;
      EXPECT_EQ(DivideRoundingUp(a, b), n);
    }
  }
}

}  // namespace
}  // namespace cnisim
