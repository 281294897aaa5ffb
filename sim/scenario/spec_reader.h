// Reads the sections of `spec` into a Scenario. The order matters: whoever is referred to comes
// before those who refer.
#ifndef CNISIM_SIM_SCENARIO_SPEC_READER_H_
#define CNISIM_SIM_SCENARIO_SPEC_READER_H_

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/ipam/settings.h"
#include "sim/scenario/expectation_reader.h"
#include "sim/scenario/names.h"
#include "sim/scenario/resolved_yaml.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/yaml_reader.h"

namespace cnisim {

class SpecReader {
 public:
  // Paths in the scenario are relative to `directory`.
  SpecReader(std::filesystem::path directory, Diagnostics& diagnostics)
      : directory_(std::move(directory)), diagnostics_(diagnostics) {}

  // `document` is the whole document.
  void Read(const YamlNode& document) { Read(&document, {}); }
  // Notes what it would read.
  void Describe(SchemaRecorder& recorder) { Read(nullptr, {&recorder, &recorder.root()}); }

  Scenario scenario;
  SourceFiles files;

 private:
  // spec_reader.cc
  void Read(const YamlNode* document, SchemaPlace schema);
  void ReadTiming(MapReader& spec);
  void ReadConstants(Field constants);
  void ReadRecord(Field record);
  void ReadExpectations(Field list);
  LabelCheck CheckLabel(EntityKind kind, const std::string& value) const;
  // spec_reader_cloud.cc
  void ReadVpc(Field vpc);
  void ReadSubnet(Field item);
  void ReadEc2(Field ec2);
  // spec_reader_nodes.cc
  void ReadNodeGroups(Field list);
  void ReadNodeGroup(Field item);
  void CheckModes(const AgentSettings& settings);
  // spec_reader_network.cc
  void ReadNetwork(Field network);
  // Variables and values of `map`, over those of `env`. Empty if something is wrong with them.
  std::optional<AgentSettings> ReadVariables(
      MapReader& map, std::map<std::string, std::optional<std::string>>& env);
  void ReadEnvironment(Field env);
  void ReadQuirks(Field quirks);
  void ReadEniConfigs(Field list);
  // What the settings need of the rest of the scenario.
  void CheckEnvironment(const AgentSettings& settings);
  void ReadCalico(Field calico);
  void ReadCalicoVersion(Field version);
  // spec_reader_workloads.cc
  void ReadWorkloads(Field list);
  void ReadWorkload(Field item);
  void ReadSecurityGroups(Field groups, const std::string& what, PodTemplate& pod);
  // Security groups of pods against network and node groups.
  void CheckSecurityGroups();
  DeploymentSpec ReadDeployment(MapReader& map);
  void ReadPlacedOn(Field field, const std::string& what, DeploymentSpec& spec);
  CronJobSpec ReadCronJob(MapReader& map);
  TraceSpec ReadTrace(MapReader& map);
  // spec_reader_services.cc
  void ReadServices(Field list);
  // spec_reader_traffic.cc
  void ReadTraffic(Field list);
  TrafficSpec ReadFlow(Field item, Names& names);
  // Empty if there is something wrong with them, else "FROM-TO".
  std::optional<std::string> ReadEnds(MapReader& map, TrafficSpec& flow);
  void ReadProtocol(MapReader& map, TrafficSpec& flow);
  // spec_reader_dataplane.cc
  void ReadKubeProxy();
  void ReadDataPlane(Field data_plane);
  void ReadProfile(Field profile);
  void ReadOwnCosts(Field costs);
  // spec_reader_events.cc
  void ReadEvents(Field list);
  void ReadEvent(Field item);
  void ReadScale(Field scale, EventSpec& event);
  void ReadRestart(Field restart, EventSpec& event);
  void ReadSetEnv(Field set_env, EventSpec& event);

  // A moment of the run.
  std::optional<TimePoint> Moment(Field field);
  // A node group's name and a node's number from "GROUP-N"; what is wrong goes to `problem`.
  bool IsNode(const std::string& name, std::string& problem, std::string& suggestion) const;

  struct ReadableFile {
    std::string text;
    int source = 0;
  };
  std::optional<ReadableFile> OpenFile(Field path);
  // Checked against `content_hash` if that is given. Notes both in `record`.
  std::optional<ReadableFile> OpenFile(Field path, Field content_hash, SourceFile& record);

  std::filesystem::path directory_;
  Diagnostics& diagnostics_;
  Names subnets_{"subnet"};
  Names node_groups_{"node group"};
  Names workloads_{"workload"};
  Names services_{"service"};
  std::vector<Field> max_size_fields_;       // of every node group
  std::vector<Field> instance_type_fields_;  // of every node group
  std::optional<AgentSettings> settings_;    // what network.env says, if that is valid
  bool pod_enis_on_ = false;                 // ENABLE_POD_ENI, from the start or by an event
  bool strict_enforcing_ = false;            // POD_SECURITY_GROUP_ENFORCING_MODE, likewise
  std::optional<Field> kube_proxy_;          // read when services and security groups are
  std::map<std::string, Location> env_places_;
  std::optional<std::map<std::string, std::optional<std::string>>> env_after_events_;
  Location network_place_;
  std::map<size_t, Field> security_group_fields_;  // by workload
  struct LaterCheck {
    Field field;
    std::string node;
  };
  std::vector<LaterCheck> restarts_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_SPEC_READER_H_
