# Supervised processes on a node: what is known of them, and the words that the other scripts share.
# Functions only: a long-lived shell reads this text once, and every call comes as arguments over that
# shell's stdin, so nothing of it stands on a command line. `job_start.sh` starts jobs, `job_launch.sh`
# does so in numbers, `job_mask.sh` keeps secrets out of the files, `job_turn.sh` tells what becomes of
# jobs, `job_tree.sh` finds and ends processes.
#
# A job is the files <root>/.grid/jobs/<id>.*, in a folder of the account's own (see the prelude), which
# only the account can read:
#   state       "running", then "ended <code>", written over in place: needs no room on a full disk;
#               with "cut" where not all that the command printed could be masked and kept, "open" where it
#               could not be masked, "left" where its session still has processes.
#               Then: format, start in ms by the runner's clock, "detached" or "leased", lease in
#               seconds, the shell that started it, the host; the supervisor's pid, the descriptor
#               with which it holds this file open, and, where it supervises several jobs, pid and
#               start of this one's command; and what it says where a signal ended the command. That
#               it holds this very file open tells the supervisor from a later process of the same
#               number. The host matters where several machines share their home folders.
#   command     the script, where it is too long for the environment
#   out err     what the command prints
#   value.NAME  content of a variable that names a file
#   in.* bell   what the command is given to read; see `job_input.sh`
#   output      the file named by $GRID_OUTPUT, once the command makes it
#   lease       a word that the runner changes to show that it lives
#   missed      how often the guard found the same word
#   ear         the pid of a shell, not the one that started it, that wants to hear of the end
#   reason      why the guard ended it
#   use used    what it takes of its node; see `job_meter.sh`
#   gpus        the GPUs that it has claimed
#   service     what a service says of itself; see `job_service.sh`
#   mask.*      pipes to and from the filter that masks secrets, gone once it runs
# Few files on purpose: making and removing them is a good part of what a short job costs. Whoever
# makes the file "state" starts the job: a shell makes files exclusively by itself, folders it can't.
#
# Who waits is woken by SIGURG: a process that got the number of one that is gone takes no notice.
#
# function: reads -> sets
#   (outside): - -> grid_children grid_guard grid_owned grid_random grid_rung grid_umask
#   grid_which: PATH -> grid_program grid_rest
#   grid_open: - -> grid_id grid_job grid_jobs
#   grid_lives: - -> -
#   grid_bury: BASH_VERSION -> -
#   grid_end_helpers: - -> grid_helper grid_tries
#   grid_bury_supervisor: grid_children grid_launcher -> grid_after grid_before grid_children
#   grid_remove_files: grid_jobs -> -
#   grid_name_files: - -> grid_one grid_removed
#   grid_look: grid_hold grid_job grid_waiter -> grid_state
#   grid_is_elsewhere: grid_host grid_where -> -
#   grid_glance: grid_code grid_cut grid_job grid_phase -> grid_state
#   grid_is_over: grid_job -> grid_code grid_cut grid_phase
#   grid_ended: grid_code grid_cut grid_job grid_phase grid_said -> grid_how grid_state grid_why
#   grid_read: grid_host grid_job -> grid_code grid_cut grid_format grid_hold grid_kind grid_leader grid_lease
#       grid_line grid_phase grid_said grid_started grid_starter grid_waiter grid_where
#   grid_note_supervisor: - -> grid_hold grid_leader grid_waiter
#   grid_births: - -> -
# shellcheck disable=SC2034,SC2094,SC2154

# Below it a step's files are as open as the account wants them; ours are for the account alone.
grid_umask=$(umask)
# The word that this shell was started with.
grid_random=${1-}
# The folder of jobs that is known to be ours.
grid_owned=
grid_children=' '
grid_guard=
trap 'grid_rung=1' URG
trap grid_leave EXIT
# A shell that a signal ends does not leave in order.
trap exit HUP TERM PIPE

# grid_which PROGRAM: sets grid_program to its path, or to nothing. $(command -v …) would fork.
grid_which() {
  grid_rest=$PATH:
  while [ -n "$grid_rest" ]; do
    grid_program=${grid_rest%%:*}
    grid_program=${grid_program:-.}/$1
    if [ -f "$grid_program" ] && [ -x "$grid_program" ]; then return; fi
    grid_rest=${grid_rest#*:}
  done
  grid_program=
}

# grid_open ROOT ID
grid_open() {
  grid_jobs=$1/.grid/jobs grid_id=$2
  grid_job=$grid_jobs/$2
}

# grid_lives PID: a process that nobody buried can be signalled, but has no files.
grid_lives() {
  if [ -d /proc/self ]; then [ -e "/proc/$1/fd/0" ]; else kill -0 "$1" 2>/dev/null; fi
}

# grid_bury PID: takes note of a child's end. bash does so by itself; its `wait` may wait forever once a
# trap has interrupted an earlier one.
grid_bury() {
  [ -n "${BASH_VERSION-}" ] || wait "$1" 2>/dev/null || :
}

# grid_end_helpers PID...: and returns when they are gone. One that has just been forked may overlook a
# signal, and bash may sleep through it.
grid_end_helpers() {
  [ $# = 0 ] || kill "$@"
  grid_tries=0
  while [ $# -gt 0 ] && [ "$grid_tries" -lt 200 ]; do
    # Most are gone within a moment that is shorter than starting a program.
    if [ "$grid_tries" -ge 150 ]; then
      sleep 0.001 || sleep 1
      if [ "$grid_tries" -lt 180 ]; then kill "$@"; else kill -s KILL "$@"; fi
    fi
    grid_tries=$((grid_tries + 1))
    for grid_helper; do
      shift
      ! grid_lives "$grid_helper" || set -- "$@" "$grid_helper"
    done
  done
} 2>/dev/null

# grid_bury_supervisor ID: nothing for a job that another shell started.
grid_bury_supervisor() {
  case $grid_children in
    *" $1="*)
      grid_before=${grid_children%%" $1="*} grid_after=${grid_children#*" $1="}
      grid_children="$grid_before ${grid_after#* }"
      grid_after=${grid_after%% *}
      [ "$grid_after" = "$grid_launcher" ] || grid_bury "$grid_after"
      ;;
  esac
  grid_meter_forget "$1"
}

# grid_remove_files ID...: in the folder of jobs.
grid_remove_files() {
  [ $# -gt 0 ] || return 0
  # shellcheck disable=SC2046
  ( cd "$grid_jobs" && LC_ALL=C exec rm -f $(grid_name_files "$@") )
}

# grid_name_files ID...: prints what may be there of them. Neither as arguments nor in a variable: a shell would
# copy all of them for each further one.
grid_name_files() {
  grid_removed=" $* "
  for grid_one; do
    echo "$grid_one.state $grid_one.command $grid_one.out $grid_one.err $grid_one.output"
    echo "$grid_one.lease $grid_one.missed $grid_one.ear $grid_one.reason $grid_one.service"
    # Only what lives for longer than a moment has them.
    [ ! -e "$grid_one.use" ] || echo "$grid_one.use $grid_one.used"
    [ ! -e "$grid_one.gpus" ] || echo "$grid_one.gpus"
    if [ -p "$grid_one.bell" ] || [ -p "$grid_one.in.over" ]; then
      echo "$grid_one.bell $grid_one.in $grid_one.in.*"
    fi
  done
  # One look at the folder for all of them: it may hold the files of thousands.
  for grid_one in *.value.*; do
    case $grid_removed in *" ${grid_one%.value.*} "*) echo "$grid_one" ;; esac
  done
}

# Sets grid_state: gone, starting, running, vanished, or "ended <code> <how> <why> <whole, cut, open or left>". What another host
# has not ended is taken to run: only that host can see it.
grid_look() {
  grid_state=gone
  [ -e "$grid_job.state" ] || return 0
  grid_state=starting
  grid_ended && return
  [ -n "$grid_waiter" ] || return 0
  if grid_holds "$grid_waiter" "$grid_hold" "$grid_job.state"; then
    grid_state=running
    return
  fi
  # It may have written the end and left between the two looks.
  grid_ended || grid_state=vanished
}

# Whether the job that was read belongs to another host, which alone can see whether it runs. A host may
# also have got another name: who asks about a job by its name asks where it was started.
grid_is_elsewhere() {
  [ -n "$grid_where" ] && [ "$grid_where" != "$grid_host" ]
}

# grid_look for what was started a moment ago. Cheap: a shell reads files byte by byte.
grid_glance() {
  if ! grid_is_over; then
    grid_state=running
  elif [ "$grid_phase" = ended ] && [ "$grid_code" -le 128 ] && [ ! -e "$grid_job.reason" ]; then
    grid_state="ended $grid_code code - ${grid_cut:-whole}"
  else
    grid_look
  fi
}

grid_is_over() {
  grid_phase=
  ! read -r grid_phase grid_code grid_cut <"$grid_job.state" || [ "$grid_phase" != running ]
}

grid_ended() {
  grid_read
  [ "$grid_phase" = ended ] || return 1
  grid_how=code
  # A shell reports a signal as 128 + number, as a command may too; but then it also says so.
  if [ "$grid_code" -gt 128 ] && [ -n "$grid_said" ]; then grid_how=signal; fi
  grid_why=-
  [ ! -e "$grid_job.reason" ] || read -r grid_why <"$grid_job.reason" || :
  grid_state="ended $grid_code $grid_how $grid_why ${grid_cut:-whole}"
}

# Sets grid_phase, grid_code, grid_started, grid_kind, grid_starter, grid_where, grid_waiter, grid_hold,
# grid_leader, grid_said.
grid_read() {
  grid_phase='' grid_started=0 grid_kind=- grid_starter='' grid_where=$grid_host grid_waiter='' grid_said=''
  grid_hold='' grid_leader=
  [ -f "$grid_job.state" ] || return 0
  {
    read -r grid_phase grid_code grid_cut
    read -r grid_format grid_started grid_kind grid_lease grid_starter grid_where
    while read -r grid_line; do
      case $grid_line in
        'supervisor '*)
          # shellcheck disable=SC2086
          grid_note_supervisor ${grid_line#* }
          ;;
        *) grid_said=$grid_line ;;
      esac
    done
  } <"$grid_job.state"
}

# grid_note_supervisor PID DESCRIPTOR [PID:BORN]
grid_note_supervisor() {
  grid_waiter=$1 grid_hold=$2 grid_leader=${3-}
}

# grid_births FOLDER: lines "born SECONDS FILE", of when this node made the files of jobs, where its file system keeps
# that, and "now SECONDS".
grid_births() {
  (cd "$1" && printf '%s\n' *.state | xargs stat -c 'born %W %n')
  date '+now %s'
} 2>/dev/null
