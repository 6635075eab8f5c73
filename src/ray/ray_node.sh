# shellcheck shell=sh disable=SC2086,SC2046,SC2254,SC2013,SC2015,SC2016,SC3045
# The part of a Ray cluster that lives on one node; run by POSIX sh, Linux only.
# Set before these lines: ROOT (the workspace), NODE (its name), and for `ray_start`:
# CLUSTER ROLE ADDRESS IP DASHBOARD TOKEN BIN LOG_LEVEL TEMP_DIR SPILL_DIR METRIC_PORTS
# CLAIM_WISH, and with it CLAIM_PROGRAM CLAIM_WORDS; HIDE_GPUS.
#
# Every process of `ray start` stays in the session (setsid) it was started in. That session and its
# start time are recorded, so that exactly these processes can be found and ended again.
#
# function: reads -> sets
#   (outside): ROOT -> FOLDER RECORD
#   field: RECORD -> -
#   short_nap: - -> -
#   read_stat: - -> line stat
#   members: NODE stat -> file found pid sid started
#   is_ours: found started stat -> pid temp
#   raylets: - -> -
#   workers: - -> -
#   with_command: known -> command fits pattern pid
#   wait_until_gone: - -> left
#   signal: - -> -
#   ray_status: RECORD -> known
#   ray_stop: FOLDER RECORD -> folder left name
#   reach_head: ADDRESS BIN -> -
#   own_port: BIN -> -
#   ray_lock: BIN ROOT -> -
#   ray_start: ADDRESS BIN CLAIM_PROGRAM CLAIM_WORDS CLUSTER DASHBOARD FOLDER HIDE_GPUS IP LOG_LEVEL
#       METRIC_PORTS NODE PATH RECORD ROLE ROOT SPILL_DIR TEMP_DIR TOKEN grid_fault -> AUTOSCALER_METRIC_PORT
#       CLAIM_PROGRAM CLAIM_WORDS CUDA_VISIBLE_DEVICES DASHBOARD_METRIC_PORT GRID_NODE GRID_RAY_NODE GRID_ROOT
#       HIP_VISIBLE_DEVICES NO_COLOR PATH RAY_AUTH_MODE RAY_AUTH_TOKEN_PATH RAY_BACKEND_LOG_LEVEL
#       RAY_DASHBOARD_STARTUP_TIMEOUT_S RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT
#       RAY_USAGE_STATS_ENABLED RAY_agent_register_timeout_ms begun code deep name place spill temp
#   raylet_joins: ADDRESS BIN FOLDER IP -> -
#   own_folder: HOME -> base

FOLDER=$ROOT/.grid/ray
RECORD=$FOLDER/session

field() { sed -n "s/^$1=//p" "$RECORD" 2>/dev/null; }

short_nap() { sleep 0.1 2>/dev/null || sleep 1; }

# Sets what follows the name in /proc/PID/stat: $1 state, $2 parent, $4 session, ${20} start time.
read_stat() { { IFS= read -r line <"$1"; } 2>/dev/null && stat=${line##*) }; }

# Pids of the recorded session that still live, and of processes that carry its mark.
members() {
  sid=$(field sid) started=$(field started) found=
  [ "$(field boot)" = "$(cat /proc/sys/kernel/random/boot_id)" ] || return 0
  for file in /proc/[0-9]*/stat; do
    read_stat "$file" || continue
    pid=${file#/proc/} pid=${pid%/stat}
    set -- $stat
    [ "$1" != Z ] && [ "$4" = "$sid" ] && [ "${20}" -ge "$started" ] || continue
    found="$found $pid"
  done
  is_ours || found=
  for file in $(grep -lsF "GRID_RAY_NODE=$(field cluster):$NODE;" /proc/[0-9]*/environ); do
    pid=${file#/proc/} pid=${pid%/environ}
    read_stat "/proc/$pid/stat" || continue
    case "$stat" in Z*) continue ;; esac
    case " $found " in *" $pid "*) ;; *) found="$found $pid" ;; esac
  done
  echo $found
}

# A session number may be given out again once all its processes are gone: one of them must name
# our folder, or have been started within 5 minutes (30000 ticks) of the record.
is_ours() {
  temp=$(field temp)
  for pid in $found; do
    grep -qsF "$temp" "/proc/$pid/cmdline" "/proc/$pid/environ" && return 0
    read_stat "/proc/$pid/stat" || continue
    set -- $stat
    [ $((${20} - started)) -lt 30000 ] && return 0
  done
  return 1
}

raylets() { with_command '*/raylet *'; }

# The raylet and its workers; its two agents bear the same prefix but do not end with it.
workers() { with_command '*/raylet *' 'ray::*' '!ray::*Agent*'; }

# Members whose command fits a pattern, and none of those behind an exclamation mark.
with_command() {
  for pid in ${known-$(members)}; do
    command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || continue
    fits=
    for pattern; do
      case $pattern in
      !*) case $command in ${pattern#!}) fits= ;; esac ;;
      *) case $command in $pattern) fits=yes ;; esac ;;
      esac
    done
    [ -z "$fits" ] || echo "$pid"
  done
}

# wait_until_gone TENTHS COMMAND...: true as soon as the command prints nothing.
wait_until_gone() {
  left=$1
  shift
  while [ -n "$("$@")" ]; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    short_nap
  done
}

signal() { [ -z "$2" ] || kill -s "$1" $2 2>/dev/null; }

# Prints the record and how many of its processes live.
ray_status() {
  [ -f "$RECORD" ] || return 0
  cat "$RECORD"
  # Looking through all processes takes long where there are many.
  known=$(members)
  set -- $known
  echo "alive=$#"
  # Agents live on for a while without what they belong to.
  set -- $(raylets)
  echo "raylets=$#"
  set -- $(with_command '*/gcs_server *')
  echo "gcs=$#"
  unset known
  sed -n 's/^MemTotal: */memory=/p; s/^MemAvailable: */free=/p' /proc/meminfo 2>/dev/null
}

# ray_stop [TENTHS]: the raylet first, so that it can end its workers; then everything else, each with
# so much time (default 5 s). Prints who is left.
ray_stop() {
  [ -f "$RECORD" ] || return 0
  signal TERM "$(raylets)"
  wait_until_gone "${1:-50}" workers
  signal TERM "$(members)"
  wait_until_gone "${1:-50}" members || signal KILL "$(members)"
  wait_until_gone 30 members
  left=$(members)
  if [ -n "$left" ]; then
    echo "survivors=$left"
    return 1
  fi
  keep_logs
  case $(field claim) in /*/gpu.ray-*) rm -f "$(field claim)" ;; esac
  for name in temp deep spill; do
    folder=$(field "$name")
    case $folder in /*/grid-ray-?*) rm -rf "$folder" ;; esac
  done
  rm -rf "$FOLDER"
}

# `ray start` itself would go on trying for minutes.
reach_head() {
  "$BIN/python3" -c '
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
socket.create_connection((host, int(port)), 5).close()' "$ADDRESS" 2>/dev/null && return 0
  echo "it cannot reach the head at $ADDRESS" >&2
  return 1
}

# own_port HOST:PORT: Ray itself would look for half a minute before it says so. Nothing is no port.
own_port() {
  [ -n "$1" ] || return 0
  "$BIN/python3" -c '
import socket, sys
probe = socket.socket()
probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
probe.bind(("0.0.0.0", int(sys.argv[1].rsplit(":", 1)[1])))' "$1" 2>/dev/null && return 0
  echo "somebody else uses port ${1##*:} there" >&2
  return 1
}

# Holds the workspace's lock until stdin ends; prints "wait" where somebody else holds it, then "locked".
# Without a Python there is nothing to guard: the start itself will say so.
ray_lock() {
  mkdir -p "$ROOT/.grid"
  [ -x "$BIN/python3" ] || { echo locked; cat >/dev/null; return 0; }
  exec "$BIN/python3" -c '
import fcntl, sys
file = open(sys.argv[1], "a")
try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("wait", flush=True)
    fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()' "$ROOT/.grid/ray.lock"
}

# ray_start OPTIONS...: everything that `ray start` gets beyond the folder for temporary files.
ray_start() {
  case $ROLE in head) own_port "$ADDRESS" && own_port "$DASHBOARD" ;; *) reach_head ;; esac || return 5
  umask 077
  # shellcheck disable=SC2154
  grid_own "$FOLDER" 700 || { echo "$grid_fault" >&2; exit 4; }
  # Ray's sockets lie below, and a socket's path has 107 characters at most.
  temp=$(mktemp -d /tmp/grid-ray-XXXXXX) || exit 4
  deep='' spill='' place=$temp
  if [ -n "$TEMP_DIR" ]; then
    deep=$(own_folder "$TEMP_DIR") || { rm -rf "$temp"; echo "ray.temp_dir: $deep" >&2; return 5; }
    place=$temp/t
    ln -s "$deep" "$place" || exit 4
  fi
  if [ -n "$SPILL_DIR" ]; then
    spill=$(own_folder "$SPILL_DIR") || { rm -rf "$temp" "$deep"; echo "ray.spill_dir: $spill" >&2; return 5; }
    set -- "$@" --object-spilling-directory "$spill"
  fi
  printf '%s\n' "$TOKEN" >"$FOLDER/token" || exit 4
  {
    echo "cluster=$CLUSTER"
    echo "role=$ROLE"
    echo "address=$ADDRESS"
    echo "ip=$IP"
    echo "dashboard=$DASHBOARD"
    echo "temp=$temp"
    echo "deep=$deep"
    echo "spill=$spill"
    echo "boot=$(cat /proc/sys/kernel/random/boot_id)"
  } >"$RECORD"
  # Workers inherit this environment: neither somebody's secrets nor another Python's packages.
  for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
    case $name in
    RAY_* | PYTHONPATH | PYTHONHOME | AWS_* | *TOKEN* | *SECRET* | *PASSWORD* | *PASSWD* | *CREDENTIAL* | *API_KEY*) unset "$name" ;;
    esac
  done
  ulimit -n "$(ulimit -Hn)" 2>/dev/null
  export GRID_RAY_NODE="$CLUSTER:$NODE;" GRID_NODE="$NODE" GRID_ROOT="$ROOT"
  export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$FOLDER/token" RAY_USAGE_STATS_ENABLED=0
  export NO_COLOR=1 PATH="$BIN:$PATH"
  # Fixed ports of its own, which a second Ray on this machine would find taken.
  [ -z "$METRIC_PORTS" ] || export AUTOSCALER_METRIC_PORT="${METRIC_PORTS% *}" DASHBOARD_METRIC_PORT="${METRIC_PORTS#* }"
  # Its own times of 30 and 60 s are too short for a busy machine.
  export RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT=120 RAY_DASHBOARD_STARTUP_TIMEOUT_S=120
  export RAY_agent_register_timeout_ms=120000
  # Set at all, every worker would say so on stderr; info is the default.
  [ "$LOG_LEVEL" = info ] || export RAY_BACKEND_LOG_LEVEL="$LOG_LEVEL"
  unset ROCR_VISIBLE_DEVICES GPU_DEVICE_ORDINAL
  export RECORD BIN CLUSTER CLAIM_WISH CLAIM_PROGRAM="${CLAIM_PROGRAM-}" CLAIM_WORDS="${CLAIM_WORDS-}"
  # Others hold them all.
  [ -z "$HIDE_GPUS" ] || export CUDA_VISIBLE_DEVICES="${HIDE_GPUS#=}" HIP_VISIBLE_DEVICES="${HIDE_GPUS#=}"
  cd "$ROOT" || exit 4
  begun=$(date +%s)
  setsid sh -c '
    { echo "sid=$$"; echo "started=$(cut -d" " -f22 /proc/$$/stat)"; } >>"$RECORD"
    if [ -n "$CLAIM_WISH" ]; then
      eval "$CLAIM_PROGRAM"
      eval "$CLAIM_WORDS"
      grid_claims_own || { echo "it cannot claim its GPUs: $grid_fault"; exit 5; }
      # Every process of Ray stays in this session, so the claim holds until the last one is gone.
      grid_take_gpus job $$ "$grid_claims/gpu.ray-$CLUSTER-$$" $CLAIM_WISH
      case $? in
      0) echo "claim=$grid_file" >>"$RECORD" ;;
      1) exit 7 ;;
      *) echo "it cannot write its claim of GPUs in $grid_claims"; exit 5 ;;
      esac
      export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES="$grid_names" HIP_VISIBLE_DEVICES="$grid_names"
    fi
    unset CLAIM_WISH CLAIM_PROGRAM CLAIM_WORDS
    exec "$BIN/ray" start "$@"
  ' sh --temp-dir "$place" "$@" <&- >"$FOLDER/start.log" 2>&1
  code=$?
  [ "$code" != 0 ] || return 0
  # Of raylets that live it only says that the GCS does not know them yet.
  if [ -n "$(raylets)" ] && raylet_joins; then return 0; fi
  tail -n 15 "$FOLDER/start.log" >&2
  # Ray gives each of its processes 30 s. What lives on, or has ended only after such a time, was too slow.
  [ -z "$(with_command '*/raylet *' '*/gcs_server *')" ] || return 9
  [ $(($(date +%s) - begun)) -lt 20 ] || return 9
  return "$code"
}

# Ray gives a raylet 30 s to be known to the GCS, which on a busy machine are too few.
raylet_joins() {
  "$BIN/python3" -Ic '
import sys, time
import ray
deadline = time.monotonic() + 90
while True:
    try:
        ray.init(address=sys.argv[1], _node_ip_address=sys.argv[2], log_to_driver=False, logging_level="ERROR")
        break
    except Exception:
        if time.monotonic() > deadline:
            raise
        time.sleep(1)' "$ADDRESS" "$IP" >>"$FOLDER/start.log" 2>&1
}

# own_folder PLACE: prints a new folder of ours below it, or why there can be none.
own_folder() {
  base=$1
  # shellcheck disable=SC2088
  case $1 in '~' | '~/'*) base=$HOME${1#'~'} ;; esac
  mkdir -p "$base" 2>/dev/null
  LC_ALL=C mktemp -d "$base/grid-ray-XXXXXX" 2>&1
}
