/** A stand-in for docker on a node: its client's words, and a process in place of a container. */
import { join } from "node:path";
import { writeProgram } from "./program_file.ts";

/**
 * As with the real one, what it runs is no child of the client's, does not carry the job's mark where Grid looks
 * for it, and has a network of its own unless it is to share its node's. Needs root and `unshare`.
 */
export function writeFakeDocker(home: string): void {
  const path = join(home, "bin", "docker");
  writeProgram(path, DOCKER);
  Deno.chmodSync(path, 0o755);
}

const DOCKER = `#!/bin/sh
state=$HOME/docker
word=$1
shift
case $word in
  run)
    space=--net
    while :; do
      case $1 in
        --network=host) space=--uts; shift ;;
        --name) here=$state/$2; shift 2 ;;
        -w) cd "$2" || exit 125; shift 2 ;;
        -v | -e | --user | --label) shift 2 ;;
        -*) shift ;;
        *) break ;;
      esac
    done
    shift
    mkdir -p "$here" || exit 125
    contain='here=$1; space=$2; shift 2; echo $$ >"$here/pid"
      unshare --pid --fork --kill-child "$space" "$@"; echo $? >"$here/code"'
    (unset GRID_JOB; setsid sh -c "$contain" sh "$here" "$space" "$@" &)
    until [ -s "$here/pid" ]; do sleep 0.02; done
    trap : TERM
    while [ ! -s "$here/code" ] && kill -0 "$(cat "$here/pid")" 2>/dev/null; do sleep 0.05; done
    exit "$(cat "$here/code" 2>/dev/null || echo 137)"
    ;;
  ps)
    for here in "$state"/*/pid; do
      kill -s 0 -- -"$(cat "$here")" 2>/dev/null || continue
      case $* in *"$(basename "\${here%/pid}")"*) basename "\${here%/pid}" ;; esac
    done
    ;;
  kill) for one; do kill -s KILL -- -"$(cat "$state/$one/pid")" 2>/dev/null; done ;;
  rm) for one; do [ ! -d "$state/$one" ] || rm -rf "$state/$one"; done ;;
esac
exit 0
`;
