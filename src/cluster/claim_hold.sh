# shellcheck shell=sh disable=SC2154
# Run behind claims.sh, claims_read.sh and claim.sh: claims GPUs on behalf of a runner, for as long as its
# connection lives and it renews the claim. Set by the caller: grid_words, grid_claim_name, grid_wish ("<count>
# <group> <share> <key>=<index>=<name>..."). Prints "held <index>,<index>", "taken", or "fault <words>".
#
# function: reads -> sets
#   (outside): grid_wish -> -
#   grid_claim_hold: PPID grid_claim_name grid_claims grid_fault grid_indices -> grid_fault grid_runner
#       grid_wish_count grid_wish_group grid_wish_share
grid_claim_hold() { # COUNT GROUP SHARE KEY=INDEX=NAME...
  grid_claims_own || { printf 'fault %s\n' "$grid_fault"; return; }
  # What ends with the connection; a shell may end before, when a command took too long.
  grid_runner=$PPID
  [ "$grid_runner" -gt 1 ] || grid_runner=$$
  grid_wish_count=$1 grid_wish_group=$2 grid_wish_share=$3
  shift 3
  grid_fault="cannot write to $grid_claims: is the disk full?"
  grid_take_gpus hold "$grid_runner" "$grid_claims/gpu.$grid_claim_name" "$grid_wish_count" "$grid_wish_group" \
    "$grid_wish_share" "$@"
  case $? in
    0) printf 'held %s\n' "$grid_indices" ;;
    1) echo taken ;;
    *) printf 'fault %s\n' "$grid_fault" ;;
  esac
}
# shellcheck disable=SC2086
grid_claim_hold $grid_wish
