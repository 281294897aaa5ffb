#include "core/rpc/pod_ip_annotation.h"

#include <fmt/format.h>

#include "core/net/hash.h"

namespace cnisim {
namespace {

constexpr int kTries = 4;
constexpr Duration kFirstPause = std::chrono::milliseconds(10);
constexpr int kPauseFactor = 5;
constexpr int kJitterPercent = 10;

}  // namespace

Task<Status> PodIpAnnotation::Set(std::string pod_namespace, std::string pod, std::string ips) {
  co_return co_await Change(std::move(pod_namespace), std::move(pod), std::move(ips), nullptr);
}

Task<Status> PodIpAnnotation::Clear(std::string pod_namespace, std::string pod,
                                    std::string released_ips) {
  co_return co_await Change(std::move(pod_namespace), std::move(pod), std::string(), &released_ips);
}

Task<Status> PodIpAnnotation::Change(std::string pod_namespace, std::string pod, std::string wanted,
                                     const std::string* released) {
  Duration pause = kFirstPause;
  for (int tried = 1;; ++tried, pause *= kPauseFactor) {
    const Status changed = co_await ChangeOnce(pod_namespace, pod, wanted, released);
    const bool conflict = !changed && changed.error().code == kubernetes_error::kConflict;
    if (!conflict || tried == kTries) co_return changed;
    const Duration jitter =
        choice_.Jitter(pause * kJitterPercent / 100, clock_.Now(), HashName("pod-ips"));
    co_await clock_.Sleep(pause + jitter);
  }
}

Task<Status> PodIpAnnotation::ChangeOnce(const std::string& pod_namespace, const std::string& pod,
                                         const std::string& wanted, const std::string* released) {
  const Result<PodObject> found = co_await kubernetes_.GetPod(pod_namespace, pod);
  if (!found) {
    if (released != nullptr && found.error().code == kubernetes_error::kNotFound) {
      co_return Status();
    }
    co_return tl::unexpected(found.error());
  }
  const auto there = found->annotations.find(std::string(kPodIpsKey));
  if (there != found->annotations.end()) {
    if (released != nullptr && there->second != *released) {
      co_return Fail("annotation",
                     fmt::format("released IP {} does not match the annotation {}, which stays",
                                 *released, there->second));
    }
    if (there->second == wanted) co_return Status();
  }
  co_return co_await kubernetes_.PatchPodAnnotation(pod_namespace, pod, std::string(kPodIpsKey),
                                                    wanted);
}

}  // namespace cnisim
