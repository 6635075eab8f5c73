/** Keeps the walls: arrows point down, no circles, one folder per npm package, small files. */
import assert from "node:assert/strict";
import { basename, dirname, join, relative } from "node:path";
import { MAY_IMPORT } from "./support/rooms.ts";

/** Longest source file in lines. */
const LONGEST = 300;
/** Hubs, which read from top to bottom: the schema keeps the whole format in one place. */
const LONGEST_HUB = 500;
const HUBS = new Set([
  "src/pipeline/schema.ts",
  "src/pipeline/pipeline.ts",
  "src/engine/event.ts",
  "src/engine/ports.ts",
]);
/** Rooms that may print. */
const MAY_PRINT = new Set(["cli", "terminal", "web"]);

const ROOT = join(import.meta.dirname ?? ".", "..");

interface SourceFile {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  /** Module specifiers, static and dynamic. */
  readonly imports: readonly string[];
}

const files = [...readSources("src"), ...readSources("mod.ts")];

Deno.test("architecture: an arrow only ever points down", () => {
  const wrong = files.flatMap((file) =>
    file.imports.filter((specifier) => specifier.startsWith(".")).flatMap((specifier) => {
      const target = roomOf(resolve(file.path, specifier));
      const allowed = MAY_IMPORT[file.room];
      assert.ok(allowed, `${file.path} lies in no known room`);
      return target === file.room || allowed.includes(target) ? [] : [`${file.path} → ${target}`];
    })
  );
  assert.deepEqual(wrong, []);
});

Deno.test("architecture: no circle of modules", () => {
  const edges = new Map(
    files.map((file) => [
      file.path,
      file.imports.filter((specifier) => specifier.startsWith("."))
        .map((specifier) => resolve(file.path, specifier)),
    ]),
  );
  assert.deepEqual(findCircle(edges), undefined);
});

Deno.test("architecture: one folder imports each npm package", () => {
  const importers = new Map<string, Set<string>>();
  for (const file of files) {
    for (const specifier of file.imports) {
      if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
      const name = packageOf(specifier);
      importers.set(name, (importers.get(name) ?? new Set()).add(file.room));
    }
  }
  const shared = [...importers].filter(([, rooms]) => rooms.size > 1)
    .map(([name, rooms]) => `${name}: ${[...rooms].join(", ")}`);
  assert.deepEqual(shared, []);
});

Deno.test("architecture: a module that is loaded lazily is the one whose type is named", () => {
  const wrong = files.flatMap(({ path, text }) =>
    [...text.matchAll(/lazy<typeof import\("([^"]+)"\)>\(\s*"([^"]+)"/g)]
      .filter(([, type, module]) => type !== module)
      .map(([, type, module]) => `${path}: ${type} is not ${module}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("architecture: an answer from the cache loads nothing that asks nodes or runs", () => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const loaded = new Set<string>();
  const packages = new Set<string>();
  const load = (path: string) => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const specifier of loadedBy(byPath.get(path)?.text ?? "")) {
      if (specifier.startsWith(".")) load(resolve(path, specifier));
      else if (!specifier.startsWith("node:")) packages.add(packageOf(specifier));
    }
  };
  for (const path of ["grid.ts", "cli/program.ts", "cli/session.ts", "cli/commands/health.ts"]) {
    load(`src/${path}`);
  }
  const rooms = new Set([...loaded].map(roomOf));
  for (const room of ["sync", "ray", "report", "metrics", "pipeline", "document", "grid_run.ts"]) {
    assert.ok(!rooms.has(room), `${room} is loaded`);
  }
  assert.deepEqual([...packages], []);
  // 30 ms, which each command would pay.
  const slow = [...loaded].filter((path) =>
    loadedBy(byPath.get(path)?.text ?? "").some((name) => /^node:(fs|crypto|net|dns)/.test(name))
  );
  assert.deepEqual(slow, [], "see src/core/node_builtins.ts");
  assert.ok(loaded.size > 50, "it looks at what is loaded");
});

Deno.test("architecture: every package in deno.json is used, and none is unpinned", () => {
  const config = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  const sources = [...files, ...readSources("tests"), ...readSources("release")];
  const used = new Set(sources.flatMap((file) => file.imports.map(packageOf)));
  for (const [name, target] of Object.entries<string>(config.imports)) {
    assert.match(target, /@\d+\.\d+\.\d+$/, `${name} is not pinned to an exact version`);
    if (name.startsWith("@types/")) continue;
    assert.ok(used.has(name), `${name} is in deno.json but nothing imports it`);
  }
});

// Whoever imports `mod.ts` by its path brings an import map of their own: a bare name would be
// looked up in theirs. deno.json lists the same versions, so that `deno install` brings them all.
Deno.test("architecture: a source names each package with the version that deno.json has", () => {
  const { imports } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  const wrong = files.flatMap(({ path, text, imports: specifiers }) => {
    const bare = specifiers.filter((name) => !/^(\.|node:|npm:)/.test(name))
      .map((name) => `${path}: write ${imports[packageOf(name)] ?? `npm:${name}@…`}, not ${name}`);
    const other = [...text.matchAll(/"(npm:(?:@[^/"@]+\/)?[^/"@]+@?[^/"]*)[^"]*"/g)]
      .map(([, specifier = ""]) => specifier)
      .filter((specifier) => imports[packageOf(specifier)] !== specifier)
      .map((specifier) => `${path}: ${specifier} is not the version in deno.json`);
    return [...bare, ...other];
  });
  assert.deepEqual(wrong, []);
});

Deno.test(`architecture: no source file is longer than ${LONGEST} lines`, () => {
  const limit = (path: string) => HUBS.has(path) ? LONGEST_HUB : LONGEST;
  const long = files.filter(({ path, text }) => text.split("\n").length - 1 > limit(path))
    .map((file) => file.path);
  assert.deepEqual(long, []);
});

Deno.test("architecture: only cli, terminal and web print", () => {
  const printing = files.filter((file) => !MAY_PRINT.has(file.room))
    // Examples in comments may: they are programs of other people.
    .filter((file) => /\bconsole\.|Deno\.(stdout|stderr)\b/.test(withoutComments(file.text)))
    .map((file) => file.path);
  assert.deepEqual(printing, []);
});

Deno.test("architecture: docs/libraries.md names each library, and the folder that imports it", () => {
  const rows = Deno.readTextFileSync(join(ROOT, "docs/libraries.md")).split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")))
    .filter((cells) => cells.length > 5);
  const told = new Map(rows.map((cells) => [cells[1], cells[3]]));
  const found = new Map(
    files.filter(({ path }) => path.startsWith("src/")).flatMap(({ path, imports }) =>
      imports.filter((it) => it.startsWith("npm:")).map((it) => [packageOf(it), dirname(path)])
    ),
  );
  for (const [name, folder] of found) {
    if (!name?.startsWith("@types/")) assert.equal(told.get(name), folder, name);
  }
});

/** Packages that are imported by no other paths: those are what they give out. */
const WITHOUT_A_WHOLE = ["@noble/hashes"];

// Paths that packages do not promise: what is loaded through them has to be what they give out.
Deno.test("architecture: what is imported from inside a package is still there, and the same", async () => {
  const inside = files.filter(({ path }) => path.startsWith("src/"))
    .flatMap(({ imports }) => imports.filter((it) => /^npm:(?:@[^/]+\/)?[^/@]+@[^/]+\//.test(it)))
    .map(packageOf)
    .filter((name) => !WITHOUT_A_WHOLE.includes(name));
  assert.deepEqual([...new Set(inside)], ["prom-client"], "a path inside a package is new");
  const yaml = await import("../src/document/yaml/yaml.ts").catch((error) => {
    throw new Error(`yaml has no browser/index.js any more: see yaml.ts (${error})`);
  });
  const wholeYaml = await import("yaml");
  for (const [name, part] of Object.entries(yaml)) {
    const whole: unknown = Reflect.get(wholeYaml, name);
    assert.equal(String(part).slice(0, 40), String(whole).slice(0, 40), `yaml: ${name} is another`);
  }
  const metrics = await import("../src/metrics/prom_client.ts").catch((error) => {
    throw new Error(`prom-client has moved its parts: see prom_client.ts (${error})`);
  });
  const wholeMetrics = await import("prom-client");
  assert.equal(metrics.Registry, wholeMetrics.Registry, "prom-client: Registry is another");
});

Deno.test("architecture: time comes from core/clock.ts", () => {
  // What runs in a browser has the browser's clock.
  const own = files.filter(({ path }) => !["src/core/clock.ts", "src/web/script.ts"].includes(path))
    .filter(({ text }) => /\b(Date|performance)\.now\b|\bnew Date\(\)/.test(text))
    .map(({ path }) => path);
  assert.deepEqual(own, []);
});

Deno.test("architecture: a word of docs/words.md is where it says; what is not used is no name", () => {
  const byPath = new Map(files.map((file) => [file.path, file.text]));
  const [told = "", unused = ""] = Deno.readTextFileSync(join(ROOT, "docs/words.md")).split(
    "\n## ",
  );
  const defined = [...told.matchAll(/\| `(src\/[^`]+)` `(\w+)` +\|$/gm)];
  assert.ok(defined.length > 25);
  for (const [, path = "", name] of defined) {
    const stands = new RegExp(`^export (?:async )?[a-z ]+ ${name}\\b`, "m");
    assert.match(byPath.get(path) ?? "", stands, `${path} ${name}`);
  }
  const words = [...unused.matchAll(/^\| ([a-z, ]+?)(?:, of [a-z ]+)? +\| /gm)].slice(1)
    .flatMap(([, list = ""]) => list.split(", "));
  assert.ok(words.length > 8);
  const names = files.filter(({ path }) => path.startsWith("src/")).flatMap(({ path, text }) => [
    basename(path, ".ts"),
    ...[...text.matchAll(/^export (?:default |async |abstract )*[a-z]+ (\w+)/gm)].map(([, it]) =>
      it
    ),
  ]);
  const isUnused = (name = "") =>
    name.split(/_|(?<=[a-z])(?=[A-Z])/).some((part) => {
      const word = part.toLowerCase();
      return words.some((it) => word === it || word === `${it}s` || `${word}s` === it);
    });
  assert.deepEqual([...new Set(names)].filter(isUnused), []);
});

Deno.test("architecture: no folder or file is named after nothing", () => {
  const vague = /(^|\/|_)(utils?|helpers?|common|manager|index|types|misc)(_|\.ts|\/)/;
  assert.deepEqual(files.map((file) => file.path).filter((path) => vague.test(path)), []);
});

Deno.test("architecture: no unit test, and no contract, waits for more than a fifth of a second", () => {
  const texts = [...walk(join(ROOT, "tests", "unit")), ...walk(join(ROOT, "tests", "support"))]
    .filter((path) => path.endsWith(".ts") && /\/unit\/|_contract\.ts$/.test(path))
    .map((path) => ({
      path: relative(ROOT, path),
      lines: Deno.readTextFileSync(path).split("\n"),
    }));
  assert.ok(texts.length > 200);
  const found = texts.flatMap(({ path, lines }) =>
    lines.filter((line) => pausesIn(line).some((seconds) => seconds > 0.2))
      .map((line) => `${path}: ${line.trim()}`)
  );
  assert.deepEqual(found, []);
  for (const line of ["sleep 1; echo", "setTimeout(resolve, 1_500)", "time.sleep(0.3)"]) {
    assert.ok(pausesIn(line).some((seconds) => seconds > 0.2), line);
  }
});

/**
 * How long it waits, in seconds. What sleeps for half a minute and more waits for its end by somebody's hand, and a
 * clock of ours for nothing.
 */
function pausesIn(line: string): number[] {
  const commands = [...line.matchAll(/\b(?:time\.sleep\(|sleep )(\d+(?:\.\d+)?)\b/g)];
  const timers = [...line.matchAll(/setTimeout\(resolve, ([\d_]+)\)/g)];
  return [
    ...commands.map(([, seconds]) => Number(seconds)).filter((seconds) => seconds < 30),
    ...timers.map(([, ms = ""]) => Number(ms.replaceAll("_", "")) / 1000),
  ];
}

function readSources(start: string): SourceFile[] {
  const full = join(ROOT, start);
  const paths = Deno.statSync(full).isFile ? [full] : [...walk(full)];
  return paths.filter((path) => /\.tsx?$/.test(path)).map((full) => {
    const path = relative(ROOT, full);
    const text = Deno.readTextFileSync(full);
    return { path, room: roomOf(path), text, imports: importsOf(text) };
  });
}

function* walk(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* walk(path);
    else yield path;
  }
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
}

function importsOf(text: string): string[] {
  const code = withoutComments(text);
  const statics = code.matchAll(/^(?:import|export)\b[^;]*?from\s+"([^"]+)"/gms);
  const bare = code.matchAll(/^import\s+"([^"]+)"/gm);
  const dynamics = code.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g);
  // Data has no arrows of its own.
  return [...statics, ...bare, ...dynamics].map((match) => match[1] ?? "")
    .filter((specifier) => !specifier.endsWith(".json"));
}

/** What Deno reads before the first line: types are gone by then, and `lazy()` hides what it names. */
function loadedBy(text: string): string[] {
  const code = withoutComments(text).replaceAll(/^(?:import|export) type\b[^;]*;/gms, "")
    .replaceAll(/\btypeof import\(/g, "");
  return importsOf(code);
}

/** `npm:@scope/name@1.2.3/part` and `@scope/name/part` are of the package `@scope/name`. */
function packageOf(specifier: string): string {
  return /^(?:npm:)?((?:@[^/]+\/)?[^/@]+)/.exec(specifier)?.[1] ?? specifier;
}

function resolve(from: string, specifier: string): string {
  return join(from, "..", specifier);
}

function roomOf(path: string): string {
  const [top, room] = path.split("/");
  return top === "src" ? room ?? "" : top ?? "";
}

function findCircle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of edges.get(path) ?? []) {
      const circle = visit(next, [...trail, path]);
      if (circle) return circle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of edges.keys()) {
    const circle = visit(path, []);
    if (circle) return circle;
  }
  return undefined;
}
