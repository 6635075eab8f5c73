import assert from "node:assert/strict";
import { join } from "node:path";
import type { PastRuns } from "../../../src/cli/past_runs.ts";
import { followRun, ReplayClock } from "../../../src/cli/run_follower.ts";
import { LogTimes } from "../../../src/report/log_times.ts";
import { longRun, START } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A run of one step whose log is `text`, told once it is over: what came of it, by the clock of the telling. */
async function told(
  text: string,
  notes: readonly { readonly at: number; readonly offset: number }[],
) {
  using folder = tempDir();
  const logs = join(folder.path, "logs");
  Deno.mkdirSync(logs);
  Deno.writeTextFileSync(join(logs, "step-1.1.log"), text);
  let now = 0;
  using times = new LogTimes({ folder: logs, clock: { now: () => now } });
  for (const { at, offset } of notes) {
    now = at;
    times.note("step-1.1.log", offset);
  }
  const events = longRun(1);
  const store = { events: () => events, isAlive: () => false };
  const runs = { store, folder: () => folder.path } as unknown as PastRuns;
  const clock = new ReplayClock();
  const outputs: (readonly [string, number])[] = [];
  const reader = {
    event: () => {},
    output: ({ bytes }: { readonly bytes: Uint8Array }) => {
      outputs.push([new TextDecoder().decode(bytes), clock.now() - START]);
    },
  };
  const { signal } = new AbortController();
  await followRun({ runs, run: "r", reader, clock, signal });
  const ended = events.find(({ type }) => type === "attempt.finished")?.at ?? 0;
  return { outputs, endedMs: ended - START };
}

Deno.test("a run that is over is told with the times at which its lines came", async () => {
  const text = "one\ntwo\nthree\n";
  const { outputs } = await told(text, [{ at: START, offset: 0 }, { at: START + 2000, offset: 4 }]);
  assert.deepEqual(outputs, [["one\n", 0], ["two\nthree\n", 2000]]);
});

Deno.test("lines without times came when their attempt was over", async () => {
  const { outputs, endedMs } = await told("one\ntwo\n", []);
  assert.deepEqual(outputs, [["one\ntwo\n", endedMs]]);
});
