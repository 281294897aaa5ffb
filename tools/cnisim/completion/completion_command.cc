#include <fmt/format.h>

#include <memory>
#include <string>

#include "tools/cnisim/base/commands.h"
#include "tools/cnisim/completion/scripts.h"

namespace cnisim {

Command AddCompletion(CLI::App& app) {
  const auto shell = std::make_shared<std::string>();
  app.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
      ->type_name("");
  app.footer(
      "  source <(cnisim completion bash)                 # for this shell\n"
      "  cnisim completion bash > /etc/bash_completion.d/cnisim\n"
      "  cnisim completion zsh > \"${fpath[1]}/_cnisim\"\n"
      "  cnisim completion fish > ~/.config/fish/completions/cnisim.fish");
  return [shell, root = app.get_parent()] {
    const TreeVerb tree = CommandTreeOf(*root);
    const std::string script = *shell == "bash"  ? BashScript(tree)
                               : *shell == "zsh" ? ZshScript(tree)
                                                 : FishScript(tree);
    fmt::print("{}", script);
    return ExitCode::kOk;
  };
}

}  // namespace cnisim
