// Runs conformance vectors: text cases of commands and expected answers (core/ipam/vectors).
//
// The format is described in core/ipam/vectors/README.md. A script is one world: a datastore, a
// policy, and perhaps a node with its agent, under a clock that only `wait` and the like move.
#ifndef CNISIM_CORE_IPAM_TESTING_CONFORMANCE_SCRIPT_H_
#define CNISIM_CORE_IPAM_TESTING_CONFORMANCE_SCRIPT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ipam/testing/fake_world.h"
#include "core/ipam/testing/vector_script.h"

namespace cnisim {

class ConformanceScript {
 public:
  ConformanceScript();
  ~ConformanceScript();

  // Empty if the line does what it says, else what it did instead.
  std::string Run(const VectorLine& line);

 private:
  using Arguments = ScriptArguments;
  struct Answer {
    Answer(std::string text) : text(std::move(text)) {}  // NOLINT: an answer is a text
    Answer(const char* text) : text(text) {}             // NOLINT
    std::string text;
    bool complete = false;  // must be expected word for word
  };
  using Handler = Answer (ConformanceScript::*)(Arguments&);
  static const std::map<std::string, Handler, std::less<>>& Handlers();

  static bool Matches(const Answer& answer, const std::string& expected);
  Datastore& book();
  // A new agent in the node's world; empty, or what its environment is refused for.
  std::string StartAgent();
  TimePoint Now() const { return world_->clock.Now(); }
  PoolStats PoolNow();

  Answer MakeDatastore(Arguments& a);
  Answer SetMode(Arguments& a);
  Answer AddEni(Arguments& a);
  Answer RemoveEni(Arguments& a);
  Answer AddCidr(Arguments& a);
  Answer DeleteCidr(Arguments& a);
  Answer Exclude(Arguments& a);
  Answer Assign(Arguments& a);
  Answer Unassign(Arguments& a);
  Answer Checkpoint(Arguments& a);
  Answer CheckpointFails(Arguments& a);
  Answer Wait(Arguments& a);
  Answer Stats(Arguments& a);
  Answer Enis(Arguments& a);
  Answer Cidrs(Arguments& a);
  Answer PodsOn(Arguments& a);
  Answer RawTotal(Arguments& a);
  Answer Allocatable(Arguments& a);
  Answer Freeable(Arguments& a);
  Answer HasEmptyEni(Arguments& a);
  Answer Trunk(Arguments& a);
  Answer Efas(Arguments& a);
  Answer RemoveUnused(Arguments& a);
  Answer ForcedRemovals(Arguments& a);
  Answer ForgetIfUnused(Arguments& a);
  Answer RouteTable(Arguments& a);

  Answer MakePolicy(Arguments& a);
  Answer SetPool(Arguments& a);
  Answer Target(Arguments& a);
  Answer Low(Arguments& a);
  Answer High(Arguments& a);
  Answer Needed(Arguments& a);
  Answer ToAssign(Arguments& a);
  Answer ToRelease(Arguments& a);
  Answer TryRemoval(Arguments& a);
  Answer Divide(Arguments& a);

  Answer MakeNode(Arguments& a);
  Answer Attached(Arguments& a);
  Answer Detached(Arguments& a);
  Answer Metadata(Arguments& a);
  Answer FailCalls(Arguments& a);
  Answer StopFailing(Arguments& a);
  Answer HostFails(Arguments& a);
  Answer CheckpointHolds(Arguments& a);
  Answer Links(Arguments& a);
  Answer SubnetTags(Arguments& a);
  Answer Init(Arguments& a);
  Answer RunLoop(Arguments& a);
  Answer Setup(Arguments& a);
  Answer Increase(Arguments& a);
  Answer Update(Arguments& a);
  Answer Reconcile(Arguments& a);
  Answer Calls(Arguments& a);
  Answer AllCalls(Arguments& a);
  Answer HostCalls(Arguments& a);
  Answer PrimaryRecords(Arguments& a);
  Answer ForgetPrimaryRecord(Arguments& a);
  Answer Pods(Arguments& a);
  Answer DeletePods(Arguments& a);
  Answer Shape(Arguments& a);
  Answer Restart(Arguments& a);
  Answer AddPod(Arguments& a);
  Answer DelPod(Arguments& a);
  Answer ChooseCard(Arguments& a);
  Answer Cards(Arguments& a);
  Answer Quirk(Arguments& a);
  Answer MakeSubnet(Arguments& a);
  Answer MakeEniConfig(Arguments& a);
  Answer NodeIs(Arguments& a);
  Answer TagsAre(Arguments& a);
  Answer TagsOf(Arguments& a);
  Answer GroupsOf(Arguments& a);
  Answer Tracking(Arguments& a);
  Answer SourceTables(Arguments& a);
  Answer DevicesUsed(Arguments& a);
  Answer Describe(Arguments& a);
  Answer Unmanaged(Arguments& a);
  Answer GiveTags(Arguments& a);
  Answer Free(Arguments& a);
  Answer ReleaseExcluded(Arguments& a);
  Answer IsExcluded(Arguments& a);
  Answer RequestTrunk(Arguments& a);
  Answer AnnounceCustomNetworking(Arguments& a);
  Answer CniNode(Arguments& a);
  Answer Available(Arguments& a);
  Answer CleanUp(Arguments& a);
  Answer Terminate(Arguments& a);
  Answer LastError(Arguments& a);
  Answer Limits(Arguments& a);
  Answer UnknownType(Arguments& a);
  Answer Clock(Arguments& a);
  Answer Metric(Arguments& a);

  Answer Env(Arguments& a);
  Answer Config(Arguments& a);
  Answer BackoffPauses(Arguments& a);
  Answer Retry(Arguments& a);
  Answer Usable(Arguments& a);
  Answer Excluded(Arguments& a);
  Answer Veth(Arguments& a);

  std::unique_ptr<FakeWorld> world_;
  std::unique_ptr<Datastore> datastore_;
  PoolConfig policy_;
  std::optional<PoolStats> pool_;  // nullopt: that of the datastore
  Environment environment_;        // of the node
  InstanceLimits limits_;
  Quirks quirks_;  // of datastores and nodes to come
  int card_ = 0;   // whose datastore is looked at
  std::unique_ptr<Agent> agent_;
  Task<void> loop_;  // destroyed before the agent
  std::vector<IpamKey> pods_;
  int pods_asked_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_TESTING_CONFORMANCE_SCRIPT_H_
