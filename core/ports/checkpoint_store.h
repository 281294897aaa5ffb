// Where the agent keeps which pod has which address, so that a restart forgets nothing.
#ifndef CNISIM_CORE_PORTS_CHECKPOINT_STORE_H_
#define CNISIM_CORE_PORTS_CHECKPOINT_STORE_H_

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "core/net/hash.h"
#include "core/net/ip.h"
#include "core/ports/clock.h"
#include "core/ports/result.h"

namespace cnisim {

// Identifies a pod's network attachment: CNI network name, sandbox (container) id, interface name.
struct IpamKey {
  std::string network;
  std::string container;
  std::string interface_name;

  friend auto operator<=>(const IpamKey&, const IpamKey&) = default;
  std::string ToString() const { return network + "/" + container + "/" + interface_name; }
};

struct IpamMetadata {
  std::string pod_namespace;
  std::string pod_name;
  // On how many network cards the pod has an address; 0 if not recorded, which means one.
  int interfaces_count = 0;

  friend bool operator==(const IpamMetadata&, const IpamMetadata&) = default;
};

struct Allocation {
  IpamKey key;
  IpAddress ip;
  TimePoint allocated;
  IpamMetadata metadata;

  friend bool operator==(const Allocation&, const Allocation&) = default;
};

// One step from the last checkpoint that was saved to the one being saved. Exactly one is set.
struct AllocationChange {
  const Allocation* added = nullptr;
  const IpamKey* removed = nullptr;
};

// Whoever holds all allocations.
class AllocationSource {
 public:
  virtual ~AllocationSource() = default;
  virtual std::vector<Allocation> AllAllocations() const = 0;
};

class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // What was last saved; nullopt if nothing ever was (a fresh node). An error means that the
  // checkpoint is there but cannot be read.
  virtual Result<std::optional<std::vector<Allocation>>> Load() = 0;

  // Saves the whole state of `all`, which differs from what was last saved by `change` (a store
  // that keeps state may apply just that). Durable on return; after an error the old state stands.
  virtual Status Save(const AllocationChange& change, const AllocationSource& all) = 0;

  // Replaces whatever is there.
  virtual Status Rewrite(const AllocationSource& all) = 0;
};

// A store for each network card whose addresses the agent manages (NC-2).
class CheckpointStores {
 public:
  virtual ~CheckpointStores() = default;
  // The same object for the same card.
  virtual CheckpointStore& ForCard(int network_card) = 0;
};

}  // namespace cnisim

template <>
struct std::hash<cnisim::IpamKey> {
  size_t operator()(const cnisim::IpamKey& key) const noexcept {
    const std::hash<std::string> text;
    return cnisim::HashMix(text(key.container) ^ cnisim::HashMix(text(key.interface_name)) ^
                           cnisim::HashMix(~text(key.network)));
  }
};

#endif  // CNISIM_CORE_PORTS_CHECKPOINT_STORE_H_
