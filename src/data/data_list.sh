# shellcheck shell=sh disable=SC2154,SC2034
# What data sets a node keeps, who uses them, and what is to go. The caller sets grid_root and grid_random,
# a word for names of our own. How a set lies there tells data_store.sh.
#
# function: reads -> sets
#   grid_data_stat: - -> -
#   grid_data_ago: grid_data_time -> grid_ago grid_then
#   grid_data_busy: - -> grid_data_job grid_pid grid_where
#   grid_data_sets: grid_root -> grid_data_digest grid_set
#   grid_data_list: grid_ago grid_root -> grid_busy grid_data_digest grid_data_part grid_data_pinned
#       grid_data_state grid_data_time grid_set grid_user grid_user_folder
#   grid_data_pin: grid_root -> -
#   grid_data_unpin: grid_root -> -
#   grid_data_drop: grid_dropped grid_random grid_root -> grid_aside grid_dropped
#   grid_data_remove: grid_root -> grid_set grid_why
#   grid_data_old: grid_root -> grid_bytes grid_data_digest grid_data_part grid_rest grid_set

# grid_data_stat: GNU, busybox and toybox know -c, the BSDs -f.
grid_data_stat() {
  case $(stat -c %f / 2>/dev/null) in
  4*) stat -c %Y -- "$1" 2>/dev/null ;;
  *) stat -f %m -- "$1" 2>/dev/null ;;
  esac
}

# grid_data_ago FILE: sets grid_ago, the seconds since it was written to.
grid_data_ago() {
  grid_then=$(grid_data_stat "$1")
  grid_ago=$((grid_data_time - ${grid_then:-$grid_data_time}))
  [ "$grid_ago" -ge 0 ] || grid_ago=0
}

# grid_data_busy SET: whether a job that was given it still runs. What other machines with this home say is
# believed for a week.
grid_data_busy() {
  for grid_data_job in "$1/jobs/"*; do
    [ -f "$grid_data_job" ] || continue
    grid_pid='' grid_where=''
    read -r grid_pid grid_where <"$grid_data_job" || :
    case $grid_pid in '' | *[!0-9]*) continue ;; esac
    if [ "$grid_where" = "$(uname -n)" ]; then
      if kill -0 "$grid_pid" 2>/dev/null || [ -d "/proc/$grid_pid" ]; then return 0; fi
      rm -f "$grid_data_job"
    elif [ -n "$(find "$grid_data_job" -prune -mtime -7 2>/dev/null)" ]; then
      return 0
    fi
  done
  return 1
}

grid_data_sets() {
  for grid_set in "$grid_root/.grid/data/"*; do
    grid_data_digest=${grid_set##*/}
    case $grid_data_digest in *[!0-9a-f]*) continue ;; esac
    [ "${#grid_data_digest}" = 64 ] && [ -d "$grid_set" ] && [ ! -L "$grid_set" ] && printf '%s\n' "$grid_data_digest"
  done
}

# grid_data_list: for each set `set DIGEST STATE PIN BUSY SECONDS`, its four lines of about, its users as
# `user SECONDS FOLDER`, and `end`; for what is on its way `part DIGEST SECONDS`.
grid_data_list() {
  grid_data_time=$(date +%s)
  for grid_data_digest in $(grid_data_sets); do
    grid_set=$grid_root/.grid/data/$grid_data_digest
    grid_data_state=broken grid_data_pinned=- grid_busy=-
    [ ! -f "$grid_set/seal" ] || grid_data_state=whole
    [ ! -f "$grid_set/pin" ] || grid_data_pinned=pinned
    ! grid_data_busy "$grid_set" || grid_busy=busy
    grid_data_ago "$grid_set/seal"
    printf 'set %s %s %s %s %s\n' "$grid_data_digest" "$grid_data_state" "$grid_data_pinned" "$grid_busy" "$grid_ago"
    [ ! -f "$grid_set/about" ] || head -n 4 "$grid_set/about" | cut -c 1-4096 | sed 's/^/about /'
    for grid_user in "$grid_set/used/"*; do
      [ -f "$grid_user" ] || continue
      grid_data_ago "$grid_user"
      grid_user_folder=
      read -r grid_user_folder <"$grid_user" || :
      printf 'user %s %s\n' "$grid_ago" "$grid_user_folder"
    done
    echo end
  done
  for grid_data_part in "$grid_root/.grid/data/"*.part; do
    if [ ! -d "$grid_data_part" ] || [ -L "$grid_data_part" ]; then continue; fi
    grid_data_digest=${grid_data_part##*/}
    grid_data_ago "$grid_data_part"
    printf 'part %s %s\n' "${grid_data_digest%.part}" "$grid_ago"
  done
}

# grid_data_pin DIGEST, grid_data_unpin DIGEST
grid_data_pin() {
  [ ! -d "$grid_root/.grid/data/$1" ] || { : >"$grid_root/.grid/data/$1/pin" && echo "pinned $1"; }
}

grid_data_unpin() {
  [ ! -f "$grid_root/.grid/data/$1/pin" ] || { rm -f "$grid_root/.grid/data/$1/pin" && echo "unpinned $1"; }
}

# grid_data_drop PATH: out of the way first, so that nobody finds half of it.
grid_data_drop() {
  grid_aside=$grid_root/.grid/gone.$grid_random.${grid_dropped:=0}
  grid_dropped=$((grid_dropped + 1))
  mv "$1" "$grid_aside" || return 1
  # What was made read-only is ours all the same.
  rm -rf "$grid_aside" 2>/dev/null || { chmod -R u+rwX "$grid_aside" && rm -rf "$grid_aside"; }
}

# grid_data_remove FORCE DIGEST: `kept DIGEST WHY` or `removed DIGEST`. FORCE is force, plain, or for what
# nobody used for so long a number of minutes.
grid_data_remove() {
  grid_set=$grid_root/.grid/data/$2 grid_why=
  [ -d "$grid_set" ] || [ -d "$grid_set.part" ] || return 0
  if ! mkdir "$grid_set.lock" 2>/dev/null; then
    echo "kept $2 it is being brought"
    return
  fi
  printf '%s\n' "remove $(uname -n) $$" >"$grid_set.lock/owner"
  if [ "$1" != force ]; then
    [ ! -f "$grid_set/pin" ] || grid_why='it is pinned'
    ! grid_data_busy "$grid_set" || grid_why='a job uses it'
  fi
  case $1 in
  *[!0-9]*) ;;
  *) [ -z "$(find "$grid_set/used" "$grid_set/seal" -mmin "-$1" 2>/dev/null)" ] || grid_why='it was used' ;;
  esac
  if [ -n "$grid_why" ]; then
    echo "kept $2 $grid_why"
  else
    [ ! -d "$grid_set.part" ] || grid_data_drop "$grid_set.part"
    if [ ! -d "$grid_set" ] || grid_data_drop "$grid_set"; then echo "removed $2"; fi
  fi
  rm -rf "$grid_set.lock"
}

# grid_data_old MINUTES: prints `old DIGEST BYTES` for what neither a pin nor a use keeps.
grid_data_old() {
  for grid_data_digest in $(grid_data_sets); do
    grid_set=$grid_root/.grid/data/$grid_data_digest grid_bytes=0
    [ ! -f "$grid_set/pin" ] || continue
    ! grid_data_busy "$grid_set" || continue
    [ -z "$(find "$grid_set/used" "$grid_set/seal" -mmin "-$1" 2>/dev/null)" ] || continue
    [ ! -f "$grid_set/about" ] || read -r grid_rest grid_bytes <"$grid_set/about" || :
    case $grid_bytes in '' | *[!0-9]*) grid_bytes=0 ;; esac
    printf 'old %s %s\n' "$grid_data_digest" "$grid_bytes"
  done
  for grid_data_part in "$grid_root/.grid/data/"*.part; do
    if [ ! -d "$grid_data_part" ] || [ -L "$grid_data_part" ] || [ -d "${grid_data_part%.part}.lock" ]; then continue; fi
    [ -n "$(find "$grid_data_part" -prune -mmin "+$1" 2>/dev/null)" ] || continue
    grid_data_digest=${grid_data_part##*/}
    [ -d "${grid_data_part%.part}" ] || printf 'old %s 0\n' "${grid_data_digest%.part}"
  done
}
