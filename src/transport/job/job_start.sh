# Starting a job, exactly once. Read together with `job.sh`, whose words it uses.
#
# function: reads -> sets
#   (outside): BASH_VERSION grid_program -> grid_bash grid_grace grid_life grid_missing grid_one grid_setsid
#       grid_sh grid_signal_env
#   grid_start: grid_umask -> grid_grace grid_input grid_life grid_patterns
#   grid_start_unless: grid_fault grid_id grid_job grid_jobs grid_life grid_missing -> -
#   grid_take_life: - -> grid_grace grid_life
#   grid_limit_life: - -> -
#   grid_outlive: grid_job grid_life grid_state -> grid_found grid_life grid_nap
#   grid_refuse: grid_id -> -
#   grid_claim: grid_job grid_opened -> -
#   grid_make_state: grid_host grid_job -> grid_made grid_opened
#   grid_own_jobs: grid_jobs grid_owned -> grid_owned
#   grid_put: grid_fault grid_job -> -
#   grid_complain: grid_job -> -
#   grid_launch: grid_children grid_guard grid_id grid_input grid_job grid_jobs -> grid_children grid_guard
#       grid_is_long grid_script
#   grid_supervise: PATH grid_guard grid_input grid_job grid_patterns grid_perl grid_python -> PATH grid_code
#       grid_cut grid_ear grid_shell
#   grid_note_times: grid_job -> -
#   grid_become: BASH_VERSION grid_umask -> -
#   grid_compose: grid_bash grid_is_long grid_job grid_script grid_sh grid_shell -> grid_pairs grid_then
#   grid_exec: LC_ALL grid_pairs grid_setsid grid_signal_env -> LC_ALL grid_pairs
# shellcheck disable=SC2034,SC2094,SC2154

grid_which setsid
grid_setsid=$grid_program
grid_which bash
grid_bash=$grid_program
grid_which sh
grid_sh=${grid_program:-/bin/sh}
# Without these nothing that a job prints can be told.
grid_missing=
for grid_one in head tail; do
  command -v "$grid_one" >/dev/null 2>&1 || grid_missing="$grid_missing${grid_missing:+ and }$grid_one"
done
# A shell starts what runs in the background with SIGINT and SIGQUIT ignored, and only bash can take
# that back by itself; a command that inherits it cannot be interrupted by its own tools.
grid_signal_env=
if [ -z "${BASH_VERSION-}" ]; then
  # By its path: a shell may have one of its own that cannot do it.
  grid_which env
  ! "$grid_program" --default-signal=INT,QUIT true 2>/dev/null || grid_signal_env=$grid_program
fi

# grid_start ROOT ID CWD SHELL STARTED KIND LEASE INTERVAL PREFIX COMMAND [NAME=VALUE]...
# Prints only a refusal. It runs in the long-lived shell itself, to which the job then belongs.
grid_start() {
  umask 077
  grid_start_unless "$@"
  # What was said of the next job was for this one, whatever became of it.
  grid_patterns='' grid_input='' grid_life='' grid_grace=
  umask "$grid_umask"
}

grid_start_unless() {
  grid_open "$1" "$2"
  if [ -n "$grid_missing" ]; then
    grid_refuse tool "$grid_missing"
    return
  fi
  if ! grid_own_jobs; then
    grid_refuse folder "$grid_fault"
    return
  fi
  [ ! -e "$grid_job.state" ] || return 0
  if ! { [ -d "$3" ] && [ -x "$3" ]; }; then
    grid_refuse cwd "$3"
    return
  fi
  shift 2
  grid_claim "$@"
  case $? in
    0)
      grid_launch "$@"
      [ -z "$grid_life" ] || [ ! -e "$grid_job.state" ] || grid_limit_life
      ;;
    2) grid_refuse folder "$(grid_complain)" ;;
    3)
      grid_remove_files "$grid_id"
      grid_refuse folder "cannot write to $grid_jobs: is the disk full?"
      ;;
  esac
}

# grid_take_life SECONDS GRACE: so long the next job may live, and so long it may take to end.
grid_life='' grid_grace=
grid_take_life() {
  grid_life=$1 grid_grace=$2
}

# A process of its own on the node, which needs no runner and stays when the link is gone.
grid_limit_life() {
  # By exec: for a function alone, dash and busybox would keep copies of what is closed.
  { exec </dev/null >/dev/null 2>&1 6>&- 8>&- && grid_outlive; } &
}

grid_outlive() {
  trap '' HUP TERM
  while [ "$grid_life" -gt 0 ]; do
    grid_nap=$grid_life
    [ "$grid_nap" -le 60 ] || grid_nap=60
    sleep "$grid_nap"
    grid_life=$((grid_life - grid_nap))
    grid_look
    case $grid_state in starting | running) ;; *) return ;; esac
  done
  echo time >"$grid_job.reason"
  grid_found=
  grid_end
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

# Whether the folder of jobs is ours, and there; else sets grid_fault. Somebody who may write above it can
# put another one in its place at any time.
grid_own_jobs() {
  if [ "$grid_owned" = "$grid_jobs" ] && grid_is_own "$grid_jobs"; then return; fi
  grid_owned=
  grid_own "${grid_jobs%/*}" 755 && grid_own "$grid_jobs" 700 && grid_owned=$grid_jobs
}

# grid_put ROOT ID NAME: stdin becomes a file of a job that is about to start.
grid_put() {
  grid_open "$1" "$2"
  if ! grid_own_jobs; then
    echo "$grid_fault" >&2
    return 1
  fi
  (umask 077 && cat >"$grid_job.$3")
}

grid_complain() {
  { printf '' >"$grid_job.state"; } 2>&1
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
  if [ -n "$grid_input" ] && ! mkfifo -m 600 "$grid_job.in" "$grid_job.bell" 2>/dev/null; then
    grid_remove_files "$grid_id"
    grid_refuse folder "cannot make a pipe in $grid_jobs: is the disk full?"
    return
  fi
  if [ "$4" = leased ] && [ -z "$grid_guard" ]; then
    # By exec: for a function alone, dash and busybox would keep copies of what is closed.
    { exec </dev/null >/dev/null 2>&1 6>&- 8>&- && grid_watch "$6"; } &
    grid_guard=$!
  fi
  ! grid_delegate "$@" || return 0
  # Opened before the fork: whoever reads the number must find the file open already. And on a
  # descriptor that the supervisor never redirects, not even for a moment.
  {
    { exec </dev/null >/dev/null 6>&- 8>&- && grid_supervise "$@"; } &
    echo "supervisor $! 9" >&2
  } 2>>"$grid_job.state" 9<"$grid_job.state"
  grid_children="$grid_children$grid_id=$! "
  grid_count_launch
}

# grid_supervise: the same arguments.
grid_supervise() {
  grid_shell=$2
  PATH=$7${PATH:+:$PATH}
  grid_cut=
  [ -z "$grid_patterns" ] || grid_cut='open'
  if [ -n "$grid_patterns" ] && [ -n "$grid_perl$grid_python" ] && grid_mask_start 2>/dev/null; then
    grid_cut=
    [ -z "$grid_input" ] || grid_input_start 2>/dev/null
    ( cd -- "$1" && unset OLDPWD && shift 8 && grid_become "$@" ) >&5 2>&6 3>&- 5>&- 6>&- 7<&- 9<&-
    grid_code=$?
    grid_note_times
    grid_mask_end || grid_cut='cut'
  else
    [ -z "$grid_input" ] || grid_input_start 2>/dev/null
    ( cd -- "$1" && unset OLDPWD && shift 8 && grid_become "$@" ) >"$grid_job.out" 2>"$grid_job.err" 3>&- 9<&-
    grid_code=$?
    grid_note_times
  fi
  [ -z "$grid_input" ] || grid_input_end 2>/dev/null
  printf 'ended %-9s \n' "$grid_code $grid_cut" 1<>"$grid_job.state"
  exec 2>/dev/null
  # The guard hears of it only where the shell that it belongs to is gone.
  if grid_lives "$$"; then
    kill -s URG "$$"
  elif [ -n "$grid_guard" ]; then
    kill -s URG "$grid_guard"
  fi
  if [ -e "$grid_job.ear" ] && read -r grid_ear <"$grid_job.ear"; then kill -s URG "$grid_ear"; fi
}

# What it has taken of the processor, for a job that lived long enough for anybody to look.
grid_note_times() {
  [ ! -e "$grid_job.use" ] || { times >"$grid_job.used"; } 2>/dev/null
}

# grid_become NAME=VALUE...: this process turns into the command.
grid_become() {
  [ -z "${BASH_VERSION-}" ] || trap - INT QUIT
  umask "$grid_umask"
  grid_compose grid_exec "$@"
}

# grid_compose FUNCTION NAME=VALUE...: calls it with these and the words of the command, and sets
# grid_pairs to where they begin.
grid_compose() {
  grid_then=$1
  shift
  if [ -z "$grid_is_long" ]; then
    # In the environment, which others cannot read, and not in a file, whose making costs more.
    set -- "$@" "GRID_SCRIPT=$grid_script"
  fi
  grid_pairs=$#
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
  "$grid_then" "$@"
}

# grid_exec NAME=VALUE... WORD...
grid_exec() {
  # From here on the words of the command line stand among the arguments: a variable of the job may
  # have any name, also one that this shell obeys, such as IFS.
  while [ "$grid_pairs" -gt 0 ]; do
    export "${1?}"
    shift
    grid_pairs=$((grid_pairs - 1))
  done
  if [ -n "$grid_signal_env" ]; then
    # Without a locale to load, the two programs before the command start in half the time.
    if [ -n "${LC_ALL+set}" ]; then set -- "LC_ALL=$LC_ALL" "$@"; else set -- -u LC_ALL "$@"; fi
    set -- "$grid_signal_env" --default-signal=INT,QUIT "$@"
    export LC_ALL=C
  fi
  [ -z "$grid_setsid" ] || set -- "$grid_setsid" "$@"
  exec "$@"
}
