/** What the cluster config says of the commands of a node: before, env, vars. */
import type { NodeEnvironment } from "./node.ts";
import type { RawEnvironment } from "./schema.ts";

/**
 * A node's own variables add to those of `defaults`, each in place of one of the same name; its own `before`
 * takes the place of theirs. Undefined where nothing is said.
 */
export function environmentOf(
  own: RawEnvironment | null | undefined,
  defaults?: RawEnvironment | null,
): NodeEnvironment | undefined {
  const before = [own?.before ?? defaults?.before ?? []].flat();
  const env = { ...texts(defaults?.env), ...texts(own?.env) };
  const vars = { ...texts(defaults?.vars), ...texts(own?.vars) };
  const isEmpty = before.length + Object.keys(env).length + Object.keys(vars).length === 0;
  return isEmpty ? undefined : { before, env, vars };
}

function texts(values: RawEnvironment["env"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [name, String(value)]),
  );
}
