/** The thread of `watchdog.ts`. What it needs for nodes is loaded only when it has to step in. */
/// <reference lib="deno.worker" />
import { monotonic } from "../core/clock.ts";
import { lazy } from "../core/lazy.ts";
import { noteStandIn, readBoard } from "../core/whereabouts.ts";
import type { HeldJob } from "../transport/job/held_jobs.ts";
import type { WatchdogOrders } from "./watchdog_orders.ts";

/** Longer than any pause that is nobody's fault; shorter than a quarter of any sensible lease. */
const SILENT_MS = 2000;
const LOOK_MS = 250;

let board: SharedArrayBuffer | undefined;
let jobs: readonly HeldJob[] = [];
let beats = 0;
let heardAt = monotonic();
let standingIn: { readonly since: number; readonly ended: Promise<AsyncDisposable> } | undefined;

self.onmessage = ({ data }: MessageEvent<WatchdogOrders>) => {
  board = data.board ?? board;
  jobs = data.jobs ?? jobs;
};

setInterval(() => {
  if (board === undefined) return;
  const seen = readBoard(board);
  const now = monotonic();
  if (seen.beats !== beats) {
    beats = seen.beats;
    if (standingIn !== undefined) stepBack(now);
    heardAt = now;
  } else if (now - heardAt > SILENT_MS && standingIn === undefined && jobs.length > 0) {
    stepIn(seen.word);
  }
}, LOOK_MS);

function stepIn(word: string): void {
  const count = jobs.length === 1 ? "1 running job" : `${jobs.length} running jobs`;
  const where = word === "" ? "" : `, in ${word}`;
  say(
    `warning: Grid itself stands still since ${SILENT_MS / 1000} s${where}; ` +
      `a second thread keeps ${count} alive meanwhile`,
  );
  if (board !== undefined) noteStandIn(board, true);
  standingIn = { since: heardAt, ended: begin(jobs) };
}

async function begin(held: readonly HeldJob[]): Promise<AsyncDisposable> {
  const [{ configureLog }, { renderLogRecord }, { standIn }] = await Promise.all([
    lazy<typeof import("../core/log.ts")>("../core/log.ts", import.meta.url),
    lazy<typeof import("../terminal/log_line.ts")>("../terminal/log_line.ts", import.meta.url),
    lazy<typeof import("../transport/job/stand_in.ts")>(
      "../transport/job/stand_in.ts",
      import.meta.url,
    ),
  ]);
  configureLog({
    level: "warn",
    sink: (record) => say(renderLogRecord(record, { format: "pretty", color: false }).trimEnd()),
  });
  return standIn(held);
}

function stepBack(now: number): void {
  const { since, ended } = standingIn ?? {};
  standingIn = undefined;
  if (since !== undefined) say(`Grid goes on after ${Math.round((now - since) / 1000)} s`);
  void leave(ended);
}

/** Connections and the programs behind them go before the thread does. */
async function leave(ended: Promise<AsyncDisposable> | undefined): Promise<void> {
  try {
    await (await ended)?.[Symbol.asyncDispose]();
  } finally {
    if (board !== undefined && standingIn === undefined) noteStandIn(board, false);
  }
}

/** The main thread cannot print now, so this one does, past whatever is drawn on the terminal. */
function say(line: string): void {
  const clear = Deno.stderr.isTerminal() ? "\r\x1b[K" : "";
  Deno.stderr.writeSync(new TextEncoder().encode(`${clear}${line}\n`));
}
