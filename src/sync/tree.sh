# shellcheck shell=sh disable=SC2034
# Whose code a folder on the node holds. Functions only: read by Grid's own shell there, which chooses,
# pins and frees trees, and by the shell of a job, which proves before the job's script that the tree is
# its run's.
#
# What is known of the tree <root>/<name> lies in <root>/.grid/sync/<key>/:
#   owner        the project in one word, then a line of JSON about who brought the code last, and when
#   pins/RUN     the run uses the tree: digest of the code or "?" while it is not known, when the run last
#                showed that it lives, the clock of that time, the seconds it may be silent; then a line
#                of JSON about the run
#   pins/RUN@JOB a detached job of that run: pid, start, clock and host of its shell
# Pins are made and judged under one lock for all trees below a root. The clock is the boot's own, which
# nobody sets; where there is none, the time of the file.
#
# function: reads -> sets
#   grid_tree_now: - -> grid_boot grid_here grid_rest grid_tree_time
#   grid_tree_born: grid_word -> grid_born grid_rest
#   grid_tree_word: - -> grid_word
#   grid_tree_lock: - -> grid_lock grid_tries
#   grid_tree_take_lock: grid_lock -> grid_locked
#   grid_tree_unlock: grid_lock -> -
#   grid_tree_lives: grid_boot grid_tree_time -> grid_at grid_clock grid_job_pin grid_pinned grid_rest
#       grid_silence
#   grid_tree_works: grid_boot grid_born grid_here -> grid_born_then grid_clock grid_pid grid_where
#   grid_tree_others: grid_pinned -> grid_holder grid_other_runs grid_pin
#   grid_tree_are_of: grid_other_runs -> grid_other
#   grid_tree_pin: - -> -
#   grid_tree_beat: grid_boot grid_tree_time -> -
#   grid_tree_rows: - -> -
#   grid_tree_digest: - -> grid_digest
#   grid_tree_is_as_left: grid_digest -> -
#   grid_tree_owner: - -> grid_about grid_tree_project

# grid_tree_now: sets grid_boot, grid_tree_time and grid_here.
grid_tree_now() {
  grid_boot=- grid_tree_time='' grid_here=-
  [ ! -r /proc/sys/kernel/hostname ] || read -r grid_here </proc/sys/kernel/hostname
  if [ -r /proc/uptime ] && [ -r /proc/sys/kernel/random/boot_id ]; then
    read -r grid_tree_time grid_rest </proc/uptime
    grid_tree_time=${grid_tree_time%%.*}
    read -r grid_boot </proc/sys/kernel/random/boot_id
  fi
  case $grid_tree_time in '' | *[!0-9]*) grid_tree_time=$(date +%s) grid_boot=- ;; esac
}

# grid_tree_born PID: sets grid_born, the start of a process in the ticks of /proc; empty where it is gone.
grid_tree_born() {
  grid_born=
  if [ -r "/proc/$1/stat" ] && read -r grid_rest 2>/dev/null <"/proc/$1/stat"; then
    # The name in parentheses may itself hold blanks and parentheses.
    grid_rest=${grid_rest##*) }
    # shellcheck disable=SC2086
    grid_tree_word 20 $grid_rest
    grid_born=$grid_word
  elif [ ! -d /proc/self ] && kill -0 "$1" 2>/dev/null; then
    grid_born=-
  fi
}

grid_tree_word() {
  shift "$1"
  grid_word=$1
}

# grid_tree_lock ROOT: a file that a shell makes exclusively by itself. It is held for a moment only.
grid_tree_lock() {
  grid_lock=$1/.grid/sync/guard grid_tries=0
  [ -d "$1/.grid/sync" ] || mkdir -p "$1/.grid/sync" || return 1
  until grid_tree_take_lock; do
    grid_tries=$((grid_tries + 1))
    [ -d "$1/.grid/sync" ] && [ "$grid_tries" -lt 2000 ] || return 1
    [ -z "$(find "$grid_lock" -prune -mmin +1 2>/dev/null)" ] || rm -f "$grid_lock"
    sleep 0.05 2>/dev/null || sleep 1
  done
}

grid_tree_take_lock() {
  grid_locked=
  set -C
  { grid_locked=yes; } 2>/dev/null >"$grid_lock"
  set +C
  [ -n "$grid_locked" ]
}

grid_tree_unlock() {
  rm -f "$grid_lock"
}

# grid_tree_lives PIN: whether the run showed in time that it lives, or a job of it goes on. Sets
# grid_pinned, the digest of its code.
grid_tree_lives() {
  grid_pinned='' grid_at='' grid_silence=''
  read -r grid_pinned grid_at grid_clock grid_silence grid_rest <"$1" || return 1
  case "$grid_at $grid_silence" in *[!0-9\ ]* | ' '* | *' ') return 1 ;; esac
  if [ "$grid_clock" = "$grid_boot" ] && [ "$grid_boot" != - ]; then
    [ $((grid_tree_time - grid_at)) -gt "$grid_silence" ] || return 0
  elif [ -n "$(find "$1" -prune -mmin "-$((grid_silence / 60 + 1))" 2>/dev/null)" ]; then
    return 0
  fi
  for grid_job_pin in "$1@"*; do
    if [ -f "$grid_job_pin" ] && grid_tree_works "$grid_job_pin"; then return 0; fi
  done
  return 1
}

# grid_tree_works FILE: only its own host can see whether a process runs.
grid_tree_works() {
  read -r grid_pid grid_born_then grid_clock grid_where <"$1" || return 1
  if [ "$grid_where" != "$grid_here" ]; then
    [ -n "$(find "$1" -prune -mtime -7 2>/dev/null)" ]
    return
  fi
  [ "$grid_clock" = "$grid_boot" ] || return 1
  grid_tree_born "$grid_pid"
  [ -n "$grid_born" ] && [ "$grid_born" = "$grid_born_then" ]
}

# grid_tree_others STATE "RUN ...": sets grid_other_runs to the runs besides these that hold the tree, each as
# RUN=DIGEST; what dead ones left is removed.
grid_tree_others() {
  grid_other_runs=
  for grid_pin in "$1/pins/"*; do
    grid_holder=${grid_pin##*/}
    case $grid_holder in '*' | *@*) continue ;; esac
    case " $2 " in *" $grid_holder "*) continue ;; esac
    if grid_tree_lives "$grid_pin"; then
      grid_other_runs="$grid_other_runs $grid_holder=$grid_pinned"
    else
      rm -f "$grid_pin" "$grid_pin@"*
    fi
  done
}

# grid_tree_are_of DIGEST: whether all others use just this code.
grid_tree_are_of() {
  for grid_other in $grid_other_runs; do
    [ "${grid_other#*=}" = "$1" ] || return 1
  done
}

# grid_tree_pin STATE RUN DIGEST SILENCE ABOUT
grid_tree_pin() {
  [ -d "$1/pins" ] || mkdir -p "$1/pins" || return 1
  [ -f "$1/pins/$2" ] || printf '%148s\n%s\n' '' "$5" >"$1/pins/$2" || return 1
  grid_tree_beat "$1/pins/$2" "$3" "$4"
}

# grid_tree_beat PIN DIGEST SILENCE: one write over what stood there, so that no reader finds half of it.
grid_tree_beat() {
  printf '%-64s %12s %-40s %12s ' "$2" "$grid_tree_time" "$grid_boot" "$3" 1<>"$1"
}

# What the file system says about everything in the lists of a record; run inside the folder.
grid_tree_rows() {
  [ ! -s "$1/files" ] || LC_ALL=C TZ=UTC0 xargs -0 stat -c '%f %s %i|%y|%z|%n' -- <"$1/files" 2>/dev/null
  [ ! -s "$1/folders" ] || LC_ALL=C TZ=UTC0 xargs -0 stat -c '%f|||%n' -- <"$1/folders" 2>/dev/null
  # What is missing has no row, and that says enough.
  return 0
}

# grid_tree_digest STATE: sets grid_digest, that of the code there, or none.
grid_tree_digest() {
  grid_digest=
  [ ! -f "$1/current" ] || read -r grid_digest <"$1/current"
  [ -n "$grid_digest" ] && [ -f "$1/$grid_digest/stat" ] || grid_digest=none
}

# grid_tree_is_as_left STATE FOLDER: nothing of it was changed since the sync.
grid_tree_is_as_left() {
  [ ! -L "$2" ] && [ ! -d "$1/pending" ] &&
    ( cd "$2" 2>/dev/null && grid_tree_rows "$1/$grid_digest" | cmp -s - "$1/$grid_digest/stat" )
}

# grid_tree_owner STATE: sets grid_tree_project, the project in one word, and grid_about.
grid_tree_owner() {
  grid_tree_project=- grid_about=-
  [ ! -f "$1/owner" ] || { read -r grid_tree_project && read -r grid_about; } <"$1/owner" || :
}
