import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseJson, pythonJson } from "../../../src/core/exact_json.ts";
import { bootSource, driverSource } from "../../../src/ray/driver_source.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { EXIT_CODE_WORK, EXIT_CODES, FAILING_COMMANDS } from "../../support/exit_code_work.ts";
import { allProcesses, descendantsOf } from "../../support/processes.ts";
import { testWith } from "../../support/requires.ts";

const folder = tempDir();
const DRIVER = join(folder.path, "step", "batch_driver.py");
Deno.mkdirSync(join(folder.path, "step"));
Deno.writeTextFileSync(DRIVER, driverSource());
addEventListener("unload", () => folder[Symbol.dispose]());
const MARK = "@mark@";

const WORK = `
import os, signal, sys, time

def square(task):
    return {"square": task * task}

def kinds(task):
    import collections, dataclasses, datetime, decimal, enum, pathlib, uuid

    @dataclasses.dataclass
    class Point:
        x: int
        when: datetime.date

    class Colour(enum.Enum):
        RED = "red"

    Pair = collections.namedtuple("Pair", "a b")
    return {
        "big": 2**200,
        "int64": task,
        "nan": float("nan"),
        "minus": -0.0,
        "one": 1.0,
        "bytes": b"\\x00\\xff",
        "date": datetime.date(2026, 1, 2),
        "datetime": datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.timezone.utc),
        "span": datetime.timedelta(minutes=1.5),
        "decimal": decimal.Decimal("1.10"),
        "uuid": uuid.UUID(int=1),
        "path": pathlib.PurePosixPath("a/b"),
        "point": Point(1, datetime.date(2026, 1, 2)),
        "enum": Colour.RED,
        "set": {3, 1, 2},
        "tuple": (1, 2),
        "pair": Pair(1, 2),
        "range": range(3),
        1: "int key",
        datetime.date(2026, 1, 2): "date key",
    }

def same(task):
    return task

async def unfit_coroutine(task):
    return task

def unfit_generator(task):
    yield task

def unfit(task):
    if task == 0:
        return {1: "a", "1": "b"}
    if task == 1:
        return {(1, 2): "a"}
    if task == 2:
        deep = []
        for _ in range(900):
            deep = [deep]
        return deep
    return {"ok": 1, "rows": [{"model": Odd()}]}

def runaway(task):
    import subprocess
    subprocess.Popen(["sh", "-c", "sleep 5151 & sleep 5152; wait"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(5153)
        os._exit(0)
    open("ran-%d" % task, "w").close()
    time.sleep(task)

def chatty(task):
    import subprocess
    for line in range(500):
        print("line %d" % line)
    subprocess.run(["sh", "-c", "echo child; printf unfinished"])
    sys.stderr.write("last words of %d" % task)
    sys.stderr.flush()
    if task % 5 == 4:
        os._exit(3)

def slow(task):
    if task == 1:
        time.sleep(600)
    if task == 2:
        while True:
            try:
                time.sleep(600)
            except BaseException:
                pass
    return task

def shaky(task):
    with open("tries", "a") as tries:
        tries.write("%d\\n" % task)
    if task == 1 and open("tries").read().split().count("1") < 3:
        raise ConnectionError("not yet")
    if task == 2:
        raise ValueError("never")
    return task

def load():
    with open("loads", "a") as loads:
        loads.write("%d\\n" % os.getpid())
    return {"model": "m"}

def with_model(task, model):
    return [task, model["model"], os.getpid()]

def verbose(task):
    try:
        raise KeyError("the cause")
    except KeyError as error:
        raise ValueError("x" * 20000 + "END") from error

class Odd:
    pass

def picky(task):
    if task == 3:
        raise ValueError("boom")
    if task == 4:
        return {"emb": [1, Odd()]}
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

class Panic(BaseException):
    """As extensions written in Rust raise it."""

class Wordless(Exception):
    def __str__(self):
        raise RuntimeError("no words")

class Group(Exception):
    exceptions = (ValueError("first"), Wordless(), KeyError("third"))

def odd_errors(task):
    if task == 0:
        raise Panic("index out of bounds")
    if task == 1:
        raise Wordless()
    if task == 2:
        raise Group("several")
    if task == 3:
        error = ValueError("noted")
        error.__notes__ = ["remember", "this"]
        raise error
    if task == 4:
        raise ValueError("outer") from Wordless()
    return task

def tracked(task):
    """What \`multiprocessing\` leaves beside a worker that shares memory or spawns, and ends with it."""
    from multiprocessing import resource_tracker
    resource_tracker.ensure_running()
    return resource_tracker._resource_tracker._pid

def wanders(task):
    here = os.getcwd()
    os.chdir("/")
    if task == 1 and not os.path.exists(here + "/tried"):
        open(here + "/tried", "w").close()
        raise ValueError("once more")
    return here

def spoils(task):
    print("begins", task)
    print("aside", task, file=sys.stderr)
    if task == 0:
        sys.stdout = None
    if task == 1:
        sys.stderr.close()
    if task == 2:
        sys.stdout.close()
    return os.getpid()

def process(task):
    facts = {
        "argv": sys.argv,
        "orphan": os.getppid() == 1,
        "open": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:3],
        "files": sum(1 for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)),
        "input": sys.stdin.read(),
        "leads": os.getsid(0) == os.getpid(),
        "buffered": type(sys.stdout.buffer).__name__,
        "path": sys.path[:2],
        "flags": list(sys.flags),
        "mark": os.environ["GRID_BATCH"] == open("/proc/self/environ").read().split("GRID_BATCH=")[1].split("\\0")[0],
        "signals": [str(signal.getsignal(number)) for number in range(1, 32)],
        "main": sys.modules["__main__"].__file__,
    }
    if task == 0:
        os._exit(1)
    return {"facts": facts, "forked": "is_local" in vars(sys.modules["__main__"])}

def unflushed(task):
    globals()["kept"] = open("kept-%d" % task, "w")
    kept.write("to the end")
    import atexit
    atexit.register(lambda: open("over-%d" % task, "w").close())

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
  readonly results = join(this.path, "results", "one.jsonl");

  constructor() {
    Deno.writeTextFileSync(join(this.path, "work.py"), WORK);
  }

  spec(fields: Readonly<Record<string, unknown>>): string {
    const path = join(this.path, `spec-${crypto.randomUUID()}.json`);
    const { tasks = [0, 1, 2, 3, 4, 5, 6, 7], task_texts, ...rest } = fields;
    const texts =
      (task_texts ?? (tasks as unknown[]).map((task) => JSON.stringify(task))) as string[];
    const spec = {
      mode: "embedded",
      target: { call: "work:square" },
      batch_size: 3,
      cpus: 0,
      gpus: 0,
      cwd: this.path,
      root: this.path,
      node: "n1",
      forward: [],
      results: this.results,
      mark: MARK,
      work: "work",
      code: "code",
      ...rest,
    };
    Deno.writeTextFileSync(path, [JSON.stringify(spec), ...texts].join("\n"));
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
      "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])",
    ].join("\n");
    const id = `batch-${crypto.randomUUID()}`;
    return new Deno.Command("python3", {
      args: ["-c", start, "-c", bootSource(), DRIVER, this.spec({ id, ...fields })],
      env: { PYTHONDONTWRITEBYTECODE: "1", GRID_BATCH: String(fields["id"] ?? id), ...env },
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
    const specs = [...Deno.readDirSync(this.path)].filter(({ name }) => name.startsWith("spec-"));
    assert.deepEqual(specs, [], "what it was asked may have come from a secret");
    const lines = new TextDecoder().decode(stdout).split("\n");
    return {
      code,
      stderr: new TextDecoder().decode(stderr),
      says: lines.filter((line) => line.startsWith(MARK))
        .map((line) => JSON.parse(line.slice(MARK.length))),
      printed: lines.filter((line) => line !== "" && !line.startsWith(MARK)),
      /** Without the number of the item. */
      lines: lines.filter((line) => line.startsWith("[")).map((line) =>
        line.replace(/^\[\d+\] /, "")
      ),
    };
  }

  /** The last word on each item, by index. */
  entries(): Entry[] {
    const lines = Deno.readTextFileSync(this.results).split("\n")
      .filter((line) => line.startsWith('{"item"') && line.endsWith("}"));
    const last = new Map(lines.map((line): [number, Entry] => {
      const { item: _, ...entry }: Entry & { item?: string } = JSON.parse(line);
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
  assert.match(entries[4]?.error ?? "", /^the result is not JSON: at result\.emb\[1\]: work\.Odd$/);
  assert.match(entries[5]?.error ?? "", /^the result is not JSON: at result: object$/);
  assert.match(entries[6]?.error ?? "", /^SystemExit: leaving/);
  assert.match(stderr, /^\[3\] failed: ValueError: boom$/m);
  assert.deepEqual(says.at(-1), { done: 8, failed: 4, total: 8 });
});

testWith(["python3"], "batch_driver loses only the item that kills its worker", async () => {
  using place = new Workplace();
  const { code, printed } = await place.run({ target: { call: "work:fragile" }, batch_size: 4 });
  assert.equal(code, 0);
  const entries = place.entries();
  const tasks = [0, 1, 2, 3, 4, 5, 6, 7];
  assert.equal(entries[2]?.error, "the worker process died: exit code 9");
  assert.equal(entries[5]?.error, "the worker process died: signal SIGKILL");
  assert.deepEqual(entries.filter(({ ok }) => ok).map(({ value }) => value), [0, 1, 3, 4, 6, 7]);
  // Nothing ran twice.
  assert.deepEqual(printed.toSorted(), tasks.map((task) => `[${task}] at ${task}`));
});

testWith(["python3"], "batch_driver keeps what can be said of an odd error", async () => {
  using place = new Workplace();
  const tasks = [0, 1, 2, 3, 4, 5];
  await place.run({ target: { call: "work:odd_errors" }, tasks, batch_size: 6 });
  const words = place.entries().map(({ value, error }) =>
    error?.split("\n").filter((line) => !/^ {2}File|^ {4}/.test(line)).join(" / ") ?? value
  );
  assert.deepEqual(words, [
    "Panic: index out of bounds",
    "Wordless: (its words cannot be read: RuntimeError)",
    "Group: several / among them ValueError: first / " +
    "among them Wordless: (its words cannot be read: RuntimeError) / among them KeyError: 'third'",
    "ValueError: noted / remember / this",
    "ValueError: outer / because of Wordless: (its words cannot be read: RuntimeError)",
    5,
  ]);
});

testWith(
  ["python3"],
  "batch_driver names a module that ends Python when it is loaded",
  async () => {
    using place = new Workplace();
    Deno.writeTextFileSync(join(place.path, "script.py"), "import sys\nsys.exit(0)\n");
    const { code, says } = await place.run({ target: { call: "script:main" } });
    assert.equal(code, 3);
    assert.match(says.at(-1).problem, /^Cannot load script:main on n1: SystemExit: 0/);
  },
);

testWith(
  ["python3"],
  "what multiprocessing keeps beside a worker is nothing left running",
  async () => {
    using place = new Workplace();
    // Marked as on Ray, whose workers live on while their node is swept.
    const program =
      "import os, sys, time\nsys.path[:0] = sys.argv[1:3]\nimport batch_driver, work\n" +
      "tracker = work.tracked(0)\nbegan = time.monotonic()\n" +
      "print(batch_driver.sweep(os.environ['GRID_BATCH'], 2), time.monotonic() - began < 1)\n" +
      "os.kill(tracker, 0)";
    const { stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", program, join(folder.path, "step"), place.path],
      env: { GRID_BATCH: `batch-${crypto.randomUUID()}`, PYTHONDONTWRITEBYTECODE: "1" },
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(said, "{'ended': 0, 'left': []} True\n");
  },
);

testWith(
  ["python3"],
  "every item begins in the step's folder, wherever another has gone",
  async () => {
    using place = new Workplace();
    const fields = { target: { call: "work:wanders" }, tasks: [0, 1, 2], batch_size: 3 };
    await place.run({ ...fields, item_retries: 1 });
    const here = Deno.realPathSync(place.path);
    assert.deepEqual(place.entries().map(({ value }) => value), [here, here, here]);
  },
);

testWith(["python3"], "an item that closes its streams leaves others theirs", async () => {
  using place = new Workplace();
  const fields = { target: { call: "work:spoils" }, tasks: [0, 1, 2, 3], batch_size: 4 };
  const { printed, stderr } = await place.run(fields);
  assert.deepEqual(printed, [0, 1, 2, 3].map((index) => `[${index}] begins ${index}`));
  assert.equal(stderr, [0, 1, 2, 3].map((index) => `[${index}] aside ${index}\n`).join(""));
  assert.deepEqual(place.entries().map(({ ok }) => ok), [true, true, true, true]);
});

testWith(["python3"], "a worker that is forked is like one that is started", async () => {
  using place = new Workplace();
  // The first two are forks; the one that comes for the one that has died is not.
  const tasks = Array.from({ length: 40 }, (_, index) => index);
  await place.run({ target: { call: "work:process" }, tasks, batch_size: 1 });
  const [dead, ...alive] = place.entries();
  assert.equal(dead?.error, "the worker process died: exit code 1");
  const values = alive.map(({ value }) => value as { facts: unknown; forked: boolean });
  const seen = new Set(values.map(({ facts }) => JSON.stringify(facts)));
  assert.equal(seen.size, 1, [...seen].join("\n"));
  assert.equal(new Set(values.map(({ forked }) => forked)).size, 2);
});

testWith(["python3"], "a worker that is forked ends as Python ends", async () => {
  using place = new Workplace();
  await place.run({ target: { call: "work:unflushed" }, tasks: [0, 1], batch_size: 1 });
  for (const task of [0, 1]) {
    assert.equal(Deno.readTextFileSync(join(place.path, `kept-${task}`)), "to the end");
    assert.ok(existsSync(join(place.path, `over-${task}`)));
  }
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
  assert.deepEqual(again.says[0], { done: 2, failed: 0, total: 3 });
  const calls = Deno.readTextFileSync(join(place.path, "calls")).trim().split("\n");
  assert.deepEqual(calls.toSorted(), ["0", "1", "1", "2"]);
});

testWith(["python3"], "batch_driver takes what a command prints as its result", async () => {
  using place = new Workplace();
  const { code, lines } = await place.run({
    target: { command: `test "$GRID_TASK" != bad; echo "{\\"is\\": \\"$GRID_TASK\\"}"` },
    tasks: ["a b", "bad", "c'd"],
  });
  assert.equal(code, 0);
  assert.deepEqual(place.entries().map(({ value, error }) => value ?? error), [
    { is: "a b" },
    "RuntimeError: the command ended with exit code 1",
    { is: "c'd" },
  ]);
  assert.deepEqual(lines.toSorted(), ['{"is": "a b"}', `{"is": "c'd"}`]);
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
      '0|{"shard":1}',
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
          Deno.readTextFileSync(place.results).includes('"ok": true');
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
  const { says } = await place.run(
    { ...fields, gpus: 2 },
    { CUDA_VISIBLE_DEVICES: "0,1,2,3" },
  );
  const busy: Record<string, number> = says.at(-1).busy_seconds;
  assert.ok(Object.keys(busy).every((gpu) => /^n1 [0-3]$/.test(gpu)), JSON.stringify(busy));
  assert.equal(busy["n1 0"], busy["n1 1"]);
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

testWith(
  ["python3"],
  "batch_driver gives results of many kinds their documented forms",
  async () => {
    using place = new Workplace();
    await place.run({ target: { call: "work:kinds" }, task_texts: ["9007199254740993"] });
    const text = Deno.readTextFileSync(place.results);
    const value = text.slice(text.indexOf('"value": ') + 9, text.lastIndexOf("}"));
    assert.equal(
      pythonJson(parseJson(value)),
      `{"1":"int key","big":${
        2n ** 200n
      },"int64":9007199254740993,"nan":NaN,"minus":-0.0,"one":1.0,` +
        '"bytes":"AP8=","date":"2026-01-02","datetime":"2026-01-02T03:04:05.000006+00:00",' +
        '"span":90.0,"decimal":"1.10","uuid":"00000000-0000-0000-0000-000000000001","path":"a/b",' +
        '"point":{"x":1,"when":"2026-01-02"},"enum":"red","set":[1,2,3],"tuple":[1,2],"pair":[1,2],' +
        '"range":[0,1,2],"2026-01-02":"date key"}',
    );
  },
);

testWith(
  ["python3"],
  "batch_driver says what makes a coroutine or a generator a result",
  async () => {
    for (const [kind, advice] of [["coroutine", "asyncio.run"], ["generator", "list"]]) {
      using place = new Workplace();
      await place.run({ target: { call: `work:unfit_${kind}` }, tasks: [0] });
      const error = place.entries()[0]?.error ?? "";
      assert.ok(error.startsWith(`the result is not JSON: at result: ${kind}`), error);
      assert.ok(error.includes(`\`${advice}(…)\``), error);
    }
  },
);

testWith(["python3"], "batch_driver names what has no form, and where it stands", async () => {
  using place = new Workplace();
  await place.run({ target: { call: "work:unfit" }, tasks: [0, 1, 2, 3] });
  const words = place.entries().map(({ error }) => error?.split("\n")[0]);
  assert.deepEqual(words, [
    "the result is not JSON: at result: two keys become '1'",
    "the result is not JSON: at result: a key is a tuple",
    "the result is not JSON: it is nested more than 400 deep",
    "the result is not JSON: at result.rows[0].model: work.Odd",
  ]);
});

testWith(
  ["python3"],
  "batch_driver tells which numbers a float of Python cannot hold",
  async () => {
    using place = new Workplace();
    const { stderr } = await place.run({
      target: { call: "work:same" },
      task_texts: [
        "[0.5, 1e400]",
        "0.1",
        "0.12345678901234567890",
        "1e-400",
        "1e-99999999999999999999",
      ],
    });
    assert.equal(
      place.entries()[0]?.error?.split("\n")[0],
      "ValueError: a float of Python cannot hold the number 1e400",
    );
    const told = stderr.split("\n").filter((line) => line.includes("the function gets"));
    assert.ok(told.length > 0);
    for (const line of told) {
      assert.match(
        line,
        /the function gets (0\.12345678901234568 for the number 0\.12345678901234567890|0\.0 for the number 1e-[49]+0*) of its task, and/,
      );
    }
  },
);

testWith(["python3"], "batch_driver hands tasks on as they are spelled", async () => {
  using place = new Workplace();
  const texts = ["3.10", "1e400", "-0.0", "NaN", '{"a": 12345678901234567890}', '"text"'];
  await place.run({ target: { command: 'printf "%s" "$GRID_TASK"' }, task_texts: texts });
  const values = Deno.readTextFileSync(place.results).trim().split("\n").slice(1)
    .map((line) => line.slice(line.indexOf('"value": ') + 9, -1));
  assert.deepEqual(values.toSorted(), [...texts].toSorted());
});

function runaways(): string[] {
  return allProcesses().filter(({ command }) => /^sleep 515\d$/.test(command))
    .map(({ command }) => command);
}

testWith(["python3"], "batch_driver ends what tasks leave running", async () => {
  using place = new Workplace();
  const { code, stderr } = await place.run({ target: { call: "work:runaway" }, tasks: [0] });
  assert.equal(code, 0);
  assert.match(stderr, /grid: ended \d processes that tasks had left running on n1/);
  assert.deepEqual(runaways(), []);
  const child = place.start({
    target: { call: "work:runaway" },
    tasks: [300],
    id: `again-${crypto.randomUUID()}`,
    results: `${place.results}.x`,
  });
  while (!existsSync(join(place.path, "ran-300")) || runaways().length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGTERM");
  assert.equal((await child.output()).code, 143);
  assert.deepEqual(runaways(), []);
});

testWith(
  ["python3"],
  "batch_driver keeps every line of every task, also of one that crashes",
  async () => {
    using place = new Workplace();
    const tasks = Array.from({ length: 20 }, (_, index) => index);
    const { stderr, printed } = await place.run({
      target: { call: "work:chatty" },
      tasks,
      batch_size: 4,
    });
    for (const task of tasks) {
      assert.deepEqual(printed.filter((line) => line.startsWith(`[${task}] `)), [
        ...Array.from({ length: 500 }, (_, line) => `[${task}] line ${line}`),
        `[${task}] child`,
        `[${task}] unfinished`,
      ]);
      assert.ok(stderr.includes(`[${task}] last words of ${task}\n`), stderr);
    }
  },
);

testWith(
  ["python3"],
  "batch_driver interrupts a task that takes too long, or ends its process",
  async () => {
    using place = new Workplace();
    const { code } = await place.run({
      target: { call: "work:slow" },
      tasks: [0, 1, 2, 3],
      batch_size: 4,
      item_timeout: 0.3,
    });
    assert.equal(code, 0);
    const words = place.entries().map(({ value, error }) => error?.split("\n")[0] ?? value);
    const late = "it took longer than item-timeout (0.3 s)";
    assert.deepEqual(words, [0, late, late, 3]);
  },
);

testWith(["python3"], "batch_driver tries a failed task again, if its class may be", async () => {
  using place = new Workplace();
  const fields = { item_retries: 2, item_retry_on: ["OSError"], tasks: [0, 1, 2] };
  await place.run({ ...fields, target: { call: "work:shaky" } });
  assert.deepEqual(place.entries().map(({ ok }) => ok), [true, true, false]);
  const tries = Deno.readTextFileSync(join(place.path, "tries")).trim().split("\n").toSorted();
  assert.deepEqual(tries, ["0", "1", "1", "1", "2"]);
});

testWith(["python3"], "batch_driver sets up once per process", async () => {
  using place = new Workplace();
  const fields = { batch_size: 1, max_in_flight: 1, setup: "work:load" };
  await place.run({ ...fields, target: { call: "work:with_model" } });
  const pids = new Set(place.entries().map(({ value }) => (value as unknown[])[2]));
  assert.equal(pids.size, 1);
  const loads = Deno.readTextFileSync(join(place.path, "loads")).trim().split("\n").map(Number);
  assert.deepEqual(loads, [...pids]);
});

testWith(["python3"], "batch_driver begins nothing more once too many have failed", async () => {
  using place = new Workplace();
  const tasks = Array.from({ length: 50 }, () => 3);
  const fields = {
    tasks,
    batch_size: 1,
    max_in_flight: 1,
    on_item_failure: "stop",
    max_failures: 2,
  };
  await place.run({ ...fields, target: { call: "work:picky" } });
  const errors = place.entries().map(({ error }) => error?.split("\n")[0]);
  assert.deepEqual(errors.slice(0, 4), [
    "ValueError: boom",
    "ValueError: boom",
    "ValueError: boom",
    "not begun: more than 2 tasks had failed",
  ]);
  assert.equal(errors.length, 50);
});

testWith(
  ["python3"],
  "batch_driver tries again what failed before its end, and stops by what fails then",
  async () => {
    using place = new Workplace();
    const fields = {
      target: { call: "work:once" },
      tasks: [0, 1, 2],
      batch_size: 1,
      max_in_flight: 1,
      on_item_failure: "stop",
    };
    await place.run(fields);
    const errors = place.entries().map(({ error }) => error?.split(":")[0]);
    assert.deepEqual([errors[0], errors[2]], [undefined, "not begun"]);
    Deno.writeTextFileSync(join(place.path, "mended"), "");
    await place.run(fields);
    assert.deepEqual(place.entries().map(({ value }) => value), [0, 1, 2]);
  },
);

testWith(
  ["python3"],
  "batch_driver keeps the frames and the cause of an endless message",
  async () => {
    using place = new Workplace();
    await place.run({ target: { call: "work:verbose" }, tasks: [0] });
    const error = place.entries()[0]?.error ?? "";
    assert.match(
      error,
      /^ValueError: x+ … \d+ characters … x+END\n.*in verbose.*because of KeyError: 'the cause'$/s,
    );
  },
);

testWith(
  ["python3"],
  "batch_driver takes over what others have finished of the same work",
  async () => {
    using place = new Workplace();
    const fields = { target: { call: "work:once" }, batch_size: 1 };
    const calls = () => Deno.readTextFileSync(join(place.path, "calls")).trim().split("\n").length;
    await place.run({ ...fields, tasks: [0, 1, 2, 2] });
    assert.equal(calls(), 4);
    // Another attempt with another list: 0 and both 2 are known, 1 has failed, 3 is new.
    const second = { ...fields, results: join(place.path, "results", "two.jsonl") };
    const { stderr } = await place.run({ ...second, tasks: [3, 2, 1, 0, 2] });
    assert.equal(calls(), 6);
    assert.match(stderr, /grid: 3 of 5 results are kept from an earlier attempt, 2 are left to do/);
    const lines = Deno.readTextFileSync(second.results).trim().split("\n").slice(1);
    const found = new Map(lines.map((line) => [JSON.parse(line).index, JSON.parse(line).value]));
    assert.deepEqual([0, 1, 3, 4].map((index) => found.get(index)), [3, 2, 0, 2]);
    // Other code has its own results.
    const third = { ...fields, results: join(place.path, "results", "three.jsonl"), work: "other" };
    await place.run({ ...third, tasks: [0, 2] });
    assert.equal(calls(), 8);
  },
);

testWith(["python3"], "batch_driver tells code that nobody has synced by what it is", async () => {
  using place = new Workplace();
  const fields = { target: { call: "work:once" }, tasks: [0], batch_size: 1, code: null };
  const calls = () => Deno.readTextFileSync(join(place.path, "calls")).trim().split("\n").length;
  const results = (name: string) => ({ results: join(place.path, "results", `${name}.jsonl`) });
  await place.run({ ...fields, ...results("a") });
  await place.run({ ...fields, ...results("b") });
  assert.equal(calls(), 1);
  Deno.writeTextFileSync(join(place.path, "work.py"), "# changed\n", { append: true });
  await place.run({ ...fields, ...results("c") });
  assert.equal(calls(), 2);
});

testWith(["python3"], "batch_driver gives workers one list of GPUs under both names", async () => {
  using place = new Workplace();
  const names = ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"];
  const tasks = Array.from({ length: 6 }, () => names);
  const fields = { target: { call: "work:environment" }, tasks, batch_size: 1, gpus: 1 };
  await place.run(fields, {
    HIP_VISIBLE_DEVICES: "4,6",
    CUDA_VISIBLE_DEVICES: "4,6",
    ROCR_VISIBLE_DEVICES: "0",
  });
  const seen = new Set(place.entries().map(({ value }) => JSON.stringify(value)));
  for (const one of seen) {
    assert.ok(['["4","4",null,"n1"]', '["6","6",null,"n1"]'].includes(one), one);
  }
});

testWith(["python3"], "batch_driver does not wait for what a command leaves running", async () => {
  using place = new Workplace();
  const target = { command: "setsid sleep 5154 & echo result; exit $GRID_TASK" };
  const { code, stderr } = await place.run({ target, tasks: [0, 3] });
  assert.equal(code, 0);
  assert.deepEqual(place.entries().map(({ value, error }) => value ?? error), [
    "result",
    "RuntimeError: the command ended with exit code 3",
  ]);
  assert.match(stderr, /grid: ended 2 processes that tasks had left running/);
  assert.deepEqual(runaways(), []);
});

/** A worker of Ray and the driver that hears it, without Ray. */
const HEARD = `
import os, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
import batch_driver as driver

def work(index):
    if index % 7 == 0:
        print("python %d" % index)
    if index % 50 == 1:
        subprocess.run(["sh", "-c", "echo child %d; printf unfinished >&2" % index])
    if index == 100:
        os.write(2, b"bare 100\\n")
    if index == 200:
        print("begun 200", flush=True)
        time.sleep(0.2)
        print("over 200")
    if index == 205:
        sys.stdout = None
    if index == 206:
        sys.stderr.close()
    if index == 290:
        print("last words", flush=True)
        os._exit(1)

ear = driver.Ear("127.0.0.1", "token")
ear.start()
for serial, last in (("1", 290), ("2", 291)):
    if os.fork() == 0:
        tap = driver.Tap(ear.address, "token")
        begin, look = tap.open(serial, 300)
        assert (tap.quiet is not None) == driver.tells_writing()
        for index in range(0 if serial == "1" else 280, last):
            begin(index)
            work(index)
            (look or int)()
        tap.close(serial)
        os._exit(0)
    os.wait()
    assert ear.drain({serial}, 30) == 0
`;

testWith(["python3"], "of a large batch those items are named that print", async () => {
  using place = tempDir();
  Deno.copyFileSync(DRIVER, join(place.path, "batch_driver.py"));
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", HEARD, place.path],
    env: { PYTHONDONTWRITEBYTECODE: "1" },
  }).output();
  const linesOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim().split("\n");
  assert.equal(code, 0, linesOf(stderr).join("\n"));
  const [own, lost] = [linesOf(stdout).slice(0, -3), linesOf(stdout).slice(-3)];
  const expected = Array.from({ length: 290 }, (_, index) => [
    // A child writes at once, Python when the item is over.
    ...(index % 50 === 1 ? [`[${index}] child ${index}`] : []),
    ...(index % 7 === 0 ? [`[${index}] python ${index}`] : []),
    ...(index === 200 ? ["[200] begun 200", "[200] over 200"] : []),
  ]).flat();
  assert.deepEqual(own, expected);
  assert.deepEqual(linesOf(stderr), [
    ...["[1] unfinished", "[51] unfinished", "[100] bare 100", "[101] unfinished"],
    ...["[151] unfinished", "[201] unfinished", "[251] unfinished"],
  ]);
  // Whose they were nobody says any more; the item runs again, by itself.
  assert.deepEqual(lost, ["[280] python 280", "[287] python 287", "last words"]);
});

testWith(
  ["python3"],
  "a fork ends at once when it is told to, without its parent's handler",
  async () => {
    const program = `
import os, signal, sys
import batch_driver as driver
signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"the parent's\\n"))
driver.mark_forks("mark")
def end_of_fork(own=None):
    pid = os.fork()
    if pid == 0:
        if own:
            signal.signal(signal.SIGTERM, own)
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(7)
    return os.waitpid(pid, 0)[1]
print(end_of_fork() == signal.SIGTERM, end_of_fork(lambda *_: None) == 7 << 8)
`;
    const { stdout, stderr } = await new Deno.Command("python3", {
      args: ["-c", program],
      env: { PYTHONPATH: join(folder.path, "step") },
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "True True\n", new TextDecoder().decode(stderr));
  },
);
