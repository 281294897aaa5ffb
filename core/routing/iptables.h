// Rules of iptables as data: what they match and what they do, in the words of the command.
//
// Only the matches and targets that the VPC CNI, Calico and kube-proxy install are here; each is
// printed by render.h and evaluated by netfilter.h. A rule matches if all its parts match.
#ifndef CNISIM_CORE_ROUTING_IPTABLES_H_
#define CNISIM_CORE_ROUTING_IPTABLES_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/net/ip.h"

namespace cnisim {

enum class Family : uint8_t { kV4, kV6 };

inline Family FamilyOf(IpAddress address) { return address.is_v4() ? Family::kV4 : Family::kV6; }
inline Family FamilyOf(const IpCidr& cidr) { return FamilyOf(cidr.network()); }

// In the order in which a packet meets them.
enum class IptablesTable : uint8_t { kRaw, kMangle, kNat, kFilter };
inline constexpr std::array kIptablesTables = {IptablesTable::kRaw, IptablesTable::kMangle,
                                               IptablesTable::kNat, IptablesTable::kFilter};
// As after `iptables -t`.
constexpr std::string_view IptablesTableName(IptablesTable table) {
  constexpr std::array<std::string_view, 4> kNames = {"raw", "mangle", "nat", "filter"};
  return kNames[static_cast<size_t>(table)];
}

// "-m comment --comment TEXT".
struct CommentMatch {
  std::string text;
  friend auto operator<=>(const CommentMatch&, const CommentMatch&) = default;
};

// "-m addrtype [!] --src-type LOCAL [--limit-iface-out]". A limited one asks whether the address
// is one of the interface by which the packet came or goes.
struct AddrTypeMatch {
  bool source = false;
  bool negated = false;
  bool limit_interface = false;  // in for a destination, out for a source
  friend auto operator<=>(const AddrTypeMatch&, const AddrTypeMatch&) = default;
};

// "-m mark [!] --mark VALUE/MASK".
struct MarkMatch {
  uint32_t value = 0;
  uint32_t mask = 0;
  bool negated = false;
  friend auto operator<=>(const MarkMatch&, const MarkMatch&) = default;
};

// "-m udp --dport N", of the rule's protocol.
struct PortMatch {
  uint16_t destination = 0;
  friend auto operator<=>(const PortMatch&, const PortMatch&) = default;
};

// "-m set [!] --match-set NAME src".
struct SetMatch {
  std::string name;
  bool source = false;
  bool negated = false;
  friend auto operator<=>(const SetMatch&, const SetMatch&) = default;
};

// "-m conntrack --ctstate NEW".
struct NewConnectionMatch {
  friend auto operator<=>(const NewConnectionMatch&, const NewConnectionMatch&) = default;
};

// "-m statistic --mode random --probability P", P in units of 2^-31 as the kernel keeps it.
struct RandomMatch {
  uint32_t probability = 0;
  friend auto operator<=>(const RandomMatch&, const RandomMatch&) = default;
};

// "-m recent": remembers a source under a name (0 seconds), or asks whether it was remembered
// within so many seconds.
struct RecentMatch {
  std::string name;
  int seconds = 0;
  friend auto operator<=>(const RecentMatch&, const RecentMatch&) = default;
};

// "-m nfacct --nfacct-name NAME": counts, and matches always.
struct AccountingMatch {
  std::string name;
  friend auto operator<=>(const AccountingMatch&, const AccountingMatch&) = default;
};

using IptablesMatch = std::variant<CommentMatch, AddrTypeMatch, MarkMatch, PortMatch, SetMatch,
                                   NewConnectionMatch, RandomMatch, RecentMatch, AccountingMatch>;

enum class Verdict : uint8_t { kAccept, kDrop, kReturn, kReject, kNoTrack };
enum class PortRandomness : uint8_t { kNone, kRandom, kRandomFully };

struct JumpTarget {
  std::string chain;
  friend auto operator<=>(const JumpTarget&, const JumpTarget&) = default;
};

// "CONNMARK --set-xmark VALUE/MASK": sets the bits of the mask in the connection's mark to VALUE.
struct SetConnmarkTarget {
  uint32_t value = 0;
  uint32_t mask = 0;
  friend auto operator<=>(const SetConnmarkTarget&, const SetConnmarkTarget&) = default;
};

// "CONNMARK --restore-mark": copies the bits of the mask from the connection to the packet.
struct RestoreMarkTarget {
  uint32_t mask = 0;
  friend auto operator<=>(const RestoreMarkTarget&, const RestoreMarkTarget&) = default;
};

// "MARK --set-xmark VALUE/MASK": clears the bits of the mask in the packet, then xors VALUE.
struct SetMarkTarget {
  uint32_t value = 0;
  uint32_t mask = 0;
  friend auto operator<=>(const SetMarkTarget&, const SetMarkTarget&) = default;
};

struct SnatTarget {
  IpAddress to;
  PortRandomness randomness = PortRandomness::kNone;
  friend auto operator<=>(const SnatTarget&, const SnatTarget&) = default;
};

struct DnatTarget {
  IpAddress to;
  uint16_t port = 0;
  friend auto operator<=>(const DnatTarget&, const DnatTarget&) = default;
};

struct MasqueradeTarget {
  bool random_fully = false;
  friend auto operator<=>(const MasqueradeTarget&, const MasqueradeTarget&) = default;
};

using IptablesTarget = std::variant<Verdict, JumpTarget, SetConnmarkTarget, RestoreMarkTarget,
                                    SetMarkTarget, SnatTarget, DnatTarget, MasqueradeTarget>;

struct IptablesRule {
  std::optional<IpCidr> source;
  bool source_negated = false;
  std::optional<IpCidr> destination;
  std::string in;  // interface; a trailing '+' stands for any rest
  std::string out;
  bool out_negated = false;
  std::string protocol;                // "tcp", "udp", or empty
  std::vector<IptablesMatch> matches;  // in the order of the command line
  IptablesTarget target = Verdict::kAccept;
  friend auto operator<=>(const IptablesRule&, const IptablesRule&) = default;
};

// Where a rule stands. The built-in chains always exist; others come and go.
struct ChainKey {
  Family family = Family::kV4;
  IptablesTable table = IptablesTable::kFilter;
  std::string chain;
  friend auto operator<=>(const ChainKey&, const ChainKey&) = default;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_ROUTING_IPTABLES_H_
