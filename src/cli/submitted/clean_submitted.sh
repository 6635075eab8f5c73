# shellcheck shell=sh disable=SC2154
# Removes folders of runs that were submitted here, and Grids that nobody has started for so long. Set by the
# caller: base, the folder of both; minutes; go, yes or no; the ids of runs as words. Prints
# what goes, a line each.
#
# function: reads -> sets
#   (outside): base go minutes -> submitted used

for submitted in "$@"; do
  [ -d "$base/submitted/$submitted" ] || continue
  printf 'submitted/%s\n' "$submitted"
  [ "$go" = yes ] || continue
  chmod -R u+rwX "$base/submitted/$submitted" 2>/dev/null
  rm -rf "${base:?}/submitted/$submitted"
done
used=$(cat "$base"/submitted/*/grid 2>/dev/null)
find "$base/runtime" ! -name runtime -prune -type f -mmin "+$minutes" 2>/dev/null | while read -r pointer; do
  runtime=
  read -r runtime <"$pointer"
  case $runtime in '' | */* | .*) continue ;; esac
  # A run that was submitted with it may be gone on from.
  case $used in *"/runtime/$runtime/grid"*) continue ;; esac
  printf 'runtime/%s\n' "$runtime"
  [ "$go" = yes ] || continue
  rm -f "$pointer"
  chmod -R u+rwX "$base/runtime/$runtime" 2>/dev/null
  rm -rf "${base:?}/runtime/$runtime"
done
