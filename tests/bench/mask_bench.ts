/** Masking: 100 MB of log with 20 secrets, in chunks of 64 KiB. Promise: ≥ 80 MB/s. */
import { createMasker } from "../../src/core/secret.ts";

const CHUNK = 65_536;
const TOTAL_BYTES = 100e6;

export interface MaskFigures {
  readonly megabytesPerSecond: number;
  readonly secrets: number;
  readonly peakRssMegabytes: number;
}

export function measureMasking(): MaskFigures {
  const secrets = Array.from(
    { length: 20 },
    (_, index) => `${crypto.randomUUID()}/${index}+${crypto.randomUUID().slice(0, index)}`,
  );
  const chunk = logChunk(secrets[7] ?? "");
  const stream = createMasker(secrets).stream();
  let peak = 0;
  const start = performance.now();
  for (let sent = 0; sent < TOTAL_BYTES; sent += CHUNK) {
    stream.push(chunk);
    if (sent % (CHUNK * 100) === 0) peak = Math.max(peak, Deno.memoryUsage().rss);
  }
  stream.end();
  const seconds = (performance.now() - start) / 1000;
  return {
    megabytesPerSecond: TOTAL_BYTES / 1e6 / seconds,
    secrets: secrets.length,
    peakRssMegabytes: peak / 1e6,
  };
}

/** Training log lines, with one secret among them. */
function logChunk(secret: string): Uint8Array {
  let text = `token=${secret}\n`;
  for (let step = 0; text.length < CHUNK; step++) {
    text += `epoch 3/100 step ${step} loss=${1 / (step + 1)} lr=3e-4 tokens/s=18231 eta 0:12:07\n`;
  }
  return new TextEncoder().encode(text).subarray(0, CHUNK);
}

if (import.meta.main) {
  for (let round = 0; round < 3; round++) console.log(measureMasking());
}
