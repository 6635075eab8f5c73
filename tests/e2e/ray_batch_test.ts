import assert from "node:assert/strict";
import { join } from "node:path";
import { ALIKE, ALIKE_STEPS } from "../support/alike.ts";
import { grid, programArgs, project } from "../support/cli.ts";
import { writeFakeNvidiaSmi } from "../support/fake_nvidia_smi.ts";
import { testWith } from "../support/requires.ts";

const WORK = `
import os

# Grid syncs the code to a folder of the node; the notes lie beside the project.
NOTES = os.environ["NOTES"]

def shaky(task):
    with open(os.path.join(NOTES, "calls"), "a") as calls:
        calls.write("%d\\n" % task)
    if task == 2 and not os.path.exists(os.path.join(NOTES, "mended")):
        open(os.path.join(NOTES, "mended"), "w").close()
        raise ValueError("not yet")
    return task * 10
`;

const PIPELINE = (retry: string) => `
name: shaky
steps:
  - id: code
    sync: { from: code, to: all }
  - id: batch
    needs: code
    env: { NOTES: "\${{ env('NOTES') }}" }
    ${retry}
    ray-batch: { call: "work:shaky", tasks: { range: 4 }, batch-size: 2 }
  - id: show
    needs: batch
    node: local
    env: { RESULTS: "\${{ toJSON(steps.batch.outputs.results) }}" }
    run: echo "results $RESULTS"
`;

testWith(["python3"], "a retried batch repeats only the task that failed", async () => {
  using folder = project({
    "code/work.py": WORK,
    "shaky.yaml": PIPELINE("retry: { max: 1, on: [any], delay: 50ms }"),
  });
  const notes = join(folder.path, "notes");
  Deno.mkdirSync(notes);
  const run = await grid(["run", "shaky.yaml"], { cwd: folder.path, env: { NOTES: notes } });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /results \[0,10,20,30\]/);
  const calls = Deno.readTextFileSync(join(notes, "calls")).trim().split("\n");
  assert.deepEqual(calls.toSorted(), ["0", "1", "2", "2", "3"]);
});

testWith(["python3"], "a failed batch names the first failed task and how many", async () => {
  using folder = project({ "code/work.py": WORK, "shaky.yaml": PIPELINE("") });
  const notes = join(folder.path, "notes");
  Deno.mkdirSync(notes);
  const run = await grid(["run", "shaky.yaml"], { cwd: folder.path, env: { NOTES: notes } });
  assert.equal(run.code, 1, run.stderr);
  assert.match(run.stderr, /1 of 4 tasks failed, first task 2: ValueError: not yet/);
});

testWith(["python3"], "a missing function is one clear sentence", async () => {
  const text = PIPELINE("").replace("work:shaky", "work:shakey");
  using folder = project({ "code/work.py": WORK, "shaky.yaml": text });
  const run = await grid(["run", "shaky.yaml"], { cwd: folder.path, env: { NOTES: "/" } });
  assert.equal(run.code, 1, run.stderr);
  assert.match(run.stderr, /Cannot load work:shakey on local\d: AttributeError: .*shakey/);
  assert.ok(!run.stderr.includes("    at "), "no stack trace");
});

testWith(
  ["python3"],
  "cells that are spelled alike have results and logs of their own",
  async () => {
    using folder = project({
      "code/work.py":
        "import os\ndef env(task):\n    print('saw', task)\n    return os.environ['M']\n",
      "cells.yaml": `
name: cells
steps:
  - id: code
    sync: { from: code, to: all }
  - id: cell
    needs: code
    matrix: { model: ${JSON.stringify(ALIKE)} }
    env: { M: "\${{ matrix.model }}" }
    ray-batch: { call: "work:env", tasks: [1] }
${
        ALIKE_STEPS.map((name) =>
          `  - { id: ${name}, needs: code, env: { M: ${name} }, ` +
          'ray-batch: { call: "work:env", tasks: [1] } }\n'
        ).join("")
      }`,
    });
    const run = await grid(["run", "cells.yaml"], { cwd: folder.path, timeoutMs: 180_000 });
    assert.equal(run.code, 0, run.stderr);
    const runs = join(folder.path, ".grid", "runs");
    const [id] = [...Deno.readDirSync(runs)].filter(({ isDirectory }) => isDirectory);
    const report = JSON.parse(Deno.readTextFileSync(join(runs, id?.name ?? "", "report.json")));
    const cells = report.steps.filter((step: { id: string }) =>
      !["code", "cell"].includes(step.id)
    );
    const names = [...ALIKE, ...ALIKE_STEPS];
    assert.deepEqual(
      cells.map((step: { outputs: { results: string[] } }) => step.outputs.results[0]),
      names,
    );
    const logs = cells.map((step: { attempts: { log: string }[] }) => step.attempts[0]?.log);
    assert.equal(new Set(logs.map((log: string) => log.toLowerCase())).size, names.length);
    for (const log of logs) {
      assert.match(Deno.readTextFileSync(join(runs, id?.name ?? "", log)), /saw 1/);
    }
  },
);

testWith(["python3"], "a batch's keys reach its tasks", async () => {
  using folder = project({
    "code/work.py": `
import os, time

def load():
    return {"pid": os.getpid()}

def call(task, model):
    if task["n"] == 1:
        time.sleep(600)
    if task["n"] == 2:
        with open("tries", "a") as tries:
            tries.write("x")
        if len(open("tries").read()) < 3:
            raise ConnectionError("not yet")
    return [task, model["pid"] == os.getpid()]
`,
    "code/tasks.jsonl": '{"n": 0, "id": 12345678901234567890}\n{"n": 1}\n{"n": 2}\n',
    "keys.yaml": `
name: keys
steps:
  - id: code
    sync: { from: code, to: all }
  - id: batch
    needs: code
    ray-batch:
      call: work:call
      setup: work:load
      tasks: { file: code/tasks.jsonl }
      item-timeout: 1s
      item-retries: { max: 2, on: OSError }
      max-failures: 1
      max-in-flight: 1
      on-item-failure: stop
  - id: show
    needs: batch
    node: local
    env:
      RESULTS: "\${{ toJSON(steps.batch.outputs.results) }}"
      ERRORS: "\${{ toJSON(steps.batch.outputs.errors) }}"
    run: echo "results $RESULTS $ERRORS"
`,
  });
  const run = await grid(["run", "keys.yaml"], { cwd: folder.path });
  assert.equal(run.code, 0, run.stderr);
  assert.ok(
    run.stderr.includes('results [[{"n":0,"id":12345678901234567890},true],null,[{"n":2},true]]'),
    run.stderr,
  );
  assert.match(run.stderr, /it took longer than item-timeout \(1 s\)/);
});

testWith(
  ["python3"],
  "batches without Ray run on the GPUs that their step has claimed",
  async () => {
    using folder = project({
      "code/work.py": `
import os, time

def gpus(task):
    time.sleep(0.3)
    return [os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")]
`,
      "gpus.yaml": `
name: gpus
steps:
  - id: code
    sync: { from: code, to: all }
  - id: batch
    needs: code
    node: { gpus: 1 }
    ray-batch:
      { call: "work:gpus", tasks: { range: 4 }, batch-size: 1, gpus-per-batch: 1, cpus-per-batch: 0 }
  - id: show
    needs: batch
    node: local
    env: { RESULTS: "\${{ toJSON(steps.batch.outputs.results) }}" }
    run: echo "results $RESULTS"
`,
    });
    const home = join(folder.path, "home");
    writeFakeNvidiaSmi(home, { gpus: 3 });
    const env = { HOME: home, PATH: `${join(home, "bin")}:${Deno.env.get("PATH")}` };
    const run = await grid(["run", "gpus.yaml"], { cwd: folder.path, env });
    assert.equal(run.code, 0, run.stderr);
    const [, text = "[]"] = /results (\[.*\])/.exec(run.stderr) ?? [];
    const seen: (string | null)[][] = JSON.parse(text);
    assert.equal(seen.length, 4);
    for (const [cuda, hip] of seen) {
      assert.equal(cuda, seen[0]?.[0]);
      assert.equal(hip, cuda);
      assert.ok(cuda && !cuda.includes(","), text);
    }
  },
);

/** 1,000 by hand: a gigabyte, which must not fill the runner's memory. */
const RESULT_MB = Number(Deno.env.get("GRID_TEST_RESULT_MB") ?? 3);
/** Runs a program, and prints the most memory that it held, in KiB. */
const PEAK = "import resource, subprocess, sys\n" +
  "code = subprocess.call(sys.argv[1:])\n" +
  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\nsys.exit(code)";

testWith(
  ["python3"],
  "results larger than memory lie in a file of the run, and are read on demand",
  async () => {
    using folder = project({
      "code/work.py": `
import os

def large(task):
    with open(os.path.join(os.environ["NOTES"], "calls"), "a") as calls:
        calls.write("%d\\n" % task)
    return {"task": task, "text": "x" * 1000000}
`,
      "large.yaml": `
name: large
steps:
  - id: code
    sync: { from: code, to: all }
  - id: batch
    needs: code
    env: { NOTES: "\${{ env('NOTES') }}" }
    ray-batch: { call: "work:large", tasks: { range: ${RESULT_MB} } }
  - id: show
    needs: batch
    node: local
    env:
      COUNT: "\${{ size(steps.batch.outputs.results) }}"
      LAST: "\${{ steps.batch.outputs.results[${RESULT_MB - 1}].task }}"
      FILE: "\${{ steps.batch.outputs.file }}"
      NOTES: "\${{ env('NOTES') }}"
    run: |
      echo "count $COUNT last $LAST bytes $(wc -c < "$FILE")"
      test -e "$NOTES/mended"
`,
    });
    const notes = join(folder.path, "notes");
    Deno.mkdirSync(notes);
    const env = { NOTES: notes, NO_COLOR: "1" };
    const { stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", PEAK, Deno.execPath(), ...programArgs(["run", "large.yaml"])],
      cwd: folder.path,
      env,
    }).output();
    const said = new TextDecoder().decode(stderr);
    assert.match(
      said,
      new RegExp(`count ${RESULT_MB} last ${RESULT_MB - 1} bytes ${RESULT_MB}\\d+`),
    );
    assert.match(said, /batch\.results +[\d,]+ values, .* in \.grid\/runs\/.*\.jsonl/);
    const peak = Number(new TextDecoder().decode(stdout).trim().split("\n").at(-1));
    assert.ok(peak < 300_000, `the runner held ${peak} KiB`);

    const runs = join(folder.path, ".grid", "runs");
    const [first = ""] = [...Deno.readDirSync(runs)].map(({ name }) => name);
    for (const name of ["events.jsonl", "report.json", "report.html", "../../grid.db"]) {
      const { size } = Deno.statSync(join(runs, first, name));
      assert.ok(size < 500_000, `${name} has ${size} bytes`);
    }
    const page = Deno.readTextFileSync(join(runs, first, "report.html"));
    assert.match(page, /<a href="results\/batch\.1\.results\.jsonl">/);

    // The step behind failed: a resume reads what the earlier run has, and calls nothing again.
    Deno.writeTextFileSync(join(notes, "mended"), "");
    const resumed = await grid(["resume", first], { cwd: folder.path, env, timeoutMs: 180_000 });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stderr, new RegExp(`count ${RESULT_MB} last ${RESULT_MB - 1}`));
    const shown = await grid(["show"], { cwd: folder.path, env });
    assert.match(shown.stdout, new RegExp(`in \\.grid/runs/${first}/results/batch`));
    const calls = () => Deno.readTextFileSync(join(notes, "calls")).trim().split("\n").length;
    assert.equal(calls(), RESULT_MB);

    // Results go with their run; then the work is done again, and says why.
    Deno.removeSync(join(runs, first), { recursive: true });
    const again = await grid(["resume", "last"], { cwd: folder.path, env, timeoutMs: 180_000 });
    assert.equal(again.code, 0, again.stderr);
    const why = await grid(["why", "last", "batch"], { cwd: folder.path, env });
    assert.match(why.stdout, /batch\.1\.results\.jsonl", which it wrote, is gone/);
    assert.equal(calls(), 2 * RESULT_MB);
  },
);

testWith(
  ["python3"],
  "a long list that holds a secret is masked in its file, and told",
  async () => {
    using folder = project({
      "code/work.py": "import os\ndef leak(task):\n    return os.environ['KEY'] + 'x' * 1000\n",
      "leak.yaml": `
name: leak
secrets: [KEY]
steps:
  - id: code
    sync: { from: code, to: all }
  - id: batch
    needs: code
    secrets: [KEY]
    ray-batch: { call: "work:leak", tasks: { range: 400 } }
  - id: use
    needs: batch
    node: local
    env: { FIRST: "\${{ steps.batch.outputs.results[0] }}" }
    run: echo "$FIRST"
`,
    });
    const env = { KEY: "hunter2222" };
    const run = await grid(["run", "leak.yaml"], { cwd: folder.path, env });
    assert.equal(run.code, 1, run.stderr);
    assert.match(run.stderr, /its output "results" holds a secret, and is masked in its file/);
    assert.match(run.stderr, /the output "results" of step "batch" held a secret/);
    const found = await new Deno.Command("grep", {
      args: ["-rl", "hunter2222", join(folder.path, ".grid")],
    }).output();
    assert.equal(new TextDecoder().decode(found.stdout), "");
  },
);
