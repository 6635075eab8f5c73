# Supervised processes on a node. Functions only: a long-lived shell reads this text once, and every
# call comes as arguments over that shell's stdin, so nothing of it stands on a command line.
#
# A job's folder <root>/.grid/jobs/<id>/ holds:
#   state       "running", then "ended <code>", written over in place: needs no room on a full disk.
#               Then: format, start in ms by the runner's clock, "detached" or "leased", lease in
#               seconds; the supervisor's pid; and the supervisor's stderr, where its shell says
#               "Killed" when a signal ended the command. That it holds this very file open tells
#               the supervisor from a later process of the same number.
#   command     the script, run by its path
#   out err     what the command prints
#   output      the file named by $GRID_OUTPUT, once the command makes it
#   lease       a word that the runner changes to show that it lives; the watchdog holds it open
#   slow        the starter went away before the command ended, so a watchdog looks after the lease
#   gate.*      pipes on which followers wait for the end
#   reason      why the watchdog ended it
# Few files on purpose: making and removing them is a good part of what a short job costs.

grid_setsid=$(command -v setsid || :)
grid_bash=$(command -v bash || :)
grid_sh=$(command -v sh || echo /bin/sh)
# A shell starts what runs in the background with SIGINT and SIGQUIT ignored, and only bash can take
# that back by itself; a command that inherits it cannot be interrupted by its own tools.
grid_env=
if [ -z "${BASH_VERSION-}" ] && env --default-signal=INT,QUIT true 2>/dev/null; then
  grid_env=$(command -v env)
fi

# grid_holds PID DESCRIPTOR FILE: whether that process lives and has the file open there.
grid_holds() {
  if [ -d /proc/self ]; then
    # shellcheck disable=SC3013
    [ "/proc/$1/fd/$2" -ef "$3" ]
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
  # Without a locale a program starts a quarter faster.
  LC_ALL=C mkdir -m 700 "$grid_dir" && return 0
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
      printf 'running         \n1 %s %s %s\n' "$grid_started" "$grid_kind" "$grid_lease" \
        >"$grid_dir/state"
  }; then
    rm -rf "$grid_dir"
    grid_refuse folder "cannot write to $grid_dir: is the disk full?"
    return 1
  fi
  # The timer ends the wait below: by itself, or ended by the supervisor of a short command.
  LC_ALL=C sleep 0.08 >/dev/null 2>&1 3>&- &
  grid_timer=$!
  # Opened before the fork: whoever reads the number below must find the file open already.
  { grid_supervise "$@" </dev/null >/dev/null 3>&- & } 2>>"$grid_dir/state"
  echo "supervisor $!" >>"$grid_dir/state"
  wait "$grid_timer"
  if [ $? -le 128 ]; then
    : >"$grid_dir/lease" && : >"$grid_dir/slow"
    if [ "$grid_kind" = leased ]; then grid_watch <"$grid_dir/lease" >/dev/null 2>&1 3>&- & fi
  fi
}

grid_supervise() {
  PATH=$grid_prefix${PATH:+:$PATH}
  ( grid_become "$@" ) >"$grid_dir/out" 2>"$grid_dir/err"
  printf 'ended %-9s \n' "$?" 1<>"$grid_dir/state"
  exec 2>/dev/null
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
  if read -r grid_watcher <"$grid_dir/watchdog"; then
    if grid_holds "$grid_watcher" 0 "$grid_dir/lease"; then kill "$grid_watcher"; fi
  fi
}

# grid_become NAME=VALUE...: this process turns into the command.
grid_become() {
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
  [ -n "$grid_waiter" ] || return 0
  if grid_holds "$grid_waiter" 2 "$grid_dir/state"; then
    grid_state=running
    return
  fi
  # It may have written the end and left between the two looks.
  grid_ended || grid_state=vanished
}

grid_ended() {
  grid_read
  [ "$grid_phase" = ended ] || return 1
  grid_how=code
  # A shell reports a signal as 128 + number, as a command may too; but then it also says so.
  if [ "$grid_code" -gt 128 ] && [ -n "$grid_said" ]; then grid_how=signal; fi
  grid_why=-
  read -r grid_why grid_rest <"$grid_dir/reason" || :
  grid_state="ended $grid_code $grid_how $grid_why"
}

# Sets grid_phase, grid_code, grid_started, grid_kind, grid_waiter and grid_said.
grid_read() {
  grid_phase='' grid_started=0 grid_kind=- grid_waiter='' grid_said=''
  [ -f "$grid_dir/state" ] || return 0
  {
    read -r grid_phase grid_code grid_rest
    # shellcheck disable=SC2034
    read -r grid_format grid_started grid_kind grid_lease
    while read -r grid_line; do
      case $grid_line in
        'supervisor '*) grid_waiter=${grid_line#* } ;;
        *) grid_said=$grid_line ;;
      esac
    done
  } <"$grid_dir/state"
}

# grid_answer OUT ERR: the state, and what was printed after that many bytes. Looking first, so that
# what comes with a final state is all there is.
grid_answer() {
  grid_look
  printf '%s\n' "$grid_state"
  case $grid_state in
    running) ;;
    ended* | vanished) [ ! -s "$grid_dir/output" ] || head -c 1048577 "$grid_dir/output" ;;
    *) return ;;
  esac
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

# grid_remove ROOT ID...: removes the folders of jobs that ended, and names those that did not.
grid_remove() {
  grid_root=$1
  shift
  grid_kept=0
  for grid_id; do
    grid_open "$grid_root" "$grid_id"
    grid_look 2>/dev/null
    case $grid_state in
      running | starting) printf '%s is %s\n' "$grid_id" "$grid_state"; grid_kept=1 ;;
      *) set -- "$@" "$grid_dir" ;;
    esac
    shift
  done
  [ $# = 0 ] || rm -rf "$@" || return
  return $grid_kept
}

# grid_prune ROOT DAYS: removes what nobody collected for so long after it ended, and names it.
grid_prune() {
  exec 2>/dev/null
  find "$1/.grid/jobs" -maxdepth 2 -name state -mtime "+$2" | while read -r grid_path; do
    grid_path=${grid_path%/state}
    grid_open "$1" "${grid_path##*/}"
    grid_look
    case $grid_state in
      ended* | vanished) rm -rf "$grid_dir" && printf '%s\n' "$grid_id" ;;
    esac
  done
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

# grid_find [PID:BORN]...: prints the job's processes, PID:BORN and name. They are what the
# supervisor started, what carries the job's marker, those that were seen before and still are the
# same, everybody in a session that one of them leads, and what all of these started.
grid_find() {
  grid_read
  grid_holds "${grid_waiter:-0}" 2 "$grid_dir/state" || grid_waiter=0
  grid_processes |
    awk -v supervisor="$grid_waiter" -v marked="$(grid_marked)" -v seen="$*" "$grid_grow" |
    # Parents, being older, hear a signal before the end of their children wakes them.
    sort -n
}

# Lines like those of /proc/<pid>/stat. Where there is no /proc, ps tells less: no session, no start.
grid_processes() {
  if [ -d /proc/self ]; then
    cat /proc/[0-9]*/stat
  else
    ps -A -o pid= -o stat= -o ppid= -o pgid= -o comm= | awk '{
      print $1, "(" $5 ")", substr($2, 1, 1), $3, $4, $4, "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    }'
  fi
}

grid_marked() {
  [ -d /proc/self ] || return 0

  grep -lsF "GRID_JOB=$grid_id" /proc/[0-9]*/environ | while read -r grid_path; do
    if tr '\0' '\n' <"$grid_path" | grep -qxF "GRID_JOB=$grid_id"; then
      grid_path=${grid_path#/proc/}
      printf '%s ' "${grid_path%/environ}"
    fi
  done
}

# Reads lines of /proc/<pid>/stat: pid (name) state parent group session … and 22nd the start.
# shellcheck disable=SC2016
grid_grow='
  {
    last = 0
    while ((next_one = index(substr($0, last + 1), ")")) > 0) last += next_one
    if (last == 0 || split(substr($0, last + 2), field, " ") < 20) next
    pid = $1 + 0
    name[pid] = substr($0, index($0, "(") + 1, last - index($0, "(") - 1)
    state[pid] = field[1]; parent[pid] = field[2]; session[pid] = field[4]; born[pid] = field[20]
  }
  END {
    count = split(marked, pids, " ")
    for (i = 1; i <= count; i++) if (pids[i] in state) member[pids[i]] = 1
    count = split(seen, pairs, " ")
    for (i = 1; i <= count; i++) {
      split(pairs[i], pair, ":")
      if (born[pair[1]] == pair[2]) member[pair[1]] = 1
    }
    do {
      added = 0
      for (pid in state) {
        if (pid in member) continue
        leader = session[pid]
        if (parent[pid] in member || (supervisor > 0 && parent[pid] == supervisor) ||
          (leader in member && session[leader] == leader)) { member[pid] = 1; added = 1 }
      }
    } while (added)
    for (pid in member) if (state[pid] != "" && state[pid] !~ /[ZX]/) print pid ":" born[pid], name[pid]
  }'

# grid_send NAME LIST [PID:BORN]...: signals those of the list that are not among the given ones.
grid_send() {
  grid_name=$1 grid_list=$2
  shift 2
  grid_told=" $* "
  # shellcheck disable=SC2034
  printf '%s\n' "$grid_list" | while read -r grid_member grid_rest; do
    [ -n "$grid_member" ] || continue
    case $grid_told in *" $grid_member "*) ;; *) kill -s "$grid_name" "${grid_member%:*}" ;; esac
    # A stopped process takes a polite signal only once it goes on.
    kill -s CONT "${grid_member%:*}"
  done
}

# grid_signal ROOT ID NAME [PID:BORN]...: signals every process, politely only those that are not
# given, and prints those that it found.
grid_signal() {
  exec 2>/dev/null
  grid_open "$1" "$2"
  grid_name=$3
  shift 3
  grid_found=$(grid_find "$@")
  printf '%s\n' "$grid_found"
  [ "$grid_name" != KILL ] || set --
  grid_send "$grid_name" "$grid_found" "$@"
}

# Ends a job whose runner is gone.
grid_watch() {
  trap 'kill "$grid_sleep"; exit' TERM
  # In a subshell $$ is the first shell's number; a child's parent is this one.
  # shellcheck disable=SC2016
  sh -c 'echo "$PPID"' >"$grid_dir/watchdog"
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
  grid_tries=0 grid_found=
  while [ "$grid_tries" -lt 15 ]; do
    # shellcheck disable=SC2046
    grid_found=$(grid_find $(printf '%s\n' "$grid_found" | cut -d ' ' -f 1))
    [ -n "$grid_found" ] || return
    if [ "$grid_tries" -lt 10 ]; then grid_send TERM "$grid_found"; else grid_send KILL "$grid_found"; fi
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
    grid_living=
    case $grid_state in
      ended*) ;;
      *) grid_living=$(grid_find | cut -d : -f 1 | tr '\n' ' ') ;;
    esac
    printf '%s\t%s\t%s\t%s\t%s\n' "$grid_id" "$grid_kind" "$grid_started" "$grid_state" "$grid_living"
  done
}
