# Starting jobs in numbers. Read together with `job.sh`, whose words it uses.
# The launcher is the program `launcher.pl`; what it expects is said there. It takes a moment to start,
# and pays from then on. Descriptor 6 is what it reads.
#
# function: reads -> sets
#   (outside): grid_unset -> grid_launch_pipe grid_launcher grid_launcher_unset grid_launches grid_unset
#   grid_expect_many: grid_launches -> grid_launches
#   grid_delegate: PATH grid_children grid_id grid_input grid_is_long grid_launcher grid_patterns ->
#       grid_children grid_cwd grid_path_word grid_shell grid_text
#   grid_request: grid_cwd grid_guard grid_job grid_launcher grid_pairs -> -
#   grid_has_launcher: grid_launch_pipe grid_launcher grid_launcher_unset grid_unset -> grid_launch_pipe
#   grid_count_launch: grid_launcher grid_launches -> grid_launches
#   grid_start_launcher: grid_jobs grid_new grid_perl grid_unset -> grid_launch_pipe grid_launcher
#       grid_launcher_unset
#   grid_run_launcher: grid_launch_pipe grid_launcher_program grid_perl grid_umask -> grid_variable
#   grid_dismiss: grid_launcher -> -
#   grid_forget_launcher: grid_launch_pipe -> grid_launch_pipe grid_launcher grid_launches
# shellcheck disable=SC2034,SC2154

# How many jobs a shell starts by itself before it gets help, or "none" where it gets none.
grid_launches=3
grid_launcher='' grid_launch_pipe=
# Names of variables that the shell was told to do without; and what they were when the launcher started,
# which hands on what it has inherited.
grid_unset=${grid_unset-}
grid_launcher_unset=

# There will be many jobs.
grid_expect_many() {
  [ "$grid_launches" = none ] || grid_launches=1
}

# grid_delegate: the arguments of grid_launch. Whether the launcher takes the job.
grid_delegate() {
  [ -z "$grid_patterns$grid_is_long$grid_input" ] && grid_has_launcher || return 1
  grid_text=$*
  # In UTF-8 four times as many bytes, which fit into a pipe: who writes must never wait for a reader
  # that sleeps until it is called.
  [ "${#grid_text}" -le 15000 ] || return 1
  grid_cwd=$1 grid_shell=$2 grid_path_word=PATH=$7${PATH:+:$PATH}
  shift 8
  grid_compose grid_request "$grid_path_word" "$@"
  grid_children="$grid_children$grid_id=$grid_launcher "
}

# grid_request NAME=VALUE... WORD...
grid_request() {
  printf '%s\0' $(($# + 4)) "$grid_job" "${grid_guard:-0}" "$grid_cwd" "$grid_pairs" "$@" >&6
  kill -s USR1 "$grid_launcher"
}

grid_has_launcher() {
  [ -n "$grid_launcher" ] && [ "$grid_unset" = "$grid_launcher_unset" ] || return 1
  if ! grid_lives "$grid_launcher"; then
    grid_forget_launcher
    return 1
  fi
  [ -n "$grid_launch_pipe" ] || return 0
  [ ! -p "$grid_launch_pipe" ] || return 1
  grid_launch_pipe=
}

# The shell has started a job by itself.
grid_count_launch() {
  [ -z "$grid_launcher" ] && [ "$grid_launches" != none ] || return 0
  grid_launches=$((grid_launches - 1))
  [ "$grid_launches" -gt 0 ] || grid_start_launcher
}

grid_start_launcher() {
  grid_make_name "$grid_jobs/.launch"
  grid_launch_pipe=$grid_new
  if [ -z "$grid_perl" ] || ! mkfifo -m 600 "$grid_launch_pipe" 2>/dev/null; then
    grid_forget_launcher
    return
  fi
  # For both directions, so that opening waits for nobody.
  exec 6<>"$grid_launch_pipe"
  grid_run_launcher </dev/null >/dev/null 2>&1 6>&- 8>&- &
  grid_launcher=$! grid_launcher_unset=$grid_unset
}

grid_run_launcher() {
  set -- "$grid_launch_pipe" "$$" "$grid_umask"
  for grid_variable in PERL5OPT PERL5LIB PERL_UNICODE; do
    eval "[ -z \"\${$grid_variable+set}\" ] || set -- \"\$@\" \"$grid_variable=\$$grid_variable\""
    unset "$grid_variable"
  done
  exec "$grid_perl" -e "$grid_launcher_program" "$@"
}

# grid_dismiss SIGNAL: it leaves once its last job has ended.
grid_dismiss() {
  [ -z "$grid_launcher" ] || kill -s "$1" "$grid_launcher"
}

# It did not start, or was killed.
grid_forget_launcher() {
  [ -z "$grid_launch_pipe" ] || rm -f "$grid_launch_pipe"
  grid_launches=none grid_launcher='' grid_launch_pipe=
  exec 6>&-
}
