# shellcheck shell=sh disable=SC2034,SC2154
# Making claims; behind claims.sh, and claims_read.sh where GPUs are claimed.
#
# function: reads -> sets
#   grid_claims_own: grid_claims_base -> grid_claims grid_euid grid_fault grid_key grid_one grid_rest
#   grid_claims_usable: grid_claims -> -
#   grid_claims_whose: - -> -
#   grid_claim_text: grid_boot grid_born grid_session grid_up grid_words -> grid_session
#   grid_take_gpus: - -> grid_claim_kind grid_count grid_fault grid_file grid_group grid_held grid_indices
#       grid_key grid_keys grid_meets grid_names grid_others grid_owner_pid grid_pair grid_share grid_taken
#       grid_tries
#   grid_see_others: grid_others grid_taken -> grid_taken
#   grid_put_claim: grid_claim_kind grid_file grid_keys grid_owner_pid -> grid_fresh
#   grid_is_leased: grid_born_then grid_lease_dir grid_pid -> grid_other

# Sets grid_claims to the folder of this account, which it makes where it is missing. Where it cannot be
# had: 1, and grid_fault says why and what to do.
grid_claims_own() {
  grid_euid=
  while read -r grid_key grid_one grid_euid grid_rest; do
    case $grid_key in Uid:) break ;; esac
  done 2>/dev/null </proc/self/status
  [ -n "$grid_euid" ] || grid_euid=$(id -u)
  grid_claims=$grid_claims_base/grid-claims-$grid_euid
  if grid_claims_usable; then return; fi
  [ -d "$grid_claims_base" ] || mkdir -m 1777 "$grid_claims_base" 2>/dev/null || :
  ! mkdir -m 755 "$grid_claims" 2>/dev/null || return 0
  # Another of this account may have made it in between.
  if grid_claims_usable; then return; fi
  if [ -e "$grid_claims" ] || [ -L "$grid_claims" ]; then
    grid_fault="$grid_claims belongs to somebody else ($(grid_claims_whose "$grid_claims")): have it removed"
    [ ! -O "$grid_claims" ] || grid_fault="cannot write to $grid_claims ($(grid_claims_whose "$grid_claims")): chmod 755 it"
  else
    grid_fault="cannot write to $grid_claims_base ($(grid_claims_whose "$grid_claims_base")): its owner must chmod 1777 it, or set GRID_LEASE_DIR to a folder that all accounts of the machine may write to"
  fi
  return 1
}

grid_claims_usable() {
  [ -d "$grid_claims" ] && [ ! -L "$grid_claims" ] && [ -O "$grid_claims" ] && [ -w "$grid_claims" ]
}

grid_claims_whose() {
  # shellcheck disable=SC2012
  LC_ALL=C ls -ld "$1" 2>/dev/null | {
    if read -r grid_one grid_two grid_of grid_rest; then
      printf 'owner %s, mode %s' "$grid_of" "$grid_one"
    else
      printf 'it is not there'
    fi
  }
}

# grid_claim_text KIND PID GPUS, with grid_words: LASTS RUN STEP PROJECT OWNER GROUP SHARE TTL PLACE.
grid_claim_text() {
  grid_claims_now
  grid_lease_lives "$2" - || :
  # What a runner holds does not live on in what else it has started.
  [ "$grid_session $1" = "$2 job" ] || grid_session=-
  # shellcheck disable=SC2086
  set -- "$@" $grid_words
  printf 'grid-claim 1\nkind %s\npid %s %s %s\nboot %s\nup %s\n' "$1" "$2" "$grid_born" "$grid_session" \
    "$grid_boot" "$grid_up"
  printf 'lasts %s\nrun %s\nstep %s\nproject %s\nowner %s\ngroup %s\nshare %s\n' "$4" "$5" "$6" "$7" "$8" "$9" "${10}"
  [ "${11}" = - ] || printf 'seen %s\nttl %s\n' "$grid_up" "${11}"
  printf 'place %s\n' "${12}"
  [ "$3" = - ] || printf 'gpus %s\n' "$3"
}

# grid_take_gpus KIND PID FILE COUNT GROUP SHARE KEY=INDEX=NAME...: claims COUNT of these GPUs, the first that can
# be had, and sets grid_indices and grid_names. 1 where others hold them; 2 where it cannot be written, or grid_fault
# says what else keeps it from knowing.
#
# The file appears with all its words at once; then it looks for others. Of two who do so at the same time at
# least one sees the other and withdraws; both may, and try again a moment later.
grid_take_gpus() {
  grid_claim_kind=$1 grid_owner_pid=$2 grid_file=$3 grid_count=$4 grid_group=$5 grid_share=$6
  shift 6
  grid_tries=0 grid_taken=' '
  while [ "$grid_tries" -lt 20 ]; do
    grid_tries=$((grid_tries + 1))
    grid_keys='' grid_indices='' grid_names='' grid_held=0
    for grid_pair in "$@"; do
      grid_key=${grid_pair%%=*}
      [ "$grid_held" -lt "$grid_count" ] || break
      case $grid_taken in *" $grid_key "*) continue ;; esac
      ! grid_is_leased "$grid_key" || continue
      grid_held=$((grid_held + 1))
      grid_keys=$grid_keys${grid_keys:+,}$grid_key
      grid_names=$grid_names${grid_names:+,}${grid_pair##*=}
      grid_pair=${grid_pair#*=}
      grid_indices=$grid_indices${grid_indices:+,}${grid_pair%=*}
    done
    if [ "$grid_held" -lt "$grid_count" ]; then
      # Who only tries may let go of it.
      case $grid_taken in *" ? "*) ;; *) return 1 ;; esac
    else
      grid_put_claim || return 2
      grid_taken=' '
      grid_others=$(grid_claims_read busy "$grid_file" "$grid_group" "$grid_share")
      case $grid_others in
        end | *'
end') ;;
        *'crowded /'*)
          rm -f "$grid_file"
          grid_fault="${grid_others##*crowded } holds more claims than can be read: its owner must remove what has ended"
          return 2
          ;;
        *) rm -f "$grid_file"; return 2 ;;
      esac
      grid_see_others
      grid_meets=
      # shellcheck disable=SC2086
      for grid_key in $(IFS=,; printf '%s ' $grid_keys); do
        case $grid_taken in *" $grid_key "*) grid_meets=1 ;; esac
        ! grid_is_leased "$grid_key" || grid_meets=1
      done
      if [ -z "$grid_meets" ]; then
        echo held >>"$grid_file"
        return 0
      fi
      rm -f "$grid_file"
      case $grid_taken in *" ? "*) ;; *) continue ;; esac
    fi
    # Differs between processes and between tries, so that they do not meet again and again.
    sleep "0.$((($$ * 7 + grid_tries * 13) % 20 + 10))" 2>/dev/null || sleep 1
    grid_taken=' '
  done
  return 1
}

# Adds to grid_taken, with a "?" where anything of it is only tried.
grid_see_others() {
  # shellcheck disable=SC2086
  set -- $grid_others
  while [ $# -gt 1 ]; do
    grid_taken="$grid_taken$2 "
    [ "$1" = held ] || grid_taken="$grid_taken? "
    shift 2
  done
}

grid_put_claim() {
  # What others may write to counts for nobody: somebody may have opened all of /tmp.
  chmod go-w "${grid_file%/*}" 2>/dev/null || return
  grid_fresh=${grid_file%/*}/.${grid_file##*/}
  (umask 022 && grid_claim_text "$grid_claim_kind" "$grid_owner_pid" "$grid_keys" >"$grid_fresh") 2>/dev/null &&
    mv -f "$grid_fresh" "$grid_file" 2>/dev/null
}

# Whether a Grid of an earlier version holds it.
grid_is_leased() {
  for grid_other in "$grid_lease_dir/$1@"*; do
    if [ ! -f "$grid_other" ] || [ ! -s "$grid_other" ]; then continue; fi
    grid_lease_read "$grid_other"
    ! grid_lease_lives "$grid_pid" "$grid_born_then" || return 0
  done
  return 1
}
