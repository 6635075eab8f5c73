# shellcheck shell=sh disable=SC2154
# What a project left on a node and uses no more. Read together with `tree.sh`, whose words it uses. The
# caller sets grid_root, grid_project, grid_former (what the project was before its folder was renamed) and
# grid_random, a word for names of our own.
#
# A tree is old where nobody took it for so many minutes; one that a run or a detached job holds is not.
#
# function: reads -> sets
#   grid_clean_size: - -> grid_kb grid_one
#   grid_clean_is_old: grid_former grid_other_runs grid_project grid_tree_project -> -
#   grid_clean_look: grid_about grid_kb grid_project grid_root grid_tree_project -> grid_slot_name
#       grid_tree_state
#   grid_clean_remove: grid_random grid_root -> grid_aside grid_count grid_minutes grid_moved grid_slot_name
#       grid_tree_key grid_tree_state

# grid_clean_size FOLDER...: sets grid_kb, in KiB; 0 where nothing is there.
grid_clean_size() {
  grid_kb=0
  for grid_one; do
    [ ! -d "$grid_one" ] || [ -L "$grid_one" ] || {
      # shellcheck disable=SC2046
      set -- $(du -sk "$grid_one" 2>/dev/null)
      case ${1-} in '' | *[!0-9]*) ;; *) grid_kb=$((grid_kb + $1)) ;; esac
    }
  done
}

# grid_clean_is_old STATE MINUTES: whether it is this project's and free.
grid_clean_is_old() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ -f "$1/name" ] || return 1
  grid_tree_owner "$1"
  case " $grid_project $grid_former " in *" $grid_tree_project "*) ;; *) return 1 ;; esac
  [ -n "$(find "$1/owner" -prune -mmin "+$2" 2>/dev/null)" ] || return 1
  grid_tree_others "$1" ''
  [ -z "$grid_other_runs" ]
}

# grid_clean_look MINUTES: prints `tree KEY old|used KIB NAME` for each folder that Grid knows there; the
# size only of old ones. Of one that bears a former name of the project it is `tree KEY former KIB NAME`, and
# then a line of JSON about who brought the code: another project may have that name by now.
grid_clean_look() {
  grid_tree_now
  for grid_tree_state in "$grid_root/.grid/sync/"*; do
    [ -f "$grid_tree_state/name" ] || continue
    grid_slot_name=
    read -r grid_slot_name <"$grid_tree_state/name"
    if grid_clean_is_old "$grid_tree_state" "$1"; then
      grid_clean_size "$grid_root/$grid_slot_name" "$grid_tree_state"
      if [ "$grid_tree_project" = "$grid_project" ]; then
        printf 'tree %s old %s %s\n' "${grid_tree_state##*/}" "$grid_kb" "$grid_slot_name"
      else
        printf 'tree %s former %s %s\n%s\n' "${grid_tree_state##*/}" "$grid_kb" "$grid_slot_name" "$grid_about"
      fi
    else
      printf 'tree %s used 0 %s\n' "${grid_tree_state##*/}" "$grid_slot_name"
    fi
  done
}

# grid_clean_remove MINUTES KEY...: judged once more under the lock, where each is only put out of the way.
grid_clean_remove() {
  grid_minutes=$1 grid_count=0
  shift
  grid_tree_now
  for grid_tree_key; do
    grid_tree_state=$grid_root/.grid/sync/$grid_tree_key
    grid_aside=$grid_root/.grid/gone.$grid_random.$grid_count
    grid_count=$((grid_count + 1))
    grid_moved=
    mkdir "$grid_aside" || continue
    grid_tree_lock "$grid_root" || { rmdir "$grid_aside"; continue; }
    if grid_clean_is_old "$grid_tree_state" "$grid_minutes" && [ ! -d "$grid_tree_state/lock" ]; then
      read -r grid_slot_name <"$grid_tree_state/name"
      if [ -d "$grid_root/$grid_slot_name" ] && [ ! -L "$grid_root/$grid_slot_name" ]; then
        mv "$grid_root/$grid_slot_name" "$grid_aside/tree" && grid_moved=yes
      else
        grid_moved=yes
      fi
      [ -z "$grid_moved" ] || mv "$grid_tree_state" "$grid_aside/state"
    fi
    grid_tree_unlock
    # What somebody made read-only is ours all the same.
    rm -rf "$grid_aside" 2>/dev/null || { chmod -R u+rwX "$grid_aside" && rm -rf "$grid_aside"; }
    [ -z "$grid_moved" ] || printf 'removed %s\n' "$grid_tree_key"
  done
}
