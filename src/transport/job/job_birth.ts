/**
 * When jobs began, by this machine's clock. A job's file says it by the clock of whoever started it, which may be
 * another machine, hours away; the node says how long ago it made that file, by its own clock alone.
 */
import { clockShift, systemClock } from "../../core/clock.ts";

/** @returns by how many ms the clock of whoever started a job is behind this machine's; 0 where that is not known */
export function clockShifts(
  answer: string,
): (job: { readonly id: string; readonly startedAt: number }) => number {
  const now = systemClock.now();
  const at = Number(/^now (\d{1,12})$/m.exec(answer)?.[1] ?? Number.NaN);
  const born = new Map(
    Array.from(answer.matchAll(/^born ([1-9]\d{0,11}) (.+)\.state$/gm), ([, seconds, id = ""]) => [
      id,
      Number(seconds),
    ]),
  );
  return ({ id, startedAt }) => {
    const ageMs = 1000 * (at - (born.get(id) ?? Number.NaN));
    return ageMs >= 0 ? clockShift({ theirs: startedAt, ours: now - ageMs }) : 0;
  };
}
