/** Runs whose pages are looked at: a sweep, a hundred failures, and one that tries to break out of the page. */
import type { Usage } from "../../src/core/usage.ts";
import type { Event, StepOutline } from "../../src/engine/event.ts";
import { RUN, START } from "./sample_runs.ts";

const BY = { user: "ada", host: "laptop", system: "Linux 6.1.0 x86_64, Deno 2.9.6" };

interface Cell {
  readonly id: string;
  readonly matrix: Readonly<Record<string, number | string>>;
  readonly outputs: Readonly<Record<string, number | string>>;
  /** Milliseconds after the run's beginning. */
  readonly from: number;
  readonly to: number;
  readonly isFailed?: boolean;
}

const EXIT = {
  code: "exit",
  message: "command failed with exit code 1",
  exitCode: 1,
  started: true,
} as const;

function beginning(
  { pipeline, steps, commands }: {
    readonly pipeline: string;
    readonly steps: readonly StepOutline[];
    readonly commands: readonly { readonly text: string; readonly steps: readonly string[] }[];
  },
): Event {
  return {
    type: "run.started",
    at: START,
    run: RUN,
    pipeline,
    file: `pipelines/${pipeline}.yaml`,
    project: "/home/ada/project",
    inputs: { epochs: 5, dataset: "digits" },
    steps,
    gridVersion: "0.1.0",
    by: BY,
    commands,
  };
}

/** Memory that grows and stays, processors that are busy, a GPU that is asked for now and then. */
function cellUsage(durationMs: number, cell: number): Usage {
  const looks = Array.from({ length: 30 }, (_, at) => at + 1);
  const memoryBytes = looks.map((at) => Math.min(at, 12) * (cell + 4) * 20_000_000);
  const cpuMs = Math.round(durationMs * 0.8);
  const gpuLoad = looks.map((at) => at % 3 === 0 ? 60 + (at * (cell + 7)) % 38 : null);
  return {
    ...{ cpuMs, userMs: cpuMs - 20, systemMs: 20, peakBytes: Math.max(...memoryBytes) },
    ...{ gpuPeakBytes: 61 * 2 ** 30, gpuLoad: 81 },
    samples: {
      atMs: looks.map((at) => Math.round(durationMs * at / 30)),
      cpuMs: looks.map((at) => Math.round(cpuMs * at / 30 * (1 - (at % 4) / 100))),
      memoryBytes,
      gpuBytes: gpuLoad.map((load) => load === null ? null : 61 * 2 ** 30),
      gpuLoad,
    },
  };
}

function cellEvents({ id, outputs, from, to, isFailed }: Cell, at: number): Event[] {
  const node = `gpu${at % 4 + 1}`;
  const result = isFailed ? "failed" : "succeeded";
  const failure = isFailed ? { failure: { ...EXIT, node } } : {};
  return [
    { type: "step.started", at: START + from, step: id, afterMs: from },
    { type: "attempt.started", at: START + from, step: id, attempt: 1, afterMs: from },
    { type: "node.chosen", at: START + from + 400, step: id, attempt: 1, node, score: 12 + at },
    {
      type: "attempt.finished",
      at: START + to,
      step: id,
      attempt: 1,
      result,
      exitCode: isFailed ? 1 : 0,
      durationMs: to - from,
      usage: cellUsage(to - from, at),
      image: `ghcr.io/lab/train@sha256:${"5e".repeat(32)}`,
      ...failure,
    },
    {
      type: "step.finished",
      at: START + to,
      step: id,
      state: result,
      outputs,
      durationMs: to - from,
      ...failure,
    },
  ];
}

function groupEvents(
  { group, cells }: { readonly group: string; readonly cells: readonly Cell[] },
): Event[] {
  const isFailed = cells.some((cell) => cell.isFailed);
  const first = Math.min(...cells.map(({ from }) => from));
  const last = Math.max(...cells.map(({ to }) => to));
  return [
    { type: "step.started", at: START + first, step: group, afterMs: first },
    ...cells.flatMap(cellEvents),
    {
      type: "step.finished",
      at: START + last,
      step: group,
      state: isFailed ? "failed" : "succeeded",
      outputs: {},
      durationMs: last - first,
    },
    {
      type: "run.finished",
      at: START + last + 20,
      state: isFailed ? "failed" : "succeeded",
      ...(isFailed ? { firstFailure: cells.find((cell) => cell.isFailed)?.id ?? "" } : {}),
      exitCode: isFailed ? 1 : 0,
      durationMs: last + 20,
    },
  ];
}

function outlinesOf(group: string, cells: readonly Cell[]): StepOutline[] {
  const members = cells.map(({ id, matrix }): StepOutline => ({
    ...{ id, kind: "run", needs: [], after: [], group, matrix },
  }));
  return [...members, { id: group, kind: "group", needs: [], after: [] }];
}

/** Twelve cells, four at a time. */
export function sweepRun(): Event[] {
  const cells = [1e-4, 3e-4, 1e-3].flatMap((lr, row) =>
    ["adam", "sgd"].flatMap((optimizer, column) =>
      [1, 2].map((seed): Cell => {
        const at = row * 4 + column * 2 + seed - 1;
        const from = 200 + Math.floor(at / 4) * 21_000;
        return {
          id: `try[lr=${lr},optimizer=${optimizer},seed=${seed}]`,
          matrix: { lr, optimizer, seed },
          outputs: {
            accuracy: Number((0.91 + row * 0.02 - column * 0.013 + seed * 0.001).toFixed(4)),
            val_loss: Number((0.41 - row * 0.06 + column * 0.03).toFixed(3)),
            parameters: 1_204_000,
          },
          from,
          to: from + 18_000 + at * 190,
        };
      })
    )
  );
  const text = "set -eu\npython train.py \\\n  --lr ${{ matrix.lr }} --seed ${{ matrix.seed }}";
  return [
    beginning({
      pipeline: "sweep",
      steps: outlinesOf("try", cells),
      commands: [{ text, steps: cells.map(({ id }) => id) }],
    }),
    ...groupEvents({ group: "try", cells }),
  ];
}

/** A hundred cells of which all fail, for one cause but the last three. */
export function hundredFailures(): Event[] {
  const cells = Array.from({ length: 100 }, (_, at): Cell => ({
    id: `fit[fold=${at + 1}]`,
    matrix: { fold: at + 1 },
    outputs: {},
    from: 100 + Math.floor(at / 8) * 2_000,
    to: 1_900 + Math.floor(at / 8) * 2_000,
    isFailed: true,
  }));
  return [
    beginning({
      pipeline: "folds",
      steps: outlinesOf("fit", cells),
      commands: [{
        text: "python fit.py --fold ${{ matrix.fold }}",
        steps: cells.map(({ id }) => id),
      }],
    }),
    ...groupEvents({ group: "fit", cells }),
  ];
}

/** What a program prints that colours its output. */
export const COLOURED = [
  "epoch 1/5 \x1b[32m━━━━━━━━━━\x1b[0m loss \x1b[1m0.713\x1b[0m",
  "\x1b[33mwarning:\x1b[0m \x1b[38;5;214mlearning rate\x1b[0m is high",
  "\x1b[41;97m FAIL \x1b[0m \x1b[31mtests/test_model.py\x1b[0m::test_shape",
  "\x1b[2mTraceback (most recent call last):\x1b[0m",
  '  File "\x1b[36mtrain.py\x1b[0m", line \x1b[35m88\x1b[0m, in <module>',
  "\x1b[1;31mRuntimeError\x1b[0m: CUDA out of memory. Tried to allocate 2.00 GiB",
].join("\n");

/** Text that is markup, ends elements and attributes, turns text around or talks to terminals. */
export const HOSTILE_WORDS =
  `</pre></script><script>window.broken = 1</script><img src=x onerror="window.broken = 2">` +
  `'"><b>&amp;</b> \u202egnp.exe\u202c \x1b]0;title\x07\x1b[2Jafter`;

/** A step, an input, an output, an axis and a message that all try to be more than text. */
export function hostileRun(): Event[] {
  const id = `x[v=${HOSTILE_WORDS}]`;
  const other = `${HOSTILE_WORDS} two words`;
  const cells: Cell[] = [id, `x[v=2]`].map((id) => ({
    ...{
      id,
      matrix: { [HOSTILE_WORDS]: HOSTILE_WORDS },
      outputs: { [HOSTILE_WORDS]: HOSTILE_WORDS },
    },
    ...{ from: 10, to: 900, isFailed: true },
  }));
  const steps = outlinesOf(other, cells);
  const start = beginning({
    pipeline: HOSTILE_WORDS,
    steps,
    commands: [{ text: `${HOSTILE_WORDS}\n${HOSTILE_WORDS}`, steps: [id] }],
  });
  return [
    { ...start, inputs: { [HOSTILE_WORDS]: HOSTILE_WORDS } } as Event,
    { type: "warned", at: START + 5, message: HOSTILE_WORDS },
    ...groupEvents({ group: other, cells }),
  ];
}
