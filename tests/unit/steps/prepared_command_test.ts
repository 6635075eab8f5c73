import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import type { StepRequest } from "../../../src/engine/ports.ts";
import type { RunAction } from "../../../src/pipeline/pipeline.ts";
import type { NodeEnvironment } from "../../../src/cluster/node.ts";
import { linesOf, stoppedBefore } from "../../../src/steps/prepared_command.ts";
import { createRunStep } from "../../../src/steps/run.ts";
import { openStepRig, recordHost, stepRequest, type StepRig } from "../../support/step_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { writeProgram } from "../../support/program_file.ts";

type Request = Partial<StepRequest<RunAction<string>>> & {
  readonly said?: Partial<NodeEnvironment>;
};

async function run(rig: StepRig, command: string, { said, ...request }: Request = {}) {
  const environment = { before: [], env: {}, vars: {}, ...said };
  const node = { ...rig.node, node: { ...rig.node.node, environment } };
  const cluster = { ...rig.cluster, open: () => Promise.resolve(node) };
  await using step = createRunStep({ cluster });
  const host = recordHost();
  const action = { kind: "run", run: command } as const;
  const outcome = await step.run(stepRequest({ action, ...request }), host);
  return { outcome, host };
}

async function failureOf(rig: StepRig, command: string, request: Request) {
  const { outcome, host } = await run(rig, command, request);
  assert.equal(outcome.status, "failed", JSON.stringify([request, outcome]));
  assert.doesNotMatch(host.printed.stdout, /BEGAN/);
  return outcome.failure;
}

Deno.test("lines of before run in the shell of the command, the node's first", async () => {
  await using rig = openStepRig();
  for (const shell of ["bash", "sh", "bash -l"] as const) {
    const { outcome, host } = await run(rig, 'echo "$order $(hello)" >&2; echo "$0 $#"', {
      shell,
      said: { before: ["order=node", "hello() { echo hi; }"] },
      before: ["order=$order,step\norder=$order,last", "cd /"],
      workingDirectory: ".",
    });
    assert.equal(outcome.status, "succeeded");
    assert.equal(host.printed.stderr, "node,step,last hi\n");
    assert.match(host.printed.stdout, /^grid 0$/m);
  }
});

Deno.test("a line of before that fails is named, and the command does not begin", async () => {
  await using rig = openStepRig();
  const cases: [Request, RegExp, RegExp, number][] = [
    [
      { before: ["true", "conda-of-nobody activate train"] },
      /code 127.*: conda-of-nobody/,
      /not on PATH/,
      127,
    ],
    [
      { before: ["false; true"] },
      /failed with code 1, so it did not begin: false; true$/,
      /step/,
      1,
    ],
    [{ said: { before: ["exit 0"] } }, /ended the shell with code 0/, /cluster config/, 0],
    [{ before: ["exec true"] }, /ended the shell with code 0/, /pipeline/, 0],
    [{ before: ["if true; then\n  (exit 9)\nfi"] }, /code 9, .*: if true; then …$/, /pipeline/, 9],
    [{ before: ["true\nfalse\ntrue"] }, /begin: false$/, /pipeline/, 1],
    [{ shell: "sh", before: ["false"] }, /begin: false$/, /pipeline/, 1],
    [{ shell: "bash -l", before: ["false"] }, /begin: false$/, /pipeline/, 1],
  ];
  for (const [request, message, hint, code] of cases) {
    const failure = await failureOf(rig, "echo BEGAN", request);
    assert.match(failure.message, message);
    assert.match(failure.hint ?? "", hint);
    assert.ok(failure.message.includes(` code ${code}`), failure.message);
    assert.deepEqual([failure.exitCode, failure.started], [undefined, false]);
  }
});

Deno.test("what lines of before write as outputs stays, and a command's own marks are no end of them", async () => {
  await using rig = openStepRig();
  const { outcome } = await run(rig, 'echo b=2 >>"$GRID_OUTPUT"', {
    before: ['echo a=1 >>"$GRID_OUTPUT"'],
  });
  assert.deepEqual(outcome, { status: "succeeded", outputs: { a: "1", b: "2" }, exitCode: 0 });
  const failure = (await run(rig, "exit 4", { before: ["true"] })).outcome;
  assert.ok(failure.status === "failed" && failure.failure.exitCode === 4);
  assert.match(failure.failure.message, /exited with code 4/);
  assert.equal(stoppedBefore("grid: before \n"), undefined);
  assert.equal(stoppedBefore("grid: before 12\n"), 12);
});

Deno.test("a message of the shell names the line of the author's script", async () => {
  await using rig = openStepRig();
  const { host } = await run(rig, "true\n\nnothing-like-it", { before: ["true", "true"] });
  assert.match(host.printed.stderr, /line 3: nothing-like-it/);
});

/** A home whose start-up files do what people's do. */
function home(profile: string, logout = "") {
  const folder = tempDir();
  Deno.writeTextFileSync(join(folder.path, ".bash_profile"), profile);
  Deno.writeTextFileSync(join(folder.path, ".profile"), profile);
  Deno.writeTextFileSync(join(folder.path, ".bash_logout"), logout);
  return folder;
}

Deno.test("login files prepare and have no say in exit code, stdout, PATH, variables, folder and GPUs", async () => {
  await using rig = openStepRig();
  using own = home(
    "echo welcome; grep -q nothing /dev/null; export FROM_PROFILE=yes MINE=theirs CUDA_VISIBLE_DEVICES=7\n" +
      "PATH=/usr/bin:/bin; cd /; set -u; read -r line",
    "false",
  );
  const command =
    'echo "$FROM_PROFILE $MINE ${CUDA_VISIBLE_DEVICES-unset} $PWD"; echo "$PATH" >&2; ' +
    "case $- in *e*) ;; *) exit 9 ;; esac; exit 5";
  const env = { HOME: own.path, MINE: 'it\'s "mine" $HOME' };
  const { outcome, host } = await run(rig, command, {
    shell: "bash -l",
    env,
    secrets: { S: "secret1" },
  });
  assert.ok(outcome.status === "failed", JSON.stringify(outcome));
  assert.equal(outcome.failure.exitCode, 5);
  assert.equal(host.printed.stdout, `yes ${env.MINE} unset ${rig.root}\n`);
  assert.match(host.printed.stderr, /^welcome\n/);
  assert.ok(host.printed.stderr.includes(`\n${rig.root}/grid_env/bin:/usr/bin:/bin\n`));
  const left = await run(rig, "env; shopt -q login_shell && exit 3; true", {
    shell: "bash -l",
    env: { HOME: own.path, PATH: "/opt/tools:/usr/bin:/bin" },
  });
  assert.equal(left.outcome.status, "succeeded", JSON.stringify(left.outcome));
  assert.doesNotMatch(left.host.printed.stdout, /GRID_(KEPT|LOGIN|AFTER|SCRIPT|BEFORE)/);
  assert.match(left.host.printed.stdout, /^PATH=\S*grid_env\/bin:\/opt\/tools:/m);
});

Deno.test("a start-up file that ends or replaces the shell fails the step by name", async () => {
  await using rig = openStepRig();
  for (const profile of ["exit 0", "exec true"]) {
    using own = home(profile);
    const failure = await failureOf(rig, "echo BEGAN", {
      shell: "bash -l",
      env: { HOME: own.path },
    });
    assert.match(failure.message, /start-up files ended the shell with code 0/);
    assert.equal(failure.started, false);
  }
});

Deno.test("the node's variables are there, and a step's own come before them", async () => {
  await using rig = openStepRig();
  const { host } = await run(rig, 'echo "$A $B $GRID_NODE"', {
    said: { env: { A: "node", B: "node", GRID_NODE: "nobody" } },
    env: { B: "step" },
  });
  assert.equal(host.printed.stdout, "node step here\n");
});

Deno.test("a script is taken by its lines only where each stands for itself", () => {
  assert.deepEqual(linesOf("a\n\nb 'c d'\n"), ["a", "b 'c d'"]);
  for (
    const script of [
      "if x\nthen y; fi",
      "a \\\nb",
      "a 'b\nc'",
      "cat <<E\nx\nE",
      "f() {\na\n}",
      "a |\nb",
    ]
  ) {
    assert.deepEqual(linesOf(script), [script]);
  }
  // Nothing is ever lost.
  fc.assert(fc.property(fc.array(fc.string()), (lines) => {
    const script = lines.join("\n");
    const taken = linesOf(script);
    const whole = script.split("\n").filter((line) => line.trim() !== "");
    assert.deepEqual(taken, taken.length === 1 ? [taken[0]] : whole);
    if (taken.length === 1) assert.equal(taken[0], script);
  }));
});

/** An engine that only tells what it was asked, for those that no test machine can start; podman has a test of its own. */
const TELLING = `#!/bin/sh
case $1 in
  version | image | rm | stop) exit 0 ;;
  inspect | ps) exit 1 ;;
esac
{ printf '%s\\n' "$@"; echo "TOKEN=$TOKEN CUDA=\${CUDA_VISIBLE_DEVICES-unset} \${APPTAINERENV_TOKEN-}"; } >"\${0%/*}/told.\${0##*/}"
while [ $# -gt 0 ] && [ "$1" != sh ]; do shift; done
exec "$@"
`;

Deno.test("each engine is asked in its own words, and the command runs inside", async () => {
  await using rig = openStepRig();
  const bin = join(rig.root, "grid_env", "bin");
  Deno.mkdirSync(bin, { recursive: true });
  Deno.mkdirSync(join(rig.root, "x"));
  const told = (engine: string) => Deno.readTextFileSync(join(bin, `told.${engine}`)).split("\n");
  const contain = async (
    engine: "docker" | "podman" | "apptainer",
    lease: string,
    run = "echo in",
  ) => {
    writeProgram(join(bin, engine), TELLING);
    await using step = createRunStep({
      cluster: { ...rig.cluster, claim: () => Promise.resolve({ prelude: lease }) },
    });
    const container = {
      image: "python:3.12",
      engine,
      gpus: "auto",
      volumes: ["./x:/x"],
      user: undefined,
      options: ["--shm-size=8g"],
    } as const;
    const request = stepRequest({
      action: { kind: "run", run, container },
      secrets: { TOKEN: "a-secret-word" },
    });
    const host = recordHost();
    const outcome = await step.run(request, host);
    return { outcome, host, words: told(engine) };
  };
  const held = "export GRID_GPUS=2,3 CUDA_VISIBLE_DEVICES=2,3; ";
  const uid = `${Deno.uid()}:${Deno.gid()}`;

  const docker = await contain(
    "docker",
    "",
    'echo "in $TOKEN"; echo "v=1" >>"$GRID_OUTPUT"; exit 0',
  );
  assert.deepEqual(docker.outcome, { status: "succeeded", outputs: { v: "1" }, exitCode: 0 });
  assert.equal(docker.host.printed.stdout, "in ***\n");
  const plain = docker.words.join(" ");
  assert.match(
    plain,
    /^run --name \S+ --label grid\.job=\S+ --label grid\.keeper=\S+ --entrypoint= --user \S+ --init -v /,
  );
  assert.ok(plain.includes(` --user ${uid} `) && plain.includes(` -v ${rig.root}/./x:/x `), plain);
  assert.match(plain, / -e TOKEN .* --shm-size=8g python:3\.12 sh -c /);
  assert.ok(
    !docker.words.some((word) => word.includes("a-secret-word") && !word.startsWith("TOKEN=")),
  );

  // There is no device here, and the engine that leaves them out without a word is found out.
  for (const engine of ["docker", "podman", "apptainer"] as const) {
    const { outcome, words } = await contain(engine, held);
    const asked = words.join(" ");
    const wanted = {
      docker: /--gpus "device=2,3" .*CUDA=unset/,
      podman: /--device nvidia\.com\/gpu=3 --device nvidia\.com\/gpu=2 .*CUDA=unset/,
      apptainer: /^exec --cleanenv --nv --bind .* docker:\/\/python:3\.12 sh .*a-secret-word$/,
    }[engine];
    assert.match(asked.trim(), wanted);
    assert.ok(outcome.status === "failed");
    assert.match(outcome.failure.message, /Cannot start the container .*no GPU is there/);
  }
});
