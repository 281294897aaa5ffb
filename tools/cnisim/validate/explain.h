// `cnisim validate --explain [CODE]`.
#ifndef CNISIM_TOOLS_CNISIM_VALIDATE_EXPLAIN_H_
#define CNISIM_TOOLS_CNISIM_VALIDATE_EXPLAIN_H_

#include <string>

#include "tools/cnisim/base/exit_code.h"
#include "tools/cnisim/base/options.h"

namespace cnisim {

// All codes in a table if `code` is empty.
ExitCode Explain(const std::string& code, OutputFormat format);

}  // namespace cnisim

#endif  // CNISIM_TOOLS_CNISIM_VALIDATE_EXPLAIN_H_
