# What jobs use of their node, looked at now and then by one process for all jobs of a shell: the meter. It
# starts once a job lives for longer than a moment, and reads /proc with what a shell can do by itself. Read
# together with `job.sh`, whose words it uses. A job has, from then on:
#   use         a line per look, or per several: AGE CPU MEMORY PEAK GPU_MEMORY GPU_LOAD. Age in 1/100 s
#               since it began, CPU in ticks of 1/100 s, all its living processes together with the children
#               they have buried; memory in KiB, resident, of all its processes together; the most that was
#               seen since the line before; MiB and per cent of the GPUs it claimed. "-" is unknown.
#   used        once it has ended, what `times` says of the command: the second line is all it has used
#   gpus        the GPUs it has claimed, as their maker names them; written by the job as it starts
# Where there is no /proc there is none of this.
#
# function: reads -> sets
#   (outside): - -> grid_meter grid_metered grid_most_uses
#   grid_meter_job: grid_id grid_job grid_leader grid_meter grid_metered grid_waiter -> grid_meter_line
#       grid_metered
#   grid_start_meter: grid_jobs grid_meter grid_meter_line grid_new -> grid_meter
#   grid_meter_forget: grid_metered -> grid_metered
#   grid_meter_jobs: grid_meter_time grid_nap -> grid_ask_at grid_asked grid_began grid_gone grid_meter_count
#       grid_meter_pause grid_meter_slot grid_meter_slots grid_nap grid_rung grid_youngest
#   grid_meter_news: grid_meter_count grid_meter_slots -> grid_id grid_leader grid_meter_count
#       grid_meter_slots grid_waiter
#   grid_meter_drop: grid_meter_slot grid_meter_slots -> grid_kept grid_meter_slots grid_other
#   grid_meter_rest: grid_began grid_cpu grid_meter_time grid_youngest -> grid_line grid_meter_pause
#   grid_fields: - -> grid_cpu grid_pages grid_session grid_start_tick grid_threads
#   grid_uptime: - -> grid_meter_time grid_rest
#   grid_page_kib: - -> grid_key grid_page grid_rest grid_value
#   grid_meter_one: grid_born grid_found grid_id grid_jobs grid_known grid_meter_slot grid_meter_time
#       grid_youngest -> grid_age grid_born grid_job grid_youngest
#   grid_meter_roots: grid_known grid_session grid_setsid grid_start_tick grid_waiter -> grid_children_of
#       grid_known grid_line grid_own_session grid_pid
#   grid_meter_tree: grid_cpu grid_known grid_page grid_pages grid_start_tick grid_threads -> grid_expected
#       grid_found grid_generation grid_largest grid_largest_pid grid_line grid_memory grid_pages_all
#       grid_path grid_peak grid_pid grid_seen grid_ticks
#   grid_meter_mark: grid_largest_pid grid_peak -> grid_key grid_peak grid_rest grid_value
#   grid_meter_note: grid_age grid_every grid_gpu_lines grid_gpu_use grid_job grid_lines grid_looks
#       grid_memory grid_meter_slot grid_most_uses grid_peak grid_ticks -> grid_gpu_use grid_lines grid_looks
#       grid_memory grid_peak
#   grid_meter_thin: grid_every grid_gl1 grid_gm1 grid_job grid_m1 grid_p1 -> grid_a grid_c grid_every grid_gl
#       grid_gl1 grid_gm grid_gm1 grid_half grid_lines grid_m grid_m1 grid_p grid_p1 grid_text
#   grid_meter_gpus: grid_ask_at grid_ask_next grid_asked grid_jobs grid_meter_time grid_new grid_program
#       grid_smi -> grid_ask_at grid_ask_next grid_asked grid_gpu_lines grid_line grid_smi
#   grid_meter_wants_gpus: grid_id grid_jobs grid_meter_slots grid_names -> grid_meter_slot grid_names
#       grid_wanted
#   grid_meter_of_gpus: grid_gpu_lines grid_meter_slot grid_names -> grid_a grid_c grid_gpu_load
#       grid_gpu_memory grid_gpu_rest grid_gpu_use grid_line grid_load grid_loaded grid_sum
# shellcheck disable=SC2034,SC2154

grid_meter='' grid_metered=' '
# Lines of one job; then every other one goes, and lines become half as frequent.
grid_most_uses=120

# grid_meter_job: the job that was read and runs is looked at from now on.
grid_meter_job() {
  case $grid_metered in *" $grid_id "*) return ;; esac
  grid_metered="$grid_metered$grid_id "
  if [ ! -r /proc/self/stat ] || [ ! -r /proc/uptime ]; then return; fi
  { : >>"$grid_job.use"; } 2>/dev/null || return 0
  grid_meter_line="$grid_id $grid_waiter ${grid_leader:--}"
  { [ -n "$grid_meter" ] && echo "$grid_meter_line" >>"/proc/$grid_meter/fd/5"; } 2>/dev/null ||
    grid_start_meter 2>/dev/null
}

# The file by which it hears of jobs has no name, once it is open.
grid_start_meter() {
  [ -z "$grid_meter" ] || grid_bury "$grid_meter"
  grid_make_name "$grid_jobs/.meter"
  grid_meter=
  {
    echo "$grid_meter_line" >>"$grid_new"
    # By exec: for a function alone, dash and busybox would keep copies of what is closed.
    { exec </dev/null >/dev/null 2>&1 6>&- 8>&- && grid_meter_jobs; } &
    grid_meter=$!
  } 5<>"$grid_new"
  rm -f "$grid_new"
}

# grid_meter_forget ID: it has ended, as the runner is told.
grid_meter_forget() {
  case $grid_metered in
    *" $1 "*) grid_metered="${grid_metered%%" $1 "*} ${grid_metered#*" $1 "}" ;;
  esac
}

# The meter itself. It stays as long as there are jobs for it.
grid_meter_jobs() {
  trap 'grid_gone=1; [ -z "$grid_nap" ] || kill "$grid_nap"' TERM
  trap '' HUP
  grid_gone='' grid_nap='' grid_rung='' grid_meter_slots='' grid_meter_count=0 grid_meter_pause=1
  grid_page_kib
  grid_uptime && grid_began=$grid_meter_time
  grid_asked='' grid_ask_at=0
  while [ -z "$grid_gone" ]; do
    grid_meter_news
    grid_uptime || break
    grid_youngest=360000
    grid_meter_gpus
    for grid_meter_slot in $grid_meter_slots; do
      grid_meter_one || grid_meter_drop
    done
    [ -n "$grid_meter_slots" ] || break
    grid_meter_rest
    grid_doze "$grid_meter_pause"
  done
  [ -z "$grid_asked" ] || kill -s KILL "$grid_asked"
}

# New jobs, each with a number: shells have no lists of lists.
grid_meter_news() {
  while read -r grid_id grid_waiter grid_leader <&5; do
    grid_meter_count=$((grid_meter_count + 1))
    grid_meter_slots="$grid_meter_slots $grid_meter_count"
    eval "grid_m${grid_meter_count}_id=\$grid_id grid_m${grid_meter_count}_waiter=\$grid_waiter"
    eval "grid_m${grid_meter_count}_known= grid_m${grid_meter_count}_lines=0 grid_m${grid_meter_count}_every=1"
    eval "grid_m${grid_meter_count}_looks=0 grid_m${grid_meter_count}_memory=0 grid_m${grid_meter_count}_peak=0"
    eval "grid_m${grid_meter_count}_born= grid_m${grid_meter_count}_gpus= grid_m${grid_meter_count}_cards='- -'"
    case $grid_leader in *:?*) eval "grid_m${grid_meter_count}_known=\"\$grid_leader\"" ;; esac
  done
}

grid_meter_drop() {
  grid_kept=
  for grid_other in $grid_meter_slots; do
    [ "$grid_other" = "$grid_meter_slot" ] || grid_kept="$grid_kept $grid_other"
  done
  grid_meter_slots=$grid_kept
  for grid_other in id waiter known lines every looks memory peak born gpus cards; do
    unset "grid_m${grid_meter_slot}_$grid_other"
  done
}

# Often at first, then more seldom; and never so often that looking takes more than the hundredth part of a
# processor, however many jobs there are; what starting takes, on a busy node above all, is not counted.
grid_meter_rest() {
  if [ "$grid_youngest" -lt 6000 ]; then
    grid_meter_pause=1
  elif [ "$grid_youngest" -lt 30000 ]; then
    grid_meter_pause=2
  else
    grid_meter_pause=5
  fi
  grid_line=
  read -r grid_line </proc/self/stat
  # shellcheck disable=SC2086
  grid_fields ${grid_line##*) }
  if [ "$((grid_cpu * 150))" -gt "$((grid_meter_time - grid_began + 900))" ]; then grid_meter_pause=$((grid_meter_pause * 4)); fi
}

# grid_fields STATE PARENT …: as they stand behind the name in /proc/PID/stat. Ticks are 1/100 s for every
# program, whatever the kernel counts in: include/asm-generic/param.h, USER_HZ.
grid_fields() {
  grid_session=${4:-0} grid_threads=${18:-1} grid_start_tick=${20:-} grid_pages=${22:-0}
  grid_cpu=$((${12:-0} + ${13:-0} + ${14:-0} + ${15:-0}))
}

# Sets grid_meter_time, in 1/100 s since the machine started.
grid_uptime() {
  read -r grid_meter_time grid_rest </proc/uptime || return
  grid_rest=${grid_meter_time#*.}
  # Without leading zeros: the number would be octal.
  grid_meter_time=$((${grid_meter_time%.*} * 100 + 1${grid_rest} - 100))
}

grid_page_kib() {
  grid_page=4
  while read -r grid_key grid_value grid_rest; do
    case $grid_key in KernelPageSize:) grid_page=$grid_value && break ;; esac
  done </proc/self/smaps
}

# One look at the job in grid_meter_slot; 1 where it is over.
grid_meter_one() {
  eval "grid_id=\$grid_m${grid_meter_slot}_id grid_waiter=\$grid_m${grid_meter_slot}_waiter"
  eval "grid_known=\$grid_m${grid_meter_slot}_known grid_born=\$grid_m${grid_meter_slot}_born"
  grid_job=$grid_jobs/$grid_id
  if [ ! -e "$grid_job.use" ] || grid_is_over; then return 1; fi
  if [ -z "$grid_known" ]; then
    grid_meter_roots
    [ -n "$grid_known" ] || return 0
  fi
  grid_meter_tree
  if [ -z "$grid_born" ]; then
    grid_born=${grid_known%% *}
    grid_born=${grid_born#*:}
    eval "grid_m${grid_meter_slot}_born=\$grid_born"
  fi
  eval "grid_m${grid_meter_slot}_known=\$grid_found"
  [ -n "$grid_found" ] || return 0
  grid_age=$((grid_meter_time - grid_born))
  [ "$grid_age" -ge "$grid_youngest" ] || grid_youngest=$grid_age
  grid_meter_note
}

# What the supervisor has started, but for its helpers, which stay in its session.
grid_meter_roots() {
  grid_line=
  read -r grid_line <"/proc/$grid_waiter/stat" || return
  # shellcheck disable=SC2086
  grid_fields ${grid_line##*) }
  grid_own_session=$grid_session grid_children_of=
  read -r grid_children_of <"/proc/$grid_waiter/task/$grid_waiter/children"
  for grid_pid in $grid_children_of; do
    grid_line=
    read -r grid_line <"/proc/$grid_pid/stat" || continue
    # shellcheck disable=SC2086
    grid_fields ${grid_line##*) }
    if [ -n "$grid_setsid" ] && [ "$grid_session" = "$grid_own_session" ]; then continue; fi
    grid_known="$grid_known$grid_pid:$grid_start_tick "
  done
}

# All processes of a job: those of the last look that are still there, and what they have started since.
# Sets grid_found, PID:BORN of each, grid_memory, grid_peak and grid_ticks.
grid_meter_tree() {
  grid_found='' grid_seen=' ' grid_pages_all=0 grid_ticks=0 grid_largest=0 grid_largest_pid=
  grid_generation=$grid_known
  while [ -n "$grid_generation" ]; do
    # shellcheck disable=SC2086
    set -- $grid_generation
    grid_generation=
    for grid_pid; do
      grid_expected=${grid_pid#*:}
      grid_pid=${grid_pid%%:*}
      case $grid_seen in *" $grid_pid "*) continue ;; esac
      grid_line=
      read -r grid_line <"/proc/$grid_pid/stat" || continue
      # shellcheck disable=SC2086
      grid_fields ${grid_line##*) }
      case $grid_expected in "$grid_pid" | "$grid_start_tick") ;; *) continue ;; esac
      grid_seen="$grid_seen$grid_pid "
      grid_found="$grid_found$grid_pid:$grid_start_tick "
      grid_pages_all=$((grid_pages_all + grid_pages)) grid_ticks=$((grid_ticks + grid_cpu))
      if [ "$grid_pages" -gt "$grid_largest" ]; then grid_largest=$grid_pages grid_largest_pid=$grid_pid; fi
      if [ "$grid_threads" = 1 ]; then
        set -- "/proc/$grid_pid/task/$grid_pid/children"
      else
        set -- "/proc/$grid_pid/task"/*/children
      fi
      for grid_path; do
        grid_line=
        # Ends without a line break.
        read -r grid_line <"$grid_path" || :
        grid_generation="$grid_generation$grid_line"
        [ -z "$grid_line" ] || grid_generation="$grid_generation "
      done
    done
  done
  grid_memory=$((grid_pages_all * grid_page))
  grid_peak=$grid_memory
  # Between two looks the kernel has seen more; of one process it tells.
  [ "$((grid_largest * grid_page))" -lt 16384 ] || grid_meter_mark
}

grid_meter_mark() {
  while read -r grid_key grid_value grid_rest; do
    case $grid_key in
      VmHWM:)
        [ "$grid_value" -le "$grid_peak" ] || grid_peak=$grid_value
        return
        ;;
    esac
  done <"/proc/$grid_largest_pid/status"
}

# Adds to the job's lines.
grid_meter_note() {
  eval "grid_looks=\$grid_m${grid_meter_slot}_looks grid_every=\$grid_m${grid_meter_slot}_every"
  eval "grid_lines=\$grid_m${grid_meter_slot}_lines"
  eval "[ \$grid_m${grid_meter_slot}_memory -le \$grid_memory ] || grid_memory=\$grid_m${grid_meter_slot}_memory"
  eval "[ \$grid_m${grid_meter_slot}_peak -le \$grid_peak ] || grid_peak=\$grid_m${grid_meter_slot}_peak"
  eval "grid_gpu_use=\$grid_m${grid_meter_slot}_cards"
  [ -z "$grid_gpu_lines" ] || grid_meter_of_gpus
  grid_looks=$((grid_looks + 1))
  if [ "$grid_looks" -ge "$grid_every" ]; then
    # It may have ended meanwhile, and its files be gone.
    [ ! -e "$grid_job.use" ] ||
      echo "$grid_age $grid_ticks $grid_memory $grid_peak $grid_gpu_use" >>"$grid_job.use"
    grid_gpu_use='- -' grid_looks=0 grid_memory=0 grid_peak=0 grid_lines=$((grid_lines + 1))
    [ "$grid_lines" -lt "$grid_most_uses" ] || grid_meter_thin
  fi
  eval "grid_m${grid_meter_slot}_looks=\$grid_looks grid_m${grid_meter_slot}_every=\$grid_every"
  eval "grid_m${grid_meter_slot}_memory=\$grid_memory grid_m${grid_meter_slot}_peak=\$grid_peak"
  eval "grid_m${grid_meter_slot}_lines=\$grid_lines grid_m${grid_meter_slot}_cards=\$grid_gpu_use"
}

# Two lines become one: the later, with the larger memory of both.
grid_meter_thin() {
  grid_text='' grid_half='' grid_lines=0 grid_every=$((grid_every * 2))
  while read -r grid_a grid_c grid_m grid_p grid_gm grid_gl; do
    if [ -z "$grid_half" ]; then
      grid_half=1 grid_m1=$grid_m grid_p1=$grid_p grid_gm1=$grid_gm grid_gl1=$grid_gl
      continue
    fi
    [ "$grid_m1" -le "$grid_m" ] || grid_m=$grid_m1
    [ "$grid_p1" -le "$grid_p" ] || grid_p=$grid_p1
    [ "$grid_gm" != - ] || grid_gm=$grid_gm1 grid_gl=$grid_gl1
    grid_half='' grid_lines=$((grid_lines + 1))
    grid_text="$grid_text$grid_a $grid_c $grid_m $grid_p $grid_gm $grid_gl
"
  done <"$grid_job.use"
  printf '%s' "$grid_text" >"$grid_job.use"
}

# ---- GPUs ------------------------------------------------------------------------------------------
# Asking for them takes a process and, on some nodes, seconds: rarely, and nobody waits for the answer.

# Reads what was asked for before, and asks again when it is time.
grid_meter_gpus() {
  grid_gpu_lines=
  if [ -n "$grid_asked" ]; then
    if grid_lives "$grid_asked"; then
      # A driver that hangs is not asked a second time.
      [ "$((grid_meter_time - grid_ask_at))" -lt 3000 ] || { kill -s KILL "$grid_asked" && grid_smi=none; }
      return
    fi
    grid_bury "$grid_asked"
    grid_asked=
    while read -r grid_line; do grid_gpu_lines="$grid_gpu_lines$grid_line
"; done </proc/self/fd/4
    # The longer it takes, the more seldom.
    grid_ask_next=$((grid_meter_time + 1000 + 100 * (grid_meter_time - grid_ask_at) / 10))
  fi
  grid_meter_wants_gpus && [ "$grid_meter_time" -ge "${grid_ask_next:-0}" ] || return 0
  if [ -z "${grid_smi-}" ]; then
    grid_which nvidia-smi
    grid_smi=${grid_program:-none}
    grid_make_name "$grid_jobs/.meter"
    { exec 4<>"$grid_new"; } || grid_smi=none
    rm -f "$grid_new"
  fi
  [ "$grid_smi" != none ] || return 0
  "$grid_smi" --query-gpu=uuid,memory.used,utilization.gpu --format=csv,noheader,nounits \
    >/proc/self/fd/4 4<&- 5<&- &
  grid_asked=$! grid_ask_at=$grid_meter_time
}

# Whether one of the jobs has claimed GPUs that their maker's tool knows by a name.
grid_meter_wants_gpus() {
  grid_wanted=1
  for grid_meter_slot in $grid_meter_slots; do
    eval "grid_id=\$grid_m${grid_meter_slot}_id grid_names=\$grid_m${grid_meter_slot}_gpus"
    if [ -z "$grid_names" ] && [ -s "$grid_jobs/$grid_id.gpus" ]; then
      read -r grid_names <"$grid_jobs/$grid_id.gpus"
      eval "grid_m${grid_meter_slot}_gpus=\$grid_names"
    fi
    case $grid_names in *GPU-*) grid_wanted=0 ;; esac
  done
  return $grid_wanted
}

# Sets grid_gpu_use to what all GPUs of the job hold, and how busy they are on average.
grid_meter_of_gpus() {
  eval "grid_names=,\$grid_m${grid_meter_slot}_gpus,"
  [ "$grid_names" != ,, ] || return 0
  grid_sum=0 grid_load=0 grid_loaded=0 grid_gpu_rest=$grid_gpu_lines grid_gpu_memory=- grid_gpu_load=-
  while [ -n "$grid_gpu_rest" ]; do
    grid_line=${grid_gpu_rest%%"
"*}
    grid_gpu_rest=${grid_gpu_rest#*"
"}
    case $grid_names in *,"${grid_line%%,*}",*) ;; *) continue ;; esac
    grid_line=${grid_line#*, }
    grid_a=${grid_line%%,*} grid_c=${grid_line##*, }
    case $grid_a in '' | *[!0-9]*) ;; *) grid_sum=$((grid_sum + grid_a)) grid_gpu_memory=$grid_sum ;; esac
    case $grid_c in
      '' | *[!0-9]*) ;;
      *) grid_load=$((grid_load + grid_c)) grid_loaded=$((grid_loaded + 1)) grid_gpu_load=$((grid_load / grid_loaded)) ;;
    esac
  done
  grid_gpu_use="$grid_gpu_memory $grid_gpu_load"
}
