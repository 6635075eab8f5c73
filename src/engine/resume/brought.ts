/** Whether a step would work with the files that it worked with before. Pure. */

/** By the sync's step; or, for a step that names its inputs, one digest of these, under `INPUTS`. */
export type Brought = Readonly<Record<string, string>>;

/** No step has such a name. */
export const INPUTS = "inputs:";

/** Stands for a digest that only the sync itself can tell. */
export const UNKNOWN_DIGEST = "";

/** One clause; undefined where every sync before the step brought the same. */
export function broughtOther(
  before: Brought | undefined,
  { now, run }: { readonly now: Brought; readonly run: string },
): string | undefined {
  for (const [sync, digest] of Object.entries(now)) {
    const old = before?.[sync];
    if (old === digest) continue;
    if (sync === INPUTS) {
      return old === undefined
        ? `run ${run} does not tell what its inputs held`
        : `its inputs are others than in run ${run}`;
    }
    if (digest === UNKNOWN_DIGEST) return `it may have to: that depends on what "${sync}" brings`;
    if (old === undefined) return `run ${run} does not tell what "${sync}" brought`;
    return `"${sync}" brings other files than in run ${run}`;
  }
  return undefined;
}
