// A label selector in Calico's language, as in nodeSelector and namespaceSelector of an IP pool.
//
//   all()  has(L)  L == "v"  L != "v"  L in {"v", "w"}  L not in {"v"}
//   L contains "v"  L starts with "v"  L ends with "v"  !X  X && Y  X || Y  (X)
//
// The empty text is all(). && binds closer than ||. Without the label, != and `not in` hold and
// every other comparison does not. Values stand in double or single quotes; labels are made of
// letters, digits and _ . / -.
//
// A value type; Matches is O(size of the text x log labels). Source: Calico v3.32, libcalico-go
// lib/selector, and the selector syntax in Calico's resource reference.
#ifndef CNISIM_CORE_IPAM_CALICO_SELECTOR_H_
#define CNISIM_CORE_IPAM_CALICO_SELECTOR_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/ports/result.h"

namespace cnisim {

using Labels = std::map<std::string, std::string>;

class Selector {
 public:
  // Selects everything.
  Selector() = default;
  // kInvalidSelector, with the place where it stops making sense.
  static Result<Selector> Parse(std::string_view text);

  bool Matches(const Labels& labels) const { return !matches_ || matches_(labels); }
  const std::string& text() const { return text_; }

  friend bool operator==(const Selector& a, const Selector& b) { return a.text_ == b.text_; }

 private:
  std::string text_;
  std::function<bool(const Labels&)> matches_;  // null: everything
};

}  // namespace cnisim

#endif  // CNISIM_CORE_IPAM_CALICO_SELECTOR_H_
