#include "tools/kernel_lab/features.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "core/routing/render_command.h"
#include "tools/kernel_lab/namespaces.h"
#include "tools/kernel_lab/process.h"

namespace cnisim {
namespace {

// The complaint of the first command that fails; empty if none does.
std::string Complaint(const std::vector<Command>& commands) {
  const Status done = RunCommands(commands);
  if (done) return "";
  std::string text = done.error().message;
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::vector<Command> CommandsThatNeed(Feature feature, const std::string& netns) {
  const auto iptables = [&](const char* table, const Command& rule) {
    Command words = {"iptables", "-w", "-t", table};
    words.insert(words.end(), rule.begin(), rule.end());
    return InNamespace(netns, words);
  };
  switch (feature) {
    case Feature::kNamespaces:
      return {{"ip", "netns", "add", netns},
              {"ip", "-n", netns, "link", "set", "dev", "lo", "up"},
              {"ip", "-n", netns, "link", "add", "name", "probe0", "type", "veth"},
              {"ip", "-n", netns, "rule", "add", "pref", "512", "to", "192.0.2.1", "lookup", "2"},
              InNamespace(netns, {"sysctl", "-qw", "net/ipv4/ip_forward=1",
                                  "net/ipv6/conf/probe0/accept_ra=0"})};
    case Feature::kPing:
      return {InNamespace(netns, {"ping", "-n", "-c", "1", "-W", "3", "127.0.0.1"})};
    case Feature::kIptables:
      return {iptables("nat", {"-A", "POSTROUTING", "-m", "comment", "--comment", "a probe", "-m",
                               "addrtype", "!", "--dst-type", "LOCAL", "-j", "SNAT", "--to-source",
                               "192.0.2.1", "--random-fully"}),
              iptables("mangle", {"-A", "PREROUTING", "-j", "CONNMARK", "--restore-mark",
                                  "--nfmask", "0x80", "--ctmask", "0x80"}),
              InNamespace(netns, {"ip6tables", "-w", "-t", "nat", "-S"}),
              InNamespace(netns, {"ipset", "create", "probe", "hash:net"}),
              iptables("nat", {"-A", "POSTROUTING", "-m", "set", "--match-set", "probe", "src",
                               "-j", "MASQUERADE", "--random-fully"})};
    case Feature::kNftables:
      return RenderCommands({Verb::kAdd, "", NftConnmark{"eni", 0x80, {}}}, {netns});
    case Feature::kVxlan:
      return {{"ip", "-n", netns, "link", "add", "name", "probe1", "type", "vxlan", "id", "1",
               "local", "192.0.2.1", "dstport", "4789"}};
    case Feature::kIpip:
      // The first device of its kind brings the kernel's own one with it.
      return {{"ip", "-n", netns, "link", "add", "name", "probe2", "type", "ipip", "local",
               "192.0.2.1", "remote", "192.0.2.2"},
              {"ip", "-n", netns, "link", "show", "dev", "tunl0"}};
  }
  return {};
}

}  // namespace

Features Features::Probe() {
  Features features;
  const std::vector<Feature> all = {Feature::kNamespaces, Feature::kPing,  Feature::kIptables,
                                    Feature::kNftables,   Feature::kVxlan, Feature::kIpip};
  if (geteuid() != 0) {
    for (const Feature feature : all) features.missing_[feature] = "needs root";
    return features;
  }
  const Namespaces namespaces;
  for (const Feature feature : all) {
    std::string complaint = features.missing_.contains(Feature::kNamespaces)
                                ? features.WhyNot(Feature::kNamespaces)
                                : Complaint(CommandsThatNeed(feature, namespaces.NameOf("probe")));
    if (!complaint.empty()) features.missing_[feature] = std::move(complaint);
  }
  return features;
}

bool Features::Supports(const Operation& operation) const {
  const auto& subject = operation.subject;
  if (std::holds_alternative<NftConnmark>(subject)) return Has(Feature::kNftables);
  return Has(Feature::kIptables) || !(std::holds_alternative<ChainKey>(subject) ||
                                      std::holds_alternative<ChainRule>(subject) ||
                                      std::holds_alternative<IpsetEntry>(subject));
}

}  // namespace cnisim
