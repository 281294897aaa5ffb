// The AWS SDK's EC2 client of one process.
//
// A logical call makes up to 3 HTTP requests: it tries again on throttling (RequestLimitExceeded),
// InternalError and time-outs, after U[0,1) x 2 s and then U[0,1) x 4 s. A retry takes 5 tokens (10
// after a time-out) of the client's retry quota of 500; without them the error is returned as it
// is. Success gives back what the last retry took, or 1 if there was none (aws-sdk-go-v2 standard
// retryer as pinned by amazon-vpc-cni-k8s v1.23.1).
// CreateNetworkInterface carries a client token, as the SDK's does: a retry after a lost answer
// returns the ENI that is already there.
//
// The client may be destroyed with all its pending calls at any time (the agent's process dies);
// what it has sent still takes effect. Random draws belong to the instance (Ec2Caller) and go on
// where the instance's previous client stopped.
#ifndef CNISIM_SIM_CLOUD_EC2_CLIENT_H_
#define CNISIM_SIM_CLOUD_EC2_CLIENT_H_

#include <string>
#include <vector>

#include "core/ports/ec2_api.h"
#include "sim/cloud/ec2.h"

namespace cnisim {

class Ec2Client final : public Ec2Api {
 public:
  static constexpr int kMaxAttempts = 3;
  static constexpr int kRetryQuota = 500;
  static constexpr int kRetryCost = 5;
  static constexpr int kRetryCostAfterTimeout = 10;

  // `caller` must outlive it, as instances' do.
  Ec2Client(Ec2& ec2, Ec2Caller& caller) : ec2_(ec2), caller_(caller) {}
  Ec2Client(Ec2& ec2, InstanceIndex instance) : Ec2Client(ec2, ec2.caller(instance)) {}

  Task<Result<NetworkInterface>> CreateNetworkInterface(
      CreateNetworkInterfaceRequest request) override;
  Task<Result<std::string>> AttachNetworkInterface(AttachNetworkInterfaceRequest request) override;
  Task<Status> DetachNetworkInterface(std::string attachment_id) override;
  Task<Status> DeleteNetworkInterface(std::string network_interface_id) override;
  Task<Status> ModifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) override;
  Task<Result<std::vector<NetworkInterface>>> DescribeNetworkInterfaces(
      std::vector<std::string> ids) override;
  Task<Result<std::vector<int>>> DescribeInstanceDevices(std::string instance_id,
                                                         int network_card_index) override;
  Task<Result<std::vector<Subnet>>> DescribeSubnets(std::string vpc_id,
                                                    std::string availability_zone) override;
  Task<Result<AssignedAddresses>> AssignPrivateIpAddresses(
      AssignPrivateIpAddressesRequest request) override;
  Task<Status> UnassignPrivateIpAddresses(UnassignPrivateIpAddressesRequest request) override;
  Task<Status> CreateTags(std::string resource_id, Tags tags) override;
  Task<Result<NetworkInterfacePage>> FindNetworkInterfaces(NetworkInterfaceFilter filter,
                                                           std::string token) override;
  Task<Result<std::vector<Ipv6Cidr>>> AssignIpv6Prefixes(std::string network_interface_id,
                                                         int count) override;
  Task<Status> UnassignIpv6Prefixes(std::string network_interface_id,
                                    std::vector<Ipv6Cidr> prefixes) override;
  Task<Result<InstanceTypeNetwork>> DescribeInstanceType(std::string type) override;

  // Beyond what an agent calls. It carries a client token, too.
  Task<Status> AssociateTrunkInterface(AssociateTrunkInterfaceRequest request);

  // When this client last got a throttled answer; TimePoint::min() before the first.
  TimePoint last_throttled() const { return last_throttled_; }
  int retry_quota() const { return retry_quota_; }

 private:
  template <typename T, typename Effect>
  Task<Result<T>> Call(Ec2Action action, Effect effect);

  Ec2& ec2_;
  Ec2Caller& caller_;
  TimePoint last_throttled_ = TimePoint::min();
  int retry_quota_ = kRetryQuota;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_CLOUD_EC2_CLIENT_H_
