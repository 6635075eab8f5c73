/**
 * Output of commands: 100 MB of training log with 20 secrets, first through the filter alone, then
 * through the whole program to its log file and to a pipe or a terminal, beside `cat | tee` that
 * does the same without looking at it. Promise: ≥ 80 MB/s in ≤ 250 MB. The terminal is made by
 * `script` (Debian: bsdutils).
 */
import { join } from "node:path";
import { createMasker } from "../../src/core/secret.ts";
import { quoteAll } from "../../src/core/shell.ts";
import { programArgs } from "../support/cli.ts";
import { findProgram } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const CHUNK = 65_536;
const TOTAL_BYTES = 100e6;
const ROUNDS = 3;
const RSS_EVERY_MS = 20;

export interface MaskFigures {
  readonly megabytesPerSecond: number;
  readonly peakRssMegabytes: number;
}

export function measureMasking(): MaskFigures {
  const secrets = makeSecrets();
  const chunk = logChunk(secrets[7] ?? "");
  const stream = createMasker(secrets).stream();
  let peak = 0;
  const start = performance.now();
  for (let sent = 0; sent < TOTAL_BYTES; sent += CHUNK) {
    stream.push(chunk);
    if (sent % (CHUNK * 100) === 0) peak = Math.max(peak, Deno.memoryUsage().rss);
  }
  stream.end();
  return {
    megabytesPerSecond: speedSince(start),
    peakRssMegabytes: peak / 1e6,
  };
}

function makeSecrets(): string[] {
  return Array.from(
    { length: 20 },
    (_, index) => `${crypto.randomUUID()}/${index}+${crypto.randomUUID().slice(0, index)}`,
  );
}

/** Training log lines, with one secret among them. */
function logChunk(secret: string): Uint8Array {
  let text = `token=${secret}\n`;
  for (let step = 0; text.length < CHUNK; step++) {
    text += `epoch 3/100 step ${step} loss=${1 / (step + 1)} lr=3e-4 tokens/s=18231 eta 0:12:07\n`;
  }
  return new TextEncoder().encode(text).subarray(0, CHUNK);
}

function speedSince(start: number): number {
  return TOTAL_BYTES / 1e6 / ((performance.now() - start) / 1000);
}

async function main(): Promise<void> {
  using dir = tempDir();
  const secrets = makeSecrets();
  await writeProject(dir.path, secrets);
  const env = Object.fromEntries(secrets.map((secret, index) => [`SECRET_${index}`, secret]));
  const grid = (...args: string[]) => `exec ${quoteAll([Deno.execPath(), ...programArgs(args)])}`;
  const print = `cat ${join(dir.path, "log")}`;
  const commands = {
    "cat | tee to file and": `exec sh -c '${print} | tee copy'`,
    'grid run "cat …" to file and': grid("run", "--node", "local", print),
    "grid run p.yaml, 20 secrets, to file and": `${grid("run", "p.yaml")} 2>&1`,
  };
  row("filter alone, 20 secrets", best(Array.from({ length: ROUNDS }, measureMasking)));
  for (const [name, text] of Object.entries(commands)) {
    for (const sink of ["pipe", "terminal"] as const) {
      const figures = await measure({ text, sink, env, folder: dir.path });
      row(`${name} ${sink}`, figures);
    }
  }
}

async function writeProject(folder: string, secrets: readonly string[]): Promise<void> {
  Deno.mkdirSync(join(folder, ".grid"));
  const names = secrets.map((_, index) => `SECRET_${index}`).join(", ");
  const run = `cat '${join(folder, "log")}'`;
  Deno.writeTextFileSync(
    join(folder, "p.yaml"),
    `name: bench\nsecrets: [${names}]\nsteps:\n  - { id: a, node: local, run: "${run}" }\n`,
  );
  using file = await Deno.create(join(folder, "log"));
  const chunk = logChunk(secrets[7] ?? "");
  for (let sent = 0; sent < TOTAL_BYTES; sent += CHUNK) file.writeSync(chunk);
}

interface Job {
  /** Shell text; ends with an `exec` of what is measured. */
  readonly text: string;
  readonly sink: "pipe" | "terminal";
  readonly env: Record<string, string>;
  readonly folder: string;
}

/** The best of some rounds; undefined without `script`. */
async function measure(job: Job): Promise<MaskFigures | undefined> {
  if (job.sink === "terminal" && !findProgram("script")) return undefined;
  const rounds: MaskFigures[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measureOnce(job));
  return best(rounds);
}

async function measureOnce({ text, sink, env, folder }: Job): Promise<MaskFigures> {
  const named = quoteAll(["/bin/sh", "-c", `echo $$ >pid; ${text}`]);
  const kept = `{ ${named}; echo $? >code; }`;
  const [program = "", ...args] = sink === "pipe"
    ? ["/bin/sh", "-c", `${kept} | cat >/dev/null`]
    : ["script", "-qec", kept, "/dev/null"];
  using memory = new PeakMemory(join(folder, "pid"));
  const start = performance.now();
  await new Deno.Command(program, {
    args,
    cwd: folder,
    env: { ...env, SHELL: "/bin/sh" },
    stdin: "null",
    stdout: "null",
  }).output();
  const megabytesPerSecond = speedSince(start);
  const code = Deno.readTextFileSync(join(folder, "code")).trim();
  if (code !== "0") throw new Error(`exit code ${code} of ${text}`);
  return { megabytesPerSecond, peakRssMegabytes: memory.megabytes };
}

/** The most memory that a process ever had, looked at until it is gone. */
class PeakMemory implements Disposable {
  megabytes = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(pidFile: string) {
    this.#timer = setInterval(() => this.#look(pidFile), RSS_EVERY_MS);
  }

  #look(pidFile: string): void {
    try {
      const pid = Deno.readTextFileSync(pidFile).trim();
      const status = Deno.readTextFileSync(`/proc/${pid}/status`);
      const [, kibibytes = "0"] = /VmHWM:\s+(\d+)/.exec(status) ?? [];
      this.megabytes = Math.max(this.megabytes, Number(kibibytes) * 1024 / 1e6);
    } catch (error) {
      // It has not started yet, or is gone.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function best(rounds: readonly MaskFigures[]): MaskFigures {
  return rounds.reduce((a, b) => a.megabytesPerSecond > b.megabytesPerSecond ? a : b);
}

function row(name: string, figures: MaskFigures | undefined): void {
  const shown = figures === undefined
    ? "not installed"
    : `${figures.megabytesPerSecond.toFixed(0)} MB/s, ${figures.peakRssMegabytes.toFixed(0)} MB`;
  console.log(`${name.padEnd(52)} ${shown.padStart(18)}`);
}

if (import.meta.main) await main();
