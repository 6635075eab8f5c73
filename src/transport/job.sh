# Supervised processes on a node. Functions only: a long-lived shell reads this text once, and every
# call comes as arguments over that shell's stdin, so nothing of it stands on a command line.
#
# A job's folder <root>/.grid/jobs/<id>/ holds:
#   job         format, start in ms by the runner's clock, "detached" or "leased", lease in seconds
#   command     the script, run by its path
#   supervisor  pid, start in clock ticks and boot id of the shell that waits for the command
#   process     pid and start of the command, which leads a session of its own
#   out err     what it prints
#   output      the file named by $GRID_OUTPUT
#   exit        "running", then "ended <code>", written over in place: needs no room on a full disk
#   fate        what the supervisor's shell says, such as "Killed" when a signal ended the command
#   lease       a word that the runner changes to show that it lives
#   slow        the starter went away before the command ended, so a watchdog looks after the lease
#   gate.*      pipes on which followers wait for the end
#   reason      why the watchdog ended it

grid_setsid=$(command -v setsid || :)
grid_bash=$(command -v bash || :)
grid_sh=$(command -v sh || echo /bin/sh)
grid_boot=-
read -r grid_boot 2>/dev/null </proc/sys/kernel/random/boot_id || :

# A shell starts what runs in the background with SIGINT and SIGQUIT ignored, and only bash can take
# that back by itself; a command that inherits it cannot be interrupted by its own tools.
grid_env=
if [ -z "${BASH_VERSION-}" ] && env --default-signal=INT,QUIT true 2>/dev/null; then
  grid_env=$(command -v env)
fi

# What this very process is: grid_pid, and grid_born in clock ticks since the boot.
grid_identify() {
  grid_pid='' grid_born=0
  read -r grid_line 2>/dev/null </proc/self/stat || grid_line=
  if [ -n "$grid_line" ]; then
    grid_split "$grid_line"
  else
    grid_pid=$(exec sh -c 'echo "$PPID"')
  fi
}

# The fields of a line of /proc/<pid>/stat; the name in parentheses may itself hold blanks.
grid_split() {
  grid_pid=${1%% *}
  # shellcheck disable=SC2086
  set -- ${1##*) }
  grid_status=$1 grid_parent=$2 grid_session=$4 grid_born=${20}
}

# grid_alive PID BORN: whether that process still is the one that was recorded.
grid_alive() {
  if [ -d /proc/self ]; then
    read -r grid_line 2>/dev/null <"/proc/$1/stat" || return 1
    grid_split "$grid_line"
    [ "$grid_born" = "$2" ] && [ "$grid_status" != Z ] && [ "$grid_status" != X ]
  else
    kill -0 "$1" 2>/dev/null
  fi
}

# grid_open ROOT ID
grid_open() {
  grid_root=$1 grid_id=$2 grid_dir=$1/.grid/jobs/$2
}

# ---- start -------------------------------------------------------------------------------------

# grid_start ROOT ID WORD CWD SHELL STARTED KIND LEASE INTERVAL PREFIX COMMAND [NAME=VALUE]...
grid_start() {
  exec 3>&2 2>/dev/null
  grid_open "$1" "$2"
  grid_word=$3 grid_cwd=$4 grid_kind=$7 grid_interval=$9
  if ! cd -- "$grid_cwd" && ! [ -d "$grid_dir" ]; then
    grid_refuse cwd "$grid_cwd"
    return
  fi
  grid_claim
  case $? in
    0) grid_launch "$5" "$6" "$8" "$@" || return ;;
    2) grid_refuse folder "$(mkdir -p "$grid_dir" 2>&1)"; return ;;
  esac
  grid_answer 0 0
}

grid_refuse() {
  printf 'refused %s\n%s\n' "$1" "$2"
}

# Making the folder decides who starts the job: 0 we do, 1 somebody did, 2 it cannot be made.
grid_claim() {
  mkdir -m 700 "$grid_dir" && return 0
  [ -d "$grid_dir" ] && return 1
  mkdir -p "$grid_root/.grid/jobs" || return 2
  mkdir -m 700 "$grid_dir" && return 0
  [ -d "$grid_dir" ] && return 1
  return 2
}

# grid_launch SHELL STARTED LEASE followed by all arguments of grid_start
grid_launch() {
  grid_shell=$1 grid_started=$2 grid_lease=$3
  shift 3
  shift 9
  grid_prefix=$1 grid_command=$2
  shift 2
  if ! {
    printf '%s' "$grid_command" >"$grid_dir/command" &&
      printf '1 %s %s %s\n' "$grid_started" "$grid_kind" "$grid_lease" >"$grid_dir/job" &&
      : >"$grid_dir/output" && : >"$grid_dir/out" && : >"$grid_dir/err" &&
      printf 'running         \n' >"$grid_dir/exit"
  }; then
    rm -rf "$grid_dir"
    grid_refuse folder "cannot write to $grid_dir: is the disk full?"
    return 1
  fi
  # The timer ends the wait below: by itself, or ended by the supervisor of a short command.
  sleep 0.04 >/dev/null 2>&1 3>&- &
  grid_timer=$!
  grid_supervise "$@" </dev/null >/dev/null 2>"$grid_dir/fate" 3>&- &
  wait "$grid_timer"
  if [ $? -le 128 ]; then
    : >"$grid_dir/slow"
    if [ "$grid_kind" = leased ]; then grid_watch </dev/null >/dev/null 2>&1 3>&- & fi
  fi
}

grid_supervise() {
  grid_identify
  printf '%s %s %s\n' "$grid_pid" "$grid_born" "$grid_boot" >"$grid_dir/supervisor"
  PATH=$grid_prefix${PATH:+:$PATH}
  ( grid_become "$@" ) >"$grid_dir/out" 2>"$grid_dir/err"
  printf 'ended %-9s \n' "$?" 1<>"$grid_dir/exit"
  if [ -e "$grid_dir/slow" ]; then
    grid_dismiss
  else
    kill "$grid_timer"
  fi
}

# Tells everybody who waits for the end.
grid_dismiss() {
  for grid_gate in "$grid_dir"/gate.*; do
    [ ! -p "$grid_gate" ] || echo ended 1<>"$grid_gate"
  done
  if read -r grid_watcher grid_since <"$grid_dir/watchdog"; then
    if grid_alive "$grid_watcher" "$grid_since"; then kill "$grid_watcher"; fi
  fi
}

# grid_become NAME=VALUE...: this process turns into the command.
grid_become() {
  grid_identify
  printf '%s %s\n' "$grid_pid" "$grid_born" >"$grid_dir/process"
  [ -z "${BASH_VERSION-}" ] || trap - INT QUIT
  grid_count=$#
  # From here on the words of the command line stand among the arguments: a variable of the job may
  # have any name, also one that this shell obeys, such as IFS.
  if [ "$grid_shell" = bash ] && [ -n "$grid_bash" ]; then
    set -- "$@" "$grid_bash" -eo pipefail "$grid_dir/command"
  elif [ "$grid_shell" = bash ]; then
    set -- "$@" "$grid_sh" -e "$grid_dir/command"
  else
    set -- "$@" "$grid_sh" "$grid_dir/command"
  fi
  while [ "$grid_count" -gt 0 ]; do
    export "${1?}"
    shift
    grid_count=$((grid_count - 1))
  done
  [ -z "$grid_env" ] || set -- "$grid_env" --default-signal=INT,QUIT "$@"
  [ -z "$grid_setsid" ] || set -- "$grid_setsid" "$@"
  exec "$@"
}

# ---- look --------------------------------------------------------------------------------------

# Sets grid_state: gone, starting, running, vanished, or "ended <code> <how> <why>".
grid_look() {
  grid_state=gone
  [ -d "$grid_dir" ] || return 0
  grid_state=starting
  grid_ended && return
  read -r grid_waiter grid_since grid_where <"$grid_dir/supervisor" || return 0
  if [ "$grid_where" = "$grid_boot" ] && grid_alive "$grid_waiter" "$grid_since"; then
    grid_state=running
    return
  fi
  # It may have written the end and left between the two looks.
  grid_ended || grid_state=vanished
}

grid_ended() {
  read -r grid_phase grid_code grid_rest <"$grid_dir/exit" || return 1
  [ "$grid_phase" = ended ] || return 1
  grid_how=code
  # A shell reports a signal as 128 + number, as a command may too; but then it also says so.
  if [ "$grid_code" -gt 128 ] && [ -s "$grid_dir/fate" ]; then grid_how=signal; fi
  grid_why=-
  read -r grid_why grid_rest <"$grid_dir/reason" || :
  grid_state="ended $grid_code $grid_how $grid_why"
}

# grid_answer OUT ERR: the state, and once it is final what was printed after that many bytes.
grid_answer() {
  grid_look
  printf '%s\n' "$grid_state"
  case $grid_state in ended* | vanished) ;; *) return ;; esac
  [ ! -s "$grid_dir/output" ] || head -c 1048577 "$grid_dir/output"
  printf '\n%s\n' "$grid_word"
  grid_print "$grid_dir/out" "$1"
  grid_print "$grid_dir/err" "$2" >&3
}

# grid_print FILE SKIP
grid_print() {
  [ -s "$1" ] || return 0
  if [ "$2" = 0 ]; then head -c 65536 "$1"; else tail -c "+$(($2 + 1))" "$1" | head -c 65536; fi
}

# grid_collect ROOT ID WORD OUT ERR
grid_collect() {
  exec 3>&2 2>/dev/null
  grid_open "$1" "$2"
  grid_word=$3
  grid_answer "$4" "$5"
}

# grid_renew ROOT ID WORD: shows the watchdog that the runner lives, and answers with the state.
grid_renew() {
  exec 2>/dev/null
  grid_open "$1" "$2"
  grid_look
  [ "$grid_state" != running ] || printf '%s\n' "$3" >"$grid_dir/lease"
  printf '%s\n' "$grid_state"
}

# grid_remove ROOT ID
grid_remove() {
  grid_open "$1" "$2"
  grid_look 2>/dev/null
  case $grid_state in
    running | starting) printf '%s\n' "$grid_state"; return 1 ;;
    *) exec rm -rf "$grid_dir" ;;
  esac
}

# ---- follow ------------------------------------------------------------------------------------

# grid_follow ROOT ID OUT ERR: prints what comes, until the job ends or the reader closes our stdin.
grid_follow() {
  grid_open "$1" "$2"
  tail -c "+$(($3 + 1))" -f "$grid_dir/out" 2>/dev/null </dev/null &
  grid_tails=$!
  tail -c "+$(($4 + 1))" -f "$grid_dir/err" >&2 2>/dev/null </dev/null &
  grid_tails="$grid_tails $!"
  exec 4<&0 >/dev/null 2>&1
  grid_await
  # shellcheck disable=SC2086
  kill $grid_tails
}

grid_await() {
  grid_gate=$grid_dir/gate.$$
  if ! mkfifo "$grid_gate"; then
    while grid_look; [ "$grid_state" = running ]; do sleep 1; done
    return
  fi
  # Opened for both directions, so that neither side ever waits for the other to come.
  exec 5<>"$grid_gate"
  { cat; echo gone >&5; } <&4 &
  grid_tails="$grid_tails $!"
  grid_look
  # shellcheck disable=SC2034
  [ "$grid_state" != running ] || read -r grid_news <&5
  rm -f "$grid_gate"
}

# grid_rest ROOT ID OUT ERR: prints everything that is left of an ended job.
grid_rest() {
  grid_open "$1" "$2"
  tail -c "+$(($3 + 1))" "$grid_dir/out"
  tail -c "+$(($4 + 1))" "$grid_dir/err" >&2
}

# ---- end ---------------------------------------------------------------------------------------

# grid_find [PID:BORN]...: sets grid_living to the job's processes: its session, those that carry its
# marker, those that were seen before and still are the same, and what all of them started.
grid_find() {
  grid_members=' '
  for grid_seen; do
    if grid_alive "${grid_seen%:*}" "${grid_seen#*:}"; then
      grid_members="$grid_members${grid_seen%:*} "
    fi
  done
  grid_leader=0 grid_led=-
  read -r grid_leader grid_led <"$grid_dir/process" || :
  grid_own=$grid_leader
  # The number may have gone to a stranger; while the session lives, the kernel does not reuse it.
  if [ -e "/proc/$grid_leader" ] && ! grid_alive_or_dead "$grid_leader" "$grid_led"; then
    grid_leader=0 grid_own=0
  fi
  [ -n "$grid_setsid" ] || grid_own=0
  # shellcheck disable=SC2013
  for grid_path in $(grep -lsF "GRID_JOB=$grid_id" /proc/[0-9]*/environ); do
    if tr '\0' '\n' <"$grid_path" | grep -qxF "GRID_JOB=$grid_id"; then
      grid_path=${grid_path#/proc/}
      grid_members="$grid_members${grid_path%/environ} "
    fi
  done
  grid_table=''
  for grid_path in /proc/[0-9]*; do
    read -r grid_line <"$grid_path/stat" || continue
    grid_split "$grid_line"
    grid_table="$grid_table $grid_pid:$grid_parent:$grid_session:$grid_status"
  done
  grid_living=''
  grid_grow
}

# The same process, though it may be a zombie.
grid_alive_or_dead() {
  read -r grid_line <"/proc/$1/stat" || return 1
  grid_split "$grid_line"
  [ "$grid_born" = "$2" ]
}

# Adds children until nothing is added, then keeps those that are no zombies.
grid_grow() {
  grid_more=1
  while [ "$grid_more" = 1 ]; do
    grid_more=0
    for grid_row in $grid_table; do
      grid_pid=${grid_row%%:*}
      case $grid_members in *" $grid_pid "*) continue ;; esac
      grid_row=${grid_row#*:}
      grid_parent=${grid_row%%:*}
      grid_row=${grid_row#*:}
      grid_session=${grid_row%%:*}
      case $grid_members in
        *" $grid_parent "*) ;;
        *) [ "$grid_pid" = "$grid_leader" ] || {
          [ "$grid_own" != 0 ] && [ "$grid_session" = "$grid_own" ]
        } || continue ;;
      esac
      grid_members="$grid_members$grid_pid "
      grid_more=1
    done
  done
  for grid_row in $grid_table; do
    case $grid_row in *:Z | *:X) continue ;; esac
    case $grid_members in *" ${grid_row%%:*} "*) grid_living="$grid_living ${grid_row%%:*}" ;; esac
  done
}

# grid_signal ROOT ID NAME [PID:BORN]...: signals every member; politely only those that are not given.
# Answers with one line per living member: PID:BORN and what it runs.
grid_signal() {
  exec 2>/dev/null
  grid_open "$1" "$2"
  grid_name=$3
  shift 3
  grid_told=" $*"
  [ "$grid_name" != KILL ] || grid_told=
  grid_find "$@"
  for grid_member in $grid_living; do
    case $grid_told in *" $grid_member:"*) ;; *) kill -s "$grid_name" "$grid_member" ;; esac
    # A stopped process takes a polite signal only once it goes on.
    kill -s CONT "$grid_member"
  done
  for grid_member in $grid_living; do
    read -r grid_line <"/proc/$grid_member/stat" || continue
    grid_split "$grid_line"
    grid_line=${grid_line#*\(}
    printf '%s:%s %s\n' "$grid_member" "$grid_born" "${grid_line%%)*}"
  done
}

# Ends a job whose runner is gone.
grid_watch() {
  trap 'kill "$grid_sleep"; exit' TERM
  grid_identify
  printf '%s %s\n' "$grid_pid" "$grid_born" >"$grid_dir/watchdog"
  grid_missed=0 grid_last=
  while [ "$grid_missed" -lt 4 ]; do
    grid_look
    [ "$grid_state" = running ] || return
    sleep "$grid_interval" &
    grid_sleep=$!
    wait "$grid_sleep" || sleep 1
    grid_now=
    read -r grid_now <"$grid_dir/lease"
    if [ "$grid_now" = "$grid_last" ]; then
      grid_missed=$((grid_missed + 1))
    else
      grid_missed=0 grid_last=$grid_now
    fi
  done
  trap '' TERM
  echo lease >"$grid_dir/reason"
  grid_end
}

# The polite signal, up to ten seconds, then the final one until nothing is left to be ended.
grid_end() {
  grid_name=TERM grid_tries=0
  while [ "$grid_tries" -lt 15 ]; do
    grid_find
    [ -n "$grid_living" ] || return
    for grid_pid in $grid_living; do
      kill -s "$grid_name" "$grid_pid"
      kill -s CONT "$grid_pid"
    done
    [ "$grid_tries" -lt 10 ] || grid_name=KILL
    grid_tries=$((grid_tries + 1))
    sleep 1
  done
}

# ---- list --------------------------------------------------------------------------------------

# grid_list ROOT: per job one line: id, kind, start, state, and the living processes.
grid_list() {
  exec 2>/dev/null
  for grid_path in "$1"/.grid/jobs/*/; do
    [ -d "$grid_path" ] || continue
    grid_path=${grid_path%/}
    grid_open "$1" "${grid_path##*/}"
    grid_look
    grid_started=0 grid_kind=-
    # shellcheck disable=SC2034
    read -r grid_rest grid_started grid_kind grid_lease <"$grid_dir/job"
    grid_living=
    case $grid_state in ended*) ;; *) grid_find ;; esac
    printf '%s\t%s\t%s\t%s\t%s\n' "$grid_id" "$grid_kind" "$grid_started" "$grid_state" "$grid_living"
  done
}
