# The standard input of a job whose runner has one to give. Read together with `job.sh`, whose words it uses.
# `job_pour.sh`, which the runner talks to, puts the bytes into files of the job; from there they go to the
# command through a pipe, each file once:
#   in.N        bytes that are still to be read, N from 0
#   in.at       the number of the file that was handed on last
#   in.end      how many files there are
#   bell        a pipe: a line for each new file; in.over once the command has ended
# Files, and not the channel itself: the runner may lose its link in the midst of a file, and the command
# must neither miss a byte nor get one twice.
# shellcheck disable=SC2034,SC2094,SC2154

grid_input=

# grid_take_input: the next job gets one.
grid_take_input() {
  grid_input=1
}

# grid_input_start: from here on the standard input of this shell, which the command inherits, is the pipe.
# As long as descriptor 3 is open, the bell has no end.
grid_input_start() {
  # Opened for both directions first, so that no open waits for the other side to come.
  exec 3<>"$grid_job.in" 0<"$grid_job.in" 4>"$grid_job.in"
  exec 3<>"$grid_job.bell" 8<"$grid_job.bell"
  rm -f "$grid_job.in"
  # By exec: for a function alone, dash and busybox would keep copies of what is closed.
  { exec <&8 >&4 3>&- 4>&- 5>&- 6>&- 7<&- 8<&- 9<&- 2>/dev/null && grid_feed; } &
  grid_fed=$!
  exec 4>&- 8<&-
}

# grid_feed: from files to the pipe, in order.
grid_feed() {
  grid_part=0
  while :; do
    if [ -e "$grid_job.in.$grid_part" ]; then
      cat "$grid_job.in.$grid_part" || return
      # Its room is free, and its number known, in one step.
      echo "$grid_part" >"$grid_job.in.$grid_part"
      mv -f "$grid_job.in.$grid_part" "$grid_job.in.at"
      grid_part=$((grid_part + 1))
    elif [ -e "$grid_job.in.end" ] && read -r grid_parts <"$grid_job.in.end" &&
      [ "$grid_part" -ge "$grid_parts" ]; then
      return
    else
      read -r grid_line || return
    fi
  done
}

# grid_input_end: the command has ended; nobody is to wait for it.
grid_input_end() {
  exec 0</dev/null 3>&-
  mv -f "$grid_job.bell" "$grid_job.in.over"
  grid_end_helpers "$grid_fed" && grid_bury "$grid_fed"
}
