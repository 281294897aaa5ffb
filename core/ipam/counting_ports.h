// The agent's doors to EC2 and to instance metadata, which count what goes through them: no flow
// has to, and none can forget it.
//
// Names of calls and getters: amazon-vpc-cni-k8s v1.23.1, pkg/awsutils. Where one request of a port
// is several of metadata, it has the name of the first. Each call costs one coroutine frame, which
// the frame pool recycles. The ports, the clock and the metrics must outlive the doors.
#ifndef CNISIM_CORE_IPAM_COUNTING_PORTS_H_
#define CNISIM_CORE_IPAM_COUNTING_PORTS_H_

#include <string>
#include <vector>

#include "core/ipam/agent_metrics.h"
#include "core/ports/clock.h"
#include "core/ports/ec2_api.h"
#include "core/ports/instance_metadata.h"

namespace cnisim {

class CountingEc2 final : public Ec2Api {
 public:
  CountingEc2(Ec2Api& ec2, const Clock& clock, AgentMetrics& metrics)
      : ec2_(ec2), clock_(clock), metrics_(metrics) {}

  Task<Result<NetworkInterface>> CreateNetworkInterface(
      CreateNetworkInterfaceRequest request) override;
  Task<Result<std::string>> AttachNetworkInterface(AttachNetworkInterfaceRequest request) override;
  Task<Status> DetachNetworkInterface(std::string attachment_id) override;
  Task<Status> DeleteNetworkInterface(std::string network_interface_id) override;
  Task<Status> ModifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) override;
  Task<Result<std::vector<NetworkInterface>>> DescribeNetworkInterfaces(
      std::vector<std::string> ids) override;
  Task<Result<NetworkInterfacePage>> FindNetworkInterfaces(NetworkInterfaceFilter filter,
                                                           std::string token) override;
  Task<Result<std::vector<int>>> DescribeInstanceDevices(std::string instance_id,
                                                         int network_card_index) override;
  Task<Result<std::vector<Subnet>>> DescribeSubnets(std::string vpc_id,
                                                    std::string availability_zone) override;
  Task<Result<AssignedAddresses>> AssignPrivateIpAddresses(
      AssignPrivateIpAddressesRequest request) override;
  Task<Status> UnassignPrivateIpAddresses(UnassignPrivateIpAddressesRequest request) override;
  Task<Result<std::vector<Ipv6Cidr>>> AssignIpv6Prefixes(std::string network_interface_id,
                                                         int count) override;
  Task<Status> UnassignIpv6Prefixes(std::string network_interface_id,
                                    std::vector<Ipv6Cidr> prefixes) override;
  Task<Result<InstanceTypeNetwork>> DescribeInstanceType(std::string type) override;
  Task<Status> CreateTags(std::string resource_id, Tags tags) override;

 private:
  template <typename Answer>
  Task<Answer> Count(AwsApi api, Task<Answer> call);

  Ec2Api& ec2_;
  const Clock& clock_;
  AgentMetrics& metrics_;
};

class CountingMetadata final : public InstanceMetadata {
 public:
  CountingMetadata(InstanceMetadata& metadata, AgentMetrics& metrics)
      : metadata_(metadata), metrics_(metrics) {}

  Task<Result<InstanceIdentity>> GetIdentity() override;
  Task<Result<std::vector<MetadataEni>>> GetAttachedEnis() override;
  Task<Result<std::vector<IpCidr>>> GetVpcCidrs(bool ipv6) override;
  Task<Result<std::vector<std::string>>> GetSecurityGroups() override;

 private:
  template <typename Answer>
  Task<Answer> Count(const char* getter, Task<Answer> call);

  InstanceMetadata& metadata_;
  AgentMetrics& metrics_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_COUNTING_PORTS_H_
