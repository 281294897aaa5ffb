#include "sim/dataplane/queue_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "sim/dataplane/test_networks.h"

namespace cnisim {
namespace {

QueueNetwork Good() {
  NetworkBuilder b;
  const uint32_t cpu = b.Queue();
  const uint32_t wire = b.Delay();
  const uint32_t random = b.Exponential(10);
  b.AddClass({{cpu, random, 5}, {wire, kNone, 7}}, OpenLoop{10});
  b.AddClass({{cpu, kNone, 5}}, ClosedLoop{3, kNone});
  b.AddClass({}, ClosedLoop{3, random});
  b.AddClass({}, OpenLoop{0});
  return b.network;
}

TEST(QueueNetworkTest, RefusesWhatLeadsNowhere) {
  EXPECT_TRUE(Check(Good()));
  EXPECT_TRUE(Check(QueueNetwork()));
  const std::vector<std::function<void(QueueNetwork&)>> mistakes = {
      [](QueueNetwork& n) { n.visits[0].station = 2; },
      [](QueueNetwork& n) { n.visits[1].distribution = 1; },
      [](QueueNetwork& n) { n.visits[1].service_ns = -1; },
      [](QueueNetwork& n) { n.classes[0].group = 4; },
      [](QueueNetwork& n) { n.classes[1].visit_count = 2; },
      [](QueueNetwork& n) { n.classes[1].first_visit = UINT32_MAX; },
      [](QueueNetwork& n) { n.classes[3].key = n.classes[0].key; },
      [](QueueNetwork& n) { n.classes[0].load = OpenLoop{-1}; },
      [](QueueNetwork& n) { n.classes[0].load = OpenLoop{std::nan("")}; },
      [](QueueNetwork& n) { n.classes[0].load = OpenLoop{1.1e9}; },
      [](QueueNetwork& n) {
        n.classes[1].load = ClosedLoop{3, 1};
      },
      [](QueueNetwork& n) { n.visits[2].service_ns = 0; },
      [](QueueNetwork& n) {
        n.classes[2].load = ClosedLoop{3, kNone};
      },
      [](QueueNetwork& n) { n.distributions[0] = Distribution(); },
  };
  for (size_t i = 0; i < mistakes.size(); ++i) {
    QueueNetwork network = Good();
    mistakes[i](network);
    const Status status = Check(network);
    ASSERT_FALSE(status) << i;
    EXPECT_EQ(status.error().code, "InvalidQueueNetwork");
    EXPECT_FALSE(status.error().message.empty());
  }
}

}  // namespace
}  // namespace cnisim
