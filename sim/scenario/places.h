// Where the values of a scenario were written, for advice about a scenario that is valid.
#ifndef CNISIM_SIM_SCENARIO_PLACES_H_
#define CNISIM_SIM_SCENARIO_PLACES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/scenario/diagnostic.h"
#include "sim/scenario/yaml_tree.h"

namespace cnisim {

class Places {
 public:
  // One step into the document: a key, or an index from 0.
  struct Step {
    Step(const char* of_key) : key(of_key) {}         // NOLINT(google-explicit-constructor)
    Step(std::string_view of_key) : key(of_key) {}    // NOLINT(google-explicit-constructor)
    Step(const std::string& of_key) : key(of_key) {}  // NOLINT(google-explicit-constructor)
    Step(size_t of_index) : index(of_index) {}        // NOLINT(google-explicit-constructor)

    std::string_view key;  // empty: the index counts
    size_t index = 0;
  };

  Places() = default;
  // The document as it was read; `sources` are those of its locations.
  Places(YamlNode document, std::vector<std::string> sources)
      : document_(std::move(document)), sources_(std::move(sources)) {}

  // Of the value at this path from `spec`; of the last that is there on the way to it, if it has
  // been left out.
  Location Of(std::initializer_list<Step> path) const;
  bool Has(std::initializer_list<Step> path) const;

  const std::vector<std::string>& sources() const { return sources_; }

 private:
  // The deepest node on the path, and whether it is the path's end.
  std::pair<const YamlNode*, bool> Find(std::initializer_list<Step> path) const;

  YamlNode document_;
  std::vector<std::string> sources_{""};
};

}  // namespace cnisim

#endif  // CNISIM_SIM_SCENARIO_PLACES_H_
