/** Why GPUs of a node do not fit, where many have one reason. */
import { foldNumbers } from "../core/name_ranges.ts";

const PLURALS: Readonly<Record<string, string>> = { is: "are", has: "have", does: "do" };

/** `GPU 0 is held by a job of ada`, `GPU 1 is held by …` → `GPUs 0,1 are held by a job of ada`. */
export function foldReasons(reasons: readonly string[]): string {
  const kinds = Map.groupBy(reasons, (reason) => reason.replace(/^GPU \d+/, "GPU"));
  return [...kinds].map(([kind, members]) => {
    const [first = "", second] = members;
    const [, verb = "", rest = ""] = /^GPU (is|has|does) (.*)$/s.exec(kind) ?? [];
    const plural = PLURALS[verb];
    if (second === undefined || plural === undefined) {
      return members.length > 1 ? members.join(", ") : first;
    }
    const indices = members.map((reason) => Number(/\d+/.exec(reason)?.[0]));
    return `GPUs ${foldNumbers(indices)} ${plural} ${rest}`;
  }).join(", ");
}
