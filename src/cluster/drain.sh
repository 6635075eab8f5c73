# shellcheck shell=sh disable=SC2154
# Makes or removes this account's note. Read behind the prelude and drain_notes.sh. Set by the caller:
# drain ("yes" or nothing), seconds (until it ends by itself, or nothing), reason (one line).
# Prints all notes that are there afterwards. Exits with 11 and a sentence on stderr where it cannot.
#
# function: reads -> sets
#   (outside): drain grid_drain_dir grid_new reason seconds -> LC_ALL note now uid until
#   fail: - -> -

LC_ALL=C
export LC_ALL
umask 022
uid=$(id -u)
note=$grid_drain_dir/grid-drain.$uid

fail() {
  printf '%s\n' "$1" >&2
  exit 11
}
[ -w "$grid_drain_dir" ] || fail "this account may not write to $grid_drain_dir"

if { [ -e "$note" ] || [ -L "$note" ]; } && { [ -L "$note" ] || [ ! -O "$note" ]; }; then
  fail "\"$note\" belongs to $(grid_owner "$note") and stands in the way: have it removed"
fi
if [ -n "$drain" ]; then
  now=$(date +%s)
  until=-
  [ -z "$seconds" ] || until=$((now + seconds))
  grid_make_name "$grid_drain_dir/.grid-drain"
  if ! (set -C && printf '%s %s\n%s\n' "$now" "$until" "$reason" >"$grid_new") 2>/dev/null ||
    ! mv -f "$grid_new" "$note"; then
    rm -f "$grid_new"
    fail "cannot write to $grid_drain_dir: is its disk full?"
  fi
elif [ "$uid" = 0 ]; then
  # Root looks after the machine, whoever drained it.
  for note in "$grid_drain_dir/grid-drain."*; do
    if [ -e "$note" ] || [ -L "$note" ]; then rm -f "$note" || fail "cannot remove \"$note\""; fi
  done
else
  rm -f "$note" || fail "cannot remove \"$note\""
fi
grid_drain_notes
