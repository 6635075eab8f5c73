# shellcheck shell=sh disable=SC2154
# Puts a Grid together on a node from what the node was brought, once per version; read after the prelude.
# Input, a line each: root, its id, its loader or -; the answer is `have FOLDER` or `want`, or
# `failed system …`. Then, where it is wanted: the paths of deno, of the code and of the packages or -, the
# name of their registry, then an archive: a line with its bytes, and it. The answer is `have FOLDER`, or
# `failed` with a word and why.
#
# $root/.grid/runtime/ID is a file that names the folder beside it: such a name can be made once only, and
# whoever finds it finds all of it.
#
# function: reads -> sets
#   (outside): code grid_fault grid_host grid_new id loader packages registry size system -> LC_ALL base code
#       deno found here id left loader maker marker name named new packages pid registry root said size system
#   fail: - -> -
#   undo: new -> -
#   copy: new -> -

LC_ALL=C
export LC_ALL
umask 077

fail() {
  printf 'failed %s\n' "$1"
  printf '%s\n' "$2" >&2
  exit 0
}

IFS= read -r marker && printf '\n%s\n' "$marker" || exit 1
read -r root && read -r id && read -r system && read -r loader || exit 1
base=$root/.grid/runtime
here=$(uname -s -m)
[ "$here" = "$system" ] || fail system "it is $here"
[ "$loader" = - ] || [ -e "$loader" ] || fail system "$here without $loader, the loader of glibc"

found=
if [ -f "$base/$id" ] && read -r found <"$base/$id" && [ -x "$base/$found/grid" ] && [ -x "$base/$found/deno" ]; then
  # When it was used last.
  touch "$base/$id" 2>/dev/null
  printf 'have %s\n' "$base/$found"
  exit 0
fi
echo want
read -r deno && read -r code && read -r packages && read -r registry && read -r size || exit 0

[ -d "$root/.grid" ] || mkdir -p "$root/.grid" || fail write "$root/.grid"
grid_own "$base" 700 || fail workspace "$grid_fault"
# What was left by makers that were killed; those of other machines with this home may live.
for left in "$base"/*.*.*.*.*; do
  name=${left##*/} named=
  if [ ! -d "$left" ] || [ -L "$left" ]; then continue; fi
  [ ! -f "$base/${name%%.*}" ] || read -r named <"$base/${name%%.*}"
  maker=${name%.*.*}
  pid=${maker##*.} maker=${maker%.*}
  case $pid in '' | *[!0-9]*) continue ;; esac
  if [ "$named" = "$name" ] || [ "${maker#*.}" != "$grid_host" ]; then continue; fi
  if kill -0 "$pid" 2>/dev/null || [ -d "/proc/$pid" ]; then continue; fi
  chmod -R u+rwX "$left" 2>/dev/null
  rm -rf "$left"
done
grid_make_name "$base/$id"
new=$grid_new
mkdir "$new" || fail write "$new"
undo() {
  chmod -R u+rwX "$new" 2>/dev/null
  rm -rf "$new"
}
trap undo EXIT

# Without a second copy where one file system can do that.
copy() {
  cp -Rl "$1" "$2" 2>/dev/null && return 0
  [ ! -e "$2" ] || { chmod -R u+rwX "$2" && rm -rf "$2"; }
  cp -R "$1" "$2" || fail write "$new"
}
grid_start_ticks
copy "$deno" "$new/deno"
copy "$code" "$new/code"
chmod u+w "$new/code" || fail write "$new"
mkdir -p "$new/code/cache/npm" || fail write "$new"
[ "$packages" = - ] || copy "$packages" "$new/code/cache/npm/$registry"
grid_take "$size" | (cd "$new" && tar -xf -) || fail write "$new"
grid_stop_ticks
chmod u+x "$new/grid"
said=$("$new/deno" --version 2>&1) || fail runs "$(printf '%s\n' "$said" | tail -n 1)"

printf '%s\n' "${new##*/}" >"$new/name"
if [ -e "$base/$id" ]; then
  # What it named is gone, or not whole.
  found=
  { read -r found <"$base/$id" && [ -x "$base/$found/grid" ]; } || rm -f "$base/$id"
fi
if ln "$new/name" "$base/$id" 2>/dev/null; then
  trap - EXIT
  printf 'have %s\n' "$new"
elif read -r found <"$base/$id" && [ -x "$base/$found/grid" ]; then
  printf 'have %s\n' "$base/$found"
else
  fail write "$base/$id"
fi
