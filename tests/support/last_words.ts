/** Trees of processes that have something to say when they are told to end. */
import type { Part } from "./requires.ts";

/**
 * Says that it begins, and leaves a file named after its first argument; on the polite signal it says so,
 * and somewhat later that it has saved, then ends with 9.
 */
export const WORKER = `trap 'echo ending; sleep 0.4; echo saved; exit 9' TERM
echo begins; : >"$1"
while :; do sleep 0.05; done
`;
/** Says the same without a signal: for a `trap` that tidies up. */
export const TIDY = "echo ending; sleep 0.4; echo saved\n";

/** One shell deeper. */
export const DEEP = 'sh "$TIDY"; :\n';

export interface LastWords {
  readonly name: string;
  readonly parts?: readonly Part[];
  /** Runs `$WORKER` with `$MARK`; `$TIDY` is the other script, `$DIR` their folder. */
  readonly command: string;
  /** Where its end is the command's own. */
  readonly exitCode?: number;
}

export const LAST_WORDS: readonly LastWords[] = [
  { name: "plain", command: 'sh "$WORKER" "$MARK"; true' },
  { name: "exec", command: 'exec sh "$WORKER" "$MARK"', exitCode: 9 },
  {
    name: "child-of-bash",
    command: 'bash -c \'sh "$WORKER" "$MARK"; true\'; true',
    parts: ["bash"],
  },
  { name: "make", command: 'make -s -f "$DIR/Makefile" work', parts: ["make"] },
  {
    name: "python",
    command: "python3 -c 'import os, subprocess as s; " +
      's.run(["sh", os.environ["WORKER"], os.environ["MARK"]])\'; true',
    parts: ["python3"],
  },
  { name: "background", command: 'sh "$WORKER" "$MARK" & wait' },
  { name: "own-session", command: 'setsid sh "$WORKER" "$MARK" & wait' },
  { name: "pipeline", command: 'sh "$WORKER" "$MARK" | cat' },
  {
    name: "tee",
    command: 'sh "$WORKER" "$MARK" 2>&1 | tee "$DIR/$GRID_STEP.txt" | sed -u s/x/x/; true',
  },
  { name: "xargs", command: 'printf "%s\\n%s\\n" "$WORKER" "$MARK" | xargs sh; true' },
  {
    name: "trap",
    command: `trap 'sh "$DIR/deep.sh"' EXIT; echo begins; : >"$MARK"; sleep 1000`,
  },
  {
    name: "trap-of-make",
    command: 'trap \'make -s -f "$DIR/Makefile" tidy\' EXIT; echo begins; : >"$MARK"; sleep 1000',
    parts: ["make"],
  },
  { name: "uv-run", command: 'uv run --no-project sh "$WORKER" "$MARK"', parts: ["uv"] },
  { name: "timeout", command: 'timeout --foreground 1000 sh "$WORKER" "$MARK"; true' },
  { name: "double-fork", command: '(setsid sh "$WORKER" "$MARK" &); sleep 1000' },
];

export const MAKEFILE = 'work:\n\tsh "$$WORKER" "$$MARK"\ntidy:\n\tsh "$$TIDY"\n';
