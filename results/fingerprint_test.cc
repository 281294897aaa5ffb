#include "results/fingerprint.h"

#include <gtest/gtest.h>

#include <set>

#include "results/record_stream_testing.h"

namespace cnisim {
namespace {

uint64_t DigestOf(const AnyRecord& record) {
  Fingerprint fingerprint;
  Play(record, fingerprint);
  return fingerprint.digest();
}

// Changes one field at a time and expects that every change shows.
template <typename T>
class Mutations {
 public:
  explicit Mutations(T base) : base_(base) { seen_.insert(DigestOf(base)); }

  template <typename Field, typename Value>
  Mutations& Set(Field T::*field, Value value) {
    T changed = base_;
    changed.*field = value;
    EXPECT_TRUE(seen_.insert(DigestOf(changed)).second) << "change " << seen_.size();
    return *this;
  }

 private:
  T base_;
  std::set<uint64_t> seen_;
};

TEST(Fingerprint, EveryFieldCounts) {
  Mutations(EntityRecord())
      .Set(&EntityRecord::id, 1u)
      .Set(&EntityRecord::kind, EntityKind::kNode)
      .Set(&EntityRecord::name, "x")
      .Set(&EntityRecord::parent, 0u);
  Mutations(NodeRecord())
      .Set(&NodeRecord::node, 1u)
      .Set(&NodeRecord::instance_type, "x")
      .Set(&NodeRecord::zone, "x")
      .Set(&NodeRecord::subnet, 1u)
      .Set(&NodeRecord::max_pods, 1)
      .Set(&NodeRecord::joined, At(1))
      .Set(&NodeRecord::ready, At(0))
      .Set(&NodeRecord::removed, At(0));
  Mutations(PodRecord())
      .Set(&PodRecord::pod, 1u)
      .Set(&PodRecord::ns, "x")
      .Set(&PodRecord::name, "x")
      .Set(&PodRecord::workload, 1u)
      .Set(&PodRecord::node, 1u)
      .Set(&PodRecord::host_network, true)
      .Set(&PodRecord::eni, "x")
      .Set(&PodRecord::ip, Ipv4Address())
      .Set(&PodRecord::created, At(1))
      .Set(&PodRecord::scheduled, At(0))
      .Set(&PodRecord::first_add, At(0))
      .Set(&PodRecord::ip_assigned, At(0))
      .Set(&PodRecord::running, At(0))
      .Set(&PodRecord::deleted, At(0))
      .Set(&PodRecord::add_attempts, 1)
      .Set(&PodRecord::wait_reason, WaitReason::kCooling);
  Mutations(AddressTenure())
      .Set(&AddressTenure::ip, Ipv4Address(1))
      .Set(&AddressTenure::pod, 1u)
      .Set(&AddressTenure::node, 1u)
      .Set(&AddressTenure::from, At(1))
      .Set(&AddressTenure::to, At(0));
  Mutations(PoolChange())
      .Set(&PoolChange::node, 1u)
      .Set(&PoolChange::time, At(1))
      .Set(&PoolChange::enis, 1)
      .Set(&PoolChange::total_ips, 1)
      .Set(&PoolChange::assigned_ips, 1)
      .Set(&PoolChange::cooling_ips, 1)
      .Set(&PoolChange::prefixes, 1);
  Mutations(ApiAttempt())
      .Set(&ApiAttempt::action, 1u)
      .Set(&ApiAttempt::node, 1u)
      .Set(&ApiAttempt::sent, At(1))
      .Set(&ApiAttempt::latency, Duration(1))
      .Set(&ApiAttempt::outcome, ApiOutcome::kFailed);
  Mutations(Finding())
      .Set(&Finding::code, "x")
      .Set(&Finding::severity, Severity::kError)
      .Set(&Finding::time, At(1))
      .Set(&Finding::text, "x");
  Mutations(GaugeCall{Metric::kPodsRunning, 0, At(0), 0})
      .Set(&GaugeCall::metric, Metric::kPodsPending)
      .Set(&GaugeCall::entity, 1u)
      .Set(&GaugeCall::time, At(1))
      .Set(&GaugeCall::level, int64_t{1} << 62);
  Mutations(CountCall{Metric::kPodsRunning, 0, At(0), 0})
      .Set(&CountCall::metric, Metric::kPodsPending)
      .Set(&CountCall::entity, 1u)
      .Set(&CountCall::time, At(1))
      .Set(&CountCall::increment, 1);
  Mutations(SampleCall{Metric::kPodAddSeconds, 0, At(0), Duration(0), false})
      .Set(&SampleCall::metric, Metric::kPodStartSeconds)
      .Set(&SampleCall::entity, 1u)
      .Set(&SampleCall::time, At(1))
      .Set(&SampleCall::value, Duration(1))
      .Set(&SampleCall::end_of_run, true);
  Mutations(EndCall{At(0)}).Set(&EndCall::time, At(1));
}

TEST(Fingerprint, KindsOfCallsAndTextBordersCount) {
  EXPECT_NE(DigestOf(GaugeCall{Metric::kPodsRunning, 0, At(0), 0}),
            DigestOf(CountCall{Metric::kPodsRunning, 0, At(0), 0}));
  Finding ab_c, a_bc;
  ab_c.code = "ab";
  ab_c.text = "c";
  a_bc.code = "a";
  a_bc.text = "bc";
  EXPECT_NE(DigestOf(ab_c), DigestOf(a_bc));
}

TEST(Fingerprint, OrderCountsAndChunkingDoesNot) {
  const RecordStream stream(1, 2000, 1000);
  Fingerprint whole, asked_often, swapped;
  stream.PlayAll(whole);
  for (const AnyRecord& record : stream.records()) {
    Play(record, asked_often);
    asked_often.digest();
  }
  for (size_t i = stream.records().size(); i > 0; --i) Play(stream.records()[i - 1], swapped);
  EXPECT_EQ(whole.digest(), asked_often.digest());
  EXPECT_NE(whole.digest(), swapped.digest());
}

// Computed with xxHash 0.8.1. A change means that stored fingerprints can no longer be compared,
// unless the stream itself has changed: it draws among all metrics there are.
TEST(Fingerprint, Golden) {
  Fingerprint fingerprint;
  EXPECT_EQ(fingerprint.text(), "2d06800538d394c2");  // XXH3_64bits of nothing
  RecordStream(7, 500, 1'000'000).PlayAll(fingerprint);
  EXPECT_EQ(fingerprint.text(), "8579e85608847190");
}

}  // namespace
}  // namespace cnisim
