#include "tools/cnisim/run/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>
#include <sstream>

#include "core/net/utf8.h"
#include "tools/cnisim/base/whole_file.h"
#include "tools/cnisim/run/printer.h"

namespace cnisim {
namespace {

// XML 1.0, production 2: tab, line ends and everything from U+0020 on but U+FFFE and U+FFFF.
std::string XmlText(std::string_view text) {
  std::string xml;
  while (!text.empty()) {
    const size_t length = Utf8CharacterLength(text);
    const std::string_view character = text.substr(0, std::max<size_t>(1, length));
    const bool control = static_cast<unsigned char>(character[0]) < 0x20 && character != "\t" &&
                         character != "\n" && character != "\r";
    const bool none = length == 0 || control || character == "\uFFFE" || character == "\uFFFF";
    xml += none ? "\uFFFD" : character;
    text.remove_prefix(character.size());
  }
  return xml;
}

void AddCase(pugi::xml_node suite, const RunFigures& run, const ExpectationResult& e) {
  pugi::xml_node test = suite.append_child("testcase");
  test.append_attribute("classname") = XmlText(run.scenario).c_str();
  test.append_attribute("name") = XmlText(e.name).c_str();
  if (e.passed) return;
  const std::string message = XmlText(fmt::format("{}; observed {}", e.assertion, ObservedText(e)));
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
  suite.append_attribute("name") =
      XmlText(fmt::format("{} seed {}", run.scenario, run.seed)).c_str();
  suite.append_attribute("tests") =
      static_cast<int>(run.expectations.size()) + (incomplete ? 1 : 0);
  suite.append_attribute("failures") = failures;
  suite.append_attribute("errors") = incomplete ? 1 : 0;
  suite.append_attribute("time") = fmt::format("{:.3f}", run.wall_seconds).c_str();
  suite.append_attribute("file") = XmlText(run.file).c_str();
  for (const ExpectationResult& e : run.expectations) AddCase(suite, run, e);
  if (incomplete) {
    pugi::xml_node test = suite.append_child("testcase");
    test.append_attribute("classname") = XmlText(run.scenario).c_str();
    test.append_attribute("name") = "run";
    test.append_child("error").append_attribute("message") =
        std::string(NameOf(run.status)).c_str();
  }
}

}  // namespace

Status CheckJunit(const std::string& path) {
  const Status writable = CheckWritable(path);
  if (writable || writable.error().code != "usage") return writable;
  return Fail("usage", "--junit " + writable.error().message);
}

Status WriteJunit(std::span<const RunFigures> runs, const std::string& path) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  pugi::xml_node suites = document.append_child("testsuites");
  for (const RunFigures& run : runs) AddSuite(suites, run);
  std::ostringstream text;
  document.save(text, "  ");

  return WriteWholeFile(path, text.str());
}

}  // namespace cnisim
