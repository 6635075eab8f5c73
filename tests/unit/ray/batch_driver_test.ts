import assert from "node:assert/strict";
import { join } from "node:path";
import { tempDir } from "../../support/temp_dir.ts";
import { EXIT_CODE_WORK, EXIT_CODES, FAILING_COMMANDS } from "../../support/exit_code_work.ts";
import { descendantsOf } from "../../support/processes.ts";
import { testWith } from "../../support/requires.ts";

const DRIVER = new URL("../../../src/ray/batch_driver.py", import.meta.url).pathname;
const MARK = "@mark@";

const WORK = `
import os, signal, time

def square(task):
    return {"square": task * task}

def picky(task):
    if task == 3:
        raise ValueError("boom")
    if task == 4:
        return float("nan")
    if task == 5:
        return object()
    if task == 6:
        raise SystemExit("leaving")
    return task

def fragile(task):
    print("at", task, flush=True)
    if task == 2:
        os._exit(9)
    if task == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return task

def once(task):
    with open("calls", "a") as calls:
        calls.write("%d\\n" % task)
    if task == 1 and not os.path.exists("mended"):
        raise ValueError("not yet")
    return task

def sleepy(task):
    if task > 0:
        open("asleep-%d" % task, "w").close()
        time.sleep(60)
    return task

def environment(task):
    return [os.environ.get(name) for name in task] + [os.environ["GRID_NODE"]]
${EXIT_CODE_WORK}`;

interface Entry {
  readonly index: number;
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: string;
}

class Workplace implements Disposable {
  readonly #folder = tempDir();
  readonly path = this.#folder.path;
  readonly results = join(this.path, "results.jsonl");

  constructor() {
    Deno.writeTextFileSync(join(this.path, "work.py"), WORK);
  }

  spec(fields: Readonly<Record<string, unknown>>): string {
    const path = join(this.path, `spec-${crypto.randomUUID()}.json`);
    const spec = {
      mode: "embedded",
      target: { call: "work:square" },
      tasks: [0, 1, 2, 3, 4, 5, 6, 7],
      batch_size: 3,
      cpus: 0,
      gpus: 0,
      cwd: this.path,
      root: this.path,
      node: "n1",
      forward: [],
      results: this.results,
      mark: MARK,
      ...fields,
    };
    Deno.writeTextFileSync(path, JSON.stringify(spec));
    return path;
  }

  /** `ignored`: whoever starts the driver ignores the ends of its children, and so does the driver. */
  start(
    fields: Readonly<Record<string, unknown>>,
    env: Record<string, string> = {},
    { ignored = false } = {},
  ) {
    const start = [
      "import os, signal, sys",
      ...(ignored ? ["signal.signal(signal.SIGCHLD, signal.SIG_IGN)"] : []),
      "os.execv(sys.executable, [sys.executable, '-u', *sys.argv[1:]])",
    ].join("\n");
    return new Deno.Command("python3", {
      args: ["-c", start, DRIVER, this.spec(fields)],
      env: { PYTHONDONTWRITEBYTECODE: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  async run(
    fields: Readonly<Record<string, unknown>>,
    env: Record<string, string> = {},
    options: { readonly ignored?: boolean } = {},
  ) {
    const { code, stdout, stderr } = await this.start(fields, env, options).output();
    const lines = new TextDecoder().decode(stdout).split("\n");
    return {
      code,
      stderr: new TextDecoder().decode(stderr),
      says: lines.filter((line) => line.startsWith(MARK))
        .map((line) => JSON.parse(line.slice(MARK.length))),
      printed: lines.filter((line) => line !== "" && !line.startsWith(MARK)),
    };
  }

  /** The last word on each item, by index. */
  entries(): Entry[] {
    const lines = Deno.readTextFileSync(this.results).split("\n")
      .filter((line) => line.endsWith("}"));
    const last = new Map(lines.map((line): [number, Entry] => {
      const entry: Entry = JSON.parse(line);
      return [entry.index, entry];
    }));
    return [...last.values()].toSorted((a, b) => a.index - b.index);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

testWith(["python3"], "batch_driver calls a function for every task", async () => {
  using place = new Workplace();
  const { code, says } = await place.run({});
  assert.equal(code, 0);
  assert.deepEqual(
    place.entries().map(({ value }) => value),
    [0, 1, 4, 9, 16, 25, 36, 49].map((square) => ({ square })),
  );
  assert.deepEqual(says.at(-1), { done: 8, failed: 0, total: 8 });
});

testWith(["python3"], "batch_driver keeps one bad item from spoiling its batch", async () => {
  using place = new Workplace();
  const { code, stderr, says } = await place.run({
    target: { call: "work:picky" },
    batch_size: 8,
  });
  assert.equal(code, 0);
  const entries = place.entries();
  assert.deepEqual(entries.map(({ ok }) => ok), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    true,
  ]);
  assert.match(entries[3]?.error ?? "", /^ValueError: boom\n.*work\.py.*in picky/s);
  assert.match(entries[4]?.error ?? "", /the result is not JSON.*nan/);
  assert.match(entries[5]?.error ?? "", /the result is not JSON.*object/);
  assert.match(entries[6]?.error ?? "", /^SystemExit: leaving/);
  assert.match(stderr, /task 3 failed: ValueError: boom/);
  assert.deepEqual(says.at(-1), { done: 8, failed: 4, total: 8 });
});

testWith(["python3"], "batch_driver loses only the item that kills its worker", async () => {
  using place = new Workplace();
  const { code, printed } = await place.run({ target: { call: "work:fragile" }, batch_size: 4 });
  assert.equal(code, 0);
  const entries = place.entries();
  assert.equal(entries[2]?.error, "the worker process died: exit code 9");
  assert.equal(entries[5]?.error, "the worker process died: signal SIGKILL");
  assert.deepEqual(entries.filter(({ ok }) => ok).map(({ value }) => value), [0, 1, 3, 4, 6, 7]);
  // Nothing ran twice.
  assert.deepEqual(printed.toSorted(), [0, 1, 2, 3, 4, 5, 6, 7].map((task) => `at ${task}`));
});

testWith(["python3"], "batch_driver repeats only what has not succeeded", async () => {
  using place = new Workplace();
  const fields = { target: { call: "work:once" }, tasks: [0, 1, 2], batch_size: 1 };
  await place.run(fields);
  assert.deepEqual(place.entries().map(({ ok }) => ok), [true, false, true]);
  // A line that its writer could not finish does no harm.
  Deno.writeTextFileSync(place.results, '{"index": 2, "o', { append: true });
  Deno.writeTextFileSync(join(place.path, "mended"), "");
  const again = await place.run(fields);
  assert.deepEqual(place.entries().map(({ value }) => value), [0, 1, 2]);
  assert.deepEqual(again.says[0], { done: 3, failed: 1, total: 3 });
  const calls = Deno.readTextFileSync(join(place.path, "calls")).trim().split("\n");
  assert.deepEqual(calls.toSorted(), ["0", "1", "1", "2"]);
});

testWith(["python3"], "batch_driver takes what a command prints as its result", async () => {
  using place = new Workplace();
  const { code, printed } = await place.run({
    target: { command: `test "$GRID_TASK" != bad; echo "{\\"is\\": \\"$GRID_TASK\\"}"` },
    tasks: ["a b", "bad", "c'd"],
  });
  assert.equal(code, 0);
  assert.deepEqual(place.entries().map(({ value, error }) => value ?? error), [
    { is: "a b" },
    "RuntimeError: the command ended with exit code 1",
    { is: "c'd" },
  ]);
  assert.deepEqual(printed.toSorted(), ['{"is": "a b"}', `{"is": "c'd"}`]);
});

testWith(
  ["python3"],
  "batch_driver gives commands their task as JSON, and text as it is",
  async () => {
    using place = new Workplace();
    await place.run({
      target: { command: 'printf "%s|%s" "$GRID_TASK_INDEX" "$GRID_TASK"' },
      tasks: [{ shard: 1 }, 7, "text", null],
    });
    assert.deepEqual(place.entries().map(({ value }) => value), [
      '0|{"shard": 1}',
      "1|7",
      "2|text",
      "3|null",
    ]);
  },
);

testWith(
  ["python3"],
  "batch_driver ends with 143 on SIGTERM, keeps what is done, leaves nobody",
  async () => {
    using place = new Workplace();
    const child = place.start({ target: { call: "work:sleepy" }, tasks: [0, 1], batch_size: 1 });
    const deadline = Date.now() + 20_000;
    const asleep = () => {
      try {
        return Deno.statSync(join(place.path, "asleep-1")).isFile &&
          Deno.readTextFileSync(place.results).includes("}");
      } catch {
        return false;
      }
    };
    while (!asleep()) {
      assert.ok(Date.now() < deadline, "the tasks did not start");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const workers = descendantsOf(child.pid);
    assert.ok(workers.length > 0);
    child.kill("SIGTERM");
    const { code } = await child.output();
    assert.equal(code, 143);
    assert.deepEqual(place.entries(), [{ index: 0, ok: true, value: 0 }]);
    for (const { pid } of workers) assert.throws(() => Deno.statSync(`/proc/${pid}`));
  },
);

testWith(["python3"], "batch_driver names a function that cannot be loaded, once", async () => {
  using place = new Workplace();
  for (const call of ["nowhere:f", "work:nothing"]) {
    const { code, says } = await place.run({ target: { call } });
    assert.equal(code, 3);
    assert.match(says.at(-1).problem, new RegExp(`^Cannot load ${call} on n1: `));
    assert.match(says.at(-1).hint, /module:function/);
  }
});

testWith(["python3"], "batch_driver refuses a demand that no node can meet", async () => {
  using place = new Workplace();
  const { code, says } = await place.run({ cpus: 100_000 });
  assert.equal(code, 3);
  assert.match(says.at(-1).problem, /each asks for 100000 CPUs and 0 GPUs, but this node has/);
  const gpus = await place.run({ gpus: 3 }, { CUDA_VISIBLE_DEVICES: "0,1" });
  assert.match(gpus.says.at(-1).problem, /3 GPUs, but this node has .* 2 GPUs/);
});

testWith(["python3"], "batch_driver names a folder that is not there", async () => {
  using place = new Workplace();
  const { code, says } = await place.run({ cwd: join(place.path, "gone") });
  assert.equal(code, 3);
  assert.match(says.at(-1).problem, /^Cannot enter .*gone on n1: No such file/);
  assert.match(says.at(-1).hint, /sync/);
});

testWith(["python3"], "batch_driver gives every slot GPUs of its own", async () => {
  using place = new Workplace();
  const tasks = Array.from({ length: 12 }, () => ["CUDA_VISIBLE_DEVICES"]);
  const fields = { target: { call: "work:environment" }, tasks, batch_size: 1 };
  await place.run({ ...fields, gpus: 2 }, { CUDA_VISIBLE_DEVICES: "0,1,2,3" });
  const pairs = new Set(place.entries().map(({ value }) => JSON.stringify(value)));
  for (const pair of pairs) assert.ok(['["0,1","n1"]', '["2,3","n1"]'].includes(pair), pair);
});

testWith(["python3"], "batch_driver hands on only the variables it is told to", async () => {
  using place = new Workplace();
  await place.run({
    target: { call: "work:environment" },
    tasks: [["TOKEN"]],
    forward: ["TOKEN", "NOT_SET"],
  }, { TOKEN: "planted" });
  assert.deepEqual(place.entries()[0]?.value, ["planted", "n1"]);
  const specs = [...Deno.readDirSync(place.path)].filter(({ name }) => name.startsWith("spec-"));
  for (const { name } of specs) {
    assert.ok(!Deno.readTextFileSync(join(place.path, name)).includes("planted"));
  }
});

testWith(["python3"], "batch_driver tells the true end of every command and child", async () => {
  for (const ignored of [false, true]) {
    using place = new Workplace();
    const { code } = await place.run(
      { target: { call: "work:exit_codes" }, tasks: [0] },
      {},
      { ignored },
    );
    assert.equal(code, 0);
    assert.deepEqual(place.entries(), [{ index: 0, ok: true, value: EXIT_CODES }]);
  }
  for (const [command, words] of FAILING_COMMANDS) {
    using place = new Workplace();
    await place.run({ target: { command }, tasks: ["a"] });
    assert.match(place.entries()[0]?.error ?? "", words);
  }
});
