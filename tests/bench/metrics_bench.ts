/**
 * `grid metrics` of a project that has done little beside one that has done a lot: about 200 and 20,000
 * events, the whole program each time. Promise: ≤ 1.2 times. The first call after an upgrade counts
 * everything once, which is shown apart.
 */
import { join } from "node:path";
import type { Event } from "../../src/engine/event.ts";
import { openStore } from "../../src/store/open.ts";
import { programArgs } from "../support/cli.ts";
import { longRun } from "../support/sample_runs.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROUNDS = 7;
/** Five events a step, and two more. */
const STEPS_PER_RUN = 38;

interface Figures {
  readonly events: number;
  readonly firstMs: number;
  /** Median. */
  readonly ms: number;
}

if (import.meta.main) {
  const little = await measure(1);
  const much = await measure(104);
  console.log("events   first call   each call after");
  for (const { events, firstMs, ms } of [little, much]) {
    console.log(
      `${String(events).padStart(6)}   ${firstMs.toFixed(0).padStart(7)} ms   ${
        ms.toFixed(0).padStart(7)
      } ms`,
    );
  }
  console.log(`after 20,000 events ${(much.ms / little.ms).toFixed(2)}× of after 200`);
}

async function measure(runs: number): Promise<Figures> {
  using folder = tempDir();
  let events = 0;
  {
    using store = openStore(join(folder.path, ".grid", "grid.db"));
    for (let at = 0; at < runs; at++) {
      const run = `20260101-000000-${String(at).padStart(4, "0")}`;
      const journal = named(run, longRun(STEPS_PER_RUN));
      store.append(run, journal);
      events += journal.length;
    }
  }
  const firstMs = await call(folder.path);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await call(folder.path));
  return { events, firstMs, ms: times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0 };
}

function named(run: string, events: readonly Event[]): Event[] {
  return events.map((event) => event.type === "run.started" ? { ...event, run } : event);
}

async function call(cwd: string): Promise<number> {
  const start = performance.now();
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: programArgs(["metrics", "--no-look"]),
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn().status;
  if (!success) throw new Error("grid metrics failed");
  return performance.now() - start;
}
