/** Names of other languages and runners, and what to write here. */
import { suggest } from "../document/shape/check.ts";
import type { Named } from "./expression_parts.ts";
import type { PartContext } from "./names.ts";

const ROOTS = ["inputs", "steps", "matrix", "env", "node", "run", "attempt"];

const FOREIGN_ROOTS: Readonly<Record<string, string>> = {
  secrets: "list the secret under secrets: and read it as an environment variable",
  needs: "write steps.<id>.outputs.<name>",
  params: "write inputs.<name>",
  vars: "write node.<name> for vars: of the cluster config, inputs.<name> or env.<NAME>",
  github: 'write env("GITHUB_…")',
  strategy: "write matrix.<axis>",
  yes: "write true",
  on: "write true",
  no: "write false",
  off: "write false",
  True: "write true",
  False: "write false",
  None: "write null",
};

export const STEP_FIELD_HINTS: Readonly<Partial<Record<string, string>>> = {
  outcome: "write state",
  conclusion: "write state",
  result: "write state",
  status: "write state",
};

/** What to write in place of an unknown name: what is declared under that name, if anything is. */
export function rootHint({ name, start, end }: Named, { source, names }: PartContext): string {
  const isIndex = /\b(inputs|steps|matrix|env|node)\s*\[\s*$/.exec(source.slice(0, start));
  if (isIndex && /^\s*\]/.test(source.slice(end))) return `write ${isIndex[1]}["${name}"]`;
  if (names.inputs?.has(name)) return `write inputs.${name}`;
  if (names.steps.has(name)) return `write steps.${name}`;
  if (names.matrix?.has(name)) return `write matrix.${name}`;
  const foreign = Object.hasOwn(FOREIGN_ROOTS, name) ? FOREIGN_ROOTS[name] : undefined;
  return foreign ?? suggest(name, ROOTS, "names");
}
