// Runs conformance vectors of the agent's handlers and of the plugin (core/cni/vectors, whose
// README describes the commands). A script is one node: its agent's backend over fakes, and the
// plugin.
#ifndef CNISIM_CORE_CNI_TESTING_RPC_SCRIPT_H_
#define CNISIM_CORE_CNI_TESTING_RPC_SCRIPT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/cni/plugin.h"
#include "core/cni/testing/fake_driver.h"
#include "core/cni/testing/fake_policy_agent.h"
#include "core/ipam/testing/vector_script.h"
#include "core/rpc/local_channel.h"
#include "core/rpc/testing/fake_backend_world.h"

namespace cnisim {

class RpcScript {
 public:
  RpcScript() = default;
  RpcScript(const RpcScript&) = delete;
  RpcScript& operator=(const RpcScript&) = delete;

  // Empty if the line does what it says, else what it did instead.
  std::string Run(const VectorLine& line);

 private:
  using Arguments = ScriptArguments;
  using Handler = std::string (RpcScript::*)(Arguments&);
  static const std::map<std::string, Handler, std::less<>>& Handlers();

  std::string MakeBackend(Arguments& a);
  std::string AddCard(Arguments& a);
  std::string AddAddress(Arguments& a);
  std::string SetVpc(Arguments& a);
  std::string SetTrunk(Arguments& a);
  std::string SetPod(Arguments& a);
  std::string Break(Arguments& a);
  std::string Add(Arguments& a);
  std::string Del(Arguments& a);
  std::string Counts(Arguments& a);
  std::string PolicyConfig(Arguments& a);

  std::string SetConfig(Arguments& a);
  std::string AddPrevious(Arguments& a);
  std::string PluginAdd(Arguments& a) { return RunPlugin("ADD", a); }
  std::string PluginDel(Arguments& a) { return RunPlugin("DEL", a); }
  std::string RunPlugin(const char* command, Arguments& a);
  std::string Output(Arguments& a);
  std::string DriverCalls(Arguments& a);
  std::string PolicyCalls(Arguments& a);
  std::string Environment(Arguments& a);

  Backend& backend();

  FakeBackendWorld world_;
  std::unique_ptr<Backend> backend_;
  LocalChannel channel_;
  FakePolicyAgent policy_agent_;
  FakeDriver driver_;
  Json config_;
  std::optional<PodResult> previous_;
  std::string output_;
};

}  // namespace cnisim

#endif  // CNISIM_CORE_CNI_TESTING_RPC_SCRIPT_H_
