// The names of one kind of thing in a scenario: each once, and looked up by those who refer to it.
#ifndef CNISIM_SIM_SCENARIO_NAMES_H_
#define CNISIM_SIM_SCENARIO_NAMES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/yaml_reader.h"

namespace cnisim {

class Names {
 public:
  // `kind` as messages say it: "workload".
  explicit Names(std::string kind) : kind_(std::move(kind)) {}

  // The name of the next thing, which `map` is, and by which `map` is known from now on. Empty
  // after an error, which is also a missing name that nothing stands in for.
  std::string Take(MapReader& map, std::optional<std::string> (Field::*read)() = &Field::DnsLabel,
                   const std::string& otherwise = "") {
    Field field = map.Get("name");
    if (otherwise.empty()) field.Required();
    std::optional<std::string> name = (field.*read)();
    if (!field.present() && !otherwise.empty()) name = otherwise;
    Add(name, field);
    if (name) map.Rename(fmt::format("{} '{}'", kind_, *name));
    return name.value_or("");
  }

  std::optional<int> Find(const std::string& name) const {
    const auto it = places_.find(name);
    return it == places_.end() ? std::nullopt : std::optional<int>(it->second.index);
  }

  // The thing that `field` names; reports one that does not exist.
  std::optional<int> Resolve(Field field) const {
    const std::optional<std::string> name = field.String();
    if (!name) return std::nullopt;
    if (const auto index = Find(*name)) return index;
    const std::vector<std::string_view> all = All();
    field.Error("unknown-reference", fmt::format("there is no {} '{}'", kind_, *name), *name, all);
    return std::nullopt;
  }

  // Sorted.
  std::vector<std::string_view> All() const {
    std::vector<std::string_view> names;
    for (const auto& [name, place] : places_) names.push_back(name);
    return names;
  }

 private:
  struct Place {
    int index;
    Location where;
  };

  void Add(const std::optional<std::string>& name, Field& field) {
    const int index = next_++;
    if (!name) return;
    const auto [it, added] = places_.emplace(*name, Place{index, field.where()});
    if (added) return;
    field.Error("duplicate-name",
                fmt::format("a second {} is named '{}'{}", kind_, *name,
                            it->second.where.line > 0
                                ? fmt::format("; the first is on line {}", it->second.where.line)
                                : ""));
  }

  std::string kind_;
  std::map<std::string, Place> places_;
  int next_ = 0;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_NAMES_H_
