/** Whether this account can keep claims on a node, as `claims_fit.sh` tells it. */
import { quote } from "../core/shell.ts";
import type { Remark } from "./node.ts";

/** The words after "claims cannot be kept: ", and what cures it. */
const PROBLEMS: Readonly<Record<string, (path: string) => Remark>> = {
  taken: (path) => ({
    words: `${path} is not this account's folder`,
    // Nothing but a folder for claims is to be removed.
    cure: /\/grid-claims-\d+$/.test(path) ? `sudo rm -r ${quote(path)}` : undefined,
  }),
  mode: (path) => ({
    words: `this account may not write to ${path}`,
    cure: `chmod 755 ${quote(path)}`,
  }),
  base: (path) => ({
    words: `this account may not write to ${path}`,
    cure: `sudo chmod 1777 ${quote(path)}`,
  }),
  missing: (path) => ({
    words: `there is no ${path}, and this account may not make it`,
    cure: `sudo mkdir -m 1777 ${quote(path)}`,
  }),
};

/** Of a node, in a row of a table. */
const LONGEST_PATH = 200;

/** Undefined where nothing is in the way, or what the node tells is of another form. */
export function claimsProblem(told: string | undefined): Remark | undefined {
  const [, what = "", path = ""] = /^([a-z]+) (\/.*)$/.exec(told ?? "") ?? [];
  if (!Object.hasOwn(PROBLEMS, what) || path.length > LONGEST_PATH) return undefined;
  const problem = PROBLEMS[what]?.(path);
  return problem && { ...problem, words: `claims cannot be kept: ${problem.words}` };
}
