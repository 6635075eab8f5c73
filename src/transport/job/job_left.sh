# What jobs left running when they ended. Read only where a look at all processes has found some, after
# the scripts whose words it uses.
#
# function: reads -> sets
#   grid_left: grid_snapshot grid_state -> grid_marked grid_one grid_root
#   grid_is_named: - -> grid_pattern grid_which_job
#   grid_command_line: - -> grid_line
# shellcheck disable=SC2086,SC2154

# grid_left ROOT WORD...: per process of a job that has ended a line: job and command. A WORD is the name
# of a job, or the beginning of many where it ends in "*".
grid_left() {
  exec 2>/dev/null
  grid_root=$1
  shift
  grid_scan
  # The words are patterns, but not of files.
  set -f
  grid_marked=$(printf '%s\n' "$grid_snapshot" | sed -n 's|^/proc/[0-9]*/environ:GRID_JOB=||p')
  for grid_one in $(printf '%s\n' $grid_marked "$@" | sort -u); do
    grid_is_named "$grid_one" "$@" || continue
    grid_open "$grid_root" "$grid_one"
    grid_look
    case $grid_state in running | starting) continue ;; esac
    ! grid_is_elsewhere || continue
    grid_find - | while read -r grid_member grid_member_name; do
      printf '%s %s\n' "$grid_one" "$(grid_command_line "${grid_member%:*}" "${grid_member_name#* }")"
    done
  done
}

# grid_is_named JOB WORD...
grid_is_named() {
  case $1 in *[!A-Za-z0-9._-]*) return 1 ;; esac
  grid_which_job=$1
  shift
  for grid_pattern; do
    # shellcheck disable=SC2254
    case $grid_which_job in $grid_pattern) return 0 ;; esac
  done
  return 1
}

# grid_command_line PID NAME: its command line; the name where that is Grid's own.
grid_command_line() {
  grid_line=$(tr '\0\n' '  ' <"/proc/$1/cmdline" | cut -c 1-300)
  case $grid_line in '' | *GRID_SCRIPT*) grid_line=$2 ;; esac
  printf '%s' "${grid_line% }"
}
