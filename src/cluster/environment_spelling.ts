/** Values that a cluster config gives to commands, as their author wrote them. */
import { type Container, isContainer, type Source } from "../document/source.ts";
import type { RawCluster, RawEnvironment } from "./schema.ts";

/** Puts the values of `env` and `vars` in the author's spelling: `1.10` and `1e-4` reach a command as written. */
export function spellEnvironments(config: RawCluster, source: Source): void {
  const places = [config.defaults, config.local, ...config.nodes];
  for (const place of places) {
    if (!isContainer(place)) continue;
    const { env, vars } = place as RawEnvironment;
    for (const values of [env, vars]) if (values) spell(values, source);
  }
}

function spell(values: Record<string, unknown>, source: Source): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") continue;
    values[name] = source.spelling(values as Container, name) ?? String(value);
  }
}
