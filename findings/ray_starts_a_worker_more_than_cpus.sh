#!/usr/bin/env bash
# Ray 2.58.0: a node with two CPUs starts three worker processes for a driver, and only two of them ever work.
#
# A started cluster has idle workers ready for its first driver, as many as there are CPUs. Each driver after
# that, with four short tasks of one CPU each, makes the raylet start three ("Started worker process" in
# raylet.out grows by three), while the tasks report two process ids. The third costs its start and imports
# just when the first two begin to work; on a small node a short batch feels it.
#
# Seen with Ray 2.58.0 on Linux. Installs it in a temporary folder, starts one node of its own on the loopback
# address, connects four drivers one after the other, and fails if the behaviour has changed.
set -euo pipefail

folder=$(mktemp -d)
export RAY_DISABLE_USAGE_STATS=1
stop() {
  [ ! -f "$folder/pid" ] || kill "$(cat "$folder/pid")" 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q ray==2.58.0
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
setsid "$folder/venv/bin/ray" start --head --block --node-ip-address=127.0.0.1 --port="$port" \
  --include-dashboard=false --num-cpus=2 --temp-dir="$folder/t" >"$folder/out" 2>&1 &
echo $! >"$folder/pid"

cat >"$folder/driver.py" <<'PYTHON'
import os, sys, time
import ray

address, log = sys.argv[1:]
for _ in range(60):
    try:
        ray.init(address=address, logging_level="ERROR", log_to_driver=False)
        break
    except ConnectionError:
        time.sleep(1)
started = lambda: open(log).read().count("Started worker process")
time.sleep(3)  # a new cluster makes its first workers ready
before = started()

@ray.remote(num_cpus=1)
def work():
    time.sleep(0.03)
    return os.getpid()

used = len(set(ray.get([work.remote() for _ in range(4)])))
time.sleep(3)
print(started() - before, used)
PYTHON

seen=''
for _ in 1 2 3 4; do
  seen="$seen$("$folder/venv/bin/python" "$folder/driver.py" "127.0.0.1:$port" \
    "$folder/t/session_latest/logs/raylet.out" 2>>"$folder/out"),"
done
echo "workers started for each driver, and process ids of its tasks: $seen"
later=${seen#*,}
# Once in a while one driver is quick enough to do with two.
[ "$(grep -o '3 2' <<<"$later" | wc -l)" -ge 2 ] || {
  echo "the behaviour has changed" >&2
  exit 1
}
echo "as stated: three processes on two CPUs"
