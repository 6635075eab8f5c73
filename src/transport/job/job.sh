# Supervised processes on a node: starting them, and looking at them.
# Functions only: a long-lived shell reads this text once, and every call comes as arguments over that
# shell's stdin, so nothing of it stands on a command line. `job_turn.sh` tells what becomes of jobs,
# `job_launch.sh` starts them in numbers, `job_tree.sh` finds and ends processes, `job_mask.sh` keeps
# secrets out of the files.
#
# A job is the files <root>/.grid/jobs/<id>.*, in a folder that only the account can read:
#   state       "running", then "ended <code>", written over in place: needs no room on a full disk;
#               with "cut" where not all that the command printed could be masked and kept, "open" where it
#               could not be masked.
#               Then: format, start in ms by the runner's clock, "detached" or "leased", lease in
#               seconds, the shell that started it, the host; the supervisor's pid, the descriptor
#               with which it holds this file open, and, where it supervises several jobs, the pid of
#               this one's command; and what it says where a signal ended the command. That it holds
#               this very file open tells the supervisor from a later process of the same number. The
#               host matters where several machines share their home folders.
#   command     the script, where it is too long for the environment
#   out err     what the command prints
#   output      the file named by $GRID_OUTPUT, once the command makes it
#   lease       a word that the runner changes to show that it lives
#   missed      how often the guard found the same word
#   ear         the pid of a shell, not the one that started it, that wants to hear of the end
#   reason      why the guard ended it
#   mask.*      pipes to and from the filter that masks secrets, gone once it runs
# Few files on purpose: making and removing them is a good part of what a short job costs. Whoever
# makes the file "state" starts the job: a shell makes files exclusively by itself, folders it can't.
#
# Who waits is woken by SIGURG: a process that got the number of one that is gone takes no notice.
# shellcheck disable=SC2034,SC2094,SC2154

grid_setsid=$(command -v setsid || :)
grid_bash=$(command -v bash || :)
grid_sh=$(command -v sh || echo /bin/sh)
# A shell starts what runs in the background with SIGINT and SIGQUIT ignored, and only bash can take
# that back by itself; a command that inherits it cannot be interrupted by its own tools.
grid_env=
if [ -z "${BASH_VERSION-}" ] && env --default-signal=INT,QUIT true 2>/dev/null; then
  grid_env=$(command -v env)
fi
grid_host=-
[ ! -r /proc/sys/kernel/hostname ] || read -r grid_host </proc/sys/kernel/hostname
grid_children=' '
grid_guard=
trap 'grid_rung=1' URG
trap grid_leave EXIT
# A shell that a signal ends does not leave in order.
trap exit HUP TERM PIPE

# grid_open ROOT ID
grid_open() {
  grid_jobs=$1/.grid/jobs grid_id=$2
  grid_job=$grid_jobs/$2
}

# grid_holds PID DESCRIPTOR FILE: whether that process lives and has the file open there.
grid_holds() {
  if [ -d /proc/self ]; then
    # shellcheck disable=SC3013
    [ "/proc/$1/fd/$2" -ef "$3" ]
  else
    kill -0 "$1" 2>/dev/null
  fi
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

# grid_end_helpers PID...: and returns when they are gone. bash may sleep through a signal, so that one
# is not enough.
grid_end_helpers() {
  [ $# = 0 ] || kill "$@"
  for grid_helper; do
    grid_bury "$grid_helper"
    grid_tries=0
    while [ "$grid_tries" -lt 30 ] && grid_lives "$grid_helper"; do
      kill "$grid_helper"
      sleep 0.01 || sleep 1
      grid_tries=$((grid_tries + 1))
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
}

# grid_remove_files ID...: in the folder of jobs.
grid_remove_files() {
  for grid_one; do
    shift
    grid_one=$grid_jobs/$grid_one
    set -- "$@" "$grid_one.state" "$grid_one.command" "$grid_one.out" "$grid_one.err" \
      "$grid_one.output" "$grid_one.lease" "$grid_one.missed" "$grid_one.ear" "$grid_one.reason"
  done
  [ $# = 0 ] || LC_ALL=C rm -f "$@"
}

# ---- start -------------------------------------------------------------------------------------

# grid_start ROOT ID CWD SHELL STARTED KIND LEASE INTERVAL PREFIX COMMAND [NAME=VALUE]...
# Prints only a refusal. It runs in the long-lived shell itself, to which the job then belongs.
grid_start() {
  grid_start_unless "$@"
  # What grid_mask said was for this job, whatever became of it.
  grid_patterns=
}

grid_start_unless() {
  grid_open "$1" "$2"
  [ ! -e "$grid_job.state" ] || return 0
  if ! { [ -d "$3" ] && [ -x "$3" ]; }; then
    grid_refuse cwd "$3"
    return
  fi
  shift 2
  grid_claim "$@"
  case $? in
    0) grid_launch "$@" ;;
    2) grid_refuse folder "$(grid_complain)" ;;
    3)
      grid_remove_files "$grid_id"
      grid_refuse folder "cannot write to $grid_jobs: is the disk full?"
      ;;
  esac
}

# A dot ends what may be several lines.
grid_refuse() {
  printf 'refused %s %s\n%s\n.\n' "$grid_id" "$1" "$2"
}

# grid_claim CWD SHELL STARTED KIND LEASE …: making the state file decides who starts the job. 0 we do,
# 1 somebody did, 2 it cannot be made, 3 it cannot be written.
grid_claim() {
  grid_make_state "$@" && return 0
  [ -z "$grid_opened" ] || return 3
  [ ! -e "$grid_job.state" ] || return 1
  grid_make_folder 2>/dev/null || return 2
  grid_make_state "$@" && return 0
  [ -z "$grid_opened" ] || return 3
  [ ! -e "$grid_job.state" ] || return 1
  return 2
}

# Sets grid_opened where the file was not there: only then is anything between the braces done.
grid_make_state() {
  grid_opened=
  set -C
  {
    grid_opened=1
    printf 'running         \n1 %s %s %s %s %s\n' "$3" "$4" "$5" "$$" "$grid_host"
  } 2>/dev/null >"$grid_job.state"
  grid_made=$?
  set +C
  return $grid_made
}

grid_make_folder() {
  [ -d "$grid_jobs" ] || { mkdir -p "${grid_jobs%/*}" && mkdir -m 700 "$grid_jobs"; } || [ -d "$grid_jobs" ]
}

grid_complain() {
  { grid_make_folder && printf '' >"$grid_job.state"; } 2>&1
}

# grid_launch CWD SHELL STARTED KIND LEASE INTERVAL PREFIX COMMAND [NAME=VALUE]...
grid_launch() {
  grid_script=$8 grid_is_long=
  if [ "${#8}" -gt 30000 ]; then
    grid_script='' grid_is_long=1
    if ! { printf '%s' "$8" >"$grid_job.command"; } 2>/dev/null; then
      grid_remove_files "$grid_id"
      grid_refuse folder "cannot write to $grid_jobs: is the disk full?"
      return
    fi
  fi
  if [ "$4" = leased ] && [ -z "$grid_guard" ]; then
    grid_watch "$6" </dev/null >/dev/null 2>&1 6>&- 8>&- &
    grid_guard=$!
  fi
  ! grid_delegate "$@" || return 0
  # Opened before the fork: whoever reads the number must find the file open already. And on a
  # descriptor that the supervisor never redirects, not even for a moment.
  {
    grid_supervise "$@" </dev/null >/dev/null 6>&- 8>&- &
    echo "supervisor $! 9" >&2
  } 2>>"$grid_job.state" 9<"$grid_job.state"
  grid_children="$grid_children$grid_id=$! "
}

# grid_supervise: the same arguments.
grid_supervise() {
  grid_shell=$2
  PATH=$7${PATH:+:$PATH}
  grid_mark=
  [ -z "$grid_patterns" ] || grid_mark='open'
  if [ -n "$grid_patterns" ] && [ -n "$grid_perl$grid_python" ] && grid_mask_start 2>/dev/null; then
    grid_mark=
    ( cd -- "$1" && shift 8 && grid_become "$@" ) >&5 2>&6 5>&- 6>&- 7<&- 9<&-
    grid_code=$?
    grid_mask_end || grid_mark='cut'
  else
    ( cd -- "$1" && shift 8 && grid_become "$@" ) >"$grid_job.out" 2>"$grid_job.err" 9<&-
    grid_code=$?
  fi
  printf 'ended %-9s \n' "$grid_code $grid_mark" 1<>"$grid_job.state"
  exec 2>/dev/null
  # The guard hears of it only where the shell that it belongs to is gone.
  if grid_lives "$$"; then
    kill -s URG "$$"
  elif [ -n "$grid_guard" ]; then
    kill -s URG "$grid_guard"
  fi
  if [ -e "$grid_job.ear" ] && read -r grid_ear <"$grid_job.ear"; then kill -s URG "$grid_ear"; fi
}

# grid_become NAME=VALUE...: this process turns into the command.
grid_become() {
  [ -z "${BASH_VERSION-}" ] || trap - INT QUIT
  grid_compose grid_exec "$@"
}

# grid_compose FUNCTION NAME=VALUE...: calls it with these and the words of the command, and sets
# grid_count to where they begin.
grid_compose() {
  grid_next=$1
  shift
  if [ -z "$grid_is_long" ]; then
    # In the environment, which others cannot read, and not in a file, whose making costs more.
    set -- "$@" "GRID_SCRIPT=$grid_script"
  fi
  grid_count=$#
  if [ "$grid_shell" = bash ] && [ -n "$grid_bash" ]; then
    # Where it finds itself below sshd, bash would read the account's start-up file for each -c.
    set -- "$@" "$grid_bash" --norc -eo pipefail
  elif [ "$grid_shell" = bash ]; then
    set -- "$@" "$grid_sh" -e
  else
    set -- "$@" "$grid_sh"
  fi
  if [ -z "$grid_is_long" ]; then
    # shellcheck disable=SC2016
    set -- "$@" -c 'eval "unset GRID_SCRIPT; $GRID_SCRIPT"' grid
  else
    set -- "$@" "$grid_job.command"
  fi
  "$grid_next" "$@"
}

# grid_exec NAME=VALUE... WORD...
grid_exec() {
  # From here on the words of the command line stand among the arguments: a variable of the job may
  # have any name, also one that this shell obeys, such as IFS.
  while [ "$grid_count" -gt 0 ]; do
    export "${1?}"
    shift
    grid_count=$((grid_count - 1))
  done
  if [ -n "$grid_env" ]; then
    # Without a locale to load, the two programs before the command start in half the time.
    if [ -n "${LC_ALL+set}" ]; then set -- "LC_ALL=$LC_ALL" "$@"; else set -- -u LC_ALL "$@"; fi
    set -- "$grid_env" --default-signal=INT,QUIT "$@"
    export LC_ALL=C
  fi
  [ -z "$grid_setsid" ] || set -- "$grid_setsid" "$@"
  exec "$@"
}

# ---- look --------------------------------------------------------------------------------------

# Sets grid_state: gone, starting, running, vanished, or "ended <code> <how> <why> <whole, cut or open>". What another host
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

# Sets grid_phase, grid_code, grid_started, grid_kind, grid_owner, grid_where, grid_waiter, grid_hold,
# grid_leader, grid_said.
grid_read() {
  grid_phase='' grid_started=0 grid_kind=- grid_owner='' grid_where=$grid_host grid_waiter='' grid_said=''
  grid_hold='' grid_leader=0
  [ -f "$grid_job.state" ] || return 0
  {
    read -r grid_phase grid_code grid_cut
    read -r grid_format grid_started grid_kind grid_lease grid_owner grid_where
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

# grid_note_supervisor PID DESCRIPTOR [LEADER]
grid_note_supervisor() {
  grid_waiter=$1 grid_hold=$2 grid_leader=${3:-0}
}
