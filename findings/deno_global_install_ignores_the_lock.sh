#!/usr/bin/env bash
# `deno install -g` does not install by the lock.
#
# A project has a lock file, and all that the lock names lies in Deno's cache. `deno run` in the project
# then needs no registry. A program installed from it with `deno install -g --config` is given a copy of the
# configuration and no copy of the lock: what its first start imports by a computed name is looked up in
# the registry again, and where there is none, the start fails, although the package lies in the cache.
# After `deno install --no-lock` in the project what the registry says lies in the cache as well, and the
# same program starts.
#
# Seen with deno 2.9.6 and picocolors 1.1.1 from npm; needs node, npm and util-linux (unshare).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit --prefix "$folder/deno" deno@2.9.6 >/dev/null
deno=$(find "$folder/deno" -type f -name deno -perm -u+x | head -n 1)
export DENO_DIR="$folder/cache" DENO_INSTALL_ROOT="$folder/root" HOME="$folder" PATH="${deno%/*}:$PATH"
mkdir project && cd project
echo '{ "imports": { "picocolors": "npm:picocolors@1.1.1" } }' >deno.json
cat >main.ts <<'END'
const name = ["npm:picocolors", "1.1.1"].join("@");
console.log(typeof (await import(name)).default);
END
deno install --quiet
deno run --quiet -A main.ts
find "$DENO_DIR" -name registry.json -delete # what it was told when the lock was made
deno install --quiet
without() { unshare --map-root-user --net "$@"; }
expect() { # what, wanted, seen
  printf '%-48s %s\n' "$1" "$3"
  [ "$2" = "$3" ] || { echo "CHANGED: was $2"; exit 1; }
}
outcome() { if "$@" >out 2>&1; then cat out; else echo fails; fi; }
expect "the project, no registry" object "$(outcome without deno run --quiet -A main.ts)"
deno install --quiet -g -A --config deno.json -n tool main.ts >/dev/null 2>&1
expect "locks beside the installed configuration" 0 "$(find "$folder/root" -name deno.lock | wc -l)"
find "$DENO_DIR" -name registry.json -delete
expect "the installed program, no registry" fails "$(outcome without "$folder/root/bin/tool")"
deno install --quiet --no-lock
expect "the same after deno install --no-lock" object "$(outcome without "$folder/root/bin/tool")"
