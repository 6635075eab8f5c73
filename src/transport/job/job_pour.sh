# What a runner reads becomes the input of a job; see `job_input.sh`. One turn of it: as long as one link lasts.
# Read behind the prelude and $grid_pour_program, which is `pour.pl`. On stdin come four lines: a marker that
# is echoed, the root, the job, the number of the turn; after the answer "at N", which says how many bytes the
# command has been given before, pieces: a line with the size, then the bytes; and "end" behind the last. With
# "at N any" a piece may be of any size; else it waits on the disk.
# Answered is how many bytes the command's pipe has got by now, "end" once that was all, and
#   over        the command has ended, or has got all there is
#   torn        an earlier turn was killed, and nobody knows how far it came
#   room        the disk has none
# Each turn notes in a file of its own, in.N, how far the command is and who gives it its input. The next one,
# which may come before the earlier one has noticed that its link is gone, ends that one before it looks. One
# that comes too late is sent nothing, as its link is gone.
#
# function: reads -> sets
#   (outside): - -> grid_give_piece grid_id grid_marker grid_root grid_turn_number
#   grid_pour: grid_has grid_note_kind grid_pour_program -> PERL5LIB PERL5OPT PERL_UNICODE grid_job grid_jobs
#       grid_one grid_turn_number
#   grid_pour_doze: - -> -
#   grid_note: grid_has grid_job grid_turn_number -> -
#   grid_take_over: grid_job grid_note_kind grid_pid grid_turn_number -> grid_before grid_has grid_note_kind
#       grid_tries grid_turn_file
#   grid_read_note: - -> grid_has grid_note_kind grid_pid
#   grid_pour_pieces: grid_give_piece grid_has grid_job grid_new grid_turn_number -> grid_after grid_bytes
#       grid_has
# shellcheck disable=SC2094,SC2154

# grid_pour ROOT ID TURN
grid_pour() {
  umask 077
  grid_jobs=$1/.grid/jobs grid_job=$1/.grid/jobs/$2 grid_turn_number=$3
  if ! grid_is_own "$grid_jobs"; then
    echo over
    return
  fi
  # Until then nobody reads from the pipe.
  until [ -e "$grid_job.in.0" ]; do
    if [ ! -p "$grid_job.bell" ]; then
      echo over
      return
    fi
    grid_pour_doze
  done
  if ! (set -C && printf 'N %-20s %s\n' 0 "$$" >"$grid_job.in.$3") 2>/dev/null; then
    echo room
    return
  fi
  exec 9<>"$grid_job.in.$3"
  for grid_one in "$grid_job".in.[0-9]*; do
    [ "${grid_one##*.in.}" -le "$3" ] || return 0
  done
  grid_take_over || return 0
  case $grid_note_kind in
    W) echo torn ;;
    E) echo over ;;
    *)
      grid_note D
      if perl -MFcntl -e 1 2>/dev/null; then
        echo "at $grid_has any"
        export PERL5OPT='' PERL5LIB='' PERL_UNICODE=0
        exec perl -e "$grid_pour_program" "$grid_job" "$grid_has"
      fi
      echo "at $grid_has"
      grid_pour_pieces
      ;;
  esac
}

grid_pour_doze() {
  sleep 0.02 2>/dev/null || sleep 1
}

# grid_note KIND: as in pour.pl. Written over in place, which needs no room on a full disk.
grid_note() {
  printf '%s %-20s %s\n' "$1" "$grid_has" "$$" 1<>"$grid_job.in.$grid_turn_number"
}

# grid_take_over: ends the turn before, and sets grid_note_kind and grid_has to how far it came; 1: the job is over.
grid_take_over() {
  grid_before=$grid_turn_number
  while [ "$grid_before" -gt 1 ]; do
    grid_before=$((grid_before - 1))
    grid_turn_file=$grid_job.in.$grid_before
    grid_read_note "$grid_turn_file"
    case $grid_note_kind in N | '') continue ;; esac
    # Its words may be on their way to the command, and who writes them about to be noted.
    grid_tries=50
    while grid_holds "$grid_pid" 9 "$grid_turn_file" || { [ "$grid_note_kind" = W ] && [ "$grid_tries" -gt 0 ]; }; do
      [ -p "$grid_job.bell" ] || return
      # Without /proc nobody knows whose number it is by now.
      [ ! -d /proc/self ] || ! grid_holds "$grid_pid" 9 "$grid_turn_file" || kill "$grid_pid" 2>/dev/null
      grid_pour_doze
      grid_tries=$((grid_tries - 1))
      grid_read_note "$grid_turn_file"
    done
    grid_read_note "$grid_turn_file"
    return
  done
  grid_note_kind=D grid_has=0
}

# grid_read_note FILE
grid_read_note() {
  grid_note_kind='' grid_has=0 grid_pid=-
  [ ! -s "$1" ] || read -r grid_note_kind grid_has grid_pid <"$1"
}

# grid_pour_pieces: what pour.pl does, for a node without perl: each piece through a file, for a shell cannot
# say how much of a write a signal left undone.
grid_pour_pieces() {
  # Opened for both directions first, so that this open waits for nobody.
  exec 6<>"$grid_job.in" 8>"$grid_job.in"
  exec 6<&-
  grid_make_name "$grid_job.in.new"
  while read -r grid_bytes; do
    if [ "$grid_bytes" = end ]; then
      echo end 1<>"$grid_job.bell"
      grid_note E
      echo end
      break
    fi
    grid_take "$grid_bytes" >"$grid_new"
    if [ "$(($(wc -c <"$grid_new")))" != "$grid_bytes" ]; then
      # The disk is full; or the link is gone, and nobody hears of it.
      echo room
      break
    fi
    grid_note W
    grid_after=$((grid_has + grid_bytes))
    sh -c "$grid_give_piece" grid "$grid_job.in.$grid_turn_number" "$grid_new" "$grid_has" "$grid_after"
    case $? in
      0) echo "$grid_after" ;;
      1)
        echo over
        break
        ;;
      *)
        echo torn
        break
        ;;
    esac
    grid_has=$grid_after
  done
  rm -f "$grid_new"
}

# Told to leave in the midst of a piece, the shell above does; this goes on to the piece's end, and is waited
# for. Words: the turn's file, the piece, how far the command is before and after it.
# shellcheck disable=SC2016
grid_give_piece='trap "" HUP INT TERM PIPE
note() { printf "%s %-20s %s\n" "$1" "$2" "$$" 1<>"$grid_turn_file"; }
grid_turn_file=$1
note W "$3"
cat "$2" >&8 2>/dev/null
grid_code=$?
[ "$grid_code" -le 128 ] || exit 2
[ "$grid_code" = 0 ] || { note D "$3"; exit 1; }
note D "$4"'

read -r grid_marker
read -r grid_root
read -r grid_id
read -r grid_turn_number
echo "$grid_marker"
grid_pour "$grid_root" "$grid_id" "$grid_turn_number"
