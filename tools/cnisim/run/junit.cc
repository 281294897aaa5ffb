#include "tools/cnisim/run/junit.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <pugixml.hpp>
#include <sstream>

#include "core/net/utf8.h"
#include "tools/cnisim/run/printer.h"

namespace cnisim {
namespace {

namespace fs = std::filesystem;

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

// Standard output or error if `path` is what one of them writes to.
std::FILE* StandardStream(const std::string& path) {
  struct stat named, open;
  if (::stat(path.c_str(), &named) != 0) return nullptr;
  for (std::FILE* stream : {stdout, stderr}) {
    const bool same = ::fstat(::fileno(stream), &open) == 0 && open.st_dev == named.st_dev &&
                      open.st_ino == named.st_ino;
    if (same) return stream;
  }
  return nullptr;
}

bool IsDevice(const std::string& path) {
  std::error_code error;
  return fs::is_character_file(path, error);
}

tl::unexpected<Error> CannotWrite(const std::string& path, int error) {
  return Fail("junit", fmt::format("{}: {}", path, std::strerror(error)));
}

bool WriteAll(std::FILE* file, const std::string& bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
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
  const auto refuse = [&](std::string_view what) {
    return Fail("usage", fmt::format("--junit {}: {}", path, what));
  };
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (StandardStream(path) != nullptr) return {};
  if (!fs::exists(status)) {
    if (fs::is_symlink(path, error)) return refuse("it is a link that leads nowhere");
  } else {
    if (fs::is_directory(status)) return refuse("it is a folder");
    if (!fs::is_regular_file(status) && !IsDevice(path)) return refuse("it is no regular file");
    if (::access(path.c_str(), W_OK) != 0) return CannotWrite(path, errno);
    if (IsDevice(path)) return {};
  }
  // It is written beside its place and then renamed.
  fs::path folder = fs::is_symlink(path, error) ? fs::canonical(path, error) : fs::path(path);
  folder = folder.parent_path();
  if (folder.empty()) folder = ".";
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return CannotWrite(path, errno);
  return {};
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

  const std::string bytes = text.str();

  if (std::FILE* stream = StandardStream(path)) {
    return WriteAll(stream, bytes) ? Status() : CannotWrite(path, errno);
  }
  const bool device = IsDevice(path);
  std::error_code error;
  const std::string target =
      fs::is_symlink(path, error) ? fs::canonical(path, error).string() : path;
  const std::string partial = device ? path : fmt::format("{}.{}.partial", target, ::getpid());
  const auto fail = [&] {
    const int number = errno;
    if (!device) std::remove(partial.c_str());
    return CannotWrite(path, number);
  };
  std::FILE* file = std::fopen(partial.c_str(), device ? "w" : "wx");  // x: new, no link followed
  if (file == nullptr) return CannotWrite(path, errno);
  const bool written = WriteAll(file, bytes);
  if (std::fclose(file) != 0 || !written) return fail();
  if (!device && std::rename(partial.c_str(), target.c_str()) != 0) return fail();
  return {};
}

}  // namespace cnisim
