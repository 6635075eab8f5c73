#!/usr/bin/env bash
# Deno 2.9.6: what it keeps compiled of a module ("V8 code cache") holds none of its functions, so each start compiles
# again whatever it calls; with `--v8-flags=--no-lazy` they are all kept.
#
# V8 compiles a function when it is first called. Deno takes its cache of a module right after V8 has compiled the
# top level, before its first line runs, and never again: at the second start the top level comes from the cache, and
# each function that is called is parsed and compiled as at the first. Programs of many functions so pay for them at
# every start. `--no-lazy` compiles modules as a whole: longer once, for nothing afterwards. It cannot be set later:
# `setFlagsFromString` of `node:v8` heeds nothing but `--expose-gc` and says nothing of the rest. Deno's own scripts
# are kept in the same cache, under names that all programs share: programs with other flags throw each other's out.
#
# Seen with deno 2.9.6 from npm on Linux x64. Counted is what V8's own log says that it compiled; nothing is timed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit --prefix "$folder" deno@2.9.6 >/dev/null
deno=$(find "$folder" -type f -name deno -perm -u+x | head -n 1)

for at in $(seq 500); do echo "export function called_$at(x) { const y = x + $at; return y * 2; }"; done >functions.js
{
  echo 'import * as functions from "./functions.js";'
  echo 'let sum = 0; for (const one of Object.values(functions)) sum += one(1);'
} >main.js
{
  echo 'import v8 from "node:v8"; v8.setFlagsFromString("--no-lazy");'
  echo 'await import(new URL("./main.js", import.meta.url).href);'
} >later.js

compiled() { # program, flag: functions of ours that its third start compiles
  export DENO_DIR=$folder/cache_$1_${2:-none}
  for _ in 1 2 3; do
    "$deno" run --quiet -A \
      --v8-flags="${2:+$2,}--log-function-events,--no-logfile-per-isolate,--logfile=$folder/v8.log" "$1.js"
  done
  grep -c '^function,interpreter,.*called_' "$folder/v8.log" || true
}

"$deno" --version | head -n 1
lazy=$(compiled main)
later=$(compiled later)
whole=$(compiled main --no-lazy)
echo "functions compiled by the third start, of 500: $lazy; with --no-lazy set later: $later; set at once: $whole"
[ "$lazy" = 500 ] || { echo "CHANGED: functions are kept"; exit 1; }
[ "$later" = 500 ] || { echo "CHANGED: setFlagsFromString heeds --no-lazy"; exit 1; }
[ "$whole" = 0 ] || { echo "CHANGED: --no-lazy does not keep them"; exit 1; }
