// Names of a real cluster as a scenario can have them.
#ifndef CNISIM_SIM_IMPORT_IMPORTED_NAMES_H_
#define CNISIM_SIM_IMPORT_IMPORTED_NAMES_H_

#include <set>
#include <string>
#include <string_view>

namespace cnisim {

// The nearest DNS label (RFC 1123) of at most `longest` characters; "unnamed" if nothing is left.
std::string AsDnsLabel(std::string_view text, size_t longest = 63);

// Gives out names that nobody has yet.
class UniqueNames {
 public:
  // The first of the candidates that is free, or the last one with a number. DNS labels, if the
  // candidates are.
  std::string Take(std::initializer_list<std::string> candidates);

 private:
  std::set<std::string> taken_;
};

}  // namespace cnisim

#endif  // CNISIM_SIM_IMPORT_IMPORTED_NAMES_H_
