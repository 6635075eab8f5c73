#compdef grid
# zsh completion for grid: save it as _grid in a folder of $fpath.
_grid() {
  local line name
  local -a found
  for line in ${(f)"$($words[1] __complete "${(@)words[2,$CURRENT]}" 2>/dev/null)"}; do
    if [[ $line == ":files" ]]; then
      _files
      continue
    fi
    name=${line%%$'\t'*}
    found+=("${name//:/\\:}:${line#*$'\t'}")
  done
  (( ${#found} )) && _describe 'grid' found
}
if [ "$funcstack[1]" = "_grid" ]; then
  _grid "$@"
else
  compdef _grid grid
fi
