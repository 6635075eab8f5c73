# shellcheck shell=sh disable=SC2034
# What every program that writes on a node begins with: functions, and who we are.
#
# Others may write to the folders above ours: a group that shares a workspace, everybody in /scratch. So a
# folder is used only where it is ours: made by us, or owned by us, and no link. Names are made exclusively,
# and hold this host's name and a random word that came with the program: nodes may share a home, and
# containers equal process numbers.

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

# grid_name WORD: sets grid_new to a name that nobody else makes.
grid_name() {
  [ -n "${grid_random-}" ] || grid_random=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  grid_named=$((${grid_named:-0} + 1))
  grid_new=$1.$grid_host.$$.$grid_random.$grid_named
}
