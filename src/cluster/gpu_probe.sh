# Asks the GPU tools of a node; gpu_answers.ts reads what this prints. Between claims.sh and probe.sh,
# whose $limited and $gpu_seconds (patience with one tool) it uses.
#
#   @gpu-bus <maker>        a device of that maker is on the bus, or its driver is there
#   @gpu-denied <device>    this account may not open the device that all jobs need
#   @kfd-node <id> <bytes>  a GPU of AMD as the kernel numbers it, and the memory that it gives it
#   @gpu-tool <tool>        from here on lines are this tool's
#   @gpu-query <query>      from here on they answer this question
#   @gpu <line>             a line of the tool, or "exit <code>" as the last
#   @gpu-timeout            the tool did not end in time; what stands before holds
#   @gpu-hung <pid>         it was not asked: an earlier one still hangs
#
# function: reads -> sets
#   gpu_on_bus: - -> gpu_any
#   gpu_bus: - -> gpu_bytes gpu_class gpu_device gpu_simds gpu_vendor key value
#   find_tool: - -> gpu_tool
#   hung_before: GRID_LEASE_DIR LOGNAME USER -> hung_file hung_pid hung_since
#   note_hung: grid_born hung_file -> -
#   gpu_run: gpu_seconds limited nap -> -
#   gpu_query: gpu_seconds limited -> -
#   query_nvidia: gpu_tool -> -
#   nvidia_first: gpu_tool -> -
#   nvidia_rest: gpu_tool -> -
#   nvidia_slices: gpu_tool -> -
#   query_amd: gpu_tool -> -
#   query_rocm: gpu_tool -> -
#   query_xpu: gpu_tool -> -
#   gpu_probe: hung_pid -> gpu_any
#   gpu_devices: - -> amd_seen gpu_any
# shellcheck disable=SC2034,SC2154

gpu_on_bus() { # $1: the maker
  gpu_any=yes
  echo "@gpu-bus $1"
}

# What the kernel knows, whatever the tools say. Builtins only.
gpu_bus() {
  for gpu_device in /sys/bus/pci/devices/*; do
    read -r gpu_class 2>/dev/null <"$gpu_device/class" || continue
    # Display controllers and processing accelerators.
    case $gpu_class in 0x03* | 0x12*) ;; *) continue ;; esac
    read -r gpu_vendor 2>/dev/null <"$gpu_device/vendor" || continue
    case $gpu_vendor in
      0x10de) gpu_on_bus nvidia ;;
      0x1002) gpu_on_bus amd ;;
      0x8086) gpu_on_bus intel ;;
    esac
  done
  # The GPU of a Tegra is on no bus. /dev/nvidiactl is no evidence: root's nvidia-smi makes it.
  for gpu_device in /proc/driver/nvidia /dev/nvidia0 /dev/nvhost-gpu; do
    [ ! -e "$gpu_device" ] || gpu_on_bus nvidia
  done
  [ -e /dev/kfd ] || return 0
  gpu_on_bus amd
  { [ -r /dev/kfd ] && [ -w /dev/kfd ]; } || echo '@gpu-denied /dev/kfd'
  for gpu_device in /sys/class/kfd/kfd/topology/nodes/*; do
    gpu_simds=0 gpu_bytes=0
    while read -r key value; do
      case $key in simd_count) gpu_simds=$value ;; esac
    done 2>/dev/null <"$gpu_device/properties"
    [ "$gpu_simds" -gt 0 ] 2>/dev/null || continue
    while read -r key value; do
      case $key in size_in_bytes) gpu_bytes=$value ;; esac
    done 2>/dev/null <"$gpu_device/mem_banks/0/properties"
    echo "@kfd-node ${gpu_device##*/} $gpu_bytes"
  done
}

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
# while its process is there: the one that began when the note says, not another one of that number.
# The note lies on the node's own disk, because process ids mean nothing on another machine that
# shares the home folder; it lies beside the leases.
hung_before() {
  hung_file=${GRID_LEASE_DIR:-/tmp/grid-gpu-leases}
  hung_file=${hung_file%/*}/.grid-gpu-hung.${USER:-${LOGNAME:-$(id -u)}}
  [ -O "$hung_file" ] && read -r hung_pid hung_since 2>/dev/null <"$hung_file" && [ -n "$hung_since" ] &&
    grid_lease_lives "$hung_pid" "$hung_since"
}
note_hung() { # never through a link that somebody else put there
  grid_lease_lives "$1" - || :
  rm -f "$hung_file"
  (set -C && echo "$1 $grid_born" >"$hung_file") 2>/dev/null
}

# Runs the queries in the background and copies their lines until they end or patience does; nothing
# here waits for a process, because one in uninterruptible sleep would hold the probe as well.
# Its status: 0 where a line looked like that of a GPU, 1 where none did, 2 where patience ended.
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
    pid='' seen=1
    while IFS= read -r line; do
      case $line in
        "@gpu-pid "*) pid=${line#* } ;;
        "@gpu-end timeout")
          echo '@gpu-timeout'
          seen=2
          if [ -n "$pid" ] && [ -d "/proc/$pid" ]; then
            note_hung "$pid"
            # timeout ends the tool with all that it started; killed first, the tool would leave that behind.
            [ -n "$limited" ] || kill -KILL "$pid" 2>/dev/null
          fi
          break
          ;;
        "@gpu-end "*) break ;;
        *)
          printf '%s\n' "$line"
          case $line in
            '@gpu '[0-9]*,* | '@gpu '*'"gpu":'* | '@gpu '*'"card'[0-9]*) seen=0 ;;
          esac
          ;;
      esac
    done
    exit "$seen"
  }
}

# Copies a tool's lines behind "@gpu", so that nothing it prints can be taken for a line of ours.
gpu_query() { # $1: the question's name, then the command
  echo "@gpu-query $1"
  shift
  {
    ${limited:+$limited "$gpu_seconds"} sh -c 'echo "$$"; exec "$@"' sh "$@" 2>&1
    printf '\nexit %s\n' "$?"
  } | {
    IFS= read -r line && echo "@gpu-pid $line"
    while IFS= read -r line || [ -n "$line" ]; do printf '@gpu %s\n' "$line"; done
  }
}

# The question that matters first: what a slow tool did not say any more is missed, not made up.
# One card without a handle voids the answer about all; the list still names the others.
query_nvidia() {
  nvidia_first '' | {
    broken=''
    while IFS= read -r line; do
      printf '%s\n' "$line"
      case $line in '@gpu Unable to determine the device handle'*) broken=yes ;; esac
    done
    if [ -z "$broken" ]; then
      nvidia_rest ''
    else
      gpu_query list "$gpu_tool" -L | {
        good=''
        while IFS= read -r line; do
          printf '%s\n' "$line"
          case $line in
            '@gpu GPU '[0-9]*': '*)
              line=${line#@gpu GPU }
              good=$good${good:+,}${line%%:*}
              ;;
          esac
        done
        if [ -n "$good" ]; then
          nvidia_first "$good"
          nvidia_rest "$good"
        fi
      }
    fi
  }
}
nvidia_first() { # $1: indices, or nothing for all
  gpu_query first "$gpu_tool" ${1:+-i "$1"} --format=csv,noheader,nounits \
    --query-gpu=index,uuid,name,memory.used,memory.total,utilization.gpu,temperature.gpu
}
nvidia_rest() {
  gpu_query compute-apps "$gpu_tool" ${1:+-i "$1"} --format=csv,noheader,nounits \
    --query-compute-apps=gpu_uuid,pid,process_name,used_memory
  # Fields that old drivers do not know are asked for apart: one unknown field voids a whole answer.
  gpu_query more "$gpu_tool" ${1:+-i "$1"} --format=csv,noheader,nounits \
    --query-gpu=index,mig.mode.current,ecc.errors.uncorrected.volatile.total | {
    split=''
    while IFS= read -r line; do
      printf '%s\n' "$line"
      case $line in '@gpu '*', Enabled, '*) split=yes ;; esac
    done
    [ -z "$split" ] || nvidia_slices "$1"
  }
}
# The parts of cards that are split: their names, and what is used of each, which only the long answer says.
nvidia_slices() {
  gpu_query slices "$gpu_tool" -L
  gpu_query slice-memory "$gpu_tool" ${1:+-i "$1"} -q -x | while IFS= read -r line; do
    case $line in
      '@gpu-'* | '@gpu exit '* | *'<gpu id='* | *'<uuid>'* | *mig_device'>'* | *'<index>'* | \
        *fb_memory_usage'>'* | *'<total>'* | *'<used>'*) printf '%s\n' "$line" ;;
    esac
  done
}

# Guests know no --ecc, and refuse the whole question for it.
query_amd() {
  gpu_query metric "$gpu_tool" metric --mem-usage --usage --temperature --ecc --json | {
    refused=''
    while IFS= read -r line; do
      printf '%s\n' "$line"
      case $line in '@gpu '*'"error"'*'--ecc'*) refused=yes ;; esac
    done
    [ -z "$refused" ] ||
      gpu_query metric "$gpu_tool" metric --mem-usage --usage --temperature --json
  }
  gpu_query list "$gpu_tool" list --json
}
query_rocm() {
  gpu_query metric "$gpu_tool" --showmeminfo vram gtt --showuse --showtemp --showuniqueid --json
}
query_xpu() { gpu_query discovery "$gpu_tool" discovery --dump 1,2,6,16; }

gpu_probe() { # $1: the tool, $2: the name of the function that queries
  gpu_any=yes
  echo "@gpu-tool $1"
  if hung_before; then
    echo "@gpu-hung $hung_pid"
    return 2
  fi
  gpu_run "$2"
}

# Every maker's tool is asked: one that was left over must not hide another's cards. Where one has used
# up the time there is none left.
gpu_devices() {
  gpu_any=
  gpu_bus
  if find_tool nvidia-smi /usr/bin/nvidia-smi /usr/local/bin/nvidia-smi /usr/lib/wsl/lib/nvidia-smi \
    /opt/bin/nvidia-smi; then
    gpu_probe nvidia-smi query_nvidia
    [ "$?" != 2 ] || return 0
  fi
  amd_seen=1
  if find_tool amd-smi /usr/bin/amd-smi /opt/rocm/bin/amd-smi; then
    gpu_probe amd-smi query_amd
    amd_seen=$?
    [ "$amd_seen" != 2 ] || return 0
  fi
  if [ "$amd_seen" = 1 ] && find_tool rocm-smi /usr/bin/rocm-smi /opt/rocm/bin/rocm-smi; then
    gpu_probe rocm-smi query_rocm
    [ "$?" != 2 ] || return 0
  fi
  if find_tool xpu-smi /usr/bin/xpu-smi; then gpu_probe xpu-smi query_xpu; fi
  return 0
}

