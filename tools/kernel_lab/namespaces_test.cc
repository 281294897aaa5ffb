#include "tools/kernel_lab/namespaces.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "tools/kernel_lab/lab_testing.h"

namespace cnisim {
namespace {

bool Exists(const std::string& netns) {
  return RunCommand({"ip", "netns", "exec", netns, "true"}).has_value();
}

TEST(KernelLab, NamespacesGoWithTheirOwner) {
  CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
  auto owner = std::make_unique<Namespaces>();
  Namespaces other;
  ExpectDone(owner->Add("a"));
  ExpectDone(other.Add("a"));
  ExpectDone(RunCommands({{"ip", "netns", "add", owner->NameOf("made-by-a-command")}}));
  const std::vector<std::string> names = {owner->NameOf("a"), owner->NameOf("made-by-a-command")};
  EXPECT_EQ(owner->List(), names);
  EXPECT_FALSE(owner->Add("a"));
  owner.reset();
  for (const std::string& name : names) EXPECT_FALSE(Exists(name)) << name;
  EXPECT_TRUE(Exists(other.NameOf("a")));
}

TEST(KernelLab, WhatAKilledProcessHasLeftIsRemoved) {
  CNISIM_SKIP_WITHOUT(Feature::kNamespaces);
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  const std::string dead = "cnisim-" + std::to_string(child) + "-0-a";
  const std::string living = "cnisim-" + std::to_string(getppid()) + "-0-a";
  ExpectDone(RunCommands({{"ip", "netns", "add", dead}, {"ip", "netns", "add", living}}));
  const Namespaces owner;
  EXPECT_FALSE(Exists(dead));
  EXPECT_TRUE(Exists(living));
  ExpectDone(RunCommands({{"ip", "netns", "del", living}}));
}

}  // namespace
}  // namespace cnisim
