# Telling the runner what becomes of jobs. Read together with `job.sh`, whose words it uses.
#
# function: reads -> sets
#   (outside): BASH_VERSION -> grid_heard grid_listener grid_stat_counts grid_tail
#   grid_turn: grid_umask -> grid_beat grid_patience grid_root grid_rung grid_wakes
#   grid_pause: grid_rung grid_wakes -> grid_wakes
#   grid_read_line: BASH_VERSION grid_patience -> grid_line grid_patience
#   grid_bash_read: - -> grid_line grid_read_code
#   grid_greet: grid_beat grid_job grid_kind grid_root grid_starter grid_state -> grid_files
#   grid_survey: grid_job grid_root grid_size grid_state -> grid_files grid_known_sizes grid_output_file
#   grid_tell: - -> grid_files grid_silent grid_sizes grid_states
#   grid_note_states: - -> -
#   grid_note_state: grid_files grid_job grid_root grid_silent grid_state grid_states -> grid_files
#       grid_silent grid_states
#   grid_tell_one: grid_job grid_more grid_part grid_root grid_states -> grid_err grid_err_more grid_out
#       grid_out_more grid_output grid_plus grid_state grid_use grid_used
#   grid_part_of: grid_size -> grid_more grid_part
#   grid_print: - -> -
#   grid_measure: grid_jobs grid_stat_counts -> grid_sizes grid_stat_counts
#   grid_size_of: grid_sizes -> grid_size
#   grid_listen: grid_follow grid_heard grid_jobs grid_listener grid_new grid_tail -> grid_follow grid_heard
#       grid_listener grid_tail
#   grid_hark: - -> grid_child grid_gone
#   grid_await_child: grid_child grid_gone -> -
#   grid_leave: grid_guard grid_launch_pipe grid_launcher grid_listener grid_meter grid_tail -> -
#   grid_is_idle: grid_children grid_job grid_launcher grid_root -> grid_child grid_tries
# shellcheck disable=SC2034,SC2154

grid_tail='' grid_listener='' grid_heard=''

# grid_turn ROOT WORD [ID OUT ERR CREDIT MODE]...: shows that the runner lives by leaving WORD, waits
# until one of these jobs has news or the runner sends a line, and tells. OUT and ERR are the bytes that
# the runner has, CREDIT what it wants of each at most. MODE: fresh (its output can wait for its end,
# which is near), old, or held (nothing is asked). Like grid_start it belongs in the long-lived shell.
grid_turn() {
  grid_root=$1 grid_beat=$2 grid_patience=0.02 grid_wakes=0
  shift 2
  # What stands in the place of our files is not believed: then they are gone.
  grid_is_own "$grid_root/.grid/jobs" || grid_root=/dev/null
  umask 077
  grid_greet "$@"
  umask "$grid_umask"
  while :; do
    grid_rung=
    ! grid_survey "$@" || break
    [ -n "$grid_rung" ] || grid_pause || break
  done
  grid_tell "$@"
}

# Waits: 0 woken by a job, 1 by a line. At the end of its input the shell leaves; and where it does not
# sleep at all, as that of busybox 1.38, which would burn the node's time for nothing: a turn takes seconds,
# and is woken a few times.
grid_pause() {
  grid_wakes=$((grid_wakes + 1))
  [ "$grid_wakes" -lt 1000 ] || exit 121
  grid_read_line
  case $? in
    0) return 1 ;;
    1) [ -n "$grid_rung" ] || exit 0 ;;
  esac
}

# bash may go to sleep although a signal has just come, so it looks up by itself, more and more seldom.
# Before its version 4 it cannot tell that from the end of its input; then the runner's next line helps.
grid_read_line() {
  case ${BASH_VERSION-} in
    '' | [123].*)
      read -r grid_line
      return
      ;;
  esac
  case $grid_patience in
    0.02) grid_patience=0.05 ;;
    0.05) grid_patience=0.1 ;;
    0.1) grid_patience=0.3 ;;
    *) grid_patience=1 ;;
  esac
  grid_bash_read "$grid_patience"
}

# grid_bash_read SECONDS: a read that a trap interrupts, which bash does in this mode alone; it would
# interrupt those of state files as well.
grid_bash_read() {
  # shellcheck disable=SC3040
  set -o posix
  # shellcheck disable=SC3045
  read -r -t "$1" grid_line
  grid_read_code=$?
  # shellcheck disable=SC3040
  set +o posix
  return $grid_read_code
}
# shellcheck disable=SC3040
[ -z "${BASH_VERSION-}" ] || set +o posix

# Renews leases, and listens to what is printed from now on.
grid_greet() {
  grid_files=
  while [ $# -gt 0 ]; do
    if [ "$5" != fresh ]; then
      grid_open "$grid_root" "$1"
      grid_look
      if [ "$grid_state" = running ]; then
        [ "$grid_kind" != leased ] || printf '%s\n' "$grid_beat" >"$grid_job.lease"
        if [ "$grid_starter" = "$$" ]; then grid_meter_job; else printf '%s\n' "$$" >"$grid_job.ear"; fi
        [ "$5" != old ] || [ "$4" = 0 ] || grid_files="$grid_files $1.out $1.err"
      fi
    fi
    shift 5
  done
  grid_listen "$grid_files"
}

# Whether there are news.
grid_survey() {
  grid_files='' grid_known_sizes=''
  while [ $# -gt 0 ]; do
    grid_open "$grid_root" "$1"
    case $5 in
      fresh) ! grid_is_over || return 0 ;;
      old)
        grid_look
        [ "$grid_state" = running ] || return 0
        if [ "$4" != 0 ] && { [ -s "$grid_job.out" ] || [ -s "$grid_job.err" ]; }; then
          grid_files="$grid_files $1.out $1.err" grid_known_sizes="$grid_known_sizes $2 $3"
        fi
        ;;
    esac
    shift 5
  done
  [ -n "$grid_files" ] || return 1
  grid_measure "$grid_files"
  for grid_output_file in $grid_files; do
    grid_known_sizes=${grid_known_sizes# }
    grid_size_of "$grid_output_file"
    [ "$grid_size" -le "${grid_known_sizes%% *}" ] || return 0
    grid_known_sizes=${grid_known_sizes#* }
  done
  return 1
}

# Per job a line "job ID OUT MORE ERR MORE OUTPUT STATE": bytes that follow, and whether there are more;
# then those bytes. OUTPUT is "<bytes>+<bytes>" where words on what the job used follow at last. Looking at states first, so that what comes with a final one is all there is.
grid_tell() {
  grid_states='' grid_silent='' grid_files='' grid_sizes=''
  grid_note_states "$@"
  if [ -z "$grid_files" ]; then
    # Mostly: nothing is there but the ends of jobs.
    [ -z "$grid_silent" ] || printf %s "$grid_silent"
    return
  fi
  grid_measure "$grid_files"
  while [ $# -gt 0 ]; do
    [ "$5" = held ] || grid_tell_one "$@"
    shift 5
  done
}

grid_note_states() {
  while [ $# -gt 0 ]; do
    [ "$5" = held ] || grid_note_state "$1" "$5"
    shift 5
  done
}

# grid_note_state ID MODE
grid_note_state() {
  grid_open "$grid_root" "$1"
  if [ "$2" = fresh ]; then grid_glance; else grid_look; fi
  grid_states="$grid_states
$1 $grid_state
"
  grid_silent="${grid_silent}job $1 0 0 0 0 0 $grid_state
"
  case $grid_state in
    ended* | vanished)
      grid_bury_supervisor "$1"
      [ ! -s "$grid_job.output" ] || grid_files="$grid_files $1.output"
      [ ! -e "$grid_job.use" ] || grid_files="$grid_files $1.use $1.used"
      ;;
    # What it has printed by now can wait.
    *) [ "$2" != fresh ] || return 0 ;;
  esac
  [ ! -s "$grid_job.out" ] || grid_files="$grid_files $1.out"
  [ ! -s "$grid_job.err" ] || grid_files="$grid_files $1.err"
}

# grid_tell_one ID OUT ERR CREDIT MODE
grid_tell_one() {
  grid_open "$grid_root" "$1"
  grid_state=${grid_states#*"
$1 "}
  grid_state=${grid_state%%"
"*}
  grid_part_of "$1.out" "$2" "$4"
  grid_out=$grid_part grid_out_more=$grid_more
  grid_part_of "$1.err" "$3" "$4"
  grid_err=$grid_part grid_err_more=$grid_more
  # A little more than the 1 MiB that outputs may have, so that too much is noticed.
  grid_part_of "$1.output" 0 1048577
  grid_output=$grid_part
  grid_part_of "$1.use" 0 16384
  grid_use=$grid_part
  grid_part_of "$1.used" 0 200
  grid_used=$grid_part grid_plus=
  [ "$((grid_use + grid_used))" = 0 ] || grid_plus=+$((grid_use + grid_used))
  printf 'job %s %s %s %s %s %s %s\n' "$1" "$grid_out" "$grid_out_more" "$grid_err" "$grid_err_more" \
    "$grid_output$grid_plus" "$grid_state"
  grid_print "$grid_job.out" "$2" "$grid_out"
  grid_print "$grid_job.err" "$3" "$grid_err"
  grid_print "$grid_job.output" 0 "$grid_output"
  grid_print "$grid_job.use" 0 "$grid_use"
  grid_print "$grid_job.used" 0 "$grid_used"
}

# grid_part_of FILE HAVE CREDIT: sets grid_part, the bytes to send, and grid_more.
grid_part_of() {
  grid_size_of "$1"
  grid_part=$((grid_size - $2)) grid_more=0
  [ "$grid_part" -ge 0 ] || grid_part=0
  if [ "$grid_part" -gt "$3" ]; then grid_part=$3 grid_more=1; fi
}

# grid_print FILE SKIP COUNT
grid_print() {
  if [ "$3" = 0 ]; then
    return
  elif [ "$2" = 0 ]; then
    head -c "$3" "$1"
  else
    tail -c "+$(($2 + 1))" "$1" | head -c "$3"
  fi
}

# grid_measure FILES: sets grid_sizes to lines of name and size, for files in the folder of jobs.
grid_measure() {
  [ -n "$grid_stat_counts" ] || { stat -c %s / >/dev/null 2>&1 && grid_stat_counts=yes; } || grid_stat_counts=no
  # shellcheck disable=SC2086
  grid_sizes="
$(cd "$grid_jobs" && exec 2>/dev/null && if [ "$grid_stat_counts" = yes ]; then
    LC_ALL=C exec stat -c '%n %s' $1
  else
    wc -c $1 | while read -r grid_size grid_output_file; do printf '%s %s\n' "$grid_output_file" "$grid_size"; done
  fi)
"
}
grid_stat_counts=

# grid_size_of FILE: sets grid_size, 0 for a file that was not measured.
grid_size_of() {
  case $grid_sizes in
    *"
$1 "*)
      grid_size=${grid_sizes#*"
$1 "}
      grid_size=${grid_size%%"
"*}
      ;;
    *) grid_size=0 ;;
  esac
}

# grid_listen FILES: wakes this shell from now on when one of them grows. The pipe between the tail and
# the listener outlives the tail, of which there is a new one whenever the files are others.
grid_listen() {
  [ "$1" != "$grid_heard" ] || return 0
  [ -z "$grid_tail" ] || { grid_end_helpers "$grid_tail" && grid_bury "$grid_tail"; }
  grid_heard=$1 grid_tail=
  [ -n "$1" ] || return 0
  if [ -z "$grid_listener" ]; then
    # A tail that ends with this shell, where there is one.
    grid_follow=
    ! tail --pid=$$ -c 0 /dev/null 2>/dev/null || grid_follow=--pid=$$
    grid_make_name "$grid_jobs/.ear"
    mkfifo -m 600 "$grid_new" || return 0
    # Opened for both directions first, so that opening waits for nobody. The listener can only read:
    # it hears the end of those who write.
    exec 8<>"$grid_new"
    exec 7<"$grid_new"
    rm -f "$grid_new"
    # By exec: for a function alone, dash and busybox would keep copies of what is closed.
    { exec </dev/null >/dev/null 2>&1 8>&- && grid_hark; } &
    grid_listener=$!
    exec 7<&-
  fi
  # shellcheck disable=SC2086
  ( cd "$grid_jobs" && exec tail $grid_follow -q -c 0 -f $1 ) </dev/null >&8 2>/dev/null 8>&- &
  grid_tail=$!
  # What grew before the tail was there is looked for soon.
  echo >&8
}

# Not at once: what is printed in many small pieces is told in few.
grid_hark() {
  grid_child='' grid_gone=
  trap 'grid_gone=1; [ -z "$grid_child" ] || kill "$grid_child"' TERM
  while [ -z "$grid_gone" ]; do
    dd bs=65536 count=1 <&7 & grid_child=$!
    grid_await_child || break
    sleep 0.1 & grid_child=$!
    grid_await_child || [ -n "$grid_gone" ] || sleep 1
    grid_lives "$$" || break
    kill -s URG "$$"
  done
  grid_end_helpers "$grid_child"
}

# The trap of a signal that came before had nothing to end.
grid_await_child() {
  [ -z "$grid_gone" ] || kill "$grid_child"
  wait "$grid_child"
}

# The shell ends, and its helpers with it; but guard and launcher stay where there are jobs that may
# need them.
# shellcheck disable=SC2086
grid_leave() {
  [ -z "$grid_launch_pipe" ] || rm -f "$grid_launch_pipe"
  if grid_is_idle; then
    grid_dismiss TERM
    grid_end_helpers $grid_launcher $grid_guard $grid_meter $grid_tail $grid_listener
  else
    grid_end_helpers $grid_tail $grid_listener
    [ -z "$grid_guard" ] || kill -s HUP $grid_guard
    grid_dismiss HUP
  fi
} 2>/dev/null

# Whether all jobs of this shell have ended, also those whose end nobody asked for. A supervisor that has
# told the end is about to leave.
grid_is_idle() {
  for grid_child in $grid_children; do
    grid_open "$grid_root" "${grid_child%%=*}"
    grid_tries=0
    while grid_lives "${grid_child#*=}"; do
      if [ "$grid_tries" -ge 20 ] || { [ -e "$grid_job.state" ] && ! grid_ended; }; then return 1; fi
      [ "${grid_child#*=}" != "$grid_launcher" ] || break
      sleep 0.01 || sleep 1
      grid_tries=$((grid_tries + 1))
    done
  done
}
