/** Which variables of the shell a pipeline asks for: `env("NAME")`, `env.NAME`. */
import type { Pipeline } from "./pipeline.ts";

const ASKED = /\benv(?:\(\s*(?:"([A-Za-z_]\w*)"|'([A-Za-z_]\w*)')|\.([A-Za-z_]\w*))/g;

/** Names in its expressions, but not those that secrets are read from. */
export function envNames({ steps, hooks, concurrency, secrets }: Pipeline): readonly string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === "string") {
      for (const [, ...names] of value.matchAll(ASKED)) found.add(names.join(""));
    } else if (typeof value === "object" && value !== null) {
      // Text that is no expression may say anything.
      if ("kind" in value && value.kind === "literal") return;
      Object.values(value).forEach(visit);
    }
  };
  visit([steps, hooks, concurrency]);
  for (const source of secrets) if (source.from === "env") found.delete(source.variable);
  return [...found];
}
