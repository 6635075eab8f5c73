import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunStarted } from "../../../src/engine/event.ts";
import { openStore } from "../../../src/store/open.ts";
import { usualSteps } from "../../../src/store/usual.ts";
import { runFinished, runStarted, START_MS } from "../../support/events.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Of the last of these runs: its parts, and how many seconds step `a` took. */
function usualOf(runs: readonly (readonly [Partial<RunStarted>, number])[]): number | undefined {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  runs.forEach(([parts, seconds], index) => {
    const run = `r${index}`;
    store.append(run, [
      runStarted(run, parts),
      {
        type: "step.finished",
        at: START_MS + seconds * 1000,
        step: "a",
        state: "succeeded",
        durationMs: seconds * 1000,
        outputs: {},
      },
      runFinished(),
    ]);
  });
  const pipeline = runs.at(-1)?.[0].pipeline ?? "train";
  const steps = usualSteps(store, { run: `r${runs.length - 1}`, pipeline });
  return steps.find(({ step }) => step === "a")?.usualMs;
}

const command = (text: string): Partial<RunStarted> => ({
  pipeline: "command",
  file: "",
  commands: [{ text, steps: ["a"] }],
});

Deno.test("usualSteps() is the median of the runs of the pipeline before", () => {
  assert.equal(usualOf([[{}, 1], [{}, 3], [{}, 2], [{}, 99]]), 2000);
  assert.equal(usualOf([[{}, 1], [{}, 3], [{}, 99]]), undefined, "two say nothing");
});

Deno.test("usualSteps() of a single command looks at runs of the same command alone", () => {
  const short = command("nvidia-smi");
  const long = command("python train.py");
  const mixed = [[long, 60], [short, 1], [short, 1], [long, 61], [short, 1], [long, 62]] as const;
  assert.equal(usualOf([...mixed, [long, 0]]), 61_000);
  assert.equal(usualOf([...mixed, [short, 0]]), 1000);
  assert.equal(usualOf([...mixed, [command("python other.py"), 0]]), undefined);
});
