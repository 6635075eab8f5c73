# shellcheck shell=sh disable=SC2154
# Run in a subshell of a job's shell, behind claims.sh and claims_read.sh: prints what the job may see of the
# node's GPUs, where somebody holds any of them. Set by the caller: grid_shown, "<key>=<name>...", and
# grid_group, whose claims are no reason.
#
# function: reads -> sets
#   (outside): grid_born_then grid_group grid_lease_dir grid_pid grid_shown -> grid_busy grid_is_any grid_key
#       grid_other grid_others grid_pair grid_seen
grid_others=$(grid_claims_read busy - "$grid_group" no)
grid_is_any='' grid_seen=''
for grid_pair in $grid_shown; do
  grid_busy=
  # Which ones they hold nobody can tell.
  case $grid_others in *'crowded /'*) grid_busy=1 ;; esac
  for grid_key in $grid_others; do [ "$grid_key" != "${grid_pair%%=*}" ] || grid_busy=1; done
  for grid_other in "$grid_lease_dir/${grid_pair%%=*}@"*; do
    if [ ! -f "$grid_other" ] || [ ! -s "$grid_other" ]; then continue; fi
    grid_lease_read "$grid_other"
    ! grid_lease_lives "$grid_pid" "$grid_born_then" || grid_busy=1
  done
  if [ -n "$grid_busy" ]; then grid_is_any=1; else grid_seen=$grid_seen${grid_seen:+,}${grid_pair#*=}; fi
done
[ -z "$grid_is_any" ] || echo "=$grid_seen"
