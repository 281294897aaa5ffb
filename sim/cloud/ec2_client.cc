#include "sim/cloud/ec2_client.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace cnisim {
namespace {

bool IsRetryable(const Error& error) {
  return error.code == ec2_error::kRequestLimitExceeded ||
         error.code == ec2_error::kInternalError || error.code == kRequestTimeout;
}

}  // namespace

template <typename T, typename Effect>
Task<Result<T>> Ec2Client::Call(Ec2Action action, Effect effect) {
  Simulation& simulation = ec2_.simulation();
  int given_back_on_success = 1;
  for (int attempt = 1;; ++attempt) {
    OneShot<Result<T>> answer;
    ec2_.endpoint().Send<T>(caller_, action, effect, answer);
    Result<T> result = co_await answer.Wait();
    if (result) {
      retry_quota_ = std::min(kRetryQuota, retry_quota_ + given_back_on_success);
      co_return result;
    }
    const Error& error = result.error();
    if (error.code == ec2_error::kRequestLimitExceeded) last_throttled_ = simulation.Now();
    const int cost = error.code == kRequestTimeout ? kRetryCostAfterTimeout : kRetryCost;
    if (!IsRetryable(error) || attempt == kMaxAttempts || retry_quota_ < cost) co_return result;
    retry_quota_ -= cost;
    given_back_on_success = cost;
    const double longest_ns = attempt == 1 ? 2e9 : 4e9;
    const double jitter = ec2_.endpoint().RetryJitter(caller_, action);
    co_await simulation.Sleep(Duration(static_cast<int64_t>(jitter * longest_ns)));
  }
}

Task<Result<NetworkInterface>> Ec2Client::CreateNetworkInterface(
    CreateNetworkInterfaceRequest request) {
  struct LogicalCall {
    CreateNetworkInterfaceRequest request;
    std::string made;  // the ENI that an earlier request of this call created
  };
  auto call = std::make_shared<LogicalCall>();
  call->request = std::move(request);
  const auto effect = [ec2 = &ec2_, call]() -> Result<NetworkInterface> {
    if (!call->made.empty()) {
      Result<std::vector<NetworkInterface>> found = ec2->DescribeNetworkInterfaces({call->made});
      if (!found) return tl::unexpected<Error>(found.error());
      return std::move(found->front());
    }
    Result<NetworkInterface> eni = ec2->CreateNetworkInterface(call->request);
    if (eni) call->made = eni->id;
    return eni;
  };
  return Call<NetworkInterface>(Ec2Action::kCreateNetworkInterface, effect);
}

Task<Result<std::string>> Ec2Client::AttachNetworkInterface(AttachNetworkInterfaceRequest request) {
  return Call<std::string>(
      Ec2Action::kAttachNetworkInterface,
      [ec2 = &ec2_, request = std::move(request)] { return ec2->AttachNetworkInterface(request); });
}

Task<Status> Ec2Client::AssociateTrunkInterface(AssociateTrunkInterfaceRequest request) {
  auto made = std::make_shared<bool>(false);  // by an earlier request of this call
  return Call<void>(Ec2Action::kAssociateTrunkInterface,
                    [ec2 = &ec2_, request = std::move(request), made] {
                      Status associated;
                      if (!*made) associated = ec2->AssociateTrunkInterface(request);
                      *made = associated.has_value();
                      return associated;
                    });
}

Task<Status> Ec2Client::DetachNetworkInterface(std::string attachment_id) {
  return Call<void>(
      Ec2Action::kDetachNetworkInterface,
      [ec2 = &ec2_, id = std::move(attachment_id)] { return ec2->DetachNetworkInterface(id); });
}

Task<Status> Ec2Client::DeleteNetworkInterface(std::string network_interface_id) {
  return Call<void>(Ec2Action::kDeleteNetworkInterface,
                    [ec2 = &ec2_, id = std::move(network_interface_id)] {
                      return ec2->DeleteNetworkInterface(id);
                    });
}

Task<Status> Ec2Client::ModifyNetworkInterfaceAttribute(
    ModifyNetworkInterfaceAttributeRequest request) {
  return Call<void>(Ec2Action::kModifyNetworkInterfaceAttribute,
                    [ec2 = &ec2_, request = std::move(request)] {
                      return ec2->ModifyNetworkInterfaceAttribute(request);
                    });
}

Task<Result<std::vector<NetworkInterface>>> Ec2Client::DescribeNetworkInterfaces(
    std::vector<std::string> ids) {
  return Call<std::vector<NetworkInterface>>(
      Ec2Action::kDescribeNetworkInterfaces,
      [ec2 = &ec2_, ids = std::move(ids)] { return ec2->DescribeNetworkInterfaces(ids); });
}

Task<Result<std::vector<int>>> Ec2Client::DescribeInstanceDevices(std::string instance_id,
                                                                  int network_card_index) {
  return Call<std::vector<int>>(Ec2Action::kDescribeInstances,
                                [ec2 = &ec2_, id = std::move(instance_id), network_card_index] {
                                  return ec2->DescribeInstanceDevices(id, network_card_index);
                                });
}

Task<Result<std::vector<Subnet>>> Ec2Client::DescribeSubnets(std::string vpc_id,
                                                             std::string availability_zone) {
  return Call<std::vector<Subnet>>(
      Ec2Action::kDescribeSubnets,
      [ec2 = &ec2_, vpc_id = std::move(vpc_id), zone = std::move(availability_zone)] {
        return ec2->DescribeSubnets(vpc_id, zone);
      });
}

Task<Result<AssignedAddresses>> Ec2Client::AssignPrivateIpAddresses(
    AssignPrivateIpAddressesRequest request) {
  return Call<AssignedAddresses>(Ec2Action::kAssignPrivateIpAddresses,
                                 [ec2 = &ec2_, request = std::move(request)] {
                                   return ec2->AssignPrivateIpAddresses(request);
                                 });
}

Task<Status> Ec2Client::UnassignPrivateIpAddresses(UnassignPrivateIpAddressesRequest request) {
  return Call<void>(Ec2Action::kUnassignPrivateIpAddresses,
                    [ec2 = &ec2_, request = std::move(request)] {
                      return ec2->UnassignPrivateIpAddresses(request);
                    });
}

Task<Status> Ec2Client::CreateTags(std::string resource_id, Tags tags) {
  return Call<void>(Ec2Action::kCreateTags,
                    [ec2 = &ec2_, id = std::move(resource_id), tags = std::move(tags)] {
                      return ec2->CreateTags(id, tags);
                    });
}

Task<Result<NetworkInterfacePage>> Ec2Client::FindNetworkInterfaces(NetworkInterfaceFilter filter,
                                                                    std::string token) {
  return Call<NetworkInterfacePage>(
      Ec2Action::kDescribeNetworkInterfaces,
      [ec2 = &ec2_, filter = std::move(filter), token = std::move(token)] {
        return ec2->FindNetworkInterfaces(filter, token);
      });
}

Task<Result<std::vector<Ipv6Cidr>>> Ec2Client::AssignIpv6Prefixes(std::string network_interface_id,
                                                                  int count) {
  return Call<std::vector<Ipv6Cidr>>(Ec2Action::kAssignIpv6Addresses,
                                     [ec2 = &ec2_, id = std::move(network_interface_id), count] {
                                       return ec2->AssignIpv6Prefixes(id, count);
                                     });
}

Task<Status> Ec2Client::UnassignIpv6Prefixes(std::string network_interface_id,
                                             std::vector<Ipv6Cidr> prefixes) {
  return Call<void>(
      Ec2Action::kUnassignIpv6Addresses,
      [ec2 = &ec2_, id = std::move(network_interface_id), prefixes = std::move(prefixes)] {
        return ec2->UnassignIpv6Prefixes(id, prefixes);
      });
}

Task<Result<InstanceTypeNetwork>> Ec2Client::DescribeInstanceType(std::string type) {
  return Call<InstanceTypeNetwork>(
      Ec2Action::kDescribeInstanceTypes,
      [ec2 = &ec2_, type = std::move(type)] { return ec2->DescribeInstanceType(type); });
}

}  // namespace cnisim
