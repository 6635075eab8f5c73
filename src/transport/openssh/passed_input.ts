/**
 * Bytes of this process's own standard input, a file, for an `ssh` of ours: copied by a program that is made for
 * that, into the pipe that ssh reads from, which Linux lets others open from its other side.
 */

const BLOCK_BYTES = 2 ** 20;
/** Words: ssh's pipe, and how many blocks. */
const PASS = `exec 3>"$1" && exec dd bs=${BLOCK_BYTES} count="$2" >&3 3>&-`;

/** Whether the standard input of that process of ours is such a pipe. */
export function passesInput(pid: number): boolean {
  try {
    return Deno.statSync(pipeOf(pid)).isFifo === true;
  } catch {
    return false; // it has ended, or there is no /proc
  }
}

/** See `Channel.passInput`. */
export async function passInput(
  pid: number,
  { bytes, signal }: { readonly bytes: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const blocks = bytes / BLOCK_BYTES;
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", PASS, "grid", pipeOf(pid), String(blocks)],
    env: { LC_ALL: "C" },
    stdin: "inherit",
    stdout: "null",
    stderr: "piped",
    // In a session of its own, away from the terminal's Ctrl-C.
    detached: true,
    signal,
  }).output();
  signal.throwIfAborted();
  return success && new TextDecoder().decode(stderr).includes(`\n${blocks}+0 records out`);
}

function pipeOf(pid: number): string {
  return `/proc/${pid}/fd/0`;
}
