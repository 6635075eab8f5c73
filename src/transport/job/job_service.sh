# Services: jobs that are meant to stay. Read after the scripts whose words it uses.
# A service is a job with a file "service" that says in one line of JSON what its runner knew of it.
#
# function: reads -> sets
#   grid_services: GRID_LEASE_DIR grid_id grid_job grid_started grid_state -> grid_claims grid_path
#   grid_service_gpus: grid_claims grid_id -> grid_answer grid_claim_file
#   grid_listeners: - -> -
#   grid_port: - -> grid_number grid_tries
#   grid_port_state: - -> grid_answer grid_inode grid_pid
#   grid_serving: - -> grid_answer
#   grid_address: - -> grid_answer
# shellcheck disable=SC2154

# grid_services ROOT WORD: per service, or for the one job WORD, a line: job, state, start in ms, the GPUs
# that it holds or "-", and what it says; and what grid_births says.
grid_services() {
  exec 2>/dev/null
  grid_is_own "$1/.grid/jobs" || return 0
  grid_claims=${GRID_LEASE_DIR:-/tmp}/grid-claims-$(id -u)
  for grid_path in "$1"/.grid/jobs/*.service; do
    [ -f "$grid_path" ] || continue
    grid_path=${grid_path%.service}
    grid_open "$1" "${grid_path##*/}"
    [ -z "$2" ] || [ "$grid_id" = "$2" ] || continue
    grid_look
    case $grid_state in gone) continue ;; esac
    ! grid_is_elsewhere || continue
    printf '%s\t%s\t%s\t%s\t%s\n' "$grid_id" "$grid_state" "$grid_started" "$(grid_service_gpus)" \
      "$(head -c 8192 "$grid_job.service" | tr '\n\t' '  ')"
  done
  grid_births "$1/.grid/jobs"
}

# What it claims, with commas.
grid_service_gpus() {
  grid_claim_file=$grid_claims/gpu.$grid_id
  [ -f "$grid_claim_file" ] || { echo -; return; }
  grid_answer=$(sed -n 's/^gpus //p' "$grid_claim_file" | tr -d '\t' | head -n 1)
  echo "${grid_answer:--}"
}

# grid_listeners PORT: a line per socket that listens there: its address as the kernel writes it, and its
# inode.
grid_listeners() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$(printf %04X "$1")" '
    $4 == "0A" { split($2, at, ":"); if (at[2] == port) print at[1], $10 }'
}

# grid_port NUMBER|auto: "free NUMBER", or "taken NUMBER PID COMMAND", "-" where nobody says whose it is.
grid_port() {
  if [ "$1" != auto ]; then
    grid_port_state "$1"
    return
  fi
  # Below what the kernel gives to outgoing connections.
  grid_tries=0
  while [ "$grid_tries" -lt 64 ]; do
    grid_tries=$((grid_tries + 1))
    grid_number=$(od -An -N2 -tu2 /dev/urandom)
    grid_number=$((20000 + grid_number % 12000))
    [ -z "$(grid_listeners "$grid_number")" ] || continue
    echo "free $grid_number"
    return
  done
  echo 'taken auto - -'
}

grid_port_state() {
  grid_answer=$(grid_listeners "$1")
  if [ -z "$grid_answer" ]; then
    echo "free $1"
    return
  fi
  grid_inode=${grid_answer%%"
"*}
  grid_inode=${grid_inode##* }
  # One look at all that we may see.
  # shellcheck disable=SC2012
  grid_pid=$(LC_ALL=C ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v socket="socket:[$grid_inode]" '
    /^\/proc\// { split($0, path, "/"); pid = path[3] }
    $NF == socket { print pid; exit }')
  if [ -z "$grid_pid" ]; then
    echo "taken $1 - -"
  else
    echo "taken $1 $grid_pid $(tr '\0\n' '  ' <"/proc/$grid_pid/cmdline" | cut -c 1-120)"
  fi
}

# grid_serving PORT: "none"; "loopback" where only this machine reaches it, or "any ADDRESS", by which
# others do; "unknown" where nobody can tell.
grid_serving() {
  [ -r /proc/net/tcp ] || { echo unknown; return; }
  grid_answer=$(grid_listeners "$1")
  [ -n "$grid_answer" ] || { echo none; return; }
  case $(printf '%s\n' "$grid_answer" | sed 's/ .*//' |
    grep -v -e '^......7F$' -e '^0\{24\}01000000$' -e 'FFFF0000......7F$') in
    '') echo loopback ;;
    *) echo "any $(grid_address)" ;;
  esac
}

# By which others reach this machine.
grid_address() {
  grid_answer=$(ip -o route get 1.1.1.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
  [ -n "$grid_answer" ] || grid_answer=$(hostname -I 2>/dev/null | sed 's/ .*//')
  printf '%s' "${grid_answer:--}"
}
