#!/bin/sh
# node_exporter 1.5.0: of equal series in several textfiles all but one vanish, and nothing says so
# where one would look.
#
# Each program that leaves a .prom file of its own in the textfile collector's folder writes a valid
# file; three of them with the same series but different values are still answered with 200, and
# node_textfile_scrape_error is 0. One value is served, the others are dropped, told only by an error
# line of the exporter's log at each scrape. A collector that counts on one file per run loses runs.
#
# Seen with Debian's prometheus-node-exporter 1.5.0-1+b6 on amd64. Unpacks it in a temporary folder,
# serves on loopback, scrapes once, and fails if the behaviour has changed.
set -eu

folder=$(mktemp -d)
exporter=
trap '[ -z "$exporter" ] || kill "$exporter" 2>/dev/null; rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get download -qq prometheus-node-exporter=1.5.0-1+b6 >/dev/null 2>&1 &&
  dpkg -x prometheus-node-exporter_*.deb .)

mkdir "$folder/textfiles"
for run in 1 2 3; do
  printf '# HELP jobs_done Jobs done by a run.\n# TYPE jobs_done gauge\njobs_done %s\n' "$run" \
    >"$folder/textfiles/run$run.prom"
done
port=$((20000 + $$ % 20000))
"$folder/usr/bin/prometheus-node-exporter" --web.listen-address="127.0.0.1:$port" \
  --collector.disable-defaults --collector.textfile \
  --collector.textfile.directory="$folder/textfiles" >"$folder/log" 2>&1 &
exporter=$!
code=
for _ in 1 2 3 4 5 6 7 8 9 10; do
  code=$(curl -s -o "$folder/answer" -w '%{http_code}' "http://127.0.0.1:$port/metrics") && break
  sleep 0.5
done

error=$(sed -n 's/^node_textfile_scrape_error //p' "$folder/answer")
served=$(grep -c '^jobs_done ' "$folder/answer" || true)
logged=$(grep -c 'collected before with the same name and label values' "$folder/log" || true)
"$folder/usr/bin/prometheus-node-exporter" --version 2>&1 | head -n 1
echo "three files with jobs_done: status $code, node_textfile_scrape_error $error," \
  "samples served $served, error lines in the log $logged"
if [ "$code $error $served" != "200 0 1" ] || [ "$logged" -lt 1 ]; then
  echo "the behaviour has changed" >&2
  exit 1
fi
