#include "tools/cnisim/completion/scripts.h"
#include "tools/cnisim/completion/shell_answers.h"

namespace cnisim {
namespace {

constexpr const char* kHead =
    "#compdef cnisim\n# zsh completion of cnisim, from `cnisim completion zsh`\n\n";

constexpr const char* kTail = R"sh(
__cnisim_offer() {
  local line extension
  local -a names shown
  while IFS= read -r line; do
    case $line in
      '') ;;
      @folders) _files -/ ;;
      @files*)
        local -a extensions=(${=line#@files})
        _files -g "*.(${(j:|:)extensions})"
        ;;
      *)
        names+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
        ;;
    esac
  done
  if (( ${#names} )); then compadd -l -d shown -a names; fi
}

_cnisim() {
  local answer_path=cnisim option= count=0 word cur=${words[CURRENT]} i
  for (( i = 2; i < CURRENT; i++ )); do
    word=${words[i]}
    if [[ -n $option ]]; then
      option=
    elif [[ $word == -* ]]; then
      if [[ $word != *=* ]] && __cnisim_takes "$answer_path" "$word"; then option=$word; fi
    elif __cnisim_verbs "$answer_path" | grep -q "^$word"$'\t'; then
      answer_path="$answer_path $word"
    else
      count=$(( count + 1 ))
    fi
  done
  if [[ -n $option ]]; then
    __cnisim_offer < <(__cnisim_value "$answer_path" "$option")
  elif [[ $cur == -*=* ]]; then
    compset -P '*='
    __cnisim_offer < <(__cnisim_value "$answer_path" "${cur%%=*}")
  elif [[ $cur == -* ]]; then
    __cnisim_offer < <(__cnisim_options "$answer_path")
  else
    __cnisim_offer < <(__cnisim_verbs "$answer_path"; __cnisim_argument "$answer_path" "$count")
  fi
}
compdef _cnisim cnisim
)sh";

}  // namespace

std::string ZshScript(const TreeVerb& root) { return kHead + ShellAnswers(root) + kTail; }

}  // namespace cnisim
