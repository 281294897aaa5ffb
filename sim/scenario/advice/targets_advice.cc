// Warm targets of the VPC CNI: those without effect, at zero, and beyond what nodes can hold.
#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/advice/advisor.h"

namespace cnisim {
namespace {

class TargetsAdvice {
 public:
  TargetsAdvice(Advisor& advisor, const Moment& moment)
      : advisor_(advisor), moment_(moment), settings_(moment.settings) {}

  void Tell() {
    // IPv6 has no targets; an agent that provisions nothing follows none.
    if (settings_.mode() == PoolMode::kIpv6 || settings_.provisioning_disabled()) return;
    TellIgnored();
    TellZero();
    for (const NodeClass& nodes : NodeClassesOf(advisor_.scenario, MaxSizes(advisor_.scenario))) {
      TellMinimum(nodes);
      TellTooHigh(nodes);
    }
  }

 private:
  // What the scenario says, not the manifest; empty if it says nothing.
  std::optional<std::string> Written(const char* name) const {
    const auto it = moment_.env.find(name);
    return it == moment_.env.end() ? std::nullopt : it->second;
  }

  void Tell(bool warning, const char* variable, Code code, std::string about, std::string message,
            std::string suggestion = "") {
    if (!advisor_.IsNew(code, std::move(about))) return;
    if (moment_.from != kTimeZero) message += fmt::format(" ({})", When(moment_));
    const Location where = advisor_.PlaceOfVariable(moment_, variable);
    if (warning) {
      advisor_.diagnostics.Warning(where, code, std::move(message), std::move(suggestion));
    } else {
      advisor_.diagnostics.Info(where, code, std::move(message), std::move(suggestion));
    }
  }

  std::string IpTargets() const {
    std::string text;
    if (settings_.warm_ip_target != 0) {
      text = fmt::format("WARM_IP_TARGET={}", settings_.warm_ip_target);
    }
    if (settings_.minimum_ip_target != 0) {
      if (!text.empty()) text += " and ";
      text += fmt::format("MINIMUM_IP_TARGET={}", settings_.minimum_ip_target);
    }
    return text;
  }

  void TellIgnored() {
    const bool prefixes = settings_.prefix_delegation;
    const bool ip_targets = settings_.ip_targets_defined();
    const std::string instead = IpTargets();
    if (Written("WARM_ENI_TARGET") && (ip_targets || prefixes)) {
      Tell(settings_.warm_eni_target != 1, "WARM_ENI_TARGET", "warm-eni-target-ignored", "",
           fmt::format("WARM_ENI_TARGET={} has no effect: {}", settings_.warm_eni_target,
                       ip_targets ? instead + " decide in its place"
                                  : "with ENABLE_PREFIX_DELEGATION, WARM_PREFIX_TARGET counts"),
           "leave it out");
    }
    if (Written("WARM_PREFIX_TARGET") && (ip_targets || !prefixes)) {
      Tell(
          settings_.warm_prefix_target != 1, "WARM_PREFIX_TARGET", "warm-prefix-target-ignored", "",
          fmt::format("WARM_PREFIX_TARGET={} does not decide how many prefixes a node holds: {}",
                      settings_.warm_prefix_target,
                      !prefixes ? "ENABLE_PREFIX_DELEGATION is off"
                                : instead + " do (an empty ENI is kept while the others hold fewer "
                                            "free prefixes)"),
          "leave it out");
    }
  }

  void TellZero() {
    const bool ip_targets = settings_.ip_targets_defined();
    if (!ip_targets && !settings_.prefix_delegation && settings_.warm_eni_target == 0) {
      Tell(true, "WARM_ENI_TARGET", "zero-targets", "WARM_ENI_TARGET",
           "with WARM_ENI_TARGET=0 an ENI is added when the last address is taken and freed when "
           "it is "
           "empty: pods that fill whole ENIs make it come and go for ever",
           "use WARM_ENI_TARGET=1, or WARM_IP_TARGET with MINIMUM_IP_TARGET");
    }
    if (!ip_targets && settings_.prefix_delegation && settings_.warm_prefix_target == 0) {
      Tell(
          true, "WARM_PREFIX_TARGET", "zero-targets", "WARM_PREFIX_TARGET",
          "with WARM_PREFIX_TARGET=0 a prefix is added when the last address is taken and released "
          "when it is empty: pods that fill whole prefixes make it come and go for ever",
          "use WARM_PREFIX_TARGET=1, or WARM_IP_TARGET with MINIMUM_IP_TARGET");
    }
    // MINIMUM_IP_TARGET without WARM_IP_TARGET has a code of its own.
    for (const auto& [name, value] :
         {std::pair{"WARM_IP_TARGET", settings_.warm_ip_target},
          std::pair{"MINIMUM_IP_TARGET", settings_.minimum_ip_target}}) {
      const std::optional<std::string> written = Written(name);
      if (value != 0 || written != "0" || ip_targets) continue;
      Tell(false, name, "zero-targets", name,
           fmt::format("{}=0 counts as not set: {} decides", name,
                       settings_.prefix_delegation ? "WARM_PREFIX_TARGET" : "WARM_ENI_TARGET"),
           "leave it out");
    }
  }

  void TellMinimum(const NodeClass& nodes) {
    if (settings_.minimum_ip_target == 0 || settings_.warm_ip_target != 0) return;
    const NodePool node = PoolOf(advisor_.scenario, settings_, nodes);
    const int64_t unit = node.addresses_per_slot();
    const int64_t held =
        DivideRoundingUp(settings_.minimum_ip_target, static_cast<int>(unit)) * unit;
    const int64_t wanted = std::min<int64_t>(node.most_addresses(),
                                             node.max_pods - HostNetworkPods(advisor_.scenario));
    if (held >= wanted) return;
    Tell(
        true, "MINIMUM_IP_TARGET", "minimum-without-warm", "",
        fmt::format("MINIMUM_IP_TARGET={} without WARM_IP_TARGET: a node of group '{}' asks for "
                    "addresses only until it has {}, so {} more pods that it accepts wait for ever",
                    settings_.minimum_ip_target, advisor_.scenario.node_groups[nodes.group].name,
                    held, wanted - held),
        "set WARM_IP_TARGET to at least 1");
  }

  void TellTooHigh(const NodeClass& nodes) {
    const NodePool node = PoolOf(advisor_.scenario, settings_, nodes);
    const int64_t most = node.most_addresses();
    const int unit = node.addresses_per_slot();
    const int per_eni = node.slots_per_eni() * unit;
    struct Target {
      const char* name;
      int value;
      int64_t addresses;
    };
    std::vector<Target> targets;
    if (settings_.ip_targets_defined()) {
      targets.push_back({"WARM_IP_TARGET", settings_.warm_ip_target, settings_.warm_ip_target});
      targets.push_back(
          {"MINIMUM_IP_TARGET", settings_.minimum_ip_target, settings_.minimum_ip_target});
    } else if (node.prefixes()) {
      targets.push_back({"WARM_PREFIX_TARGET", settings_.warm_prefix_target,
                         int64_t{settings_.warm_prefix_target} * unit});
    } else {
      targets.push_back({"WARM_ENI_TARGET", settings_.warm_eni_target,
                         int64_t{settings_.warm_eni_target} * per_eni});
    }
    const std::string about = fmt::format("{}/", nodes.type->name);
    for (const Target& target : targets) {
      if (target.addresses > most) {
        Tell(true, target.name, "warm-target-above-node", about + target.name,
             fmt::format(
                 "{}={} asks for {} of which type {} can have {}: it takes all from the start",
                 target.name, target.value, CountOf(target.addresses, "address"), nodes.type->name,
                 most));
      } else if (target.addresses > per_eni && node.max_pods > per_eni) {
        const Holding rest = HoldingOf(node, 0);
        if (rest.other_enis == 0 || (rest.other_enis == 1 && !node.primary_serves_pods)) continue;
        Tell(false, target.name, "warm-target-above-eni", about + target.name,
             fmt::format(
                 "{}={} is above the {} addresses of one ENI of type {}: an idle node holds {} "
                 "and {}",
                 target.name, target.value, per_eni, nodes.type->name,
                 CountOf(rest.other_enis + 1, "ENI"),
                 CountOf(int64_t{rest.slots()} * unit, "address")));
      }
    }
  }

  Advisor& advisor_;
  const Moment& moment_;
  const AgentSettings& settings_;
};

}  // namespace

void AdviseOnTargets(Advisor& advisor) {
  for (const Moment& moment : advisor.moments) {
    if (&moment == &advisor.moments.front() || moment.env_changed) {
      TargetsAdvice(advisor, moment).Tell();
    }
  }
}

}  // namespace cnisim
