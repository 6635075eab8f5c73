# shellcheck shell=sh disable=SC2154
# Makes the folder of a run on the node that is to run it, once; read after the prelude. Input: root, the
# run. Answers `made FOLDER`, `there` where another has made it, or `failed` and why on stderr.
#
# function: reads -> sets
#   (outside): grid_fault run -> LC_ALL base marker root run

LC_ALL=C
export LC_ALL
umask 077
IFS= read -r marker && printf '\n%s\n' "$marker" || exit 1
read -r root && read -r run || exit 1
base=$root/.grid/submitted
[ -d "$root/.grid" ] || mkdir -p "$root/.grid" || { echo failed; exit 0; }
grid_own "$base" 700 || { printf '%s\n' "$grid_fault" >&2; echo failed; exit 0; }
if mkdir "$base/$run"; then
  printf 'made %s\n' "$base/$run"
elif [ -d "$base/$run" ]; then
  echo there
else
  echo failed
fi
