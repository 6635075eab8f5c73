/** What a command says on being told to end arrives, every byte once. */
import assert from "node:assert/strict";
import { endJob } from "../../src/transport/job/job_ending.ts";
import { startJob } from "../../src/transport/job/job_start.ts";
import type { JobSpec } from "../../src/transport/job/job.ts";
import { type ContractNode, type ContractOptions, jobSpec, waitFor } from "./job_contract.ts";

const ENDED = new Error("told to end");
/** Prints before, on the signal and some time after it. */
const TRAPPED =
  `trap 'echo caught; echo oops >&2; printf "\\000\\377"; sleep 0.2; seq 20000; echo bye; exit 0' TERM
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

  test(`${name}: what tidies up is left alone, through any number of wrappers`, async () => {
    await using node = await open();
    const write = (file: string, text: string) =>
      Deno.writeTextFileSync(`${node.root}/${file}`, text);
    write("one.sh", "sh two.sh; echo outer=$?\n");
    write("two.sh", "sh three.sh; echo inner=$?\n");
    write("three.sh", "while [ ! -e apart ]; do sleep 0.05; done; sleep 0.1; echo slept\n");
    // Started within a moment, between two looks, and nobody's child any more.
    write("away.sh", "sh -c 'sleep 0.1; echo away'; echo apart=$?; : >apart\n");
    write("tidy.sh", "(setsid sh away.sh &)\nsh one.sh\n");
    const command = "trap 'sh ./tidy.sh' EXIT; echo begins; sleep 1000";
    const { stdout } = await endWhenBegun(node, { command, graceMs: 5000 });
    assert.equal(stdout, "begins\naway\napart=0\nslept\ninner=0\nouter=0\n");
  });

  for (const secrets of [{}, { TOKEN: "a secret" }]) {
    const masked = "TOKEN" in secrets ? ", masked" : "";
    test(`${name}: what a command prints after its shell is gone arrives${masked}`, async () => {
      await using node = await open();
      // The step's own shell waits for another program, and ends at once when both are told to.
      const inner = 'trap "echo caught; sleep 0.2; echo saved $TOKEN; sleep 0.2; exit 9" TERM; ' +
        "echo begins; while :; do sleep 0.05; done";
      const said = await endWhenBegun(node, { command: `sh -c '${inner}'; :`, secrets });
      assert.deepEqual(said, {
        stdout: `begins\ncaught\nsaved${masked ? " ***" : ""}\n`,
        stderr: "",
        survivors: [],
        warnings: [],
      });
    });

    test(`${name}: what goes on printing until it is killed arrives${masked}`, async () => {
      await using node = await open();
      const inner = 'trap "echo caught; sleep 0.2; printf \\"no: $TOKEN\\"" TERM; ' +
        "echo begins; while :; do sleep 0.05 || :; done";
      const spec = { command: `sh -c '${inner}'; :`, secrets, graceMs: 2000 };
      const { stdout, survivors, warnings } = await endWhenBegun(node, spec);
      assert.equal(stdout, `begins\ncaught\nno: ${masked ? "***" : ""}`);
      assert.deepEqual({ survivors, warnings }, { survivors: [], warnings: [] });
    });

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
  const { survivors, exit } = await endJob(job, { graceMs, onOutput });
  assert.ok(exit !== undefined, "how it ended is known");
  await job.remove();
  // bash tells of the tool that it waited for when the signal came.
  const stderr = said.stderr.replaceAll("Terminated\n", "");
  return { ...said, stderr, survivors, warnings: job.warnings };
}

function numbers(last: number): string {
  return Array.from({ length: last }, (_, at) => `${at + 1}\n`).join("");
}
