#include "tools/cnisim/completion/scripts.h"
#include "tools/cnisim/completion/shell_answers.h"

namespace cnisim {
namespace {

constexpr const char* kHead = "# bash completion of cnisim, from `cnisim completion bash`\n\n";

// Words are split at blanks, not where COMP_WORDBREAKS says, as values have ':' and '='.
constexpr const char* kTail = R"sh(
_cnisim() {
  local line=${COMP_LINE:0:COMP_POINT} path=cnisim option= count=0 word cur= i answer
  local -a words
  read -ra words <<<"$line"
  if [[ $line != *[[:space:]] ]]; then
    cur=${words[${#words[@]} - 1]}
    unset "words[${#words[@]} - 1]"
  fi
  for ((i = 1; i < ${#words[@]}; i++)); do
    word=${words[i]}
    if [[ -n $option ]]; then
      option=
    elif [[ $word == -* ]]; then
      if [[ $word != *=* ]] && __cnisim_takes "$path" "$word"; then option=$word; fi
    elif __cnisim_verbs "$path" | grep -q "^$word"$'\t'; then
      path="$path $word"
    else
      count=$((count + 1))
    fi
  done
  local done_part= wanted=$cur
  if [[ -n $option ]]; then
    answer=$(__cnisim_value "$path" "$option")
  elif [[ $cur == -*=* ]]; then
    done_part=${cur%%=*}=
    wanted=${cur#*=}
    answer=$(__cnisim_value "$path" "${cur%%=*}")
  elif [[ $cur == -* ]]; then
    answer=$(__cnisim_options "$path")
  else
    answer=$(__cnisim_verbs "$path"; __cnisim_argument "$path" "$count")
  fi
  COMPREPLY=()
  local reply extension
  while IFS= read -r reply; do
    case $reply in
      '') ;;
      @folders)
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("$done_part$word"); done < <(compgen -d -- "$wanted")
        ;;
      @files*)
        compopt -o filenames 2>/dev/null
        for extension in ${reply#@files}; do
          while IFS= read -r word; do COMPREPLY+=("$done_part$word"); done \
            < <(compgen -f -X "!*.$extension" -- "$wanted")
        done
        while IFS= read -r word; do COMPREPLY+=("$done_part$word"); done < <(compgen -d -- "$wanted")
        ;;
      *)
        reply=${reply%%$'\t'*}
        if [[ $reply == "$wanted"* ]]; then COMPREPLY+=("$done_part$reply"); fi
        ;;
    esac
  done <<<"$answer"
  # Readline replaces only what follows the last of these.
  local kept=
  for i in = :; do
    if [[ $COMP_WORDBREAKS == *$i* && $cur == *$i* ]]; then
      word=${cur%"${cur##*$i}"}
      if ((${#word} > ${#kept})); then kept=$word; fi
    fi
  done
  for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$kept"}; done
}
complete -F _cnisim cnisim
)sh";

}  // namespace

std::string BashScript(const TreeVerb& root) { return kHead + ShellAnswers(root) + kTail; }

}  // namespace cnisim
