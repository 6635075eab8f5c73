/** Whether this account can keep claims on a node, as `claims_fit.sh` tells it. */
import { quote } from "../core/shell.ts";
import type { Remark } from "./node.ts";

const KEPT = "claims cannot be kept: ";

/** What is in the way, and what cures it. */
const PROBLEMS: Readonly<Record<string, (path: string) => Remark>> = {
  taken: (path) => ({
    words: `${KEPT}${path} is not this account's folder`,
    // Nothing but a folder for claims is to be removed.
    cure: /\/grid-claims-\d+$/.test(path) ? `sudo rm -r ${quote(path)}` : undefined,
  }),
  mode: (path) => ({
    words: `${KEPT}this account may not write to ${path}`,
    cure: `chmod 755 ${quote(path)}`,
  }),
  base: (path) => ({
    words: `${KEPT}this account may not write to ${path}`,
    cure: `sudo chmod 1777 ${quote(path)}`,
  }),
  missing: (path) => ({
    words: `${KEPT}there is no ${path}, and this account may not make it`,
    cure: `sudo mkdir -m 1777 ${quote(path)}`,
  }),
  // What runs may be among them, and to remove that would give its GPUs away.
  crowded: (path) => ({
    words: `${path} holds more claims than can be read: nobody knows which GPUs are held; ` +
      "what has ended goes when its account next asks for grid health there",
    cure: undefined,
  }),
};

/** Of a node, in a row of a table. */
const LONGEST_PATH = 200;

/** Undefined where nothing is in the way, or what the node tells is of another form. */
export function claimsProblem(told: string | undefined): Remark | undefined {
  const [, what = "", path = ""] = /^([a-z]+) (\/.*)$/.exec(told ?? "") ?? [];
  if (!Object.hasOwn(PROBLEMS, what) || path.length > LONGEST_PATH) return undefined;
  return PROBLEMS[what]?.(path);
}
