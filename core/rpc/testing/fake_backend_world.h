// What a backend works on, in memory: network cards with addresses, the node, the Kubernetes API.
//
// Everything answers at once. The allocator follows rules NC-4 and NC-5 plainly.
#ifndef CNISIM_CORE_RPC_TESTING_FAKE_BACKEND_WORLD_H_
#define CNISIM_CORE_RPC_TESTING_FAKE_BACKEND_WORLD_H_

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ipam/testing/fake_world.h"
#include "core/rpc/backend.h"

namespace cnisim {

// Runs a task that waits for nothing.
template <typename T>
T RunNow(Task<T> task) {
  task.Start();
  return task.TakeValue();
}

struct FakeCard {
  int index = 0;
  bool refuses = false;  // any request, as a card in a mode that cannot serve pods
  std::vector<PodIp> free;
  std::map<IpamKey, PodIp> assigned;
};

class FakeCards final : public AddressAllocator {
 public:
  Result<std::vector<PodIp>> Assign(const IpamKey& key, const IpamMetadata&,
                                    bool every_card) override {
    const size_t wanted = every_card ? cards.size() : 1;
    std::vector<PodIp> got;
    for (FakeCard& card : cards) {
      if (got.size() == wanted) break;
      if (card.refuses) return Fail("refused", "the card serves no pods");
      if (!card.assigned.contains(key)) {
        if (card.free.empty()) {
          if (every_card || IsLast(card)) return Fail("no address", "no address");
          continue;
        }
        card.assigned[key] = card.free.front();
        card.free.erase(card.free.begin());
      }
      got.push_back(card.assigned[key]);
    }
    interfaces_[key] = wanted;
    return got;
  }

  Task<Result<std::vector<PodIp>>> Release(const IpamKey& key) override {
    if (release_error) co_return tl::unexpected(*release_error);
    std::vector<PodIp> released;
    const size_t wanted = std::max<size_t>(interfaces_[key], 1);
    for (FakeCard& card : cards) {
      if (released.size() == wanted) break;
      const auto it = card.assigned.find(key);
      if (it == card.assigned.end()) {
        if (released.empty() && IsLast(card)) {
          const std::string unknown(kUnknownPodError);
          co_return Fail(unknown, unknown);
        }
        continue;
      }
      card.free.push_back(it->second);
      released.push_back(it->second);
      card.assigned.erase(it);
    }
    co_return released;
  }

  size_t Assigned() const {
    size_t n = 0;
    for (const FakeCard& card : cards) n += card.assigned.size();
    return n;
  }

  std::vector<FakeCard> cards;
  std::optional<Error> release_error;

 private:
  // NC-5: by number instead of place.
  bool IsLast(const FakeCard& card) const {
    return card.index == static_cast<int>(cards.size()) - 1;
  }

  std::map<IpamKey, size_t> interfaces_;
};

class FakeNodeSource final : public NodeSource {
 public:
  Task<Result<std::vector<IpCidr>>> VpcCidrs() override {
    if (metadata_fails) co_return Fail("metadata", "metadata does not answer");
    co_return vpc;
  }
  Task<Result<int>> TrunkLinkIndex() override {
    if (!trunk) co_return Fail("trunk", "no trunk ENI");
    co_return *trunk;
  }

  std::vector<IpCidr> vpc;
  bool metadata_fails = false;
  std::optional<int> trunk;
};

struct FakeBackendWorld {
  BackendPorts Ports() { return {cards, node, kubernetes, clock, Choice::Oldest(), log}; }

  FakeClock clock;
  FakeCards cards;
  FakeNodeSource node;
  FakeKubernetes kubernetes;
  Log log;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_RPC_TESTING_FAKE_BACKEND_WORLD_H_
