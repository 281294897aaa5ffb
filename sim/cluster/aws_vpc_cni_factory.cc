#include "sim/cluster/aws_vpc_cni_factory.h"

#include <cassert>

namespace cnisim {
namespace {

ParsedEnvironment ParseScenarioEnvironment(const Scenario& scenario) {
  Environment environment = ManifestEnvironment();
  for (const auto& [name, value] : scenario.network.env) {
    if (value) {
      environment[name] = *value;
    } else {
      environment.erase(name);
    }
  }
  Result<ParsedEnvironment> parsed = ParseEnvironment(environment);
  assert(parsed);
  return *std::move(parsed);
}

}  // namespace

AwsVpcCniFactory::AwsVpcCniFactory(ClusterContext& context, Ec2& ec2)
    : context_(context), ec2_(ec2), environment_(ParseScenarioEnvironment(context.scenario)) {}

int AwsVpcCniFactory::MaxPods(const InstanceType& type) const {
  return cnisim::MaxPods(type, environment_.settings.prefix_delegation);
}

std::unique_ptr<NodeNetwork> AwsVpcCniFactory::MakeNetwork(Node& node) {
  AgentSettings settings = environment_.settings;
  settings.max_pods = node.config().max_pods;
  std::vector<EnvironmentWarning> warnings;
  const Status valid =
      ValidateConfiguration(settings, PrefixDelegationSupported(node.type()), warnings);
  assert(valid);
  static_cast<void>(valid);
  return std::make_unique<AwsVpcCni>(context_, node, ec2_, *node.instance, std::move(settings),
                                     totals_);
}

void AwsVpcCniFactory::TellLevels() {
  for (const EnvironmentWarning& warning : environment_.warnings) {
    context_.TellFinding("env-value-ignored", Severity::kWarning, warning.text);
  }
  context_.observer->OnGauge(Metric::kPoolTotalIps, kClusterEntity, context_.Now(),
                             totals_.total_ips);
  context_.observer->OnGauge(Metric::kPoolAssignedIps, kClusterEntity, context_.Now(),
                             totals_.assigned_ips);
}

std::vector<std::string> AwsVpcCniFactory::CheckInvariants() { return {}; }

}  // namespace cnisim
