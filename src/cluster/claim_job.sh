# shellcheck shell=sh disable=SC2034,SC2154
# Read by the shell of a job before the job's own script, behind claims.sh, claims_read.sh and claim.sh:
# claims GPUs for as long as anything of the job lives. Set by the caller: grid_words (see claim.sh), and
# grid_wish, "<count> <group> <share> <key>=<index>=<name>..." with the best GPU first; the name is what the
# maker's runtime knows it by.
#
# function: reads -> sets
#   (outside): GRID_OUTPUT grid_indices grid_names grid_wish -> CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES
#       GRID_GPUS HIP_VISIBLE_DEVICES grid_claimed grid_fault grid_keeper
#   grid_keep: GRID_JOB PATH grid_file grid_keeper -> grid_apart grid_pipe
#   grid_claim_gpus: GRID_JOB grid_claims -> grid_wish_count grid_wish_group grid_wish_share

# The file goes with the job's last process, whatever becomes of the shell, the launcher and the runner:
# this waits until the last one is gone that has the pipe, and then for those that closed it, or left the
# session, and still carry the job's mark. It is no process of the job, and in a session of its own.
# Arguments: claim, job, leader, the pipe.
# shellcheck disable=SC2016
grid_keeper='
  trap "" HUP INT TERM
  rm -f "$4"
  stat=
  if read -r stat 2>/dev/null </proc/$$/stat; then :; fi
  born() { [ $# -lt 22 ] || { shift 21 && echo "$1"; }; }
  echo "keeper $$ $(born $stat)" >>"$1"
  IFS= read -r line
  exec </dev/null
  case $(printf "a\0b" | grep -czxF b 2>/dev/null) in 1) marks=yes ;; *) marks= ;; esac
  is_left() {
    if [ -n "$marks" ]; then
      case $(grep -lszxF "GRID_JOB=$2" /proc/[0-9]*/environ 2>/dev/null) in ?*) return 0 ;; esac
    else
      for file in $(grep -lsF "GRID_JOB=$2" /proc/[0-9]*/environ 2>/dev/null); do
        case $(tr "\0" "\n" <"$file" 2>/dev/null | grep -xF "GRID_JOB=$2") in ?*) return 0 ;; esac
      done
    fi
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v leader="$3" "
      { while ((at = index(\$0, \")\")) > 0) \$0 = substr(\$0, at + 1) }
      \$4 == leader && \$1 !~ /^[ZX]/ { found = 1 }
      END { exit !found }"
  }
  while is_left "$@"; do sleep 0.5 2>/dev/null || sleep 1; done
  rm -f "$1"'

grid_keep() {
  grid_pipe=${grid_file%/*}/.pipe.$GRID_JOB
  rm -f "$grid_pipe"
  # Without the pipe it looks from the beginning.
  if mkfifo -m 600 "$grid_pipe" 2>/dev/null; then exec 8<>"$grid_pipe"; else grid_pipe=/dev/null; fi
  grid_apart=
  ! command -v setsid >/dev/null 2>&1 || grid_apart=setsid
  (
    # shellcheck disable=SC2086,SC2094
    exec $grid_apart env -i "PATH=$PATH" sh -c "$grid_keeper" grid-keeper "$grid_file" "$GRID_JOB" "$$" \
      "$grid_pipe" <"$grid_pipe" >/dev/null 2>&1 8>&- &
  )
}

grid_claim_gpus() { # COUNT GROUP SHARE KEY=INDEX=NAME...
  grid_claims_own || return 2
  grid_wish_count=$1 grid_wish_group=$2 grid_wish_share=$3
  shift 3
  grid_take_gpus job $$ "$grid_claims/gpu.$GRID_JOB" "$grid_wish_count" "$grid_wish_group" "$grid_wish_share" "$@"
}

grid_fault='cannot write its claim'
# shellcheck disable=SC2086
if grid_claim_gpus $grid_wish; then
  grid_claimed=0
else
  grid_claimed=$?
fi
if [ "$grid_claimed" = 0 ]; then
  grid_keep
  # nvidia-smi counts by bus; CUDA by speed, unless told.
  export GRID_GPUS="$grid_indices" CUDA_DEVICE_ORDER=PCI_BUS_ID
  # HIP reads the one, then the other, and some programs refuse lists that differ.
  export CUDA_VISIBLE_DEVICES="$grid_names" HIP_VISIBLE_DEVICES="$grid_names"
  # These filter below and renumber: what an account's start-up files say must not shift the list.
  unset ROCR_VISIBLE_DEVICES GPU_DEVICE_ORDINAL
  # For whoever measures what the job uses.
  { echo "$grid_names" >"${GRID_OUTPUT%.output}.gpus"; } 2>/dev/null || :
elif [ "$grid_claimed" = 2 ]; then
  echo "grid: no claim: $grid_fault" >"$GRID_OUTPUT"
  exit 75
else
  # The words tell this end from one of the job's script, which may choose any code.
  echo 'grid: no gpu' >"$GRID_OUTPUT"
  exit 75
fi
unset grid_wish grid_words grid_wish_count grid_wish_group grid_wish_share grid_claims_program grid_keeper \
  grid_lease_dir grid_claims_base grid_claims grid_claimed grid_stat_line grid_born grid_session grid_wanted grid_rest grid_pid \
  grid_born_then grid_of grid_up grid_boot grid_euid grid_one grid_two grid_fault grid_claim_kind grid_owner_pid \
  grid_file grid_fresh grid_count grid_group grid_share grid_tries grid_taken grid_keys grid_key grid_indices \
  grid_names grid_held grid_pair grid_others grid_meets grid_other grid_pipe grid_apart grid_limit grid_dir \
  grid_most
unset -f grid_lease_read grid_lease_lives grid_claims_now grid_claims_list grid_claims_read grid_claims_own \
  grid_claims_usable grid_claims_whose grid_claim_text grid_take_gpus grid_see_others grid_put_claim grid_is_leased grid_keep \
  grid_claim_gpus
