#!/usr/bin/env bash
# HyperQueue 0.27.0: jobs that are submitted from Python in one folder write over each other's output.
#
# What a task prints goes to a file named by the task alone, `0.stdout`, in the folder from which the job was
# submitted; each job counts its tasks from 0. So a second job replaces what the first one printed, and two at
# once share a file, without a word. `hq submit` puts the job's number into the path (`job-1/0.stdout`); the
# Python API does so only where `stdout=` of each program says it, as in "job-%{JOB_ID}/%{TASK_ID}.stdout".
#
# Seen with HyperQueue 0.27.0 from PyPI on Linux. Installs it in a temporary folder, starts a server and a
# worker of its own there, runs two jobs one after the other and two that name their files, and fails if the
# behaviour has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check hyperqueue==0.27.0
mkdir "$folder/work"
cd "$folder/work"

cat >"$folder/jobs.py" <<'PYTHON'
from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

with LocalCluster() as cluster:
    cluster.start_worker(WorkerConfig(cores=1))
    client = cluster.client()
    for files in ({}, {"stdout": "job-%{JOB_ID}/%{TASK_ID}.stdout"}):
        for word in ("first", "second"):
            job = Job()
            job.program(["echo", word], **files)
            client.wait_for_jobs([client.submit(job)])
PYTHON
timeout 120 "$folder/venv/bin/python" "$folder/jobs.py" >"$folder/out" 2>&1 || {
  cat "$folder/out"
  exit 1
}

seen=$(find . -name '*.stdout' | LC_ALL=C sort | while read -r file; do printf '%s: %s\n' "$file" "$(cat "$file")"; done)
echo "$seen"
[ "$seen" = './0.stdout: second
./job-3/0.stdout: first
./job-4/0.stdout: second' ] || {
  echo 'changed'
  exit 1
}
echo 'as it was seen'
