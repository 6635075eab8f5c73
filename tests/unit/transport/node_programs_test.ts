/** The programs that run on nodes, as texts: what they say of themselves, and what checkers say of them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootSource, driverSource, handOverSource } from "../../../src/ray/driver_source.ts";
import { findProgramChecks, testWith } from "../../support/requires.ts";
import { OUTSIDE, type Row, rowsOf } from "../../support/shell_globals.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { tableIn, tableOf, withTable } from "../../support/shell_tables.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

interface Program {
  /** Below the project's folder. */
  readonly path: string;
  readonly room: string;
  readonly text: string;
}

const PROGRAMS = [...find("src", ".sh")].sort().map((path): Program => ({
  path,
  room: path.split("/")[1] ?? "",
  text: Deno.readTextFileSync(join(ROOT, path)),
}));

function* find(folder: string, end: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, folder))) {
    if (isDirectory) yield* find(`${folder}/${name}`, end);
    else if (name.endsWith(end)) yield `${folder}/${name}`;
  }
}

// With GRID_TEST_UPDATE=1 the tables are written anew; then read the difference.
Deno.test("node programs: each says at its head what its functions read and set", () => {
  for (const { path, text } of PROGRAMS) {
    if (rowsOf(text).length === 0) continue;
    if (Deno.env.get("GRID_TEST_UPDATE") === "1") {
      Deno.writeTextFileSync(join(ROOT, path), withTable(text));
    } else {
      assert.equal(tableIn(text), tableOf(text), `${path}: GRID_TEST_UPDATE=1 writes its table`);
    }
  }
});

Deno.test("shell globals: what a function takes from others, and what others find changed", () => {
  const rows = (text: string) =>
    rowsOf(text).map(({ name, reads, sets }) => `${name}: ${[...reads]} -> ${[...sets]}`);
  assert.deepEqual(
    rows(`
a=1
f() { b=$a; c=$b; echo "$((d + 1)) \${e:-$g}" '$h' >"$i"; }
`),
    [`${OUTSIDE}:  -> a`, "f: a,d,e,g,i -> b,c"],
    "what it has set itself is its own; what is quoted is text",
  );
  assert.deepEqual(rows("f() { ( a=1; echo $a ); b=$(c=1; echo $c$d) | e=1; g=1 & echo $b; }"), [
    "f: d,b -> ",
  ], "a subshell keeps what it sets");
  assert.deepEqual(
    rows("f() { if x; then a=1; else a=2; fi; case $a in b) c=1 ;; esac; echo $c; }"),
    [
      "f: c -> a,c",
    ],
    "what is set on one way only may be as it was",
  );
  assert.deepEqual(rows("f() { while read -r a b; do c=$a; done <$d; for e in $c; do :; done; }"), [
    "f: d,c -> a,b,c,e",
  ]);
  assert.deepEqual(rows("f() { A=1 cmd; export B=$C; : \"${D:=2}\"; trap 'E=1' URG; unset G; }"), [
    "f: C,D -> B,D,E",
  ]);
  assert.deepEqual(rows("f() { if read -r a && read -r b; then echo $a$b; fi; echo $b; }"), [
    "f: b -> a,b",
  ]);
  assert.throws(() => rowsOf("f() { if x; }"), /f|outside/);
});

/** Rows of functions that may meet in one shell; all others are programs with a process of their own. */
const SHARED = PROGRAMS.flatMap(({ path, room, text }) =>
  rowsOf(text).map((row): Row & { readonly path: string; readonly room: string } => ({
    ...row,
    path,
    room,
  }))
);

Deno.test("node programs: no word is a function and a variable, and no two functions share one", () => {
  const places = new Map<string, string[]>();
  for (const { name, path } of SHARED) {
    if (name.startsWith("grid_")) places.set(name, [...places.get(name) ?? [], path]);
  }
  assert.ok(places.size > 150, "it looks at functions");
  assert.deepEqual([...places].filter(([, paths]) => paths.length > 1), []);
  const variables = new Set(SHARED.flatMap(({ reads, sets }) => [...reads, ...sets]));
  assert.deepEqual([...places.keys()].filter((name) => variables.has(name)), []);
});

Deno.test("node programs: what functions hand each other has one meaning in all rooms", () => {
  const taken = new Set(SHARED.flatMap(({ reads }) => [...reads]));
  const setters = new Map<string, Set<string>>();
  for (const { room, sets } of SHARED) {
    for (const name of sets) {
      if (!name.startsWith("grid_") || !taken.has(name)) continue;
      setters.set(name, (setters.get(name) ?? new Set()).add(room));
    }
  }
  const several = [...setters].filter(([, rooms]) => rooms.size > 1).map(([name]) => name);
  const page = Deno.readTextFileSync(join(ROOT, "docs/nodes.md"));
  const told = page.slice(page.indexOf("## Words of several rooms")).split("\n")
    .flatMap((line) => [...line.matchAll(/^\| (.*?) \|/g)])
    .flatMap(([, cell = ""]) => [...cell.matchAll(/`(grid_\w+)`/g)].map(([, name]) => name ?? ""));
  assert.deepEqual(several.sort(), told.sort());
});

Deno.test("node programs: what is read into a job's shell leaves nothing behind for its script", () => {
  const texts = (...paths: readonly string[]) =>
    paths.map((path) => PROGRAMS.find((it) => it.path === `src/${path}.sh`)?.text ?? "").join("\n");
  const claiming = texts(
    "cluster/claims",
    "cluster/claims_read",
    "cluster/claim",
    "cluster/claim_job",
  );
  const proving = texts("sync/tree", "sync/tree_proof");
  for (const text of [claiming, proving]) {
    const rows = rowsOf(text);
    const [variables, functions] = ["unset ", "unset -f "].map((word) => {
      const found = text.match(new RegExp(`^ *${word}grid_(?:.*\\\\\\n)*.*`, "m"))?.[0] ?? "";
      return new Set(found.match(/grid_\w+/g));
    });
    const left = rows.flatMap(({ sets }) => [...sets]).filter((name) => /^grid_/.test(name))
      .filter((name) => !variables?.has(name));
    assert.deepEqual([...new Set(left)], []);
    const kept = rows.map(({ name }) => name).filter((name) => /^grid_/.test(name))
      .filter((name) => !functions?.has(name));
    assert.deepEqual(kept, []);
  }
});

// What passes for dash passes for the others, but for what each alone has: GRID_TEST_SHELLCHECK=all asks.
const DIALECTS = Deno.env.get("GRID_TEST_SHELLCHECK") === "all"
  ? ["dash", "bash", "busybox"]
  : ["dash"];

for (const shell of DIALECTS) {
  testWith(
    ["program-checks"],
    `node programs: shellcheck has no objections, ${shell}`,
    async () => {
      const { stdout } = await new Deno.Command(
        join(findProgramChecks() ?? "", "bin", "shellcheck"),
        {
          args: ["--norc", "--format=gcc", `--shell=${shell}`, ...PROGRAMS.map(({ path }) => path)],
          cwd: ROOT,
        },
      ).output();
      assert.equal(new TextDecoder().decode(stdout), "");
    },
  );
}

testWith(
  ["program-checks"],
  "node programs: mypy finds nothing in those of Python, strictly",
  async () => {
    using dir = tempDir();
    const reading = (path: string) => Deno.readTextFileSync(join(ROOT, "src", path));
    // As they run: some are joined from parts.
    const programs = {
      batch_boot: bootSource(),
      batch_driver: driverSource(),
      local_driver: driverSource("local"),
      ray_driver: driverSource("ray"),
      hand_over: handOverSource(),
      ray_book: reading("ray/ray_reach.py") + reading("ray/ray_book.py"),
      ray_preflight: reading("ray/ray_reach.py") + reading("ray/ray_preflight.py"),
      ray_probe: reading("ray/ray_reach.py") + reading("ray/ray_probe.py"),
      data_peer: reading("data/data_peer.py"),
      mask: reading("transport/job/mask.py"),
    };
    const known = new Set(Object.values(programs).join("").match(/^(class|def) \w+/gm));
    for (const path of find("src", ".py")) {
      const own = Deno.readTextFileSync(join(ROOT, path)).match(/^(class|def) \w+/gm) ?? [];
      assert.deepEqual(own.filter((line) => !known.has(line)), [], `${path} is in one of them`);
    }
    for (const [name, text] of Object.entries(programs)) {
      Deno.writeTextFileSync(join(dir.path, `${name}.py`), text);
    }
    const { stdout } = await new Deno.Command(join(findProgramChecks() ?? "", "bin", "mypy"), {
      // Ray comes with a node, and brings no types.
      args: ["--strict", "--ignore-missing-imports", "--cache-dir=cache", "--no-error-summary"]
        .concat(Object.keys(programs).map((name) => `${name}.py`)),
      cwd: dir.path,
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "");
  },
);
