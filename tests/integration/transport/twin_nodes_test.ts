/**
 * Nodes like containers: process numbers of their own, and so the same ones, but one home folder. What they
 * leave in it must never meet. `GRID_TEST_ROUNDS` says how many fresh starts; default 3.
 */
import assert from "node:assert/strict";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { listJobs } from "../../../src/transport/job/job_list.ts";
import { type ContractNode, followAll, jobSpec } from "../../support/job_contract.ts";
import { openAccountNode } from "../../support/job_nodes.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ROUNDS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 3);
const CELLS = 8;
/** Its processes count from 1 and end with it. */
class Container implements AsyncDisposable {
  readonly #holder: Deno.ChildProcess;
  readonly #init: Promise<number>;

  constructor(host: string) {
    const words = ["--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "sh", "-c"];
    const script = 'hostname "$1"; echo up; exec sleep 1000';
    this.#holder = new Deno.Command("unshare", {
      args: [...words, script, "sh", host],
      stdout: "piped",
    })
      .spawn();
    this.#init = this.#up();
  }

  async #up(): Promise<number> {
    const reader = this.#holder.stdout.getReader();
    await reader.read();
    await reader.cancel();
    const { pid } = this.#holder;
    return Number(Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`));
  }

  /** Words that start a program in it. */
  async enter(): Promise<readonly string[]> {
    return ["nsenter", "--target", String(await this.#init), "--pid", "--mount", "--uts"];
  }

  async place(): Promise<string> {
    return Deno.readLinkSync(`/proc/${await this.#init}/ns/pid`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill("SIGKILL");
    await this.#holder.status;
  }
}

async function runCells(node: ContractNode, place: string): Promise<void> {
  await Promise.all(Array.from({ length: CELLS }, async (_, cell) => {
    const command = `sleep 0.0${cell}; readlink /proc/self/ns/pid; echo cell ${cell}`;
    const job = await startJob(node.transport, jobSpec(node, { command }));
    const { exit, stdout } = await followAll(job);
    assert.deepEqual({ exit, stdout }, {
      exit: { kind: "code", code: 0 },
      stdout: `${place}\ncell ${cell}\n`,
    });
    await job.remove();
  }));
}

for (const hosts of [["one", "two"], ["same", "same"]] as const) {
  const names = hosts[0] === hosts[1] ? "one name" : "two names";
  for (const shell of ["dash", "bash --posix", "busybox ash"]) {
    const part = shell.split(" ")[0] as "dash" | "bash" | "busybox";
    testWith(
      ["root", part],
      `two nodes with equal process numbers, one home and ${names} under ${shell}`,
      async () => {
        for (let round = 0; round < ROUNDS; round++) {
          using home = tempDir();
          await using one = new Container(hosts[0]);
          await using two = new Container(hosts[1]);
          const open = async (container: Container) =>
            openAccountNode({
              folder: home.path,
              shell: [...await container.enter(), ...shell.split(" ")],
            });
          await using first = await open(one);
          await using second = await open(two);
          const numbers = await Promise.all(
            [first, second].map(async ({ transport }) => (await transport.exec("echo $$")).stdout),
          );
          assert.equal(numbers[0], numbers[1], "the shells have the same number");
          const places = [await one.place(), await two.place()];
          assert.notEqual(places[0], places[1]);
          // Both take a launcher, too, which comes with the third job.
          await Promise.all([first, second].map((node, at) => runCells(node, places[at] ?? "")));
          await Promise.all([first, second].map((node, at) => runCells(node, places[at] ?? "")));
          assert.deepEqual(await listJobs(first.transport, home.path), []);
        }
      },
    );
  }
}
