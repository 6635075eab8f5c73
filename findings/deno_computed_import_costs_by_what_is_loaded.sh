#!/usr/bin/env bash
# Deno 2.9.6: an `import()` whose specifier is computed takes the longer the more modules the program has loaded,
# whatever it imports.
#
# Deno reads whatever a literal `import("./x.ts")` names before the first line runs, so programs that want to
# start soon compute the specifier: `import(new URL("./x.ts", import.meta.url).href)`. Each of these goes through
# all modules that were loaded before it. With a thousand of them loaded an empty module takes five to ten times as
# long as in a program of one; the literal form, which was read at the start, stays as it was. Twenty rooms that
# are opened one by one so cost more than loading them together, behind a single computed import.
#
# Seen with deno 2.9.6 from npm on Linux x64: medians of 60 imports of empty modules, without a network. Compared
# are only ratios, with room for a busy machine.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit --prefix "$folder" deno@2.9.6 >/dev/null
deno=$(find "$folder" -type f -name deno -perm -u+x | head -n 1)
export DENO_DIR=$folder/cache

imports=60
for at in $(seq $imports); do
  echo "export const value = $at;" | tee "computed_$at.js" >"literal_$at.js"
done
for at in $(seq 1000); do echo "export const value = $at;" >"loaded_$at.js"; done

program() { # modules that it loads first
  for at in $(seq "$1"); do echo "import \"./loaded_$at.js\";"; done
  echo 'const times = { computed: [], literal: [] };'
  echo 'async function take(list, load) {'
  echo '  const start = performance.now(); await load(); list.push(performance.now() - start);'
  echo '}'
  for at in $(seq $imports); do
    echo "await take(times.computed, () => import(new URL('./computed_$at.js', import.meta.url).href));"
    echo "await take(times.literal, () => import('./literal_$at.js'));"
  done
  echo 'const median = (list) => list.sort((a, b) => a - b)[list.length >> 1] * 1000 | 0;'
  echo 'console.log(median(times.computed), median(times.literal));'
}
program 1 >few.js
program 1000 >many.js
"$deno" --version | head -n 1
# Once before, so that nothing is compiled for the first time.
for name in few many; do "$deno" run --quiet -A "$name.js" >/dev/null; done
read -r few_computed few_literal <<<"$("$deno" run --quiet -A few.js)"
read -r many_computed many_literal <<<"$("$deno" run --quiet -A many.js)"
echo "1 module loaded:     computed $few_computed µs, literal $few_literal µs"
echo "1000 modules loaded: computed $many_computed µs, literal $many_literal µs"
[ "$many_computed" -gt $((4 * few_computed)) ] || { echo "CHANGED: it no longer grows with what is loaded"; exit 1; }
[ "$many_literal" -lt $((many_computed / 3)) ] || { echo "CHANGED: a literal import grows, too"; exit 1; }
