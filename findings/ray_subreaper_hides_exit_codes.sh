#!/bin/sh
# Ray 2.58.0: RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper=true hides exit codes.
#
# The switch is meant to let the raylet adopt and end what a dead worker leaves behind. With it
# every worker ignores SIGCHLD, so the kernel reaps children itself and wait() fails with ECHILD,
# which Python's subprocess takes for exit code 0. In a task on a node that was started so
#   subprocess.run(["false"]).returncode     is 0      (1 without the switch)
#   subprocess.run(["sh","-c","kill -9 $$"]) is 0      (-9 without the switch)
#   os.system("exit 7")                      is -1     (7 << 8 without the switch)
# Whoever books a task by the exit code of a command books failures as successes.
#
# Seen with Ray 2.58.0 on Linux. Installs it in a temporary folder, starts one node of its own on
# the loopback address with each setting, and fails if the behaviour has changed.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q ray==2.58.0

cat >"$folder/codes.py" <<'PY'
import os, subprocess, sys
import ray

ray.init(num_cpus=1, include_dashboard=False, _temp_dir=sys.argv[1], log_to_driver=False)

@ray.remote
def codes():
    return [
        subprocess.run(["false"]).returncode,
        subprocess.run(["sh", "-c", "kill -9 $$"]).returncode,
        os.system("exit 7"),
    ]

print(*ray.get(codes.remote()))
PY

seen() { # setting
  RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper=$1 \
    "$folder/venv/bin/python" "$folder/codes.py" "$folder/$1" 2>/dev/null | tail -n 1
}
without=$(seen false)
with=$(seen true)
echo "ray 2.58.0, codes of: false, a child killed by SIGKILL, os.system(\"exit 7\")"
echo "without the switch: $without"
echo "with the switch:    $with"
if [ "$without" != "1 -9 1792" ] || [ "$with" != "0 0 -1" ]; then
  echo "the behaviour has changed" >&2
  exit 1
fi
