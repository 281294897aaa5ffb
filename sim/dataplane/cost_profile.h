// What each step of a packet's way costs on one kind of machine: a calibration profile.
//
// The steps are those of costs.inc; how many of each a packet takes is not a matter of the profile
// but of the tables that it meets (packet_path.h). Values are nanoseconds of one CPU, of kDelay
// costs nanoseconds that pass. Each has the range in which the truth may lie, for sensitivity
// studies, and its source. Invariant: 0 <= low <= value <= high.
#ifndef CNISIM_SIM_DATAPLANE_COST_PROFILE_H_
#define CNISIM_SIM_DATAPLANE_COST_PROFILE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cnisim {

enum class Cost : uint8_t {
#define CNISIM_COST(enumerator, name, per, help) enumerator,
#include "sim/dataplane/costs.inc"
#undef CNISIM_COST
};

enum class CostPer : uint8_t { kPacket, kHanded, kWire, kByte, kDelay };

struct CostInfo {
  std::string_view name;
  CostPer per = CostPer::kPacket;
  std::string_view help;
};

inline constexpr std::array kAllCosts = {
#define CNISIM_COST(enumerator, name, per, help) CostInfo{name, CostPer::per, help},
#include "sim/dataplane/costs.inc"
#undef CNISIM_COST
};
inline constexpr size_t kCosts = kAllCosts.size();

constexpr const CostInfo& InfoOf(Cost cost) { return kAllCosts[static_cast<size_t>(cost)]; }
std::optional<Cost> FindCost(std::string_view name);

// One number for each cost: nanoseconds, or how often it is paid.
struct CostVector {
  std::array<double, kCosts> values{};

  double& operator[](Cost cost) { return values[static_cast<size_t>(cost)]; }
  double operator[](Cost cost) const { return values[static_cast<size_t>(cost)]; }
  CostVector& operator+=(const CostVector& other);
  CostVector& operator-=(const CostVector& other);
  friend bool operator==(const CostVector&, const CostVector&) = default;
};

// What the network devices can do. Defaults are those of the Elastic Network Adapter (the amzn ENA
// driver's feature flags): segmentation of TCP, but not inside a tunnel; hashes of UDP and TCP
// ports, but of other protocols of the addresses alone.
struct NicFacts {
  bool segmentation = true;
  bool tunnel_segmentation = false;
  bool checksum = true;
  bool tunnel_checksum = false;  // of the packet inside
  int max_receive_queues = 8;    // fewer if there are fewer CPUs
  // Beyond the IP packet, that count on the wire: an Ethernet header; on a cable also preamble,
  // checksum and gap (IEEE 802.3).
  int frame_bytes = 14;
  // Of the link, where it is not the instance type that says so; 0: unlimited.
  double bits_per_second = 0;
  double packets_per_second = 0;  // in and out each; 0: unlimited
  // What one flow may carry in the fabric: of TCP and UDP the addresses and ports, of other
  // protocols the addresses alone; 0: unlimited.
  double flow_bits_per_second = 5e9;
};

struct CostProfile {
  struct Entry {
    double low = 0;
    double high = 0;
    std::string source;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  std::string name;
  std::string help;
  NicFacts nic;
  CostVector costs;
  std::array<Entry, kCosts> entries;

  const Entry& EntryOf(Cost cost) const { return entries[static_cast<size_t>(cost)]; }
};

}  // namespace cnisim

#endif  // CNISIM_SIM_DATAPLANE_COST_PROFILE_H_
