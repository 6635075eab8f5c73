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
#   grid_claims_fit: grid_claims_base grid_euid -> grid_unfit
#   grid_claims_unfit: grid_unfit -> -

# Sets grid_euid, which stays what it is as long as the shell does.
grid_find_euid() {
  grid_euid=
  while read -r grid_key grid_one grid_euid grid_rest; do
    case $grid_key in Uid:) break ;; esac
  done 2>/dev/null </proc/self/status
  [ -n "$grid_euid" ] || grid_euid=$(id -u)
}

# Sets grid_unfit to the reason, or to nothing.
grid_claims_fit() {
  grid_unfit=
  [ -n "${grid_euid-}" ] || grid_find_euid
  set -- "$grid_claims_base/grid-claims-$grid_euid" "$grid_claims_base" "${grid_claims_base%/*}/"
  if [ -e "$1" ] || [ -L "$1" ]; then
    if [ -L "$1" ] || [ ! -d "$1" ] || [ ! -O "$1" ]; then
      grid_unfit="taken $1"
    elif [ ! -w "$1" ] || [ ! -x "$1" ]; then
      grid_unfit="mode $1"
    fi
  elif [ -e "$2" ]; then
    { [ -w "$2" ] && [ -x "$2" ]; } || grid_unfit="base $2"
  else
    { [ -w "$3" ] && [ -x "$3" ]; } || grid_unfit="missing $2"
  fi
}

grid_claims_unfit() {
  grid_claims_fit
  [ -z "$grid_unfit" ] || printf '%s %s\n' "$1" "$grid_unfit"
}
