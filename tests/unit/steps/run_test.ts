import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { exitCodeOf, GridError } from "../../../src/core/errors.ts";
import type { StepOutcome, StepRequest } from "../../../src/engine/ports.ts";
import type { RunAction } from "../../../src/pipeline/pipeline.ts";
import { createRunStep } from "../../../src/steps/run.ts";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { jobSpec, waitFor } from "../../support/job_contract.ts";
import { allProcesses, processesWith } from "../../support/processes.ts";
import { openStepRig, recordHost, RUN, stepRequest, type StepRig } from "../../support/step_rig.ts";

interface Ran {
  readonly outcome: StepOutcome;
  readonly host: ReturnType<typeof recordHost>;
}

async function run(
  rig: StepRig,
  command: string,
  request: Partial<StepRequest<RunAction<string>>> = {},
): Promise<Ran> {
  await using step = createRunStep({ cluster: rig.cluster });
  const host = recordHost();
  const outcome = await step.run(
    stepRequest({ action: { kind: "run", run: command }, ...request }),
    host,
  );
  return { outcome, host };
}

async function failureOf(
  rig: StepRig,
  command: string,
  request: Partial<StepRequest<RunAction<string>>> = {},
) {
  const { outcome } = await run(rig, command, request);
  assert.equal(outcome.status, "failed");
  return outcome.failure;
}

Deno.test("run hands on what the command prints and tells the job before it starts", async () => {
  await using rig = openStepRig();
  const { outcome, host } = await run(rig, "echo out; echo err >&2");
  assert.deepEqual(outcome, { status: "succeeded", outputs: {}, exitCode: 0 });
  assert.deepEqual(host.printed, { stdout: "out\n", stderr: "err\n" });
  const [chosen, started] = host.notes;
  assert.deepEqual(chosen, { type: "node.chosen", node: "here" });
  assert.ok(started?.type === "job.started" && started.node === "here");
  assert.match(started.job.replace(RUN, "RUN"), /^RUN-work-1-\w{4}$/);
});

Deno.test("run hands on what the command used, however it ended", async () => {
  await using rig = openStepRig();
  for (const code of [0, 3]) {
    const { outcome, host } = await run(rig, `sleep 0.2; exit ${code}`);
    const exit = outcome.status === "failed" ? outcome.failure.exitCode : outcome.exitCode;
    assert.equal(exit, code, JSON.stringify(outcome));
    const [usage, ...others] = host.uses;
    assert.ok(usage?.cpuMs !== undefined && usage.cpuMs < 10_000);
    assert.deepEqual([usage.peakBytes, others], [undefined, []]);
  }
});

Deno.test("run leaves nothing on the node", async () => {
  await using rig = openStepRig();
  await run(rig, "exit 1");
  await run(rig, "true");
  assert.deepEqual([...Deno.readDirSync(join(rig.root, ".grid", "jobs"))], []);
});

Deno.test("run tells the command its run, step, attempt and node", async () => {
  await using rig = openStepRig();
  const { host } = await run(
    rig,
    'echo "$GRID_RUN_ID $GRID_STEP $GRID_ATTEMPT $GRID_NODE $MINE $TOKEN"',
    { attempt: 3, env: { MINE: "m" }, secrets: { TOKEN: "t" } },
  );
  assert.equal(host.printed.stdout, `${RUN} work 3 here m t\n`);
});

Deno.test("run starts in the synced folder, moved by working-directory", async () => {
  await using rig = openStepRig();
  const code = join(rig.root, "code");
  Deno.mkdirSync(join(code, "sub"), { recursive: true });
  const where = async (request: Partial<StepRequest<RunAction<string>>>) =>
    (await run(rig, "pwd", request)).host.printed.stdout.trim();
  assert.equal(await where({}), rig.root);
  assert.equal(await where({ folders: { here: code } }), code);
  assert.equal(await where({ folders: { here: code }, workingDirectory: "sub" }), `${code}/sub`);
  assert.equal(await where({ workingDirectory: "~/code" }), code);
  assert.equal(await where({ workingDirectory: "/" }), "/");
});

Deno.test("run reports an exit code as a failure with that code", async () => {
  await using rig = openStepRig();
  assert.deepEqual(await failureOf(rig, "exit 7"), {
    code: "exit",
    message: 'Cannot finish the command on "here": it exited with code 7',
    node: "here",
    exitCode: 7,
    started: true,
  });
});

Deno.test("run reports a signal by name", async () => {
  await using rig = openStepRig();
  const failure = await failureOf(rig, "kill -KILL $$");
  assert.equal(failure.code, "signal");
  assert.equal(failure.signal, "SIGKILL");
  assert.match(failure.message, /ended by SIGKILL/);
});

Deno.test("run reports a folder that is not there as not started", async () => {
  await using rig = openStepRig();
  const failure = await failureOf(rig, "true", { workingDirectory: "nowhere" });
  assert.equal(failure.code, "step-failed");
  assert.equal(exitCodeOf(failure.code), 1);
  assert.equal(failure.started, false);
  assert.match(failure.message, /nowhere" cannot be entered/);
});

Deno.test("run reads outputs from $GRID_OUTPUT, a file, a JSON path, stdout and a value", async () => {
  await using rig = openStepRig();
  const command = [
    'echo "loss=0.1" >> "$GRID_OUTPUT"',
    `echo '{"val": {"acc": [0.5, 0.9]}}' > metrics.json`,
    "echo v1.2 > version.txt",
    "echo score: 1; echo score: 2",
  ].join("\n");
  const { outcome } = await run(rig, command, {
    outputs: [
      { name: "accuracy", from: "file", path: "metrics.json", json: ".val.acc[1]" },
      { name: "version", from: "file", path: "version.txt", json: undefined },
      { name: "score", from: "stdout", match: "score: (\\d+)" },
      { name: "label", from: "value", value: "nightly" },
    ],
  });
  assert.deepEqual(outcome, {
    status: "succeeded",
    outputs: { loss: "0.1", accuracy: 0.9, version: "v1.2", score: "2", label: "nightly" },
    exitCode: 0,
  });
});

Deno.test("run takes an output from a file whole, or says what is wrong with the file", async () => {
  await using rig = openStepRig();
  const output = (path: string) => ({
    outputs: [{ name: "x", from: "file" as const, path, json: undefined }],
  });
  const largest = await run(rig, "head -c 4194304 /dev/zero | tr '\\0' x > big", output("big"));
  assert.equal(largest.outcome.status, "succeeded");
  const failures: Readonly<Record<string, RegExp>> = {
    "head -c 4194305 /dev/zero > x": /file ".*\/x" on "here" has 4194305 bytes, and 4194304 are/,
    "mkfifo x": /".*\/x" on "here" is not a regular file/,
    "mkdir x": /".*\/x" on "here" is not a regular file/,
    "ln -sf /dev/zero x": /".*\/x" on "here" is not a regular file/,
    "printf '\\377\\376' > x": /file ".*\/x" on "here" is not UTF-8 text/,
  };
  for (const [command, message] of Object.entries(failures)) {
    const failure = await failureOf(rig, `rm -rf x; ${command}`, output("x"));
    assert.equal(failure.code, "output-invalid", command);
    assert.match(failure.message, message, command);
  }
});

Deno.test("run keeps every digit of an output from a file, and what Python writes for NaN", async () => {
  await using rig = openStepRig();
  const json = '{"id": 1799999999999999999, "v": [3.10, 1.0, 1e400], "loss": NaN, "acc": 0.5}';
  const { outcome } = await run(rig, `echo '${json}' > m.json`, {
    outputs: ["id", "v", "loss", "acc"].map((name) => ({
      name,
      from: "file" as const,
      path: "m.json",
      json: `.${name}`,
    })),
  });
  assert.ok(outcome.status === "succeeded");
  assert.equal(
    JSON.stringify(outcome.outputs),
    '{"id":1799999999999999999,"v":[3.10,1.0,1e400],"loss":"NaN","acc":0.5}',
  );
});

Deno.test("run names the output that it cannot read", async () => {
  await using rig = openStepRig();
  const file = (json: string | undefined) =>
    failureOf(rig, "echo '{}' > there.json", {
      outputs: [{ name: "loss", from: "file", path: "there.json", json }],
    });
  const nothing = await file(".val");
  assert.equal(nothing.code, "output-invalid");
  assert.match(
    nothing.message,
    /output "loss": file ".*\/there.json" on "here" has nothing at .val/,
  );
  const gone = await failureOf(rig, "true", {
    outputs: [{ name: "loss", from: "file", path: "gone.json", json: undefined }],
  });
  assert.match(gone.message, /output "loss": file ".*\/gone.json" on "here" cannot be read/);
  const unmatched = await failureOf(rig, "echo no", {
    outputs: [{ name: "loss", from: "stdout", match: "loss=(.*)" }],
  });
  assert.match(unmatched.message, /output "loss": nothing on stdout matches/);
  const broken = await failureOf(rig, 'echo nonsense >> "$GRID_OUTPUT"');
  assert.match(broken.message, /line 1 is neither/);
});

Deno.test("run ends the whole tree when it is told to stop, and reports why", async () => {
  await using rig = openStepRig();
  await using step = createRunStep({ cluster: rig.cluster });
  const stop = new AbortController();
  const host = recordHost(stop.signal);
  const running = step.run(
    stepRequest({ action: { kind: "run", run: "setsid sleep 1000 & sleep 1001" } }),
    host,
  );
  const job = () => host.notes.flatMap((note) => note.type === "job.started" ? note.job : [])[0];
  await waitFor(() => processesWith(`GRID_JOB=${job()}`).length === 3);
  stop.abort(new GridError({ code: "timed-out", message: "Cannot go on: its time is up" }));
  assert.deepEqual(await running, {
    status: "failed",
    failure: {
      code: "timed-out",
      message: "Cannot go on: its time is up",
      node: "here",
      started: true,
    },
    aftermath: "0 survivors (processes)",
  });
  assert.deepEqual(processesWith(`GRID_JOB=${job()}`), []);
});

Deno.test("run hands on what a command prints after it was told to stop", async () => {
  await using rig = openStepRig();
  await using step = createRunStep({ cluster: rig.cluster });
  const stop = new AbortController();
  const host = recordHost(stop.signal);
  const command = `trap 'echo saved; sleep 0.2; echo bye; echo oops >&2; exit 0' TERM
echo begun; while :; do sleep 0.05; done`;
  const running = step.run(stepRequest({ action: { kind: "run", run: command } }), host);
  await waitFor(() => host.printed.stdout === "begun\n");
  stop.abort(new GridError({ code: "timed-out", message: "Cannot go on: its time is up" }));
  const outcome = await running;
  assert.equal(outcome.status === "failed" && outcome.aftermath, "0 survivors (processes)");
  assert.equal(outcome.status === "failed" && outcome.failure.exitCode, 0);
  assert.equal(host.printed.stdout, "begun\nsaved\nbye\n");
  assert.match(host.printed.stderr, /oops\n$/);
});

Deno.test("run ends what its commands left running once the run is over", async () => {
  await using rig = openStepRig();
  await using step = createRunStep({ cluster: rig.cluster });
  const host = recordHost();
  const seconds = 1e7 + Math.floor(Math.random() * 1e7);
  const command = `sleep ${seconds} & (trap '' TERM; exec sleep ${seconds + 1}) & echo`;
  const request = stepRequest({ action: { kind: "run", run: command }, killGraceMs: 200 });
  assert.equal((await step.run(request, host)).status, "succeeded");
  const job = host.notes.flatMap((note) => note.type === "job.started" ? note.job : [])[0];
  await waitFor(() => processesWith(`GRID_JOB=${job}`).length === 2);
  const words = `left running: sleep ${seconds}; sleep ${seconds + 1}; ended`;
  assert.deepEqual(await step.clearUp(), [{ step: "work", message: words }]);
  assert.deepEqual(processesWith(`GRID_JOB=${job}`), []);
  assert.deepEqual(await step.clearUp(), []);
});

Deno.test("run ends a command whose output cannot be handed on", async () => {
  await using rig = openStepRig();
  await using step = createRunStep({ cluster: rig.cluster });
  const host = {
    ...recordHost(),
    output: () => {
      throw new GridError({ code: "output-invalid", message: "no room" });
    },
  };
  const outcome = await step.run(
    stepRequest({ action: { kind: "run", run: "echo begun; sleep 1000" } }),
    host,
  );
  assert.equal(outcome.status === "failed" && outcome.failure.message, "no room");
  const job = host.notes.flatMap((note) => note.type === "job.started" ? note.job : [])[0];
  assert.deepEqual(processesWith(`GRID_JOB=${job}`), []);
});

Deno.test("run attaches to the job that an earlier runner started", async () => {
  await using rig = openStepRig();
  const spec = jobSpec({ ...rig, transport: rig.node.transport }, {
    command: `echo once >> ${rig.root}/ran; echo first; sleep 0.2; echo second`,
  });
  await startJob(rig.node.transport, spec);
  const { outcome, host } = await run(rig, spec.command, {
    resumeJob: { node: "here", job: spec.id },
  });
  assert.equal(outcome.status, "succeeded");
  assert.equal(host.printed.stdout, "first\nsecond\n");
  assert.equal(Deno.readTextFileSync(join(rig.root, "ran")), "once\n");
});

Deno.test("run starts again what its node ended while no runner was there", async () => {
  await using rig = openStepRig();
  const spec = jobSpec({ ...rig, transport: rig.node.transport }, {
    command: `echo begun >> ${rig.root}/ran; sleep 1000`,
    leaseMs: 1000,
  });
  await startJob(rig.node.transport, spec);
  await waitFor(() => existsSync(join(rig.root, "ran")));
  await waitFor(() => processesWith(`GRID_JOB=${spec.id}`).length === 0);
  const { outcome, host } = await run(rig, `echo again >> ${rig.root}/ran`, {
    resumeJob: { node: "here", job: spec.id },
  });
  assert.equal(outcome.status, "succeeded");
  assert.equal(Deno.readTextFileSync(join(rig.root, "ran")), "begun\nagain\n");
  const warnings = host.notes.flatMap((note) => note.type === "warned" ? note.message : []);
  assert.match(
    warnings.join(),
    /ended while no runner was there; it starts again, and what that job had/,
  );
  const jobs = host.notes.flatMap((note) => note.type === "job.started" ? note.job : []);
  assert.equal(new Set(jobs).size, 2, "the second job is a new one");
});

Deno.test("run starts under its old name what its node does not know", async () => {
  await using rig = openStepRig();
  const { outcome, host } = await run(rig, `echo once >> ${rig.root}/ran`, {
    resumeJob: { node: "here", job: "never-started" },
  });
  assert.equal(outcome.status, "succeeded");
  assert.equal(Deno.readTextFileSync(join(rig.root, "ran")), "once\n");
  const jobs = host.notes.flatMap((note) => note.type === "job.started" ? note.job : []);
  assert.deepEqual([...new Set(jobs)], ["never-started"]);
});

Deno.test("run takes the best node and tells which were passed over", async () => {
  await using rig = openStepRig();
  const selector = {
    gpus: 1,
    minFreeVramBytes: undefined,
    labels: ["a100"],
    among: [],
    waitMs: 5,
  };
  const { host } = await run(rig, "true", {
    node: { kind: "selector", selector },
    avoidNodes: ["there"],
  });
  assert.deepEqual(host.notes[0], {
    type: "node.chosen",
    node: "here",
    score: 12.5,
    passedOver: [{ node: "there", reason: "is down" }],
  });
  assert.deepEqual(rig.selections[0]?.[0], selector);
  assert.deepEqual(rig.selections[0]?.[1]?.avoid, ["there"]);
});

Deno.test("run never puts a secret on the node's disk or on a command line", async () => {
  await using rig = openStepRig();
  const secret = "Tr0ub4dor-and-3";
  const running = run(rig, 'echo "${#TOKEN}"; while [ ! -e go ]; do sleep 0.05; done', {
    secrets: { TOKEN: secret },
  });
  await waitFor(() => filesBelow(rig.root).some(({ text }) => text === "15\n"));
  assert.equal(processesWith(`TOKEN=${secret}`).length >= 1, true);
  const commands = allProcesses().filter(({ command }) => command.includes(secret));
  const files = filesBelow(rig.root).filter(({ text }) => text.includes(secret));
  Deno.writeTextFileSync(join(rig.root, "go"), "");
  await running;
  assert.deepEqual({ commands, files }, { commands: [], files: [] });
});

function filesBelow(folder: string): { path: string; text: string }[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory, isFile }) => {
    const path = join(folder, name);
    if (isDirectory) return filesBelow(path);
    return isFile ? [{ path, text: Deno.readTextFileSync(path) }] : [];
  });
}

Deno.test("run gives long values in files that the account alone may read, and removes them", async () => {
  await using rig = openStepRig();
  const rows = "r".repeat(300_000) + "'ü\n\\";
  const { outcome, host } = await run(
    rig,
    [
      'cat "$ROWS" | cksum; ls -l "$ROWS" | cut -c1-10; cat "$GRID_VALUES"',
      'case $ROWS in "$PWD"/*.grid/jobs/*) ;; *) echo "$ROWS" ;; esac',
    ].join("\n"),
    { env: { ROWS: rows }, inFiles: ["ROWS"], values: '{"inputs":{"id":1799999999999999999}}\n' },
  );
  assert.equal(outcome.status, "succeeded");
  const sum = new Deno.Command("cksum", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = sum.stdin.getWriter();
  await writer.write(new TextEncoder().encode(rows));
  await writer.close();
  const expected = new TextDecoder().decode((await sum.output()).stdout);
  assert.equal(
    host.printed.stdout,
    `${expected}-rw-------\n{"inputs":{"id":1799999999999999999}}\n`,
  );
});

Deno.test("run names a variable that no program could be given, before anything starts", async () => {
  await using rig = openStepRig();
  const failureWith = (env: Readonly<Record<string, string>>) => failureOf(rig, "echo no", { env });
  const long = await failureWith({ FINE: "x", ROWS: "r".repeat(200_000) });
  assert.match(long.message, /variable ROWS has 200,000 bytes, more than the 131,072 that an/);
  assert.match(long.hint ?? "", /env: \{ ROWS: \{ file: … \} \}/);
  const many = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`V${index}`, "v".repeat(100_000 + index)]),
  );
  assert.match(
    (await failureWith(many)).message,
    /the largest is V19 with 100,02\d$/,
  );
  assert.match((await failureWith({ N: "a\0b" })).message, /variable N holds a NUL character/);
  const largest = await run(rig, "echo ${#ROWS}", { env: { ROWS: "r".repeat(131_066) } });
  assert.equal(largest.host.printed.stdout, "131066\n");
});

Deno.test("run hands on no mask for an output that is read from stdout", async () => {
  await using rig = openStepRig();
  const outputs = [{ name: "best", from: "stdout" as const, match: "best: (.*)" }];
  const secrets = { TOKEN: "hunter2-hunter2" };
  const failure = await failureOf(rig, 'echo "best: $TOKEN.ckpt"', { outputs, secrets });
  assert.equal(failure.code, "output-invalid");
  assert.match(
    failure.message,
    /output "best": it holds a secret, which was masked in .*: \*\*\*\.ckpt$/,
  );
  const fine = await run(rig, "echo 'best: a***b'", { outputs });
  assert.ok(fine.outcome.status === "succeeded");
  assert.deepEqual(fine.outcome.outputs, { best: "a***b" });
});
