/** What a job used of its node, as the node's meter says it; see `job_meter.sh`. */
import type { Usage, UsageSamples } from "../../core/usage.ts";

/** Looks that are kept: more than a line on a page can show. */
export const MOST_SAMPLES = 60;
/** A peak of one look says nothing about a job that grew after it. */
const LEAST_LOOKS = 2;

/** Files of a job can be written by the job: beyond what any machine has, they are not the meter's. */
const MOST_CORES = 4096;
const MOST_MEMORY_KIB = 2 ** 40;
const MOST_GPU_MIB = 2 ** 24;
/** Two years. */
const MOST_AGE = 2 * 365 * 86_400 * 100;
/** A look takes time: the clock may be read before what is counted. */
const LOOK_TICKS = 1000;

interface Look {
  readonly age: number;
  readonly ticks: number;
  readonly memory: number;
  readonly peak: number;
  readonly gpuMemory: number | undefined;
  readonly gpuLoad: number | undefined;
}

/**
 * Reads what a node says, of which no more is believed than numbers in their bounds; what is nothing of
 * the kind is left out. Undefined where nothing is left.
 */
export function parseUsage(text: string): Usage | undefined {
  const lines = text.split("\n");
  const looks: Look[] = [];
  for (const line of lines) {
    const look = lookIn(line);
    const before = looks.at(-1);
    // What was written while it was read may stand there twice, or half.
    if (look && (before === undefined || look.age > before.age)) looks.push(look);
  }
  const times = lines.flatMap((line) => timesIn(line) ?? []).at(-1);
  const usage = { ...usedUp(looks, times), ...peaks(looks), ...samplesOf(looks) };
  return Object.keys(usage).length === 0 ? undefined : usage;
}

/** Age and CPU in 1/100 s, memory and its peak in KiB, MiB and per cent of GPUs. */
const LOOK = /^(\d{1,10}) (\d{1,12}) (\d{1,13}) (\d{1,13}) (?:-|(\d{1,8})) (?:-|(\d{1,3}))$/;

function lookIn(line: string): Look | undefined {
  const match = LOOK.exec(line);
  if (match === null) return undefined;
  const [, age, ticks, memory, peak, gpuMemory, gpuLoad] = match;
  const look = {
    age: Number(age),
    ticks: Number(ticks),
    memory: Number(memory),
    peak: Number(peak),
    gpuMemory: gpuMemory === undefined ? undefined : Number(gpuMemory),
    gpuLoad: gpuLoad === undefined ? undefined : Number(gpuLoad),
  };
  return isPossible(look) ? look : undefined;
}

function isPossible({ age, ticks, memory, peak, gpuMemory = 0, gpuLoad = 0 }: Look): boolean {
  return age <= MOST_AGE && ticks <= (age + LOOK_TICKS) * MOST_CORES &&
    Math.max(memory, peak) <= MOST_MEMORY_KIB && gpuMemory <= MOST_GPU_MIB && gpuLoad <= 100;
}

interface Times {
  readonly userMs: number;
  readonly systemMs: number;
}

/** `0m1.230s 0m0.010s`, as shells print the times of children; some write a comma. */
const TIMES = /^(\d{1,9})m([0-5]?\d(?:[.,]\d{1,6})?)s (\d{1,9})m([0-5]?\d(?:[.,]\d{1,6})?)s$/;

function timesIn(line: string): Times | undefined {
  const match = TIMES.exec(line);
  if (match === null) return undefined;
  const [, minutes, seconds, systemMinutes, systemSeconds] = match;
  return { userMs: msOf(minutes, seconds), systemMs: msOf(systemMinutes, systemSeconds) };
}

function msOf(minutes = "0", seconds = "0"): number {
  return Math.round((Number(minutes) * 60 + Number(seconds.replace(",", "."))) * 1000);
}

/** What nobody waited for is not among the times, but was seen. */
function usedUp(
  looks: readonly Look[],
  times: Times | undefined,
): Pick<Usage, "cpuMs" | "userMs" | "systemMs"> {
  const seenMs = Math.max(0, ...looks.map(({ ticks }) => ticks * 10));
  if (times === undefined) return looks.length === 0 ? {} : { cpuMs: seenMs };
  return { cpuMs: Math.max(seenMs, times.userMs + times.systemMs), ...times };
}

function peaks(looks: readonly Look[]): Pick<Usage, "peakBytes" | "gpuPeakBytes" | "gpuLoad"> {
  const memory = looks.flatMap(({ gpuMemory }) => gpuMemory ?? []);
  const loads = looks.flatMap(({ gpuLoad }) => gpuLoad ?? []);
  return {
    ...(looks.length >= LEAST_LOOKS && {
      peakBytes: Math.max(...looks.map(({ peak, memory }) => Math.max(peak, memory))) * 1024,
    }),
    ...(memory.length > 0 && { gpuPeakBytes: Math.max(...memory) * 2 ** 20 }),
    ...(loads.length > 0 && {
      gpuLoad: Math.round(loads.reduce((sum, load) => sum + load, 0) / loads.length),
    }),
  };
}

function samplesOf(looks: readonly Look[]): { readonly samples?: UsageSamples } {
  if (looks.length < LEAST_LOOKS) return {};
  let kept = looks;
  while (kept.length > MOST_SAMPLES) kept = thinned(kept);
  let mostTicks = 0;
  const hasGpus = looks.some(({ gpuMemory, gpuLoad }) =>
    gpuMemory !== undefined || gpuLoad !== undefined
  );
  return {
    samples: {
      atMs: kept.map(({ age }) => age * 10),
      // Of processes that went without a parent nothing is left.
      cpuMs: kept.map(({ ticks }) => (mostTicks = Math.max(mostTicks, ticks)) * 10),
      memoryBytes: kept.map(({ memory }) => memory * 1024),
      ...(hasGpus && {
        gpuBytes: kept.map(({ gpuMemory }) => gpuMemory === undefined ? null : gpuMemory * 2 ** 20),
        gpuLoad: kept.map(({ gpuLoad }) => gpuLoad ?? null),
      }),
    },
  };
}

/** Two become one: the later, with the larger memory of both. */
function thinned(looks: readonly Look[]): Look[] {
  const found: Look[] = [];
  for (let at = 0; at < looks.length; at += 2) {
    const [first, second] = [looks[at], looks[at + 1]];
    if (first === undefined) continue;
    found.push(
      second === undefined ? first : {
        ...second,
        memory: Math.max(first.memory, second.memory),
        gpuMemory: second.gpuMemory ?? first.gpuMemory,
        gpuLoad: second.gpuLoad ?? first.gpuLoad,
      },
    );
  }
  return found;
}
