// What a measurement was made on.
#ifndef CNISIM_TOOLS_KERNEL_LAB_MEASURE_MACHINE_H_
#define CNISIM_TOOLS_KERNEL_LAB_MEASURE_MACHINE_H_

#include <string>
#include <vector>

namespace cnisim {

// "Linux 6.1.0 x86_64".
std::string KernelName();
// As /proc/cpuinfo has it; "unknown" if it does not.
std::string CpuModel();
// "iptables v1.8.9 (nf_tables)", or "none".
std::string IptablesVersion();
// That this process may run on, ascending.
std::vector<int> AllowedCpus();

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_MEASURE_MACHINE_H_
