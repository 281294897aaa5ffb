#include "core/ipam/counting_ports.h"

#include <utility>

namespace cnisim {
namespace {

// EC2 API Reference, "Error codes": errors of the client are 400; these are the server's.
uint16_t HttpStatusOf(const std::string& error_code) {
  if (error_code == ec2_error::kRequestLimitExceeded) return 503;
  if (error_code == ec2_error::kInternalError) return 500;
  return 400;
}

}  // namespace

// --- EC2 ---

template <typename Answer>
Task<Answer> CountingEc2::Count(AwsApi api, Task<Answer> call) {
  const TimePoint begun = clock_.Now();
  Answer answer = co_await std::move(call);
  const Duration took = clock_.Now() - begun;
  if (answer) {
    metrics_.CountEc2Call(api, took, 200, "");
  } else {
    metrics_.CountEc2Call(api, took, HttpStatusOf(answer.error().code), answer.error().code);
  }
  co_return answer;
}

Task<Result<NetworkInterface>> CountingEc2::CreateNetworkInterface(
    CreateNetworkInterfaceRequest request) {
  return Count(AwsApi::kCreateNetworkInterface, ec2_.CreateNetworkInterface(std::move(request)));
}

Task<Result<std::string>> CountingEc2::AttachNetworkInterface(
    AttachNetworkInterfaceRequest request) {
  return Count(AwsApi::kAttachNetworkInterface, ec2_.AttachNetworkInterface(std::move(request)));
}

Task<Status> CountingEc2::DetachNetworkInterface(std::string attachment_id) {
  return Count(AwsApi::kDetachNetworkInterface,
               ec2_.DetachNetworkInterface(std::move(attachment_id)));
}

Task<Status> CountingEc2::DeleteNetworkInterface(std::string network_interface_id) {
  return Count(AwsApi::kDeleteNetworkInterface,
               ec2_.DeleteNetworkInterface(std::move(network_interface_id)));
}

Task<Status> CountingEc2::ModifyNetworkInterfaceAttribute(
    ModifyNetworkInterfaceAttributeRequest request) {
  return Count(AwsApi::kModifyNetworkInterfaceAttribute,
               ec2_.ModifyNetworkInterfaceAttribute(std::move(request)));
}

Task<Result<std::vector<NetworkInterface>>> CountingEc2::DescribeNetworkInterfaces(
    std::vector<std::string> ids) {
  return Count(AwsApi::kDescribeNetworkInterfaces, ec2_.DescribeNetworkInterfaces(std::move(ids)));
}

Task<Result<NetworkInterfacePage>> CountingEc2::FindNetworkInterfaces(NetworkInterfaceFilter filter,
                                                                      std::string token) {
  return Count(AwsApi::kDescribeNetworkInterfaces,
               ec2_.FindNetworkInterfaces(std::move(filter), std::move(token)));
}

Task<Result<std::vector<int>>> CountingEc2::DescribeInstanceDevices(std::string instance_id,
                                                                    int network_card_index) {
  return Count(AwsApi::kDescribeInstances,
               ec2_.DescribeInstanceDevices(std::move(instance_id), network_card_index));
}

Task<Result<std::vector<Subnet>>> CountingEc2::DescribeSubnets(std::string vpc_id,
                                                               std::string availability_zone) {
  return Count(AwsApi::kDescribeSubnets,
               ec2_.DescribeSubnets(std::move(vpc_id), std::move(availability_zone)));
}

Task<Result<AssignedAddresses>> CountingEc2::AssignPrivateIpAddresses(
    AssignPrivateIpAddressesRequest request) {
  return Count(AwsApi::kAssignPrivateIpAddresses,
               ec2_.AssignPrivateIpAddresses(std::move(request)));
}

Task<Status> CountingEc2::UnassignPrivateIpAddresses(UnassignPrivateIpAddressesRequest request) {
  return Count(AwsApi::kUnassignPrivateIpAddresses,
               ec2_.UnassignPrivateIpAddresses(std::move(request)));
}

Task<Result<std::vector<Ipv6Cidr>>> CountingEc2::AssignIpv6Prefixes(
    std::string network_interface_id, int count) {
  return Count(AwsApi::kAssignIpv6Addresses,
               ec2_.AssignIpv6Prefixes(std::move(network_interface_id), count));
}

Task<Status> CountingEc2::UnassignIpv6Prefixes(std::string network_interface_id,
                                               std::vector<Ipv6Cidr> prefixes) {
  return Count(AwsApi::kUnassignIpv6Addresses,
               ec2_.UnassignIpv6Prefixes(std::move(network_interface_id), std::move(prefixes)));
}

Task<Result<InstanceTypeNetwork>> CountingEc2::DescribeInstanceType(std::string type) {
  return Count(AwsApi::kDescribeInstanceTypes, ec2_.DescribeInstanceType(std::move(type)));
}

Task<Status> CountingEc2::CreateTags(std::string resource_id, Tags tags) {
  return Count(AwsApi::kCreateTags, ec2_.CreateTags(std::move(resource_id), std::move(tags)));
}

// --- Instance metadata ---

template <typename Answer>
Task<Answer> CountingMetadata::Count(const char* getter, Task<Answer> call) {
  Answer answer = co_await std::move(call);
  if (!answer) ++metrics_.api_errors[{getter, answer.error().code}];
  co_return answer;
}

Task<Result<InstanceIdentity>> CountingMetadata::GetIdentity() {
  return Count("GetAZ", metadata_.GetIdentity());
}

Task<Result<std::vector<MetadataEni>>> CountingMetadata::GetAttachedEnis() {
  return Count("GetMACs", metadata_.GetAttachedEnis());
}

Task<Result<std::vector<IpCidr>>> CountingMetadata::GetVpcCidrs(bool ipv6) {
  return Count(ipv6 ? "GetVPCIPv6CIDRBlocks" : "GetVPCIPv4CIDRBlocks", metadata_.GetVpcCidrs(ipv6));
}

Task<Result<std::vector<std::string>>> CountingMetadata::GetSecurityGroups() {
  return Count("GetSecurityGroupIDs", metadata_.GetSecurityGroups());
}

}  // namespace cnisim
