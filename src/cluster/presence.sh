# shellcheck shell=sh disable=SC2154
# Behind claims.sh, claims_read.sh and claim.sh.
#
# function: reads -> sets
#   grid_present: PPID grid_claims grid_fault grid_up -> grid_file grid_runner
#   grid_presence: grid_boot grid_born grid_runner grid_up -> grid_one grid_rest grid_wait

# grid_present OWNER PROJECT PLACE COUNT TTL [WAIT]...: says what this runner has on the node, COUNT pieces of
# work and places in the line; and prints who else is there. A WAIT is what follows "wait" in the file, with
# "-" for a time that is now. Prints "@up SECONDS", the time that it took for that.
grid_present() {
  grid_claims_own || { printf '@claims-fault %s\n' "$grid_fault"; return; }
  grid_claims_now
  grid_file=$grid_claims/run.$1
  if [ "$4" = 0 ] && [ $# = 5 ]; then
    rm -f "$grid_file"
  else
    grid_runner=$PPID
    [ "$grid_runner" -gt 1 ] || grid_runner=$$
    grid_lease_lives "$grid_runner" - || :
    (umask 022 && grid_presence "$@" >"$grid_claims/.run.$1") && mv -f "$grid_claims/.run.$1" "$grid_file"
  fi
  printf '@up %s\n' "$grid_up"
  grid_claims_read all - - no
}

grid_presence() {
  printf 'grid-claim 1\nkind run\npid %s %s -\nboot %s\nseen %s\nttl %s\nowner %s\nproject %s\nplace %s\n' \
    "$grid_runner" "$grid_born" "$grid_boot" "$grid_up" "$5" "$1" "$2" "$3"
  [ "$4" = 0 ] || printf 'placed %s %s\n' "$4" "$grid_up"
  shift 5
  for grid_wait in "$@"; do
    grid_one=${grid_wait%% *} grid_rest=${grid_wait#* }
    [ "${grid_rest%% *}" != - ] || grid_rest="$grid_up ${grid_rest#* }"
    printf 'wait %s %s\n' "$grid_one" "$grid_rest"
  done
}
