# bash completion for grid: grid completions bash > ~/.local/share/bash-completion/completions/grid
_grid() {
  local line word
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = ":files" ]; then
      compopt -o default 2>/dev/null
      continue
    fi
    printf -v word '%q' "${line%%$'\t'*}"
    # Behind the = of a value goes no space.
    [ "${word%=}" = "$word" ] || compopt -o nospace 2>/dev/null
    COMPREPLY+=("$word")
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _grid grid
