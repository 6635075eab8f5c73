import assert from "node:assert/strict";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { createLocalTransport } from "../../../src/transport/local.ts";
import {
  awaitLauncher,
  type ContractNode,
  followAll,
  jobSpec,
} from "../../support/job_contract.ts";
import { localEndpoint } from "../../support/local_node.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

const LOOK = 'echo "${GRID_TEST_HIDDEN-none}"';

interface Here extends ContractNode {
  readonly hidden: Set<string>;
}

/** This machine, with a variable that is not hidden yet. */
// deno-lint-ignore require-await
async function openHere(): Promise<Here> {
  const folder = tempDir();
  Deno.env.set("GRID_TEST_HIDDEN", "seen");
  const hidden = new Set<string>();
  const transport = createLocalTransport(localEndpoint(), { hidden });
  return {
    transport,
    hidden,
    root: folder.path,
    [Symbol.asyncDispose]: async () => {
      Deno.env.delete("GRID_TEST_HIDDEN");
      await transport[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

async function look(node: ContractNode): Promise<string> {
  const job = await startJob(node.transport, jobSpec(node, { command: LOOK }));
  const { stdout } = await followAll(job);
  await job.remove();
  return stdout.trim();
}

Deno.test("what is hidden no local command finds, also where the shell was there before", async () => {
  await using node = await openHere();
  assert.equal((await node.transport.exec(LOOK)).stdout, "seen\n");
  assert.equal(await look(node), "seen");
  node.hidden.add("GRID_TEST_HIDDEN");
  assert.equal((await node.transport.exec(LOOK)).stdout, "none\n");
  assert.equal(await look(node), "none");
  const library = "grid_look() { grid_answer=${GRID_TEST_HIDDEN-none}; }";
  const { stdout } = await node.transport.exec("grid_look", { library, answers: true });
  assert.equal(stdout, "none");
  await using channel = await node.transport.open(LOOK);
  assert.equal(
    await new Response(channel.stdout as ReadableStream<Uint8Array<ArrayBuffer>>).text(),
    "none\n",
  );
});

testWith(
  ["perl"],
  "what is hidden no local job finds, also where the launcher was there before",
  async () => {
    await using node = await openHere();
    await awaitLauncher(node);
    assert.equal(await look(node), "seen");
    node.hidden.add("GRID_TEST_HIDDEN");
    assert.equal(await look(node), "none");
    assert.equal(await look(node), "none");
  },
);

Deno.test("what a shell cannot do without, or could not name, is not hidden", async () => {
  await using node = await openHere();
  for (const name of ["PATH", "HOME", "not a name"]) node.hidden.add(name);
  const { stdout } = await node.transport.exec('ls / >/dev/null && echo "$HOME"');
  assert.equal(stdout.trim(), Deno.env.get("HOME"));
});
