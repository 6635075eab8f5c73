/** What a command says on being told to end arrives, every byte once. */
import assert from "node:assert/strict";
import { endJob } from "../../src/transport/job/job_ending.ts";
import { startJob } from "../../src/transport/job/job_start.ts";
import type { JobSpec } from "../../src/transport/job/job.ts";
import { type ContractNode, type ContractOptions, jobSpec, waitFor } from "./job_contract.ts";

const ENDED = new Error("told to end");
/** Prints before, on the signal and some time after it. */
const TRAPPED =
  `trap 'echo caught; echo oops >&2; printf "\\000\\377"; sleep 0.3; seq 20000; echo bye; exit 0' TERM
echo begins; while :; do sleep 0.05; done`;
const SAID = `begins\ncaught\n\0\xff${numbers(20_000)}bye\n`;

export function describeEnding(name: string, { open, test }: ContractOptions): void {
  test(`${name}: what a command prints on SIGTERM arrives, every byte once`, async () => {
    await using node = await open();
    assert.deepEqual(await endWhenBegun(node, { command: TRAPPED }), {
      stdout: SAID,
      stderr: "oops\n",
      survivors: [],
      warnings: [],
    });
  });

  test(`${name}: what a command prints on SIGTERM is masked`, async () => {
    await using node = await open();
    const command = TRAPPED.replace("echo caught", 'echo "caught $TOKEN"');
    const said = await endWhenBegun(node, { command, secrets: { TOKEN: "a secret" } });
    assert.equal(said.stdout, SAID.replace("caught", "caught ***"));
  });

  for (const secrets of [{}, { TOKEN: "a secret" }]) {
    const masked = "TOKEN" in secrets ? ", masked" : "";
    test(`${name}: what a command prints until it is killed arrives${masked}`, async () => {
      await using node = await open();
      const command =
        `trap 'printf "no: %s" "$TOKEN"' TERM; echo begins; while :; do sleep 0.05 || :; done`;
      const spec = { command, secrets };
      const { stdout, survivors, warnings } = await endWhenBegun(node, { ...spec, graceMs: 500 });
      assert.equal(stdout, `begins\nno: ${masked ? "***" : ""}`);
      assert.deepEqual({ survivors, warnings }, { survivors: [], warnings: [] });
    });
  }
}

interface Ended extends Partial<JobSpec> {
  readonly command: string;
  readonly graceMs?: number;
}

async function endWhenBegun(node: ContractNode, { graceMs = 2000, ...spec }: Ended) {
  const said = { stdout: "", stderr: "" };
  const onOutput = (stream: "stdout" | "stderr", bytes: Uint8Array) => {
    said[stream] += Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  };
  const job = await startJob(node.transport, jobSpec(node, spec));
  const told = new AbortController();
  const following = job.follow({ onOutput, signal: told.signal }).catch((reason) => reason);
  await waitFor(() => said.stdout === "begins\n");
  told.abort(ENDED);
  assert.equal(await following, ENDED);
  const { survivors } = await endJob(job, { graceMs, onOutput });
  await job.remove();
  // bash tells of the tool that it waited for when the signal came.
  const stderr = said.stderr.replaceAll("Terminated\n", "");
  return { ...said, stderr, survivors, warnings: job.warnings };
}

function numbers(last: number): string {
  return Array.from({ length: last }, (_, at) => `${at + 1}\n`).join("");
}
