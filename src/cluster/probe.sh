# Prints what a node can do, as lines "@<name> <value>"; probe.ts reads them. POSIX sh, dash, busybox.
# Behind claims.sh. Set by the caller: root (perhaps with a leading ~), gpu_seconds (patience with the
# GPU tools), brief ("yes" leaves out what the caller knows from a moment ago).
# echo is for words of ours only: some shells turn the backslashes of what it is given into line ends.
# Everything but df and the GPU tools is done by builtins: a process per fact is what makes probes slow.
# shellcheck disable=SC2088,SC2154 # a tilde that is compared, not expanded; variables of the caller
LC_ALL=C
export LC_ALL
echo '@grid-probe 1'

if read -r load _ 2>/dev/null </proc/loadavg; then echo "@load $load"; fi

limited=
if command -v timeout >/dev/null 2>&1; then limited="timeout -k 1"; fi

group_limits() { # $1: folder of version 2, $2 and $3: folders of version 1 for cpu and memory
  if read -r value 2>/dev/null <"$1/cpu.max"; then echo "@cpu-max $value"; fi
  if read -r quota 2>/dev/null <"$2/cpu.cfs_quota_us" &&
    read -r period 2>/dev/null <"$2/cpu.cfs_period_us"; then echo "@cpu-max $quota $period"; fi
  if read -r limit 2>/dev/null <"$1/memory.max" && [ "$limit" != max ] &&
    read -r used 2>/dev/null <"$1/memory.current"; then echo "@memory-group $limit $used"; fi
  if read -r limit 2>/dev/null <"$3/memory.limit_in_bytes" &&
    read -r used 2>/dev/null <"$3/memory.usage_in_bytes"; then echo "@memory-group $limit $used"; fi
}

# What changes slowly.
standing_facts() {
  # Usable cores are the fewest of: allowed by affinity, online, and the quota of any enclosing group.
  while read -r key value; do
    case $key in Cpus_allowed_list:) echo "@cpus-allowed $value" && break ;; esac
  done 2>/dev/null </proc/self/status
  if read -r value 2>/dev/null </sys/devices/system/cpu/online; then echo "@cpus-online $value"; fi
  groups=/sys/fs/cgroup
  while IFS=: read -r id controllers path; do
    case $id:$controllers in 0:) ;; *:*cpu,* | *:cpu | *:memory) ;; *) continue ;; esac
    while [ -n "$path" ] && [ "$path" != / ]; do
      group_limits "$groups$path" "$groups/cpu$path" "$groups/memory$path"
      path=${path%/*}
    done
  done 2>/dev/null </proc/self/cgroup
  group_limits "$groups" "$groups/cpu" "$groups/memory"

  while read -r key value _; do
    case $key in
      MemTotal: | MemFree: | MemAvailable: | Buffers: | Cached:) echo "@$key $value" ;;
      SwapCached:) break ;;
    esac
  done 2>/dev/null </proc/meminfo

  # The nearest folder that exists tells which disk the workspace will lie on.
  case $root in "~") root=$HOME ;; "~/"*) root=$HOME/${root#"~/"} ;; esac
  # What lies there already, though it is no folder, is in the way.
  [ ! -e "$root" ] || [ -d "$root" ] || echo "@workspace-problem $root is no folder"
  while [ -n "$root" ] && [ ! -d "$root" ]; do root=${root%/*}; done
  { [ -w "${root:-/}" ] && [ -x "${root:-/}" ]; } ||
    echo "@workspace-problem this account may not write to ${root:-/}"
  # A network file system whose server is gone would hold df for ever.
  echo '@df-begin'
  ${limited:+$limited 2} df -P -k "${root:-/}" 2>/dev/null </dev/null
  echo '@df-end'
}
[ "$brief" = yes ] || standing_facts

# Sets gpu_tool to the first of the names that can be run, as a path; shells that are not login shells
# have a short PATH.
find_tool() {
  for gpu_tool in "$@"; do
    case $gpu_tool in
      */*) [ -x "$gpu_tool" ] && return 0 ;;
      *) command -v "$gpu_tool" >/dev/null 2>&1 && return 0 ;;
    esac
  done
  return 1
}

# A tool whose driver crashed cannot even be killed. It is left alone, and no second one is started
# while its process is there. The note lies on the node's own disk, because process ids mean nothing
# on another machine that shares the home folder; it lies beside the leases.
hung_before() {
  hung_file=${GRID_LEASE_DIR:-/tmp/grid-gpu-leases}
  hung_file=${hung_file%/*}/.grid-gpu-hung.${USER:-${LOGNAME:-$(id -u)}}
  [ -O "$hung_file" ] && read -r pid 2>/dev/null <"$hung_file" && [ -n "$pid" ] && [ -d "/proc/$pid" ]
}
note_hung() { # never through a link that somebody else put there
  rm -f "$hung_file"
  (set -C && echo "$1" >"$hung_file") 2>/dev/null
}

# Runs the queries in the background and copies their lines until they end or patience does; nothing
# here waits for a process, because one in uninterruptible sleep would hold the probe as well.
gpu_run() { # $1: name of the function that queries
  (
    (
      "$1" 2>&1 </dev/null &
      work=$!
      (
        trap 'kill "$nap" 2>/dev/null; exit 0' TERM
        sleep "$gpu_seconds" &
        nap=$!
        wait "$nap"
        echo '@gpu-end timeout'
        kill -KILL "$work"
      ) </dev/null 2>/dev/null &
      guard=$!
      wait "$work"
      kill "$guard"
      echo '@gpu-end done'
    ) 2>/dev/null &
  ) | {
    pid=
    while IFS= read -r line; do
      case $line in
        "@gpu-pid "*) pid=${line#* } ;;
        "@gpu-end timeout")
          echo '@gpu-timeout'
          if [ -n "$pid" ] && [ -d "/proc/$pid" ]; then
            note_hung "$pid"
            # timeout ends the tool with all that it started; killed first, the tool would leave that behind.
            [ -n "$limited" ] || kill -KILL "$pid" 2>/dev/null
          fi
          break
          ;;
        "@gpu-end "*) break ;;
        *) printf '%s\n' "$line" ;;
      esac
    done
  }
}

# Copies a tool's lines behind "@gpu", so that nothing it prints can be taken for a line of ours.
gpu_query() {
  {
    ${limited:+$limited "$gpu_seconds"} sh -c 'echo "$$"; exec "$@"' sh "$@" 2>&1
    printf '\nexit %s\n' "$?"
  } | {
    IFS= read -r line && echo "@gpu-pid $line"
    while IFS= read -r line || [ -n "$line" ]; do printf '@gpu %s\n' "$line"; done
  }
}

query_nvidia() {
  gpu_query "$gpu_tool" --format=csv,noheader,nounits \
    --query-gpu=index,uuid,name,memory.used,memory.total,utilization.gpu,temperature.gpu
  # Fields that old drivers do not know are asked for apart: one unknown field voids a whole answer.
  echo '@gpu-more'
  gpu_query "$gpu_tool" --format=csv,noheader,nounits \
    --query-gpu=index,mig.mode.current,ecc.errors.uncorrected.volatile.total
}
query_amd() { gpu_query "$gpu_tool" metric --mem-usage --usage --temperature --ecc --json; }
query_rocm() { gpu_query "$gpu_tool" --showmeminfo vram --showuse --showtemp --showuniqueid --json; }

gpu_probe() { # $1: the tool, $2: the name of the function that queries
  if hung_before; then
    echo "@gpu-hung $pid"
  else
    echo "@gpu-tool $1"
    gpu_run "$2"
  fi
}

if find_tool nvidia-smi /usr/bin/nvidia-smi /usr/local/bin/nvidia-smi /usr/lib/wsl/lib/nvidia-smi \
  /opt/bin/nvidia-smi; then
  gpu_probe nvidia-smi query_nvidia
elif find_tool amd-smi /usr/bin/amd-smi /opt/rocm/bin/amd-smi; then
  gpu_probe amd-smi query_amd
elif find_tool rocm-smi /usr/bin/rocm-smi /opt/rocm/bin/rocm-smi; then
  gpu_probe rocm-smi query_rocm
elif [ -e /dev/nvidia0 ]; then
  echo '@gpu-no-tool /dev/nvidia0 nvidia-smi'
elif [ -e /dev/kfd ]; then
  echo '@gpu-no-tool /dev/kfd amd-smi'
fi
# Anybody can write these files: names and words of another form are left out.
for claim in "$grid_lease_dir/"*@*; do
  [ -s "$claim" ] || continue
  grid_lease_read "$claim"
  grid_lease_lives "$grid_pid" "$grid_since" || continue
  holder=
  read -r holder _ 2>/dev/null <"$claim"
  claim=${claim##*/}
  case $claim in *[!A-Za-z0-9@._-]*) continue ;; esac
  case $holder in *[!A-Za-z0-9@._-]*) holder= ;; esac
  printf '@gpu-lease %s %s %s\n' "${claim%%@*}" "$grid_of" "$holder"
done
echo '@grid-probe end'
