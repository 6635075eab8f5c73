# shellcheck shell=sh disable=SC2034,SC2088,SC2154 # a tilde that is compared, not expanded; functions of before
# grid_probe ROOT SECONDS [BRIEF]: prints what a node can do, as lines "@<name> <value>"; probe.ts reads them.
# POSIX sh, dash, busybox. Behind claims.sh, claims_fit.sh, claims_read.sh, drain_notes.sh and gpu_probe.sh.
# ROOT may begin with ~, SECONDS is the patience with one GPU tool, BRIEF leaves out what the caller knows
# from a moment ago. It sets variables as it likes: call it in a subshell.
# echo is for words of ours only: some shells turn the backslashes of what it is given into line ends.
# Everything but df and the GPU tools is done by builtins: a process per fact is what makes probes slow.
#
# function: reads -> sets
#   group_limits: - -> limit period quota used value
#   memory_facts: - -> _ key value
#   standing_facts: HOME limited root -> controllers groups id key path root token tool value
#   older_leases: grid_born_then grid_lease_dir grid_of grid_pid -> _ claim holder
#   grid_probe: gpu_any -> LC_ALL _ brief gpu_seconds limited load root

group_limits() { # $1: folder of version 2, $2 and $3: folders of version 1 for cpu and memory
  if read -r value 2>/dev/null <"$1/cpu.max"; then echo "@cpu-max $value"; fi
  if read -r quota 2>/dev/null <"$2/cpu.cfs_quota_us" &&
    read -r period 2>/dev/null <"$2/cpu.cfs_period_us"; then echo "@cpu-max $quota $period"; fi
  if read -r limit 2>/dev/null <"$1/memory.max" && [ "$limit" != max ] &&
    read -r used 2>/dev/null <"$1/memory.current"; then echo "@memory-group $limit $used"; fi
  if read -r limit 2>/dev/null <"$3/memory.limit_in_bytes" &&
    read -r used 2>/dev/null <"$3/memory.usage_in_bytes"; then echo "@memory-group $limit $used"; fi
}

# Memory, which is also what GPUs without memory of their own share.
memory_facts() {
  while read -r key value _; do
    case $key in
      MemTotal: | MemFree: | MemAvailable: | Buffers: | Cached:) echo "@$key $value" ;;
      SwapCached:) break ;;
    esac
  done 2>/dev/null </proc/meminfo
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

  # Without these no job begins.
  for tool in cat head mkdir mv; do
    command -v "$tool" >/dev/null 2>&1 || echo "@lacks $tool"
  done

  # The nearest folder that exists tells which disk the workspace will lie on.
  case $root in "~") root=$HOME ;; "~/"*) root=$HOME/${root#"~/"} ;; esac
  # What lies there already, though it is no folder, is in the way.
  [ ! -e "$root" ] || [ -d "$root" ] || echo "@workspace-problem $root is no folder"
  if read -r token 2>/dev/null <"$root/.grid/token"; then echo "@workspace-token $token"; fi
  if { read -r value </proc/sys/kernel/random/boot_id && read -r id </proc/sys/kernel/hostname; } 2>/dev/null; then
    echo "@machine $value $id"
  fi
  while [ -n "$root" ] && [ ! -d "$root" ]; do root=${root%/*}; done
  { [ -w "${root:-/}" ] && [ -x "${root:-/}" ]; } ||
    echo "@workspace-problem this account may not write to ${root:-/}"
  # A network file system whose server is gone would hold df for ever.
  echo '@df-begin'
  # A disk that failed takes no writes, but to `-w` it is as before. Linux says so in its list of mounts alone.
  grep -F -s emergency_ro /proc/self/mounts 2>/dev/null
  ${limited:+$limited 2} df -P -k "${root:-/}" 2>/dev/null </dev/null
  echo '@df-end'
}

# Leases of earlier versions. Anybody can write these files: names and words of another form are left out.
older_leases() {
  for claim in "$grid_lease_dir/"*@*; do
    [ -f "$claim" ] && [ -s "$claim" ] || continue
    grid_lease_read "$claim"
    grid_lease_lives "$grid_pid" "$grid_born_then" || continue
    holder=
    read -r holder _ 2>/dev/null <"$claim"
    claim=${claim##*/}
    case $claim in *[!A-Za-z0-9@._-]*) continue ;; esac
    case $holder in *[!A-Za-z0-9@._-]*) holder= ;; esac
    printf '@gpu-lease %s %s %s\n' "${claim%%@*}" "$grid_of" "$holder"
  done
}

grid_probe() {
  root=$1 gpu_seconds=$2 brief=${3-}
  LC_ALL=C
  export LC_ALL
  # Each line that is written by itself is a packet, and wakes three processes.
  if read -r load _ 2>/dev/null </proc/loadavg; then
    printf '@grid-probe 1\n@load %s\n' "$load"
  else
    echo '@grid-probe 1'
  fi

  limited=
  if command -v timeout >/dev/null 2>&1; then limited="timeout -k 1"; fi

  [ -n "$brief" ] || standing_facts
  grid_drain_notes
  grid_claims_unfit @claims-unfit

  gpu_devices
  if [ -z "$brief" ] || [ -n "$gpu_any" ]; then memory_facts; fi

  older_leases
  grid_claims_read all - - no
  echo '@grid-probe end'
}

# Once per shell that many looks use.
grid_find_euid
