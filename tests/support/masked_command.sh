# A supervisor that runs a command whose output is masked before it reaches a file. Functions only.
# Descriptors: 5 and 6 are what the command writes to, 7 is where the filter answers.
# shellcheck disable=SC2094
grid_timeout=10

# grid_mask_start FOLDER PATTERNS PROGRAM...: the filter starts; its output goes to FOLDER/out and err.
grid_mask_start() {
  grid_dir=$1 grid_patterns=$2
  shift 2
  mkfifo -m 600 "$grid_dir/mask.out" "$grid_dir/mask.err" "$grid_dir/mask.say" || return
  # Opened for both directions first, so that no open waits for the other side to come. That
  # descriptor is closed again: as long as somebody may write to a pipe, it has no end.
  exec 9<>"$grid_dir/mask.out" 3<"$grid_dir/mask.out" 5>"$grid_dir/mask.out"
  exec 9<>"$grid_dir/mask.err" 4<"$grid_dir/mask.err" 6>"$grid_dir/mask.err"
  exec 9<>"$grid_dir/mask.say" 7<"$grid_dir/mask.say" 8>"$grid_dir/mask.say" 9>&-
  rm -f "$grid_dir/mask.out" "$grid_dir/mask.err" "$grid_dir/mask.say"
  # What is ignored before the fork stays so: a polite signal must not end it while it starts.
  # SIGINT is left ignored, as it is for every shell in the background; bash could not take back
  # that it gave it up.
  trap '' HUP INT TERM
  # echo is part of every shell, so the patterns stand on no command line; hex needs no care. Not a
  # here-document: some shells make a file of it.
  echo "$grid_patterns" | {
    export PERL5OPT='' PERL5LIB='' PERL_UNICODE=0
    exec "$@" >&8 5>>"$grid_dir/out" 6>>"$grid_dir/err" 7<&- 8>&- 2>/dev/null
  } &
  grid_filter=$!
  trap - HUP TERM
  grid_patterns=
  exec 3<&- 4<&- 8>&-
}

# grid_mask_end: the command has ended. Returns once all that it printed lies in the files, whoever
# still holds the pipes: 0 all of it, 1 some of it could not be written, 2 the filter died, or 143
# it did not answer in time. The caller's stderr should go nowhere by now: bash says
# "Terminated" of the timer.
grid_mask_end() {
  exec 5>&- 6>&-
  sleep "$grid_timeout" 7<&- &
  grid_timer=$!
  {
    # Before "ready" the signal would end it.
    ! read -r grid_said || kill -s USR1 "$grid_filter"
    grid_said=gone
    read -r grid_said
    kill "$grid_timer"
    case $grid_said in flushed) exit 0 ;; full) exit 1 ;; *) exit 2 ;; esac
  } <&7 &
  grid_reader=$!
  exec 7<&-
  # Not ended by the reader, it has run out: the reader waits in vain.
  ! wait "$grid_timer" || kill "$grid_reader"
  wait "$grid_reader"
}
