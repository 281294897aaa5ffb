// What the kernel's own tools print of a node, beside what the renderers print of its planned
// state.
//
// Compared to the character but for what no plan decides: the index of a veth pair's other end,
// IPv6 link-local addresses and their routes, what was learnt from packets, fallback tunnel devices
// (which are down). Where the kernel lists in the order of a hash table (neighbours, FDB, sets),
// and where several tables are listed, lines are sorted.
#ifndef CNISIM_TOOLS_KERNEL_LAB_KERNEL_TEXTS_H_
#define CNISIM_TOOLS_KERNEL_LAB_KERNEL_TEXTS_H_

#include <string>
#include <vector>

#include "tools/kernel_lab/features.h"
#include "tools/kernel_lab/namespace_kernel.h"

namespace cnisim {

struct KernelText {
  std::string command;
  std::string kernel;
  std::string planned;
};

// Of the host and its pods: namespaces, links, addresses, rules, routes, neighbours, FDB, chains,
// sets, the nftables table, and the planned sysctls.
std::vector<KernelText> ReadKernelTexts(const NamespaceKernel& node, const Features& features);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_KERNEL_LAB_KERNEL_TEXTS_H_
