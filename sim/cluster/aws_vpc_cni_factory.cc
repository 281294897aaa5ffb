#include "sim/cluster/aws_vpc_cni_factory.h"

#include <cassert>

namespace cnisim {
namespace {

AgentSettings SettingsOf(const std::map<std::string, std::optional<std::string>>& env,
                         const Quirks& quirks) {
  Result<ParsedEnvironment> parsed = ParseEnvironment(ManifestEnvironmentWith(env));
  assert(parsed);
  parsed->settings.quirks = quirks;
  return std::move(parsed->settings);
}

}  // namespace

AwsVpcCniFactory::AwsVpcCniFactory(ClusterContext& context, Ec2& ec2,
                                   VpcResourceController& vpc_resources)
    : context_(context),
      ec2_(ec2),
      vpc_resources_(vpc_resources),
      env_(context.scenario.network.env),
      settings_(SettingsOf(env_, context.scenario.network.quirks)),
      levels_(context.scenario.node_groups.size()),
      quirks_(context) {}

int AwsVpcCniFactory::MaxPods(const InstanceType& type) const {
  return cnisim::MaxPods(type, settings_.prefix_delegation, settings_.custom_networking);
}

AgentSettings AwsVpcCniFactory::SettingsFor(const InstanceType& type) const {
  AgentSettings settings = settings_;
  std::vector<EnvironmentWarning> warnings;
  const Status valid = ValidateConfiguration(settings, PrefixDelegationSupported(type), warnings);
  assert(valid);
  static_cast<void>(valid);
  return settings;
}

void AwsVpcCniFactory::SetEnv(const std::map<std::string, std::optional<std::string>>& env) {
  for (const auto& [name, value] : env) env_[name] = value;
  settings_ = SettingsOf(env_, context_.scenario.network.quirks);
}

std::unique_ptr<NodeNetwork> AwsVpcCniFactory::MakeNetwork(Node& node) {
  return std::make_unique<AwsVpcCni>(context_, node, ec2_, *node.instance, vpc_resources_, *this,
                                     levels_[static_cast<size_t>(node.config().node_group)],
                                     quirks_);
}

void AwsVpcCniFactory::TellLevels() {
  for (size_t g = 0; g < levels_.size(); ++g) {
    const auto tell = [&](Metric metric, int64_t level) {
      context_.observer->OnGauge(metric, context_.node_groups[g], context_.Now(), level);
    };
    tell(Metric::kPoolEnis, levels_[g].enis);
    tell(Metric::kPoolPrefixes, levels_[g].prefixes);
    tell(Metric::kPoolTotalIps, levels_[g].total_ips);
    tell(Metric::kPoolAssignedIps, levels_[g].assigned_ips);
  }
  vpc_resources_.TellLevels();
}

std::vector<std::string> AwsVpcCniFactory::CheckInvariants() {
  return vpc_resources_.CheckInvariants();
}

}  // namespace cnisim
