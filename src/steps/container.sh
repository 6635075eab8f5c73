# shellcheck shell=sh disable=SC2154
# Runs the command of a job in a container: read by the job's own shell, behind what the node prepares. Set by
# the caller: grid_engines (those to choose from), grid_image, grid_gpus (auto, all or none), grid_user (empty:
# the account), grid_grace (seconds), grid_again (how often to try where an earlier start of this job may have left
# a container), grid_mark (the file that $GRID_OUTPUT names), grid_hidden (names of
# secrets), grid_boot (shell text that starts the command inside); then grid_container_words, a function that calls
# grid_contain with the engine's options.
#
# The container is no process of the job: its engine runs it. So it carries the job's name and label, is ended
# by the engine and asked for there, and a keeper of its own ends it when the job's processes are gone, whatever
# ended them: a runner, the node's guard, or somebody else.
#
# function: reads -> sets
#   (outside): - -> grid_container_keeper
#   grid_refuse_container: grid_mark -> -
#   grid_choose_engine: grid_engines -> grid_engine
#   grid_note_engine: grid_engine grid_hidden -> grid_name grid_value
#   grid_keep_container: grid_container_keeper grid_engine grid_hidden grid_mark -> grid_pipe
#   grid_ask: grid_engine -> -
#   grid_devices: GRID_GPUS grid_gpus -> -
#   grid_contain: grid_code grid_engine -> -
#   grid_enter_podman: XDG_RUNTIME_DIR -> grid_ns_holder
#   grid_start_in_engine: GRID_JOB grid_engine grid_kept_by -> grid_client
#   grid_remove_earlier: GRID_JOB grid_again grid_code grid_kept_by -> grid_again grid_ids
#   grid_in_engine: CUDA_VISIBLE_DEVICES GRID_JOB grid_boot grid_client grid_engine grid_grace grid_image
#       grid_user -> grid_card grid_cards grid_code grid_image_digest grid_inspected grid_kept_by
#   grid_in_apptainer: grid_boot grid_engine grid_image -> grid_code grid_image

grid_refuse_container() {
  printf 'grid: container %s\n' "$1" >|"$grid_mark"
  exit 125
}

grid_choose_engine() {
  for grid_engine in $grid_engines; do
    command -v "$grid_engine" >/dev/null 2>&1 || continue
    # A client without a daemon, or without the right to speak to it, is none.
    case "$grid_engine $grid_engines" in
      'docker docker') ;;
      docker*) docker version >/dev/null 2>&1 || continue ;;
    esac
    return 0
  done
  grid_refuse_container "no engine: none of $grid_engines can be used by this account"
}

# Notes what asks the same engine later, from another shell: its name, then what it takes from variables.
grid_note_engine() { # file
  grid_value=
  {
    printf '%s\n' "$grid_engine"
    for grid_name in PATH HOME TMPDIR XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_DATA_HOME DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG \
      DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION CONTAINER_HOST CONTAINER_CONNECTION CONTAINER_SSHKEY \
      CONTAINERS_CONF CONTAINERS_CONF_OVERRIDE CONTAINERS_STORAGE_CONF STORAGE_DRIVER STORAGE_OPTS; do
      # A secret is on no disk.
      case " $grid_hidden " in *" $grid_name "*) continue ;; esac
      eval "grid_value=\${$grid_name-}"
      case $grid_value in
        '') ;;
        *\'*) printf "export %s='%s'\n" "$grid_name" "$(printf '%s\n' "$grid_value" | sed "s/'/'\\\\''/g")" ;;
        *) printf "export %s='%s'\n" "$grid_name" "$grid_value" ;;
      esac
    done
  } >|"$1"
}

# Ends what carries the keeper's label once nobody has the pipe any more: that of the job's name may be on a
# container of its next start, too. Arguments: engine, keeper, pipe.
# shellcheck disable=SC2016
grid_container_keeper='
  trap "" HUP INT TERM
  rm -f "$3"
  IFS= read -r line
  exec </dev/null
  tries=0
  while [ "$tries" -lt 60 ]; do
    if ids=$("$1" ps -aq --filter "label=grid.keeper=$2" 2>/dev/null); then
      [ -n "$ids" ] || exit 0
      "$1" kill $ids
      "$1" rm -f $ids
    fi
    tries=$((tries + 1))
    sleep 1
  done'

grid_keep_container() {
  grid_pipe=${grid_mark%.output}.value.keeper
  mkfifo -m 600 "$grid_pipe" || grid_refuse_container "no pipe: cannot make $grid_pipe"
  exec 7<>"$grid_pipe"
  (
    # Neither the job's mark, by which it would be ended itself, nor its secrets.
    # shellcheck disable=SC2086
    unset GRID_JOB GRID_SCRIPT GRID_BEFORE $grid_hidden
    grid_apart=
    ! command -v setsid >/dev/null 2>&1 || grid_apart=setsid
    # shellcheck disable=SC2086,SC2094
    exec $grid_apart sh -c "$grid_container_keeper" grid-keeper "$grid_engine" "$1" "$grid_pipe" \
      <"$grid_pipe" >/dev/null 2>&1 7>&- &
  )
}

# grid_ask WORD...: the engine, without the pipe: what it starts must not keep the keeper waiting.
grid_ask() { "$grid_engine" "$@" 7>&- </dev/null; }

# Numbers of the GPUs that the job holds, by commas; empty: none.
grid_devices() {
  case $grid_gpus in
    none) ;;
    all) echo all ;;
    *) echo "${GRID_GPUS-}" ;;
  esac
}

# grid_contain OPTION...: does not return.
grid_contain() {
  set +e
  case $grid_engine in
    apptainer | singularity) grid_in_apptainer "$@" ;;
    *) grid_in_engine "$@" ;;
  esac
  exit "$grid_code"
}

# The first podman of an account makes its user namespace, and is two processes: told to end, the first exits
# with 0 at once, and the container goes on. So another one is the first.
grid_enter_podman() {
  grid_ns_holder=$(cat "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/libpod/tmp/pause.pid" 2>/dev/null)
  if [ -z "$grid_ns_holder" ] || ! kill -0 "$grid_ns_holder" 2>/dev/null; then
    grid_ask unshare true >/dev/null 2>&1
  fi
}

grid_start_in_engine() { # options, image, command
  "$grid_engine" run --name "$GRID_JOB" --label "grid.job=$GRID_JOB" --label "grid.keeper=$grid_kept_by" \
    --entrypoint= "$@" 7>&- <&0 &
  grid_client=$!
}

# Whether this start came to no container, as one of that name is there: it goes.
grid_remove_earlier() {
  [ "$grid_code" = 125 ] && [ "$grid_again" -gt 0 ] || return 1
  grid_again=$((grid_again - 1))
  grid_ids=$(grid_ask ps -aq --filter "label=grid.keeper=$grid_kept_by" 2>/dev/null)
  [ -z "$grid_ids" ] || return 1
  grid_ids=$(grid_ask ps -aq --filter "label=grid.job=$GRID_JOB" 2>/dev/null)
  # shellcheck disable=SC2086
  [ -z "$grid_ids" ] || grid_ask rm -f $grid_ids >/dev/null 2>&1
  # Somebody else may be at it.
  sleep 1
}

grid_in_engine() {
  set -- "$@" "$grid_image" sh -c "$grid_boot" grid
  case $grid_engine in
    podman)
      [ "$(id -u)" = 0 ] || grid_enter_podman
      if [ -x /usr/libexec/podman/catatonit ] || command -v catatonit >/dev/null 2>&1; then
        set -- --init "$@"
      else
        echo 'grid: there is no catatonit, so the container has no --init' >&2
      fi
      ;;
    *) set -- --init "$@" ;;
  esac
  if [ "$grid_user" != image ]; then
    # In a container of an account without rights, root is the account itself.
    if [ -n "$grid_user" ]; then set -- --user "$grid_user" "$@"
    elif [ "$grid_engine" = podman ]; then set -- --user 0:0 "$@"
    else set -- --user "$(id -u):$(id -g)" "$@"; fi
  fi
  grid_cards=$(grid_devices)
  if [ -n "$grid_cards" ]; then
    if [ "$grid_engine" = podman ]; then
      # shellcheck disable=SC2086
      for grid_card in $(echo "$grid_cards" | tr , ' '); do
        set -- --device "nvidia.com/gpu=$grid_card" "$@"
      done
    elif [ "$grid_cards" = all ]; then set -- --gpus all "$@"
    else set -- --gpus "\"device=$grid_cards\"" "$@"; fi
    # Inside they are counted anew.
    case ${CUDA_VISIBLE_DEVICES-} in
      *[!0-9,]*) ;;
      *) unset CUDA_VISIBLE_DEVICES HIP_VISIBLE_DEVICES ;;
    esac
  fi
  grid_kept_by=$GRID_JOB.$$.$(date +%s)
  grid_keep_container "$grid_kept_by"
  trap : TERM INT HUP
  grid_start_in_engine "$@"
  # The client hands a signal on to the container. It says how that ended; a signal only wakes this shell.
  while :; do
    wait "$grid_client"
    grid_code=$?
    kill -0 "$grid_client" 2>/dev/null && continue
    grid_remove_earlier || break
    grid_start_in_engine "$@"
  done
  grid_inspected=$(grid_ask inspect -f '{{.State.Running}} {{.State.OOMKilled}} {{.Image}}' "$GRID_JOB" 2>/dev/null)
  case $grid_inspected in
    'true '*)
      # The client is gone, the container is not.
      grid_ask stop -t "$grid_grace" "$GRID_JOB" >/dev/null 2>&1
      ;;
    'false true '*) echo 'grid: the container ran out of memory' >&2 ;;
  esac
  grid_image_digest=$(grid_ask image inspect -f '{{if .RepoDigests}}{{index .RepoDigests 0}}{{else}}{{.Id}}{{end}}' \
    "${grid_inspected##* }" 2>/dev/null)
  [ -z "$grid_inspected" ] || echo "grid: in $grid_engine, image ${grid_image_digest:-${grid_inspected##* }}" >&2
  grid_ask rm -f "$GRID_JOB" >/dev/null 2>&1
}

# Its processes are those of the job.
grid_in_apptainer() {
  [ -z "$(grid_devices)" ] || set -- --nv "$@"
  case $grid_image in
    *://* | /* | ./* | *.sif) ;;
    *) grid_image=docker://$grid_image ;;
  esac
  "$grid_engine" exec --cleanenv "$@" "$grid_image" sh -c "$grid_boot" grid
  grid_code=$?
}
