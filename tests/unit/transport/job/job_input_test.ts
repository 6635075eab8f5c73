/** What gives a job its input may be gone at any moment, or lack its program. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { GridError } from "../../../../src/core/errors.ts";
import { InputRing } from "../../../../src/transport/job/input_ring.ts";
import type { Job, JobSpec } from "../../../../src/transport/job/job.ts";
import { JobInput } from "../../../../src/transport/job/job_input.ts";
import { JobLink } from "../../../../src/transport/job/job_link.ts";
import { startJob } from "../../../../src/transport/job/job_start.ts";
import { type ContractNode, followAll, jobSpec, waitFor } from "../../../support/job_contract.ts";
import { openAccountNode } from "../../../support/job_nodes.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { writeProgram } from "../../../support/program_file.ts";

/** Bytes that go through several pieces, and are more than the pipe holds. */
const INPUT = Uint8Array.from(
  { length: 1_500_000 },
  (_, index) => (index * 31 + index / 977) % 256,
);

testWith(["dash", "perl"], "dash: who hands on the input may be told to leave", async () => {
  await using node = await openAccountNode({ shell: ["dash"] });
  assert.ok(await handOver(node) > 1, "nobody was told");
});

testWith(["busybox"], "busybox: a node without perl hands it on as well", async () => {
  using programs = withoutPerl();
  const env = { PATH: `${programs.path}:${Deno.env.get("PATH")}` };
  await using node = await openAccountNode({ shell: ["busybox", "ash"], env });
  assert.ok(await handOver(node) > 1, "nobody was told");
});

/** Gives a job all of it while whoever hands it on is told to leave again and again. */
async function handOver(node: ContractNode): Promise<number> {
  const { spec, job } = await reader(
    node,
    "while dd bs=300000 count=1 2>/dev/null | " +
      '{ b=$(base64 -w0); printf %s "$b"; [ -n "$b" ]; }; do echo; sleep 0.02; done',
  );
  const over = new AbortController();
  const turns = new Set<string>();
  const enders = (async () => {
    while (!over.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const [kind, , pid = ""] = noteOf(node, spec)?.split(/\s+/) ?? [];
      if (!/^\d+$/.test(pid) || kind === "N" || kind === "E" || turns.size >= 3) continue;
      turns.add(pid);
      try {
        Deno.kill(Number(pid), "SIGTERM");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  })();
  const input = new JobInput({ stream: source(() => turns.size > 1) });
  const feeding = input.feed(new JobLink(node.transport, spec), over.signal);
  const { stdout, exit } = await followAll(job);
  await feeding;
  over.abort();
  await enders;
  assert.deepEqual(exit, { kind: "code", code: 0 });
  const got = Buffer.concat(stdout.split("\n").map((part) => Buffer.from(part, "base64")));
  assert.ok(got.equals(INPUT), `${got.length} bytes`);
  await job.remove();
  return turns.size;
}

testWith(["perl"], "where nobody knows how far the input has come, it is not guessed", async () => {
  await using node = await openAccountNode({ shell: ["dash"] });
  const { spec, job } = await reader(node, "read -r line; sleep 60");
  const over = new AbortController();
  const feeding = new JobInput({ stream: silentBehind("words\n") })
    .feed(new JobLink(node.transport, spec), over.signal);
  const refused = assert.rejects(feeding, (error) => {
    assert.ok(error instanceof GridError && error.code === "step-failed", `${error}`);
    assert.match(error.message, /nobody knows how much has arrived/);
    assert.match(error.hint ?? "", /grid kill/);
    return true;
  });
  const note = () => noteOf(node, spec)?.split(/\s+/) ?? [];
  await waitFor(() => note()[1] === "6");
  const pid = Number(note()[2]);
  Deno.kill(pid, "SIGSTOP");
  Deno.writeTextFileSync(file(node, spec, 1), `W ${"0".padEnd(20)} ${pid}\n`);
  Deno.kill(pid, "SIGKILL");
  await refused;
  await job.kill({ graceMs: 1000 });
  await job.remove();
});

Deno.test("a ring keeps what may be wanted again, around its end and back", () => {
  const ring = new InputRing();
  const part = (at: number, length: number) =>
    Uint8Array.from({ length }, (_, index) => ((at + index) * 7) % 251);
  let at = 0;
  for (const length of [1, 2 ** 20, 3_333_333, 2 ** 22, 5, 2 ** 20 + 1, 2 ** 21]) {
    ring.forget(Math.max(0, at - 1000));
    ring.put(part(at, length));
    at += length;
    const from = Math.max(ring.from, at - 2000);
    const read: Uint8Array[] = [];
    for (let next = from; next < ring.end;) {
      const slice = ring.slice(next, 777);
      read.push(slice.slice());
      next += slice.length;
    }
    assert.deepEqual(Buffer.concat(read), Buffer.from(part(from, at - from)));
  }
  assert.equal(ring.end, at);
  assert.equal(ring.slice(ring.end, 10).length, 0);
});

async function reader(
  node: ContractNode,
  command: string,
): Promise<{ readonly spec: JobSpec; readonly job: Job }> {
  const spec = jobSpec(node, { command, hasInput: true });
  return { spec, job: await startJob(node.transport, spec) };
}

/** Its last piece comes once `isEnough` says so, or after some time. */
function source(isEnough = () => true): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= INPUT.length) return controller.close();
      const until = performance.now() + 30_000;
      while (at + 150_000 >= INPUT.length && !isEnough() && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      controller.enqueue(INPUT.slice(at, at += 150_000));
    },
  });
}

function silentBehind(words: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(words)),
  });
}

function file(node: ContractNode, spec: JobSpec, turn: number): string {
  return `${node.root}/.grid/jobs/${spec.id}.in.${turn}`;
}

/** Of the newest turn. */
function noteOf(node: ContractNode, spec: JobSpec): string | undefined {
  for (let turn = 20; turn > 0; turn--) {
    try {
      return Deno.readTextFileSync(file(node, spec, turn)).trim();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** A folder whose `perl` is none. */
function withoutPerl() {
  const folder = tempDir();
  writeProgram(`${folder.path}/perl`, "#!/bin/sh\nexit 127\n");
  return folder;
}
