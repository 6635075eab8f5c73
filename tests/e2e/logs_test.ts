import assert from "node:assert/strict";
import { grid, project, startInTerminal } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";

const OPEN_LINES = `name: open
steps:
  - { id: a, node: local, run: printf partial }
  - { id: b, needs: a, node: local, run: printf whole }
  - { id: c, needs: b, node: local, run: echo end }
`;

Deno.test("grid logs begins the name of a step on a line of its own", async () => {
  using folder = project({ "p.yaml": OPEN_LINES });
  const options = { cwd: folder.path };
  assert.equal((await grid(["run", "p.yaml"], options)).code, 0);
  const { stdout, stderr } = await grid(["logs", "--raw"], options);
  // What steps printed stays as it was.
  assert.equal(stdout, "partialwholeend\n");
  const names = ["a", "b", "c"].map((step) => `── ${step}, attempt 1\n`);
  assert.equal(stderr, names.join("\n"));
  // In a file nothing else would say where a step begins.
  const marked = await grid(["logs"], options);
  assert.deepEqual([marked.stdout, marked.stderr], [
    "── a, attempt 1\npartial\n── b, attempt 1\nwhole\n── c, attempt 1\nend\n",
    "",
  ]);
});

const PIPELINE = `name: logged
steps:
  - { id: make, node: local, run: echo made }
  - id: sweep
    needs: make
    node: local
    matrix: { x: [1, 2], max-parallel: 1 }
    env: { X: "\${{ matrix.x }}" }
    run: echo "x=$X"
`;

Deno.test("grid logs prints a step, every cell of a matrix, or all, each under its name", async () => {
  using folder = project({ "p.yaml": PIPELINE });
  const options = { cwd: folder.path };
  assert.equal((await grid(["run", "p.yaml"], options)).code, 0);
  const one = await grid(["logs", "last", "sweep[x=2]"], options);
  assert.deepEqual([one.code, one.stdout, one.stderr], [0, "x=2\n", ""]);
  const cells = await grid(["logs", "last", "sweep"], options);
  const marked = "── sweep[x=1], attempt 1\nx=1\n── sweep[x=2], attempt 1\nx=2\n";
  assert.deepEqual([cells.code, cells.stdout, cells.stderr], [0, marked, ""]);
  const all = await grid(["logs"], options);
  assert.deepEqual([all.code, all.stdout], [0, `── make, attempt 1\nmade\n${marked}`]);
  const found = await grid(["logs", "last", "--grep", "^x=[2-9]$"], options);
  assert.deepEqual([found.code, found.stdout], [0, "── sweep[x=2], attempt 1\nx=2\n"]);
  const wrong = await grid(["logs", "last", "--grep", "("], options);
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^error: Cannot look for "\(": missing closing \)$/m);
  await timesAreTold(folder.path);
  const late = await grid(["logs", "last", "make", "--attempt", "7"], options);
  assert.deepEqual([late.code, late.stdout], [2, ""]);
  assert.match(late.stderr, /attempt 7 of step "make": it made 1/);
  const none = await grid(["logs", "last", "swep"], options);
  assert.deepEqual([none.code, none.stdout], [2, ""]);
  assert.match(none.stderr, /did you mean "sweep"\?/);
});

/** In place of a run that takes minutes: its lines have come when its file of times says. */
async function timesAreTold(cwd: string): Promise<void> {
  const logs = async (...words: string[]) => {
    const { code, stdout, stderr } = await grid(["logs", "last", ...words], { cwd });
    return code === 0 ? stdout : stderr;
  };
  const told = await logs("make", "-t");
  assert.match(told, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ made\n$/);
  assert.ok(Math.abs(Date.parse(told.slice(0, 20)) - Date.now()) < 10 * 60_000);
  assert.equal(await logs("make", "--since", "1h"), "made\n");
  const { logs: files } = JSON.parse(await logs("--json"));
  const [folder = ""] = files[0].file.split("/make.");
  const noon = Date.parse("2026-01-31T12:00:00Z");
  const [first, second] = [files[1].file, files[2].file].map((file) => file.split("/").at(-1));
  const times = [
    `${noon} 0 make.1.log`,
    `${noon + 60_000} 0 ${first}`,
    `${noon + 90_000} 0 ${second}`,
  ];
  Deno.writeTextFileSync(`${folder}/times`, `${times.join("\n")}\nno time\n`);
  assert.equal(
    await logs("--since", "2026-01-31T12:01:30Z", "--timestamps", "--grep", "^x="),
    "── sweep[x=2], attempt 1\n2026-01-31T12:01:30Z x=2\n",
  );
  assert.equal(await logs("make", "--since", "2026-01-31T12:00:05Z"), "");
  assert.match(await logs("--since", "soon"), /^error: Cannot look for lines since "soon": /);
  Deno.removeSync(`${folder}/times`);
  assert.match(await logs("-t"), /^error: Cannot tell when the lines of run .*: an older Grid /);
}

Deno.test("grid logs says on stderr why a step has no log, and where a reused one has", async () => {
  using folder = project({
    "p.yaml": `name: p
steps:
  - { id: a, node: local, run: "echo hello" }
  - { id: b, needs: a, node: local, run: "false" }
  - { id: c, needs: b, node: local, run: "true" }
`,
  });
  const options = { cwd: folder.path };
  await grid(["run", "p.yaml"], options);
  await grid(["resume"], options);
  const reused = await grid(["logs", "last", "a"], options);
  assert.equal(reused.stdout, "");
  const command = /its log: grid (logs \S+ a)/.exec(reused.stderr)?.[1] ?? reused.stderr;
  assert.equal((await grid(command.split(" "), options)).stdout, "hello\n");
  const skipped = await grid(["logs", "last", "c"], options);
  assert.match(skipped.stderr, /^c was skipped: it needs "b", which failed$/m);
  const all = await grid(["logs", "last"], options);
  assert.match(all.stderr, /^reused from run \S+: a; their logs: grid logs \S+$/m);
});

testWith(
  ["script"],
  "grid logs hands nothing to a terminal that it would obey, unless --raw",
  async () => {
    using folder = project({
      "p.yaml": `name: p
steps:
  - { id: a, node: local, run: "printf '\\\\033]0;title\\\\007\\\\033[2Jshown\\\\n'" }
`,
    });
    const options = { cwd: folder.path };
    const ran = await grid(["run", "p.yaml"], options);
    assert.equal(ran.code, 0, ran.stderr);
    const piped = await grid(["logs", "last", "a"], options);
    assert.equal(piped.stdout, "\x1b]0;title\x07\x1b[2Jshown\n");
    await using screen = startInTerminal(["logs", "last", "a"], options);
    assert.equal((await screen.ended).stdout.replaceAll("\r", ""), "shown\n");
    await using raw = startInTerminal(["logs", "last", "a", "--raw"], options);
    assert.match((await raw.ended).stdout, /title/);
  },
);
