/** Whether a source is just its commit, asked of git while the nodes are brought up to date. */
import { ownGit } from "../sync/own_git.ts";

/** A sync never waits longer for it. */
const PATIENCE_MS = 5000;

/** Undefined where git cannot tell: it is not there, or takes too long. */
export async function changedSince(
  folder: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  try {
    const result = await ownGit(["status", "--porcelain", "--", folder], {
      folder,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (result === undefined) return undefined;
    const { code, stdout } = result;
    return code === 0 ? stdout.length > 0 : undefined;
  } catch {
    return undefined;
  }
}
