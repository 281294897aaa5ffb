// cnisim-kernel-lab: direct routing against overlays, in this machine's kernel.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "tools/kernel_lab/measure/lab_networks.h"
#include "tools/kernel_lab/measure/machine.h"
#include "tools/kernel_lab/measure/measurement.h"
#include "tools/kernel_lab/measure/offloads.h"

namespace cnisim {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kStopped = 130;

constexpr const char* kDescription =
    "Measures pods' traffic between two nodes in this machine's kernel: direct routing of the\n"
    "Amazon VPC CNI against Calico with VXLAN, IP-in-IP and no encapsulation. The nodes are\n"
    "network namespaces, which are gone afterwards. Needs root. Writes CSV.";

std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // so a signal handler may set it

extern "C" void HandleSignal(int) { g_stop = true; }

// Destructors clean up; nobody is to die before.
void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = HandleSignal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

template <typename... Args>
void Say(fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::fprintf(stderr, "cnisim-kernel-lab: %s\n", text.c_str());
}

struct Options {
  MeasureOptions measure;
  int mtu = 9001;
  int nat_rules = 0;
  std::string output;
};

// The one that the others are compared to first.
Result<std::vector<LabNetwork>> BuildNetworks(const Features& features, const Options& options) {
  std::vector<LabNetwork> networks;
  const auto keep = [&](Result<LabNetwork> network) -> Status {
    if (g_stop) return Fail(std::string(kInterrupted), "stopped");
    if (!network) return tl::unexpected(network.error());
    networks.push_back(*std::move(network));
    if (options.nat_rules == 0) return {};
    return AddNatRules(networks.back(), options.nat_rules);
  };
  Status status = keep(BuildVpcCni(features, options.mtu));
  for (const CalicoEncapsulation encapsulation :
       {CalicoEncapsulation::kVxlan, CalicoEncapsulation::kNone, CalicoEncapsulation::kIpip}) {
    if (encapsulation == CalicoEncapsulation::kIpip && !features.Has(Feature::kIpip)) {
      Say("without calico:IPIP: {}", features.WhyNot(Feature::kIpip));
      continue;
    }
    if (status) status = keep(BuildCalico(features, encapsulation, options.mtu));
  }
  if (!status) return tl::unexpected(status.error());
  return networks;
}

bool CanSwitchOffloads(const std::vector<LabNetwork>& networks) {
  OffloadsOff off;
  for (const LabNetwork& network : networks) {
    if (const Status status = off.SwitchOff(*network.lab); !status) {
      Say("without tcp_stream_no_offload: {}", status.error().message);
      return false;
    }
  }
  return true;
}

std::string Heading(const Features& features, const Options& options, size_t cpus) {
  const std::string iptables =
      features.Has(Feature::kIptables)
          ? IptablesVersion()
          : "none (" + features.WhyNot(Feature::kIptables) + "); nodes have no chains";
  return fmt::format(
      "# cnisim-kernel-lab: pods' traffic between two nodes in network namespaces of one machine\n"
      "# kernel: {}\n"
      "# cpu: {}; {} CPUs, pinned to CPU {}\n"
      "# iptables: {}; {} non-matching nat rules a node\n"
      "# path: pod - veth - node - veth - router - veth - node - veth - pod, no wire; node MTU {}\n"
      "# nodes: the plugins' own rules and chains, of Calico without Felix's endpoint chains; no\n"
      "#   kube-proxy, no network policies\n"
      "# rounds: {}, in {} s; networks back to back in each, their order rotated\n"
      "# columns: medians over the rounds; times are of round trips; ratios are to aws-vpc-cni in\n"
      "#   the same round: of p50_us if there is one, else of gbit_per_s, else of rate_per_s\n"
      "# udp_rr, tcp_rr: ping-pong of so many bytes; tcp_crr: connect, request, response, close;\n"
      "#   udp_flood: datagrams received (rate_per_s) and sent; tcp_stream: one connection, "
      "writes\n"
      "#   of so many bytes; tcp_stream_no_offload: the same with TSO, GSO and GRO off everywhere\n"
      "# absolute figures are of this machine and its load; use ratios and differences\n",
      KernelName(), CpuModel(), cpus, fmt::join(options.measure.cpus, " and "), iptables,
      options.nat_rules, options.mtu, options.measure.rounds, options.measure.seconds);
}

int FailedWith(const Error& error) {
  if (error.code == kInterrupted) return kStopped;
  Say("{}", error.message);
  return kFailed;
}

int Write(const std::string& text, const std::string& file) {
  if (file.empty()) {
    std::cout << text << std::flush;
    if (std::cout) return 0;
  } else if (std::ofstream(file) << text << std::flush) {
    return 0;
  }
  Say("cannot write {}", file.empty() ? "to standard output" : file);
  return kFailed;
}

int Run(Options options) {
  const Features features = Features::Probe();
  for (const Feature needed : {Feature::kNamespaces, Feature::kVxlan}) {
    if (features.Has(needed)) continue;
    Say("cannot measure here: {}", features.WhyNot(needed));
    return kFailed;
  }
  if (options.nat_rules > 0 && !features.Has(Feature::kIptables)) {
    Say("no --nat-rules here: {}", features.WhyNot(Feature::kIptables));
    return kFailed;
  }
  std::vector<int>& cpus = options.measure.cpus;
  cpus = AllowedCpus();
  const size_t cpu_count = cpus.size();
  if (cpu_count > 2) cpus.resize(2);
  if (cpu_count < 2) Say("without placement two-cpus: there is one CPU");

  const auto networks = BuildNetworks(features, options);
  if (!networks) return FailedWith(networks.error());
  options.measure.offloads_off = CanSwitchOffloads(*networks);
  const auto rows = MeasureNetworks(*networks, options.measure, g_stop);
  if (!rows) return FailedWith(rows.error());
  return Write(Heading(features, options, cpu_count) + RenderCsv(*rows), options.output);
}

int Main(int argc, char** argv) {
  CLI::App app(kDescription, "cnisim-kernel-lab");
  Options options;
  bool quick = false;
  app.add_option("--rounds", options.measure.rounds, "How often everything is measured")
      ->check(CLI::Range(1, 1000).description(""))
      ->capture_default_str();
  app.add_option("--seconds", options.measure.seconds, "Of all rounds together")
      ->check(CLI::Range(1.0, 86400.0).description(""))
      ->capture_default_str();
  app.add_flag("--quick", quick, "2 rounds in 3 seconds: whether it works, not how fast")
      ->excludes("--rounds")
      ->excludes("--seconds");
  app.add_option("--mtu", options.mtu, "Of the nodes' links: 9001 in a VPC, 1500 elsewhere")
      ->check(CLI::Range(1500, 9001).description(""))
      ->capture_default_str();
  app.add_option("--nat-rules", options.nat_rules,
                 "Non-matching rules in each node's nat table, which new connections pass")
      ->check(CLI::Range(0, 100'000).description(""))
      ->capture_default_str();
  app.add_option("--output", options.output, "What to write; standard output if not given")
      ->type_name("FILE")
      ->check([](const std::string& file) {
        const auto directory = std::filesystem::absolute(file).parent_path();
        const bool can_be =
            std::filesystem::is_directory(directory) && !std::filesystem::is_directory(file);
        return can_be ? "" : "cannot write " + file;
      });
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    Say("{}\nTry 'cnisim-kernel-lab --help'.", error.what());
    return kUsage;
  }
  if (quick) {
    options.measure.rounds = 2;
    options.measure.seconds = 3;
  }
  CatchSignals();
  return Run(std::move(options));
}

}  // namespace
}  // namespace cnisim

int main(int argc, char** argv) {
  try {
    return cnisim::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cnisim-kernel-lab: %s\n", error.what());
    return 1;
  }
}
