#include "sim/scenario/places.h"

namespace cnisim {

std::pair<const YamlNode*, bool> Places::Find(std::initializer_list<Step> path) const {
  const YamlNode* node = document_.Find("spec");
  if (node == nullptr) return {&document_, false};
  for (const Step& step : path) {
    const YamlNode* next = nullptr;
    if (!step.key.empty()) {
      next = node->Find(step.key);
    } else if (step.index < node->items.size()) {
      next = &node->items[step.index];
    }
    if (next == nullptr || next->is_null()) return {node, false};
    node = next;
  }
  return {node, true};
}

Location Places::Of(std::initializer_list<Step> path) const { return Find(path).first->where; }

bool Places::Has(std::initializer_list<Step> path) const { return Find(path).second; }

}  // namespace cnisim
