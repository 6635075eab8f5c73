/**
 * The programs that mask on a node what a command prints: 100 MB of log with 20 secrets, and with one key
 * of many lines, beside `cat`. Rates are by processor time.
 */
import { maskPatterns } from "../../src/transport/job/output_mask.ts";
import { MASK_PROGRAMS } from "../support/mask_program.ts";

const CHUNK = 65_536;
const TOTAL_BYTES = 100e6;

function sampleSecrets(): string[] {
  return Array.from(
    { length: 20 },
    (_, index) => `${crypto.randomUUID()}/${index}+${crypto.randomUUID().slice(0, index)}`,
  );
}

/** As long as a private key of 2,048 bits. */
function sampleKey(): string {
  const lines = Array.from(
    { length: 26 },
    () => crypto.getRandomValues(new Uint8Array(48)).toBase64(),
  );
  return ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
}

/** Training log lines of two lengths, with one secret among them. */
function logChunk(secret: string): Uint8Array {
  const long = " some words and /usr/lib/x86_64-linux-gnu/paths".repeat(20);
  let text = `token=${secret}\n`;
  for (let step = 0; text.length < CHUNK; step++) {
    text += `epoch 3/100 step ${step} loss=${1 / (step + 1)} lr=3e-4 tokens/s=18231 eta 0:12:07`;
    text += step % 4 === 0 ? `${long}\n` : "\n";
  }
  return new TextEncoder().encode(text).subarray(0, CHUNK);
}

interface NodeRun {
  readonly argv: readonly string[];
  readonly patterns: string;
  readonly log: string;
}

/** Seconds of processor time that a program takes to copy the log through a pipe to a file. */
async function processorSeconds({ argv, patterns, log }: NodeRun): Promise<number> {
  const script = 'cat "$0" | { bash -c \'TIMEFORMAT="%U %S"; time "$@" 3<&3 5>/dev/null ' +
    '6>/dev/null >/dev/null 2>/dev/null\' sh "$@" 3<&0 4</dev/null <"$0.patterns"; }';
  await Deno.writeTextFile(`${log}.patterns`, patterns);
  const { stderr } = await new Deno.Command("bash", { args: ["-c", script, log, ...argv] })
    .output();
  return new TextDecoder().decode(stderr).trim().split(" ").map(Number).reduce((a, b) => a + b);
}

async function benchPrograms(log: string): Promise<void> {
  const cat = { name: "cat", argv: () => Promise.resolve(["sh", "-c", "cat <&3 >&5"]) };
  for (const secrets of [sampleSecrets(), [sampleKey()]]) {
    const patterns = maskPatterns(secrets);
    console.log(`${secrets.length} secrets, ${patterns.split("\n").length - 1} patterns`);
    for (const { name, argv } of [cat, ...MASK_PROGRAMS]) {
      const program = await argv();
      const rounds: number[] = [];
      for (let round = 0; round < 5; round++) {
        rounds.push(await processorSeconds({ argv: program, patterns, log }));
      }
      const seconds = rounds.toSorted((a, b) => a - b)[2] ?? 0;
      console.log(`  ${name.padEnd(8)} ${(TOTAL_BYTES / 1e6 / seconds).toFixed(0)} MB/s`);
    }
  }
}

if (import.meta.main) {
  const folder = Deno.makeTempDirSync({ prefix: "grid-bench-" });
  try {
    const chunk = logChunk("");
    const log = `${folder}/log`;
    using file = await Deno.open(log, { write: true, create: true });
    for (let sent = 0; sent < TOTAL_BYTES; sent += CHUNK) await file.write(chunk);
    await benchPrograms(log);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
