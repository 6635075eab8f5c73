/** Whether a source is just its commit, asked of git while the nodes are brought up to date. */

/** A sync never waits longer for it. */
const PATIENCE_MS = 5000;

/** Undefined where git cannot tell: it is not there, or takes too long. */
export async function changedSince(
  folder: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  try {
    const { code, stdout } = await new Deno.Command("git", {
      args: ["-C", folder, "status", "--porcelain", "--untracked-files=normal", "--", "."],
      env: { GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" },
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    }).output();
    return code === 0 ? stdout.length > 0 : undefined;
  } catch {
    return undefined;
  }
}
