/** What jobs leave running when they end is found and ended, and nothing else. */
import assert from "node:assert/strict";
import { startJob } from "../../src/transport/job/job_start.ts";
import type { Job } from "../../src/transport/job/job.ts";
import { endSurvivors, type JobSurvivors } from "../../src/transport/job/survivors.ts";
import {
  type ContractNode,
  type ContractOptions,
  followAll,
  jobSpec,
  waitFor,
} from "./job_contract.ts";
import { allProcesses, processesWith } from "./processes.ts";

const GRACE_MS = 300;

interface Leaver {
  readonly name: string;
  /** Runs `sleep` for so many seconds, a number that nobody else has. */
  readonly command: (seconds: number) => string;
}

const LEAVERS: readonly Leaver[] = [
  { name: "a child in the background", command: (seconds) => `sleep ${seconds} & echo` },
  {
    name: "a session of its own",
    command: (seconds) => `setsid nohup sleep ${seconds} >/dev/null 2>&1 & echo`,
  },
  {
    name: "a child that ignores SIGTERM",
    command: (seconds) => `(trap '' TERM; exec sleep ${seconds}) & echo`,
  },
  {
    name: "a part of the command's own shell",
    command: (seconds) => `(while :; do sleep ${seconds} || :; done) & echo`,
  },
];

export function describeLeft(name: string, { open, test }: ContractOptions): void {
  test(`${name}: what jobs left running is ended and told`, async () => {
    await using node = await open();
    const run = randomRun();
    const base = 1e7 + Math.floor(Math.random() * 1e6) * 10;
    const jobs = await Promise.all(
      LEAVERS.map(({ command }, at) =>
        runToItsEnd(node, { id: `${run}-s${at}`, command: command(base + at) })
      ),
    );
    const ours = new RegExp(`sleep ${base / 10}.$`);
    const ourSleeps = () => allProcesses().filter(({ command }) => ours.test(command));
    // A shell on its way to a `sleep` has not its name yet.
    await waitFor(() =>
      LEAVERS.every((_, at) => ourSleeps().some(({ command }) => command === `sleep ${base + at}`))
    );
    const left = await end(node, jobs);
    assert.deepEqual(
      left.map(({ job, commands }) => [job, commands.at(-1)]).toSorted(),
      LEAVERS.map((_, at) => [`${run}-s${at}`, `sleep ${base + at}`]),
    );
    assert.deepEqual(left.flatMap(({ survivors }) => survivors), []);
    assert.deepEqual(ourSleeps(), []);
    assert.deepEqual(await end(node, jobs), []);
    for (const job of jobs) await job.remove();
  });

  test(`${name}: what a job that runs has started, or another run's, is left alone`, async () => {
    await using node = await open();
    const run = randomRun();
    const spec = jobSpec(node, { id: `${run}-a`, command: "sleep 1004", detach: true });
    const job = await startJob(node.transport, spec);
    const other = await runToItsEnd(node, { id: `other${run}-a`, command: "sleep 1005 & echo" });
    const ended = await runToItsEnd(node, { id: `${run}-b`, command: "sleep 1006 & echo" });
    // A shell on its way to a `sleep` has not its name yet.
    await waitFor(() =>
      [`other${run}-a`, `${run}-b`].every((id) =>
        processesWith(`GRID_JOB=${id}`).some(({ command }) => command.startsWith("sleep "))
      )
    );
    const left = await end(node, [job, ended]);
    assert.deepEqual(left.map(({ commands }) => commands), [["sleep 1006"]]);
    assert.ok(processesWith(`GRID_JOB=${run}-a`).length > 0);
    assert.deepEqual((await end(node, [other])).map(({ commands }) => commands), [["sleep 1005"]]);
    await job.kill({ graceMs: GRACE_MS });
  });
}

async function runToItsEnd(
  node: ContractNode,
  { id, command }: { readonly id: string; readonly command: string },
): Promise<Job> {
  const job = await startJob(node.transport, jobSpec(node, { id, command }));
  assert.deepEqual((await followAll(job)).exit, { kind: "code", code: 0 });
  return job;
}

function end(node: ContractNode, jobs: readonly Job[]): Promise<readonly JobSurvivors[]> {
  return endSurvivors(node.transport, {
    root: node.root,
    jobs: jobs.map(({ id }) => id),
    isCertain: jobs.some(({ hasLeft }) => hasLeft),
    graceMs: () => GRACE_MS,
  });
}

function randomRun(): string {
  return `run${crypto.randomUUID().slice(0, 8)}`;
}
