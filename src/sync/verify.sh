# Sums up every file that the record of a folder names; then marks those that are told as changed, so
# that the next sync puts them right. Words come in as lines: root, name of the folder, key. The record
# and the sums go out as counted bytes; names to be marked come in the same way.
#
# function: reads -> sets
#   (outside): TMPDIR -> LC_ALL count digest folder key known marker name root state temporary work
#   fail: - -> -
#   size_of: - -> -
set -u
LC_ALL=C
export LC_ALL
IFS= read -r marker
IFS= read -r root
IFS= read -r name
IFS= read -r key
state=$root/.grid/sync/$key
folder=$root/$name
work=

fail() {
  printf '%s\n' "failed $1" "$2"
  exit 1
}

size_of() {
  echo $(($(wc -c <"$1")))
}

trap '[ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM PIPE
printf '\n%s\n' "$marker"
digest=
[ ! -f "$state/current" ] || IFS= read -r digest <"$state/current"
if [ -z "$digest" ] || [ ! -f "$state/$digest/files" ]; then fail none "$folder"; fi
cd -- "$folder" 2>/dev/null || fail folder "$folder"
# What start-up files name is often not there on every node.
temporary=${TMPDIR:-/tmp}
{ [ -d "$temporary" ] && [ -w "$temporary" ]; } || temporary=/tmp
work=$(mktemp -d "$temporary/grid-verify.XXXXXX") || fail write "$temporary"
known=$state/$digest
{
  echo "grid-manifest 2"
  cat "$known/facts"
  printf '\0'
  cat "$known/files"
  printf '\0'
  cat "$known/folders"
} >"$work/manifest"
grid_start_ticks
# A link's target is told by its row at every sync; what a link leads to is not ours.
# shellcheck disable=SC2016
xargs -0 sh -c 'for path do if [ -f "$path" ] && [ ! -L "$path" ]; then printf "%s\0" "$path"; fi; done' \
  sh <"$known/files" >"$work/regular"
: >"$work/sums"
if [ -s "$work/regular" ]; then
  if command -v sha256sum >/dev/null; then
    xargs -0 sha256sum -- <"$work/regular" >"$work/sums" 2>/dev/null
  elif command -v shasum >/dev/null; then
    xargs -0 shasum -a 256 -- <"$work/regular" >"$work/sums" 2>/dev/null
  else
    grid_stop_ticks
    fail sha256sum ""
  fi
fi
grid_stop_ticks
echo "verify $digest $(size_of "$work/manifest") $(size_of "$work/sums")"
cat "$work/manifest" "$work/sums"
IFS= read -r count || exit 0
grid_take "$count" >"$work/names"
[ ! -s "$work/names" ] || xargs -0 touch -c -- <"$work/names" || fail touch "$folder"
echo marked
