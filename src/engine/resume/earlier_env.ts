/** `env()` in a resumed run: what the earlier run saw, where the shell that types resume has none. Pure. */
import { own } from "../../core/own.ts";
import type { RunState } from "../reduce.ts";

type Variables = Readonly<Record<string, string>>;

/** What masking leaves of a secret; no value to go on with. */
const MASKED = "***";

export function withEarlierEnv(
  env: Variables,
  earlier: Pick<RunState, "env"> | undefined,
): { readonly env: Variables; readonly taken: readonly string[] } {
  const kept = Object.entries(earlier?.env ?? {})
    .filter(([name, value]) => !Object.hasOwn(env, name) && !value.includes(MASKED));
  if (kept.length === 0) return { env, taken: [] };
  return { env: { ...env, ...Object.fromEntries(kept) }, taken: kept.map(([name]) => name) };
}

/** Those of the variables that are set. */
export function envSeen(names: readonly string[], env: Variables): Variables {
  return Object.fromEntries(names.flatMap((name) => {
    const value = own(env, name);
    return value === undefined ? [] : [[name, value]];
  }));
}
