/** How the line stands, for people. */
import { formatDuration } from "../core/duration.ts";
import type { GpuTurn } from "./gpu_turn.ts";

const ORDINALS = ["first", "second", "third", "fourth", "fifth"];

/** `second in line for 2 GPUs`, `first in line for a GPU, free in about 12m 00s`. */
export function placeWords(
  { before, startsInMs }: Pick<GpuTurn, "before" | "startsInMs">,
  gpus: number,
): string {
  const place = ORDINALS[before] ?? `number ${before + 1}`;
  const what = gpus <= 1 ? "a GPU" : `${gpus} GPUs`;
  const when = startsInMs === undefined || startsInMs <= 0
    ? ""
    : `, free in about ${formatDuration(aboutMs(startsInMs))}`;
  return `${place} in line for ${what}${when}`;
}

/** Nobody knows it to the second. */
function aboutMs(ms: number): number {
  const unit = ms > 3_600_000 ? 600_000 : ms > 60_000 ? 60_000 : 1000;
  return Math.max(unit, Math.round(ms / unit) * unit);
}
