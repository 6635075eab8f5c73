# shellcheck shell=sh disable=SC2154
# Notes that nothing new shall be started on this node. One file per account, on the node's own disk and
# where every account can read it, named after the account's number; it counts only where that account
# owns it, so nobody drains in another's name. It lies where a restart does not empty the folder.
#
# function: reads -> sets
#   (outside): GRID_DRAIN_DIR -> grid_drain_dir
#   grid_drain_notes: grid_drain_dir grid_reason -> grid_account grid_any grid_drain_note grid_drain_since
#       grid_reason grid_until

grid_drain_dir=${GRID_DRAIN_DIR:-/var/tmp}
[ -d "$grid_drain_dir" ] || grid_drain_dir=/tmp

# Prints "@drain <account> <since> <until> <reason>" for each, with "-" for no end, and "@drain-now" with
# this node's own time behind them. Asks nothing where there is none.
grid_drain_notes() {
  grid_any=
  for grid_drain_note in "$grid_drain_dir/grid-drain."*; do
    if [ ! -f "$grid_drain_note" ] || [ -L "$grid_drain_note" ] || [ ! -r "$grid_drain_note" ]; then continue; fi
    # shellcheck disable=SC2012,SC2046,SC2086 # one file, whose words are wanted
    set -- $(ls -ldn "$grid_drain_note" 2>/dev/null)
    # Its owner's, and no longer than one of ours.
    if [ "${grid_drain_note##*.}" != "${3-}" ] || [ "${5:-9999}" -gt 1024 ]; then continue; fi
    # shellcheck disable=SC2012,SC2046
    set -- $(ls -ld "$grid_drain_note" 2>/dev/null)
    grid_account=${3-}
    case $grid_account in '' | *[!A-Za-z0-9@._-]*) continue ;; esac
    { read -r grid_drain_since grid_until && IFS= read -r grid_reason; } 2>/dev/null <"$grid_drain_note" || continue
    case $grid_drain_since in '' | *[!0-9]*) continue ;; esac
    case $grid_until in - | *[0-9]) ;; *) continue ;; esac
    printf '@drain %s %s %s %s\n' "$grid_account" "$grid_drain_since" "$grid_until" "$grid_reason"
    grid_any=yes
  done
  [ -z "$grid_any" ] || echo "@drain-now $(date +%s)"
}
