# The standard input of a job whose runner has one to give. Read together with `job.sh`, whose words it uses.
# `job_pour.sh`, which the runner talks to, writes the bytes into a pipe that the command reads from:
#   in          the pipe
#   in.0        it is open to be read
#   in.N        how far the command is, as the Nth link that brought some has left it
#   bell        a pipe: the line "end" once there is no more; in.over once the command has ended
# The runner may lose its link at any moment, and the command must neither miss a byte nor get one twice. So
# whoever brings them notes how many the pipe has got; a process here, which needs no link, keeps it open.
#
# function: reads -> sets
#   (outside): - -> grid_input
#   grid_take_input: - -> grid_input
#   grid_input_start: grid_job -> grid_opener
#   grid_keep_open: - -> grid_line
#   grid_input_end: grid_job grid_opener -> -
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
  # By exec: for a function alone, dash and busybox would keep copies of what is closed.
  { exec <&8 3>&- 5>&- 6>&- 7<&- 8<&- 9<&- >/dev/null 2>&1 && grid_keep_open; } &
  grid_opener=$!
  exec 4>&- 8<&-
  : >"$grid_job.in.0"
}

# grid_keep_open: the pipe, on descriptor 4.
grid_keep_open() {
  while read -r grid_line; do
    [ "$grid_line" != end ] || return
  done
}

# grid_input_end: the command has ended; nobody is to wait for it.
grid_input_end() {
  exec 0</dev/null 3>&-
  mv -f "$grid_job.bell" "$grid_job.in.over"
  grid_end_helpers "$grid_opener" && grid_bury "$grid_opener"
}
