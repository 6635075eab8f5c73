# Masking what a job prints before it reaches a file on the node. Read together with `job.sh`.
# The filter is the program `mask.pl` or `mask.py`; what it expects and answers is said there.
# Descriptors: 5 and 6 are what the command writes to, 7 is where the filter answers.
#
# function: reads -> sets
#   (outside): grid_program -> grid_mask_patience grid_patterns grid_perl grid_python
#   grid_mask: - -> grid_mask_perl grid_mask_python grid_patterns
#   grid_mask_start: grid_job grid_mask_perl grid_mask_python grid_patterns grid_perl grid_python ->
#       grid_filter grid_patterns
#   grid_mask_end: grid_filter grid_mask_patience -> grid_reader grid_timer
# shellcheck disable=SC2094,SC2154

grid_which perl
grid_perl=$grid_program
grid_which python3
grid_python=$grid_program
# Seconds until a filter that does not answer is no longer waited for.
grid_mask_patience=10
grid_patterns=

# grid_mask PERL PYTHON PATTERNS: the next job's output is masked. Programs as text.
grid_mask() {
  grid_mask_perl=$1 grid_mask_python=$2 grid_patterns=$3
}

# grid_mask_start: the filter starts; what it lets through goes to the job's files.
grid_mask_start() {
  mkfifo -m 600 "$grid_job.mask.out" "$grid_job.mask.err" "$grid_job.mask.say" || return
  # Opened for both directions first, so that no open waits for the other side to come. That
  # descriptor is closed again: as long as somebody may write to a pipe, it has no end.
  exec 0<>"$grid_job.mask.out" 3<"$grid_job.mask.out" 5>"$grid_job.mask.out"
  exec 0<>"$grid_job.mask.err" 4<"$grid_job.mask.err" 6>"$grid_job.mask.err"
  exec 0<>"$grid_job.mask.say" 7<"$grid_job.mask.say" 8>"$grid_job.mask.say" 0</dev/null
  rm -f "$grid_job.mask.out" "$grid_job.mask.err" "$grid_job.mask.say"
  # What is ignored before the fork stays so: a polite signal must not end it while it starts.
  # SIGINT is left ignored, as it is for every shell in the background; bash could not take back
  # that it gave it up.
  trap '' HUP INT TERM
  # echo is part of every shell, so the patterns stand on no command line; hex needs no care. Not a
  # here-document: some shells make a file of it.
  echo "$grid_patterns" | {
    export PERL5OPT='' PERL5LIB='' PERL_UNICODE=0
    if [ -n "$grid_perl" ]; then
      set -- "$grid_perl" -e "$grid_mask_perl"
    else
      set -- "$grid_python" -I -S -c "$grid_mask_python"
    fi
    exec "$@" >&8 5>"$grid_job.out" 6>"$grid_job.err" 7<&- 8>&- 9<&- 2>/dev/null
  } &
  grid_filter=$!
  trap - HUP TERM
  grid_patterns=
  exec 3<&- 4<&- 8>&-
}

# grid_mask_end: the command has ended. Returns once all that it printed lies in the files, whoever
# still holds the pipes: 0 all of it, 1 some of it could not be written, 2 the filter died, above 128
# it did not answer in time.
grid_mask_end() {
  exec 5>&- 6>&-
  sleep "$grid_mask_patience" 7<&- &
  grid_timer=$!
  {
    # Before "ready" the signal would end it.
    ! read -r grid_filter_said || kill -s USR1 "$grid_filter"
    grid_filter_said=gone
    read -r grid_filter_said
    # Of this signal bash has nothing to say, and what it says would count as the command's end. One that has
    # just been forked may overlook a signal, and would run its whole time.
    grid_tries=0
    while kill -s PIPE "$grid_timer" && [ "$grid_tries" -lt 250 ]; do
      grid_tries=$((grid_tries + 1))
      [ "$grid_tries" -lt 150 ] || sleep 0.01 || sleep 1
    done
    case $grid_filter_said in flushed) exit 0 ;; full) exit 1 ;; *) exit 2 ;; esac
  } <&7 2>/dev/null &
  grid_reader=$!
  exec 7<&-
  # Not ended by the reader, it has run out: the reader waits in vain.
  ! wait "$grid_timer" || kill -s PIPE "$grid_reader"
  wait "$grid_reader"
}
