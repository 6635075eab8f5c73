/** Which variables of the shell a pipeline asks for with `env()`. */
import type { Pipeline } from "./pipeline.ts";

const CALL = /\benv\(\s*(?:"([A-Za-z_]\w*)"|'([A-Za-z_]\w*)')/g;

/** `env.NAME` is the same, but for what a resumption may take from the earlier run. */
const FIELD = /\benv\.([A-Za-z_]\w*)/g;

/** Names in its expressions, but not those that secrets are read from. */
export function envNames(pipeline: Pipeline): readonly string[] {
  return namesIn(pipeline, [CALL]);
}

/** Those that are asked for in one way or the other. */
export function allEnvNames(pipeline: Pipeline): readonly string[] {
  return namesIn(pipeline, [CALL, FIELD]);
}

function namesIn(
  { steps, hooks, concurrency, secrets }: Pipeline,
  forms: readonly RegExp[],
): readonly string[] {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === "string") {
      for (const form of forms) {
        for (const [, name, other] of value.matchAll(form)) names.add(name ?? other ?? "");
      }
    } else if (typeof value === "object" && value !== null) {
      // Text that is no expression may say anything.
      if ("kind" in value && value.kind === "literal") return;
      Object.values(value).forEach(visit);
    }
  };
  visit([steps, hooks, concurrency]);
  for (const source of secrets) if (source.from === "env") names.delete(source.variable);
  return [...names];
}
