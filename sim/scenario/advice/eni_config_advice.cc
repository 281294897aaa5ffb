// Custom networking: nodes whose ENIConfig is missing, or leads to another zone.
#include <fmt/format.h>

#include "sim/scenario/advice/advisor.h"

namespace cnisim {

void AdviseOnEniConfigs(Advisor& advisor) {
  const Scenario& scenario = advisor.scenario;
  for (const Moment& moment : advisor.moments) {
    if (!moment.settings.custom_networking) continue;
    if (&moment != &advisor.moments.front() && !moment.env_changed) continue;
    for (const NodeClass& nodes : NodeClassesOf(scenario, MaxSizes(scenario))) {
      const EniSubnets where = EniSubnetsOf(scenario, moment.settings, nodes);
      const NodeGroupSpec& group = scenario.node_groups[nodes.group];
      const std::string& zone = scenario.vpc.subnets[nodes.subnet].availability_zone;
      const std::string about = fmt::format("{}/{}", nodes.group, *where.eni_config);
      const Location place = advisor.places.Of({"network", "eniConfigs"});
      if (where.subnets.empty()) {
        if (!advisor.IsNew("eniconfig-missing", about)) continue;
        advisor.diagnostics.Warning(
            place, "eniconfig-missing",
            fmt::format("nodes of group '{}' in {} look for ENIConfig '{}' (node label {}), which "
                        "does not exist: their agents do not start",
                        group.name, zone, *where.eni_config, moment.settings.eni_config_label),
            "name it so, or set ENI_CONFIG_LABEL_DEF: topology.kubernetes.io/zone");
        continue;
      }
      const SubnetSpec& subnet = scenario.vpc.subnets[*where.subnets.begin()];
      if (subnet.availability_zone == zone) continue;
      if (!advisor.IsNew("eniconfig-in-other-zone", about + zone)) continue;
      advisor.diagnostics.Warning(
          place, "eniconfig-in-other-zone",
          fmt::format(
              "nodes of group '{}' in {} use ENIConfig '{}', whose subnet '{}' is in {}: EC2 "
              "attaches no ENI across zones",
              group.name, zone, *where.eni_config, subnet.name, subnet.availability_zone),
          "an ENIConfig a zone, and ENI_CONFIG_LABEL_DEF: topology.kubernetes.io/zone");
    }
  }
}

}  // namespace cnisim
