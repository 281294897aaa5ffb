#include "tools/cnisim/junit.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <pugixml.hpp>
#include <sstream>

#include "tools/cnisim/printer.h"

namespace cnisim {
namespace {

void AddCase(pugi::xml_node suite, const RunFigures& run, const ExpectationResult& e) {
  pugi::xml_node test = suite.append_child("testcase");
  test.append_attribute("classname") = run.scenario.c_str();
  test.append_attribute("name") = e.name.c_str();
  if (e.passed) return;
  const std::string message = fmt::format("{}; observed {}", e.assertion, ObservedText(e));
  if (e.warn_only) {
    test.append_child("system-out").text() = fmt::format("warning: {}", message).c_str();
    return;
  }
  test.append_child("failure").append_attribute("message") = message.c_str();
}

void AddSuite(pugi::xml_node suites, const RunFigures& run) {
  pugi::xml_node suite = suites.append_child("testsuite");
  int failures = 0;
  for (const ExpectationResult& e : run.expectations) failures += e.fails_run() ? 1 : 0;
  const bool incomplete = run.status != RunStatus::kOk;
  suite.append_attribute("name") = fmt::format("{} seed {}", run.scenario, run.seed).c_str();
  suite.append_attribute("tests") =
      static_cast<int>(run.expectations.size()) + (incomplete ? 1 : 0);
  suite.append_attribute("failures") = failures;
  suite.append_attribute("errors") = incomplete ? 1 : 0;
  suite.append_attribute("time") = fmt::format("{:.3f}", run.wall_seconds).c_str();
  suite.append_attribute("file") = run.file.c_str();
  for (const ExpectationResult& e : run.expectations) AddCase(suite, run, e);
  if (incomplete) {
    pugi::xml_node test = suite.append_child("testcase");
    test.append_attribute("classname") = run.scenario.c_str();
    test.append_attribute("name") = "run";
    test.append_child("error").append_attribute("message") =
        std::string(NameOf(run.status)).c_str();
  }
}

}  // namespace

Status WriteJunit(std::span<const RunFigures> runs, const std::string& path) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  pugi::xml_node suites = document.append_child("testsuites");
  for (const RunFigures& run : runs) AddSuite(suites, run);
  std::ostringstream text;
  document.save(text, "  ");

  const std::string partial = path + ".partial";
  const auto fail = [&] {
    const int error = errno;
    std::remove(partial.c_str());
    return Fail("junit", fmt::format("{}: {}", path, std::strerror(error)));
  };
  std::FILE* file = std::fopen(partial.c_str(), "wb");
  if (file == nullptr) return fail();
  const std::string bytes = text.str();
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (std::fclose(file) != 0 || !written) return fail();
  if (std::rename(partial.c_str(), path.c_str()) != 0) return fail();
  return {};
}

}  // namespace cnisim
