# shellcheck shell=sh disable=SC2034,SC2154
# Chooses the tree for a run's code. Read together with `tree.sh`, whose words it uses. The caller sets
# grid_root, grid_name and grid_tree_key of the plain folder, grid_project, grid_run, grid_mine (the run and
# those that it goes on from), grid_forerunners (those of them whose runners are gone), grid_silence_s,
# grid_who, and grid_preferred, the number of the tree where the run, or the one that it goes on from, has
# been at work; or nothing.
#
# The trees of a project, in the order in which they are taken: the plain folder; where that belongs to
# another project, <name>@<project>; further ones for other code at the same time, <name>@<project>.2 and
# so on.
#
# function: reads -> sets
#   grid_tree_slot: grid_name grid_project grid_root grid_tree_key -> grid_slot grid_slot_name grid_slot_state
#       grid_suffix
#   grid_tree_main: grid_project grid_slot_state grid_tree_project -> -
#   grid_tree_first: grid_mine grid_other_runs grid_preferred grid_project grid_slot_state grid_tree_project
#       -> -
#   grid_tree_take: grid_project grid_run grid_silence_s grid_slot_name grid_slot_state grid_who -> -
#   grid_tree_tell: grid_about grid_digest grid_root grid_slot grid_slot_name grid_slot_state
#       grid_tree_project -> grid_verdict
#   grid_tree_tell_holders: grid_other_runs grid_slot_state -> grid_about grid_other grid_rest
#   grid_tree_tell_plain: grid_about grid_project grid_root grid_slot grid_tree_key grid_tree_project -> -
#   grid_tree_look: grid_other_runs grid_root grid_slot grid_slot_state -> grid_verb
#   grid_tree_claim: grid_mine grid_root grid_slot grid_slot_state grid_tree_code -> grid_main grid_seed
#       grid_taken_slot grid_verb
#   grid_tree_leave: grid_mine grid_other_runs grid_root grid_slot grid_slot_name grid_slot_state ->
#       grid_taken_slot
#   grid_tree_choose: grid_digest grid_mine grid_other_runs grid_slot grid_slot_state -> grid_free grid_number
#       grid_seed grid_tree_code grid_verb
#   grid_tree_fork: grid_digest grid_root grid_seed grid_slot grid_slot_name grid_slot_state -> grid_from
#       grid_from_state grid_known_record grid_to grid_to_slot grid_to_state
#   grid_tree_copy: grid_from grid_known_record grid_to -> -
#   grid_tree_keep: grid_root grid_run grid_silence_s -> grid_pin
#   grid_tree_free: grid_forerunners grid_project grid_root grid_run -> grid_goes_on grid_holder grid_idle
#       grid_job_pin grid_one grid_pin grid_tree_state
#   grid_tree_collect: grid_digest grid_other_runs grid_root grid_tree_state -> grid_slot_name

# grid_tree_slot NUMBER: sets grid_slot_name and grid_slot_state. 0 is the plain folder, 1 the project's own.
grid_tree_slot() {
  case $1 in
    0) grid_suffix= ;;
    1) grid_suffix=@$grid_project ;;
    *) grid_suffix=@$grid_project.$1 ;;
  esac
  grid_slot=$1 grid_slot_name=$grid_name$grid_suffix
  grid_slot_state=$grid_root/.grid/sync/$grid_tree_key$grid_suffix
}

# grid_tree_main ADOPTED: sets the slot where the project is at home. ADOPTED is a project whose trees are
# this one's too, or "-".
grid_tree_main() {
  grid_tree_slot 0
  grid_tree_owner "$grid_slot_state"
  [ "$grid_tree_project" != "$grid_project" ] || return 0
  grid_tree_slot 1
  if [ ! -f "$grid_slot_state/current" ]; then
    if [ "$grid_tree_project" = - ] || [ "$grid_tree_project" = "$1" ]; then grid_tree_slot 0; fi
  fi
}

# grid_tree_first ADOPTED: sets the slot that is taken if it can be, and grid_other_runs, who is in the way.
grid_tree_first() {
  if [ -n "$grid_preferred" ]; then
    grid_tree_slot "$grid_preferred"
    grid_tree_owner "$grid_slot_state"
    if [ "$grid_tree_project" = "$grid_project" ]; then
      grid_tree_others "$grid_slot_state" "$grid_mine"
      [ -n "$grid_other_runs" ] || return 0
    fi
  fi
  grid_tree_main "$1"
  grid_tree_others "$grid_slot_state" "$grid_mine"
}

# grid_tree_take DIGEST: the chosen slot is this run's from now on. Tells it, and whose it was.
grid_tree_take() {
  mkdir -p "$grid_slot_state/pins" || return 1
  grid_tree_owner "$grid_slot_state"
  grid_tree_pin "$grid_slot_state" "$grid_run" "$1" "$grid_silence_s" "$grid_who" &&
    printf '%s\n' "$grid_slot_name" >"$grid_slot_state/name" &&
    printf '%s\n%s\n' "$grid_project" "$grid_who" >"$grid_slot_state/owner"
}

# grid_tree_tell VERB: one line and the owner that was there before.
grid_tree_tell() {
  grid_tree_digest "$grid_slot_state"
  grid_verdict=changed
  if [ "$grid_digest" != none ] && grid_tree_is_as_left "$grid_slot_state" "$grid_root/$grid_slot_name"; then
    grid_verdict=same
  fi
  printf 'tree %s %s %s %s %s\n%s\n' "$1" "$grid_slot" "$grid_digest" "$grid_verdict" "$grid_tree_project" "$grid_about"
}

# grid_tree_tell_holders: who is in the way, each with a line of JSON.
grid_tree_tell_holders() {
  for grid_other in $grid_other_runs; do
    grid_about=-
    { read -r grid_rest && read -r grid_about; } 2>/dev/null <"$grid_slot_state/pins/${grid_other%%=*}" || :
    printf 'held %s\n%s\n' "${grid_other%%=*}" "$grid_about"
  done
}

# grid_tree_tell_plain: whose the plain folder is, where the project is at home elsewhere.
grid_tree_tell_plain() {
  [ "$grid_slot" != 0 ] || return 0
  grid_tree_owner "$grid_root/.grid/sync/$grid_tree_key"
  case $grid_tree_project in
    - | "$grid_project") ;;
    *) printf 'plain %s\n%s\n' "$grid_tree_project" "$grid_about" ;;
  esac
}

# grid_tree_look [peek]: takes the main tree where nobody is in the way, before anybody knows what code
# there will be.
grid_tree_look() {
  grid_tree_now
  if [ "${1-}" = peek ] && [ ! -d "$grid_root/.grid/sync" ]; then
    printf 'tree peeked 0 none changed -\n-\n'
    return
  fi
  grid_tree_lock "$grid_root" || { echo "tree failed"; return; }
  grid_tree_first -
  grid_verb=held
  if [ "${1-}" = peek ]; then
    grid_verb=peeked
    grid_tree_owner "$grid_slot_state"
  elif [ -z "$grid_other_runs" ]; then
    grid_verb=taken
    grid_tree_take '?' || grid_verb=failed
  fi
  grid_tree_unlock
  if [ $grid_verb = held ]; then
    printf 'tree held %s none changed - \n-\n' "$grid_slot"
  else
    grid_tree_tell "$grid_verb"
  fi
  grid_tree_tell_holders
  grid_tree_tell_plain
}

# grid_tree_claim DIGEST ADOPTED PATIENT: takes a tree for this code. "wait": somebody may be about to
# bring just that.
grid_tree_claim() {
  grid_tree_now
  grid_tree_lock "$grid_root" || { echo "tree failed"; return; }
  grid_verb=failed grid_seed=
  grid_tree_first "$2"
  grid_main=$grid_slot
  grid_tree_choose "$1" "$3"
  if [ "$grid_verb" != wait ]; then
    grid_tree_take "$grid_tree_code" || grid_verb=failed
    [ "$grid_slot" = 1 ] || grid_tree_leave
  fi
  grid_tree_unlock
  if [ "$grid_verb" = wait ]; then
    echo "tree wait"
    return
  fi
  [ -z "$grid_seed" ] || grid_tree_fork
  grid_tree_tell "$grid_verb"
  # Who is in the way is in the way of the main tree.
  grid_taken_slot=$grid_slot
  grid_tree_slot "$grid_main"
  grid_tree_others "$grid_slot_state" "$grid_mine"
  [ "$grid_taken_slot" = "$grid_main" ] || grid_tree_tell_holders
  grid_tree_tell_plain
}

# grid_tree_leave: the look took the project's own tree, before anybody knew that the plain one is this project's,
# too. Where nothing ever came there it goes again.
grid_tree_leave() {
  grid_taken_slot=$grid_slot
  grid_tree_slot 1
  if [ -d "$grid_slot_state" ] && [ ! -f "$grid_slot_state/current" ] && [ ! -e "$grid_slot_state/kept" ] &&
    [ ! -e "$grid_root/$grid_slot_name" ]; then
    grid_tree_others "$grid_slot_state" "$grid_mine"
    [ -n "$grid_other_runs" ] || rm -rf "${grid_slot_state:?}"
  fi
  grid_tree_slot "$grid_taken_slot"
}

# grid_tree_choose DIGEST PATIENT: sets the slot, grid_verb and grid_tree_code, what its pin says.
grid_tree_choose() {
  grid_tree_code='?'
  if [ -z "$grid_other_runs" ]; then
    grid_verb=taken
    return
  fi
  grid_tree_digest "$grid_slot_state"
  if [ "$grid_digest" = "$1" ] && grid_tree_are_of "$1"; then
    grid_verb=shared grid_tree_code=$1
    return
  fi
  case "$2$grid_other_runs" in
    patient*'=?'*)
      grid_verb='wait'
      return
      ;;
  esac
  [ "$grid_digest" = none ] || grid_seed=$grid_slot
  grid_number=2 grid_free=
  while grid_tree_slot $grid_number && [ -d "$grid_slot_state" ]; do
    grid_tree_others "$grid_slot_state" "$grid_mine"
    grid_tree_digest "$grid_slot_state"
    if [ "$grid_digest" = "$1" ] && grid_tree_are_of "$1"; then
      grid_verb=shared grid_tree_code=$1 grid_seed=
      return
    fi
    [ -n "$grid_other_runs$grid_free" ] || grid_free=$grid_number
    grid_number=$((grid_number + 1))
  done
  grid_verb=beside
  if [ -n "$grid_free" ]; then
    grid_tree_slot "$grid_free"
    grid_tree_digest "$grid_slot_state"
    [ "$grid_digest" = none ] || grid_seed=
  fi
}

# grid_tree_fork: fills the chosen, new tree with copies of what the seed has, which is mostly nearly all
# that it shall have. Copies, not links: what a job writes into a file here must not show there. Where the
# seed is not as its sync left it, or a tool is missing, the code travels.
grid_tree_fork() {
  grid_to=$grid_root/$grid_slot_name grid_to_state=$grid_slot_state grid_to_slot=$grid_slot
  grid_tree_slot "$grid_seed"
  grid_from=$grid_root/$grid_slot_name grid_from_state=$grid_slot_state
  grid_tree_slot "$grid_to_slot"
  [ ! -e "$grid_to" ] && [ ! -L "$grid_to" ] || return 0
  grid_tree_digest "$grid_from_state"
  [ "$grid_digest" != none ] && grid_tree_is_as_left "$grid_from_state" "$grid_from" || return 0
  grid_known_record=$grid_from_state/$grid_digest
  if grid_tree_copy && grid_tree_is_as_left "$grid_from_state" "$grid_from" &&
    mkdir -p "$grid_to_state/$grid_digest" &&
    cp "$grid_known_record/facts" "$grid_known_record/files" "$grid_known_record/folders" "$grid_to_state/$grid_digest" &&
    ( cd "$grid_to" && grid_tree_rows "$grid_known_record" ) >"$grid_to_state/$grid_digest/stat" &&
    [ $(($(wc -l <"$grid_to_state/$grid_digest/stat"))) = $(($(wc -l <"$grid_known_record/stat"))) ]; then
    printf '%s\n' "$grid_digest" >"$grid_to_state/current"
  else
    rm -rf "$grid_to" "${grid_to_state:?}/$grid_digest"
  fi 2>/dev/null
}

grid_tree_copy() {
  mkdir -p "$grid_to" || return
  [ ! -s "$grid_known_record/folders" ] || ( cd "$grid_to" && xargs -0 mkdir -p -- <"$grid_known_record/folders" ) || return
  [ -s "$grid_known_record/files" ] || return 0
  cd "$grid_from" || return
  case $(cp --version 2>/dev/null) in
    *GNU*) xargs -0 cp -dp --parents --reflink=auto -t "$grid_to" -- <"$grid_known_record/files" ;;
    *)
      case $(tar --version 2>/dev/null) in
        *GNU* | *bsdtar*) tar -cf - --null -T "$grid_known_record/files" | ( cd "$grid_to" && tar -xpf - ) ;;
        *) return 1 ;;
      esac
      ;;
  esac
}

# grid_tree_keep KEY DIGEST...: the run lives, and this is its code.
grid_tree_keep() {
  grid_tree_now
  while [ $# -gt 1 ]; do
    grid_pin=$grid_root/.grid/sync/$1/pins/$grid_run
    # One that was judged to be dead is gone, and the tree may be somebody else's.
    [ ! -f "$grid_pin" ] || grid_tree_beat "$grid_pin" "$2" "$grid_silence_s"
    shift 2
  done
}

# grid_tree_free IDLE_MINUTES KEY...: the run is over, and those that it went on from are: their runners
# could not say so. A detached job keeps its tree.
grid_tree_free() {
  grid_idle=$1
  shift
  grid_tree_now
  for grid_one; do
    # Which of them it got was not heard where a sync was given up meanwhile.
    for grid_tree_state in "$grid_root/.grid/sync/$grid_one" "$grid_root/.grid/sync/$grid_one@$grid_project"*; do
      for grid_holder in $grid_run $grid_forerunners; do
        grid_pin=$grid_tree_state/pins/$grid_holder
        grid_goes_on=
        for grid_job_pin in "$grid_pin@"*; do
          if [ -f "$grid_job_pin" ] && grid_tree_works "$grid_job_pin"; then grid_goes_on=yes; fi
        done
        [ -n "$grid_goes_on" ] || rm -f "$grid_pin" "$grid_pin@"*
      done
    done
  done
  for grid_tree_state in "$grid_root/.grid/sync/"*"@$grid_project."*; do
    if [ -d "$grid_tree_state" ] && [ -n "$(find "$grid_tree_state/owner" -prune -mmin "+$grid_idle" 2>/dev/null)" ]; then
      grid_tree_collect
    fi
  done
}

# grid_tree_collect: empties a tree beside that nobody uses. What jobs left there stays, and so does the
# tree where somebody changed its files.
grid_tree_collect() {
  [ -f "$grid_tree_state/name" ] || return 0
  read -r grid_slot_name <"$grid_tree_state/name"
  grid_tree_lock "$grid_root" || return 0
  grid_tree_others "$grid_tree_state" ''
  grid_tree_digest "$grid_tree_state"
  if [ -z "$grid_other_runs" ] && [ "$grid_digest" != none ] &&
    grid_tree_is_as_left "$grid_tree_state" "$grid_root/$grid_slot_name" && cd "$grid_root/$grid_slot_name"; then
    [ ! -s "$grid_tree_state/$grid_digest/files" ] || xargs -0 rm -f -- <"$grid_tree_state/$grid_digest/files"
    find . -depth -type d -exec rmdir -- {} + 2>/dev/null
    cd "$grid_root" && rmdir "$grid_root/$grid_slot_name" 2>/dev/null
    rm -rf "$grid_tree_state/current" "${grid_tree_state:?}/$grid_digest"
    [ -e "$grid_root/$grid_slot_name" ] || rm -rf "${grid_tree_state:?}"
  fi
  grid_tree_unlock
}
