# shellcheck shell=sh disable=SC2034
# What every program that writes on a node begins with: functions, and who we are.
#
# Others may write to the folders above ours: a group that shares a workspace, everybody in /scratch. So a
# folder is used only where it is ours: made by us, or owned by us, and no link. Names are made exclusively,
# and hold this host's name and a random word that came with the program: nodes may share a home, and
# containers equal process numbers.
#
# function: reads -> sets
#   (outside): - -> grid_host
#   grid_own: - -> grid_closed grid_fault
#   grid_is_own: - -> -
#   grid_owner: - -> -
#   grid_make_name: grid_host grid_named grid_random -> grid_named grid_new grid_random
#   grid_holds: - -> -
#   grid_start_ticks: - -> grid_ticker
#   grid_stop_ticks: grid_ticker -> grid_ticker
#   grid_take: grid_block -> grid_block

grid_host=-
[ ! -r /proc/sys/kernel/hostname ] || read -r grid_host </proc/sys/kernel/hostname

# grid_own FOLDER MODE: makes it ours, 700 or 755, and what is missing above it. Where it cannot be, 1, and
# grid_fault says so in a sentence. What is ours already, only too open, is closed.
grid_own() {
  grid_fault=
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then
    [ -d "${1%/*}" ] || (umask 022 && mkdir -p "${1%/*}") 2>/dev/null
    # Whoever comes first makes it.
    ! mkdir -m "$2" "$1" 2>/dev/null || return 0
  fi
  if [ -L "$1" ]; then
    grid_fault="\"$1\" is a link, which somebody may have planted: remove it"
  elif [ ! -e "$1" ]; then
    grid_fault="\"$1\" cannot be made: $(LC_ALL=C mkdir -m "$2" "$1" 2>&1 | sed 's/.*: //')"
  elif [ ! -d "$1" ]; then
    grid_fault="\"$1\" is no folder: remove it"
  elif [ ! -O "$1" ]; then
    grid_fault="\"$1\" belongs to $(grid_owner "$1"), who can replace what lies in it: remove it"
  else
    case $2 in 700) grid_closed=700 ;; *) grid_closed=go-w ;; esac
    { chmod "$grid_closed" "$1" 2>/dev/null || ! command -v chmod >/dev/null; } && return 0
    grid_fault="\"$1\" may be open to others: chmod $2 it"
  fi
  return 1
}

# grid_is_own FOLDER: whether it is, as far as a shell can see by itself.
grid_is_own() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]
}

# grid_owner FILE: prints who owns it.
grid_owner() {
  # shellcheck disable=SC2012
  LC_ALL=C ls -ld "$1" 2>/dev/null | { read -r grid_one grid_one grid_one grid_rest && printf '%s' "$grid_one"; }
}

# grid_make_name WORD: sets grid_new to a name that nobody else makes.
grid_make_name() {
  [ -n "${grid_random-}" ] || grid_random=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  grid_named=$((${grid_named:-0} + 1))
  grid_new=$1.$grid_host.$$.$grid_random.$grid_named
}

# grid_holds PID DESCRIPTOR FILE: whether that process lives and has the file open there.
grid_holds() {
  if [ -d /proc/self ]; then
    # shellcheck disable=SC3013
    [ "/proc/$1/fd/$2" -ef "$3" ]
  else
    kill -0 "$1" 2>/dev/null
  fi
}

# grid_start_ticks [FILE]: what takes long says every few seconds that it is still at it; the other side gives up
# on silence. The file is touched then.
grid_start_ticks() {
  (
    # It must not outlive the shell that it speaks for, nor hold its folder, nor its lock.
    cd / || exit
    grid_seconds=0
    while sleep 1 >/dev/null && kill -0 $$; do
      grid_seconds=$((grid_seconds + 1))
      [ $((grid_seconds % 5)) = 0 ] || continue
      [ -z "${1-}" ] || touch -c "$1"
      echo busy
    done
  ) </dev/null 2>/dev/null 9<&- &
  grid_ticker=$!
}

# grid_stop_ticks. KILL: a young subshell of dash still has our trap for TERM, and the signal would be lost.
grid_stop_ticks() {
  [ -z "${grid_ticker-}" ] || kill -9 "$grid_ticker" 2>/dev/null
  [ -z "${grid_ticker-}" ] || wait "$grid_ticker" 2>/dev/null
  grid_ticker=
}

# grid_take BYTES: exactly as many of the input; one at a time where dd knows no better.
grid_take() {
  [ "$1" != 0 ] || return 0
  if [ -z "${grid_block-}" ]; then
    grid_block=1
    ! dd bs=1 count=0 iflag=fullblock </dev/null >/dev/null 2>&1 || grid_block=many
  fi
  if [ "$grid_block" = many ]; then
    dd bs="$1" count=1 iflag=fullblock 2>/dev/null
  else
    dd bs=1 count="$1" 2>/dev/null
  fi
}
