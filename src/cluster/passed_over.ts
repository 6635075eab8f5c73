import type { PassedOver } from "./node_choice.ts";

/** Names shown per reason before the rest is counted. */
const NAMES_SHOWN = 5;

/** Why none of them: `gpu1, gpu2: it has no GPU; gpu3: connection refused`. */
export function passedOverWords(reasons: readonly PassedOver[]): string {
  const byReason = Map.groupBy(reasons, ({ reason }) => reason);
  return [...byReason].map(([reason, nodes]) => {
    const names = nodes.slice(0, NAMES_SHOWN).map(({ node }) => node).join(", ");
    const more = nodes.length > NAMES_SHOWN ? ` and ${nodes.length - NAMES_SHOWN} more` : "";
    return `${names}${more}: ${reason}`;
  }).join("; ");
}
