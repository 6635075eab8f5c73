# shellcheck shell=sh disable=SC2034,SC2154
# Read in a subshell of a job's shell before the job's own script, behind claims.sh and claim.sh: says that
# the job is there. It needs nothing of the node, so it does not matter where that cannot be said.
#
# function: reads -> sets
#   (outside): GRID_JOB grid_claims -> -
grid_claims_own && umask 022 && grid_claim_text job $$ - >"$grid_claims/job.$GRID_JOB"
