// The slow, obvious reader of the Prometheus text format, for tests.
#ifndef CNISIM_CORE_TELEMETRY_PROMETHEUS_PARSER_TESTING_H_
#define CNISIM_CORE_TELEMETRY_PROMETHEUS_PARSER_TESTING_H_

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cnisim {

struct ParsedSample {
  std::string name;  // with _sum, _count or _bucket
  std::vector<std::pair<std::string, std::string>> labels;
  std::string value;

  friend auto operator<=>(const ParsedSample&, const ParsedSample&) = default;
};

struct ParsedFamily {
  std::string name;
  std::string help;
  std::string type;
  std::vector<ParsedSample> samples;
};

// Undoes the escapes of `text` from `at` up to `end`, and stands behind it.
inline std::string TakeEscaped(const std::string& text, size_t& at, char end) {
  std::string result;
  for (; at < text.size() && text[at] != end; ++at) {
    if (text[at] == '\\') {
      if (++at == text.size()) throw std::runtime_error("escape at the end: " + text);
      result += text[at] == 'n' ? '\n' : text[at];
    } else {
      result += text[at];
    }
  }
  ++at;
  return result;
}

// Throws std::runtime_error where the page is not what the format says.
inline std::vector<ParsedFamily> ParsePrometheusText(const std::string& page) {
  std::vector<ParsedFamily> families;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      size_t at = line.find(' ', 7) + 1;
      families.push_back({line.substr(7, at - 8), TakeEscaped(line, at, '\n'), "", {}});
    } else if (line.starts_with("# TYPE ")) {
      const size_t space = line.find(' ', 7);
      if (families.empty() || families.back().name != line.substr(7, space - 7) ||
          !families.back().type.empty()) {
        throw std::runtime_error("TYPE without its HELP: " + line);
      }
      families.back().type = line.substr(space + 1);
    } else {
      ParsedSample sample;
      size_t at = line.find_first_of("{ ");
      if (at == std::string::npos) throw std::runtime_error("no value: " + line);
      sample.name = line.substr(0, at);
      if (families.empty() || !sample.name.starts_with(families.back().name)) {
        throw std::runtime_error("outside of its family: " + line);
      }
      while (line[at] != ' ') {
        const size_t equals = line.find("=\"", ++at);
        std::string name = line.substr(at, equals - at);
        at = equals + 2;
        sample.labels.emplace_back(std::move(name), TakeEscaped(line, at, '"'));
        if (line[at] == '}') ++at;
        if (line[at] != ',' && line[at] != ' ') throw std::runtime_error("bad label: " + line);
      }
      sample.value = line.substr(at + 1);
      families.back().samples.push_back(std::move(sample));
    }
  }
  return families;
}

}  // namespace cnisim

#endif  // CNISIM_CORE_TELEMETRY_PROMETHEUS_PARSER_TESTING_H_
