# Finding, ending and listing what jobs started. Read together with `job.sh`, whose words it uses.
#
# function: reads -> sets
#   (outside): - -> grid_grep_z grid_grow
#   grid_scan: grid_grep_z -> grid_line grid_snapshot
#   grid_note_now: - -> grid_now
#   grid_find: grid_grow grid_hold grid_id grid_job grid_leader grid_setsid grid_snapshot grid_waiter ->
#       grid_since grid_waiter
#   grid_processes: - -> -
#   grid_markers: grid_grep_z -> -
#   grid_try_grep: - -> grid_grep_z
#   grid_send: - -> grid_has_others grid_members grid_signal_name grid_told grid_workers
#   grid_is_filter: - -> -
#   grid_has_workers: - -> -
#   grid_signal: grid_id grid_now -> grid_count grid_found grid_root grid_seen grid_signal_name grid_since
#   grid_await_starts: grid_root grid_state -> grid_tries
#   grid_watch: grid_nap -> grid_alone grid_due grid_gone grid_nap grid_rung grid_watched
#   grid_doze: BASH_VERSION grid_rung -> grid_nap
#   grid_doze_in_bash: grid_jobs grid_new grid_silent_pipe -> grid_silent_pipe
#   grid_watch_all: grid_due grid_jobs grid_kind grid_leader grid_starter grid_state grid_watched -> grid_id
#       grid_job grid_none_left grid_path grid_watched
#   grid_end_forgotten: grid_jobs grid_watched -> grid_found grid_id grid_job grid_pair grid_snapshot
#       grid_watched grid_watched_before
#   grid_miss: grid_job -> grid_beat grid_found grid_last_beat grid_missed
#   grid_end: grid_found grid_grace grid_now -> grid_found grid_most grid_seen grid_signalled grid_tries
#   grid_list: grid_id grid_job grid_kind grid_started grid_state -> grid_kind grid_living grid_path
#   grid_remove: grid_state -> grid_gone_jobs grid_id grid_patient grid_root grid_stays
#   grid_await_end: grid_job grid_patient grid_phase -> grid_patient grid_state
#   grid_prune: grid_id grid_job grid_state -> -
# shellcheck disable=SC2154

# grid_scan: looks at all processes once, for any number of grid_find. Sets grid_now, the time of that
# look in the ticks in which processes are born, 0 where nobody can tell.
grid_scan() {
  [ -n "$grid_grep_z" ] || grid_try_grep
  grid_snapshot=$(grid_processes; grid_markers)
  # The first one was born for this look.
  grid_line=${grid_snapshot%%"
"*}
  # shellcheck disable=SC2086
  grid_note_now ${grid_line##*) }
}

grid_note_now() {
  grid_now=${20:-0}
}

# grid_find SINCE [PID:BORN]...: prints the job's processes of the last scan: PID:BORN, a flag, and name.
# They are what the supervisor started, what carries the job's marker, those that were seen before and
# still are the same, everybody in a session that one of them leads or is in without its leader, and what
# all of these started. The flag is "=" for helpers of the supervisor, which end with the command, also
# after it has (then it stands behind their PID:BORN); "+" for what began after the polite signal, which
# came at SINCE ("-": it did not), through however many others; "~" for those whose parent hands the
# polite signal on (it stands behind their PID:BORN later, too: they have not got it from here); else "-".
grid_find() {
  grid_since=$1
  shift
  grid_read
  # A supervisor of several jobs has other children, too.
  [ -z "$grid_leader" ] && grid_holds "${grid_waiter:-0}" "$grid_hold" "$grid_job.state" || grid_waiter=0
  printf '%s\n' "$grid_snapshot" |
    awk -v supervisor="$grid_waiter" -v job="$grid_id" -v seen="$*" -v first="$grid_leader" \
      -v apart="$grid_setsid" -v since="$grid_since" "$grid_grow" |
    # Parents, being older, hear a signal before the end of their children wakes them.
    sort -n
}

# Lines like those of /proc/<pid>/stat. Where there is no /proc, ps tells less: no session, no start.
grid_processes() {
  if [ -d /proc/self ]; then
    cat /proc/self/stat /proc/[0-9]*/stat
  else
    ps -A -o pid= -o stat= -o ppid= -o pgid= -o comm= | awk '{
      print $1, "(" $5 ")", substr($2, 1, 1), $3, $4, $4, "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    }'
  fi
}

# Lines "/proc/<pid>/environ:GRID_JOB=<id>".
grid_markers() {
  [ -d /proc/self ] || return 0
  if [ "$grid_grep_z" = yes ]; then
    grep -azsoH '^GRID_JOB=.*' /proc/[0-9]*/environ | tr '\0' '\n'
    return
  fi
  grep -lsF GRID_JOB= /proc/[0-9]*/environ | while read -r grid_path; do
    tr '\0' '\n' <"$grid_path" | sed -n "s|^GRID_JOB=|$grid_path:&|p"
  done
}

# Whether grep knows lines that end with NUL.
grid_grep_z=
grid_try_grep() {
  grid_grep_z=no
  case $(printf 'a\0GRID_JOB=b\0' | grep -azsoH '^GRID_JOB=.*' 2>/dev/null | tr '\0' ' ') in
    *:GRID_JOB=b*) grid_grep_z=yes ;;
  esac
}

# Reads markers, and lines of /proc/<pid>/stat: pid (name) state parent group session … and 22nd the
# start.
# shellcheck disable=SC2016
grid_grow='
  # It began after the polite signal, so it belongs to what somebody does who tidies up. What was there
  # before and has not been told yet is told now, and so is what it has started.
  function is_late(pid,    up, steps) {
    if (since == "-" || (pid in told) || is_older(pid)) return 0
    for (up = parent[pid]; (up in member) && steps++ < 1000; up = parent[up]) {
      if (up in told) return 1
      if (is_older(up)) return 0
    }
    return since > 0 && born[pid] > 0
  }
  # make, uv, timeout, and podman that became root of its own namespace, tell their children themselves, and the
  # client of an engine has the container told.
  # Told twice, a program that saves its work would be disturbed at it.
  function is_told_by_parent(pid,    up) {
    if (has_client && is_contained(pid)) return 1
    up = parent[pid]
    return (up in member) && state[up] !~ /[ZX]/ && name[up] ~ /^(g?make|uvx?|timeout|podman)$/
  }
  # It carries the mark, but an engine started it, or it is the engine itself. A node may be a container, too.
  function is_contained(pid,    up, steps) {
    for (up = pid; (up in state) && steps++ < 1000; up = parent[up])
      if (name[up] ~ /^(conmon|containerd-shim)/) return !(up in above)
    return 0
  }
  function note_client(pid,    up, steps) {
    has_client = 1
    for (up = parent[pid]; (up in state) && steps++ < 1000; up = parent[up]) above[up] = 1
  }
  # Holds the namespaces of all that an account does with podman, whichever command happened to start it.
  function is_of_account(pid) {
    return name[pid] == "podman pause" || (name[pid] == "catatonit" && name[parent[pid]] != "conmon")
  }
  function is_older(pid) { return since > 0 && born[pid] > 0 && born[pid] + 0 < since + 0 }
  /^\/proc\// {
    split($0, path, "/")
    if (substr($0, index($0, "=") + 1) == job) marked[path[3]] = 1
    next
  }
  {
    last = 0
    while ((next_one = index(substr($0, last + 1), ")")) > 0) last += next_one
    if (last == 0 || split(substr($0, last + 2), field, " ") < 20) next
    pid = $1 + 0
    name[pid] = substr($0, index($0, "(") + 1, last - index($0, "(") - 1)
    state[pid] = field[1]; parent[pid] = field[2]; session[pid] = field[4]; born[pid] = field[20]
  }
  END {
    for (pid in marked) if (pid in state && !is_of_account(pid)) member[pid] = 1
    count = split(seen " " first, pairs, " ")
    for (i = 1; i <= count; i++) {
      split(pairs[i], pair, ":")
      sub(/[=~]$/, "", pair[2])
      if (born[pair[1]] == pair[2]) member[pair[1]] = 1
    }
    # Its leader is gone; where it had left nobody the number may be in use again.
    if (apart != "" && first != "" && !(pair[1] in state)) orphaned[pair[1]] = 1
    count = split(seen, pairs, " ")
    for (i = 1; i <= count; i++) {
      split(pairs[i], pair, ":")
      is_helper = sub(/=$/, "", pair[2])
      sub(/~$/, "", pair[2])
      if (born[pair[1]] != pair[2]) continue
      told[pair[1]] = 1
      if (is_helper) helps[pair[1]] = 1
    }
    do {
      added = 0
      # A job has a session of its own where there is setsid; nobody can join it from outside. Only what
      # the supervisor has just started may still be in that of the shell, as its helpers are.
      for (pid in member) {
        leader = session[pid]
        if (apart == "" || born[pid] == 0 || leader == 0 || (leader in state)) continue
        if (supervisor == 0 || leader != session[supervisor]) orphaned[leader] = 1
      }
      for (pid in state) {
        if (pid in member || is_of_account(pid)) continue
        leader = session[pid]
        if (parent[pid] in member || (supervisor > 0 && parent[pid] == supervisor) ||
          (leader in member && session[leader] == leader) || (leader in orphaned)) {
          member[pid] = 1
          added = 1
        }
      }
    } while (added)
    for (pid in member) if (state[pid] !~ /[ZX]/ && name[pid] ~ /^(docker|podman|nerdctl)$/) note_client(pid)
    for (pid in member) if (state[pid] != "" && state[pid] !~ /[ZX]/) {
      flag = is_late(pid) ? "+" : is_told_by_parent(pid) ? "~" : "-"
      if (apart != "" && supervisor > 0 && parent[pid] == supervisor && session[pid] == session[supervisor])
        flag = "="
      if (pid in helps) flag = "="
      print pid ":" born[pid], flag, name[pid]
    }
  }'

# grid_send NAME LIST [PID:BORN]...: signals those of the list that are not among the given ones. What
# began since is part of tidying up, and politely left alone; so are helpers, who still have to write down
# what the command printed, as long as there is anybody else, and those whom their parent tells. Filters of a pipeline are not signalled as
# long as somebody may have something to say through them: they end with what they read.
grid_send() {
  grid_signal_name=$1 grid_members=$2 grid_has_others=
  shift 2
  case $grid_members in *' - '* | *' + '*) grid_has_others=others ;; esac
  grid_told=" $* " grid_workers=
  ! grid_has_workers "$grid_members" || grid_workers=workers
  # shellcheck disable=SC2034
  printf '%s\n' "$grid_members" | while read -r grid_member grid_flag grid_rest; do
    case "$grid_flag $grid_signal_name $grid_has_others" in
      ' '* | [=+]' TERM'* | '= KILL others') continue ;;
      '~ TERM'*) kill -s CONT "${grid_member%:*}" && continue ;;
    esac
    if grid_is_filter "${grid_member%:*}" "$grid_rest"; then
      [ -z "$grid_workers" ] || continue
      # It was passed over when the others were told.
      kill -s "$grid_signal_name" "${grid_member%:*}"
    fi
    case $grid_told in *" $grid_member "*) ;; *) kill -s "$grid_signal_name" "${grid_member%:*}" ;; esac
    # A stopped process takes a polite signal only once it goes on.
    kill -s CONT "${grid_member%:*}"
  done
}

# grid_is_filter PID NAME: whether it hands on what it reads from a pipe.
grid_is_filter() {
  case $2 in
    awk | cat | cut | gawk | grep | gzip | head | logger | lz4 | mawk | multilog | pv | rotatelogs | sed | \
      sort | svlogd | tail | tee | tr | ts | uniq | xz | zstd) [ -p "/proc/$1/fd/0" ] ;;
    *) return 1 ;;
  esac
}

# grid_has_workers LIST: whether there is anybody but helpers and filters.
grid_has_workers() {
  printf '%s\n' "$1" | {
    while read -r grid_member grid_flag grid_rest; do
      case $grid_flag in '' | =) continue ;; esac
      grid_is_filter "${grid_member%:*}" "$grid_rest" || exit 0
    done
    exit 1
  }
}

# grid_signal ROOT [ID NAME SINCE COUNT [PID:BORN]...]...: signals every process of these jobs, politely
# only those that are not among the COUNT given ones, and prints per job a line "= ID NOW" and those that
# it found.
grid_signal() {
  exec 2>/dev/null
  grid_root=$1
  shift
  grid_await_starts "$@"
  grid_scan
  while [ $# -gt 0 ]; do
    grid_open "$grid_root" "$1"
    grid_signal_name=$2 grid_since=$3 grid_count=$4 grid_seen=
    shift 4
    while [ "$grid_count" -gt 0 ]; do
      grid_seen="$grid_seen $1" grid_count=$((grid_count - 1))
      shift
    done
    # shellcheck disable=SC2086
    grid_found=$(grid_find "$grid_since" $grid_seen)
    printf '= %s %s\n%s\n' "$grid_id" "$grid_now" "$grid_found"
    [ "$grid_signal_name" != KILL ] || grid_seen=
    # shellcheck disable=SC2086
    grid_send "$grid_signal_name" "$grid_found" $grid_seen
  done
}

# grid_await_starts: the same arguments without ROOT. What is about to start has no process to be found
# yet, and would run although it was ended.
grid_await_starts() {
  grid_tries=0
  while [ $# -gt 0 ]; do
    grid_open "$grid_root" "$1"
    grid_look
    if [ "$grid_state" = starting ] && [ "$grid_tries" -lt 20 ]; then
      sleep 0.05 || sleep 1
      grid_tries=$((grid_tries + 1))
    else
      shift $((4 + $4))
    fi
  done
}

# ---- the guard ---------------------------------------------------------------------------------

# grid_watch INTERVAL: ends the leased jobs of this shell whose runner is gone. Stays as long as the
# shell or one of them does.
grid_watch() {
  trap 'grid_rung=1; [ -z "$grid_nap" ] || kill "$grid_nap"' URG
  trap 'grid_rung=1 grid_alone=1; [ -z "$grid_nap" ] || kill "$grid_nap"' HUP
  trap 'grid_rung=1 grid_gone=1; [ -z "$grid_nap" ] || kill "$grid_nap"' TERM
  grid_alone='' grid_gone='' grid_nap='' grid_watched=' '
  grid_due='' grid_rung=''
  grid_watch_all || :
  while :; do
    grid_doze "$1"
    [ -z "$grid_gone" ] || return 0
    grid_due=1
    [ -z "$grid_rung" ] || grid_due=
    grid_rung=
    grid_watch_all || { [ -z "$grid_alone" ] && grid_lives "$$"; } || return 0
  done
}

# grid_doze SECONDS: or until a trap.
grid_doze() {
  if [ -n "${BASH_VERSION-}" ]; then
    [ -n "$grid_rung" ] || grid_doze_in_bash "$1"
    return
  fi
  sleep "$1" & grid_nap=$!
  # The trap of a signal that came before had nothing to end.
  [ -z "$grid_rung" ] || kill "$grid_nap"
  wait "$grid_nap"
  case $? in
    0) ;;
    # A `sleep` that knows no fractions.
    [1-9] | [1-9]? | 1[01]? | 12[0-8]) sleep 1 ;;
    *) grid_end_helpers "$grid_nap" ;;
  esac
  grid_nap=
}

# On a pipe on which nothing ever comes: see grid_bury for why not by `wait`.
grid_doze_in_bash() {
  if [ -z "${grid_silent_pipe-}" ]; then
    grid_make_name "$grid_jobs/.guard"
    grid_silent_pipe=$grid_new
    mkfifo -m 600 "$grid_silent_pipe" && exec 9<>"$grid_silent_pipe"
    rm -f "$grid_silent_pipe"
  fi
  grid_bash_read "$1" <&9 || [ $? -gt 128 ] || sleep 1
}

# Whether there are jobs to be watched.
grid_watch_all() {
  grid_none_left=1
  grid_end_forgotten
  for grid_path in "$grid_jobs"/*.state; do
    grid_job=${grid_path%.state}
    grid_id=${grid_job##*/}
    grid_look
    if [ "$grid_state $grid_kind $grid_starter" = "running leased $$" ] &&
      ! grid_is_elsewhere; then
      grid_none_left=0
      case $grid_watched in
        *" $grid_id="*) ;;
        *) grid_watched="$grid_watched$grid_id=$grid_leader " ;;
      esac
      if [ -n "$grid_due" ] && [ ! -e "$grid_job.reason" ]; then grid_miss; fi
    fi
  done
  return $grid_none_left
}

# Ends jobs whose files somebody has removed: nothing may run that nobody can find any more.
grid_end_forgotten() {
  grid_watched_before=$grid_watched grid_watched=' ' grid_snapshot=
  for grid_pair in $grid_watched_before; do
    grid_id=${grid_pair%%=*}
    grid_job=$grid_jobs/$grid_id
    if [ -e "$grid_job.state" ]; then
      grid_watched="$grid_watched$grid_pair "
    else
      [ -n "$grid_snapshot" ] || grid_scan
      grid_found=$(grid_find - "${grid_pair#*=}")
      if [ -n "$grid_found" ]; then grid_end & fi
    fi
  done
}

# Four times the same word in the lease: the runner is gone.
grid_miss() {
  grid_missed=0 grid_last_beat='' grid_beat=''
  [ ! -e "$grid_job.lease" ] || read -r grid_beat <"$grid_job.lease"
  [ ! -e "$grid_job.missed" ] || read -r grid_missed grid_last_beat <"$grid_job.missed"
  if [ "$grid_beat" = "$grid_last_beat" ]; then grid_missed=$((grid_missed + 1)); else grid_missed=0; fi
  printf '%s %s\n' "$grid_missed" "$grid_beat" >"$grid_job.missed"
  [ "$grid_missed" -ge 4 ] || return 0
  echo lease >"$grid_job.reason"
  grid_found=
  grid_end &
}

# The polite signal, up to grid_grace seconds or ten, then the final one until nothing is left to be ended.
# Begins with grid_found.
grid_end() {
  trap '' TERM HUP
  grid_tries=0 grid_signalled=- grid_most=${grid_grace:-10}
  while [ "$grid_tries" -lt $((grid_most + 5)) ]; do
    grid_scan
    grid_seen=$(printf '%s\n' "$grid_found" | sed 's/^\([^ ]*\) \([=~]\).*/\1\2/; s/ .*//')
    # shellcheck disable=SC2086
    grid_found=$(grid_find "$grid_signalled" $grid_seen)
    [ -n "$grid_found" ] || return
    # A second polite signal would disturb who tidies up.
    [ "$grid_signalled" != - ] || grid_seen=
    # shellcheck disable=SC2086
    if [ "$grid_tries" -lt "$grid_most" ]; then grid_send TERM "$grid_found" $grid_seen; else grid_send KILL "$grid_found"; fi
    [ "$grid_signalled" != - ] || grid_signalled=$grid_now
    grid_tries=$((grid_tries + 1))
    sleep 1
  done
}

# ---- list and remove ---------------------------------------------------------------------------

# grid_list ROOT: per job one line: id, kind, start, state, and the living processes; and what grid_births says.
grid_list() {
  exec 2>/dev/null
  grid_is_own "$1/.grid/jobs" || return 0
  grid_scan
  for grid_path in "$1"/.grid/jobs/*.state; do
    [ -e "$grid_path" ] || continue
    grid_path=${grid_path%.state}
    grid_open "$1" "${grid_path##*/}"
    grid_look
    ! grid_is_elsewhere || continue
    grid_living=
    case $grid_state in
      ended*) ;;
      *) grid_living=$(grid_find - | cut -d : -f 1 | tr '\n' ' ') ;;
    esac
    [ ! -e "$grid_job.service" ] || grid_kind=service
    printf '%s\t%s\t%s\t%s\t%s\n' "$grid_id" "$grid_kind" "$grid_started" "$grid_state" "$grid_living"
  done
  grid_births "$1/.grid/jobs"
}

# grid_remove ROOT ID...: removes the files of jobs that ended, and names those that did not.
grid_remove() {
  grid_root=$1
  shift
  grid_is_own "$grid_root/.grid/jobs" || return 0
  grid_stays=0 grid_gone_jobs='' grid_patient=10
  for grid_id; do
    grid_open "$grid_root" "$grid_id"
    grid_await_end 2>/dev/null
    case $grid_state in
      running | starting) printf '%s is %s\n' "$grid_id" "$grid_state"; grid_stays=1 ;;
      *) grid_gone_jobs="$grid_gone_jobs $grid_id" ;;
    esac
  done
  # shellcheck disable=SC2086
  grid_remove_files $grid_gone_jobs || return
  return $grid_stays
}

# Sets grid_state. A glance at the first word does for most: a shell reads files byte by byte. Of what was killed
# just now, whoever supervises it may not have heard yet: half a second in all, for however many jobs.
grid_await_end() {
  while :; do
    grid_state=ended
    if [ -s "$grid_job.state" ] && grid_is_over && [ "$grid_phase" = ended ]; then return; fi
    grid_look
    if [ "$grid_state" != running ] || [ "$grid_patient" = 0 ]; then return; fi
    sleep 0.05 || sleep 1
    grid_patient=$((grid_patient - 1))
  done
}

# grid_prune ROOT MINUTES remove|look: removes what nobody collected for so long after it ended, and names
# it; or names it only.
grid_prune() {
  exec 2>/dev/null
  grid_is_own "$1/.grid/jobs" || return 0
  set -- "$@" "$1"/.grid/jobs/*.state
  [ -e "$4" ] || return 0
  find "$1/.grid/jobs" -name '*.state' -mmin "+$2" | while read -r grid_path; do
    grid_path=${grid_path%.state}
    case ${grid_path##*/} in '' | [.-]* | *[!A-Za-z0-9._-]*) continue ;; esac
    grid_open "$1" "${grid_path##*/}"
    grid_look
    case $grid_state in
      ended*) ;;
      vanished) ! grid_is_elsewhere || [ -z "$(find "$grid_job".* -mtime -60)" ] || continue ;;
      *) continue ;;
    esac
    [ "$3" = look ] || grid_remove_files "$grid_id" || continue
    printf '%s\n' "$grid_id"
  done
}
