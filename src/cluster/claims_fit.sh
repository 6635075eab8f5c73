# shellcheck shell=sh disable=SC2034,SC2154
# Behind claims.sh. grid_claims_unfit PREFIX: prints why this account could not keep claims here, behind the
# prefix, as "<what> <path>"; nothing where it can. Makes nothing: whoever claims first makes the folder.
#   taken     what lies there is not this account's folder
#   mode      this account may not write to its own folder
#   base      it may not make a folder in this one
#   missing   the folder for the folders of all accounts is not there, and it may not make it
#
# function: reads -> sets
#   grid_find_euid: - -> grid_euid grid_key grid_one grid_rest
#   grid_claims_unfit: grid_claims_base grid_euid -> -

# Sets grid_euid, which stays what it is as long as the shell does.
grid_find_euid() {
  grid_euid=
  while read -r grid_key grid_one grid_euid grid_rest; do
    case $grid_key in Uid:) break ;; esac
  done 2>/dev/null </proc/self/status
  [ -n "$grid_euid" ] || grid_euid=$(id -u)
}

grid_claims_unfit() {
  [ -n "${grid_euid-}" ] || grid_find_euid
  set -- "$1" "$grid_claims_base/grid-claims-$grid_euid" "$grid_claims_base" "${grid_claims_base%/*}/"
  if [ -e "$2" ] || [ -L "$2" ]; then
    if [ -L "$2" ] || [ ! -d "$2" ] || [ ! -O "$2" ]; then
      printf '%s taken %s\n' "$1" "$2"
    elif [ ! -w "$2" ] || [ ! -x "$2" ]; then
      printf '%s mode %s\n' "$1" "$2"
    fi
  elif [ -e "$3" ]; then
    { [ -w "$3" ] && [ -x "$3" ]; } || printf '%s base %s\n' "$1" "$3"
  else
    { [ -w "$4" ] && [ -x "$4" ]; } || printf '%s missing %s\n' "$1" "$3"
  fi
}
