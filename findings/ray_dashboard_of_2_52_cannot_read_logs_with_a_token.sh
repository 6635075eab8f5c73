#!/usr/bin/env bash
# Ray 2.52.1: with token authentication, the dashboard cannot read the logs of its own cluster.
#
# With RAY_AUTH_MODE=token the dashboard takes the right token and answers GET /api/v0/nodes. GET
# /api/v0/logs/file with the same token is answered with 500 and UNAUTHENTICATED, as if the token were
# wrong: it is the node's agent that refuses the dashboard. So whoever wants to read a file of a cluster
# over HTTP needs another way there. 2.58.0 answers with the file.
#
# Seen with Ray 2.52.1 and 2.58.0 on Linux. Installs both in a temporary folder, starts one node of its own
# on the loopback address with each, and fails if the behaviour has changed.
set -euo pipefail

folder=$(mktemp -d)
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN=0123456789abcdef0123456789abcdef RAY_DISABLE_USAGE_STATS=1
stop() {
  [ ! -f "$folder/pid" ] || kill "$(cat "$folder/pid")" 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

look() { # version, port of the GCS, port of the dashboard
  python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install -q "ray[default]==$1"
  setsid "$folder/$1/bin/ray" start --head --block --node-ip-address=127.0.0.1 --port="$2" \
    --dashboard-host=127.0.0.1 --dashboard-port="$3" --num-cpus=1 --temp-dir="$folder/t$1" >"$folder/out" 2>&1 &
  local pid=$! tries=0 node='' answer=''
  echo "$pid" >"$folder/pid"
  until node=$(curl -sf -H "Authorization: Bearer $RAY_AUTH_TOKEN" "http://127.0.0.1:$3/api/v0/nodes" |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["data"]["result"]["result"][0]["node_id"])' 2>/dev/null) &&
    [ -n "$node" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { cat "$folder/out" >&2; return 1; }
    sleep 1
  done
  # The node's agent comes up a moment later.
  for tries in 1 2 3 4 5 6 7 8 9 10; do
    answer=$(curl -s -o "$folder/answer" -w '%{http_code}' -H "Authorization: Bearer $RAY_AUTH_TOKEN" \
      "http://127.0.0.1:$3/api/v0/logs/file?node_id=$node&filename=gcs_server.out&lines=1")
    [ "$answer" != 200 ] || break
    sleep 1
  done
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  rm -f "$folder/pid"
  echo "$answer$(grep -o -m 1 UNAUTHENTICATED "$folder/answer" | head -n 1 | sed 's/^/ /')"
}

old=$(look 2.52.1 26379 28265)
new=$(look 2.58.0 26380 28266)
echo "GET /api/v0/logs/file with the right token"
echo "Ray 2.52.1: $old"
echo "Ray 2.58.0: $new"
if [ "$old" != "500 UNAUTHENTICATED" ] || [ "$new" != 200 ]; then
  echo "the behaviour has changed" >&2
  exit 1
fi
