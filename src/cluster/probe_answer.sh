# shellcheck shell=sh disable=SC2034,SC2154
# grid_probe_answer ROOT SECONDS [BRIEF]: leaves in grid_answer what grid_probe of probe.sh, which it stands behind,
# prints. Runs in the shell that many looks use: it prints nothing, and changes nothing but words of its own.
# BRIEF is "bare" where a moment ago there was neither a GPU nor a problem with one. On such a node often
# nothing is to be told that needs a process: a fork costs several times as much as all the rest of a look.
#
# function: reads -> sets
#   grid_probe_bare: grid_claims_base grid_drain_dir grid_lease_dir grid_load1 grid_unfit -> grid_answer
#       grid_load1 grid_rest
#   grid_probe_answer: - -> grid_answer

grid_probe_bare() {
  # Notes that drain it, leases of earlier versions, claims: a pattern that finds nothing stays as it is.
  set -- "$grid_drain_dir/grid-drain."* "$grid_lease_dir/"*@* "$grid_claims_base"/grid-claims-*/*
  if [ $# != 3 ] || [ -e "$1" ] || [ -e "$2" ] || [ -e "$3" ]; then return 1; fi
  grid_claims_fit
  [ -z "$grid_unfit" ] || return 1
  # A redirection of stderr around it would be seven calls of the kernel.
  [ -r /proc/loadavg ] && read -r grid_load1 grid_rest </proc/loadavg || return 1
  grid_answer="@grid-probe 1
@load $grid_load1
@claims end
@grid-probe end"
}

grid_probe_answer() {
  if [ "${3-}" = bare ] && grid_probe_bare; then return 0; fi
  grid_answer=$(grid_probe "$@" 2>/dev/null </dev/null)
}
