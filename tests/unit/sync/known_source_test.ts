import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { systemClock } from "../../../src/core/clock.ts";
import { VERSION } from "../../../src/core/version.ts";
import { Source } from "../../../src/sync/source.ts";
import { walkForSync } from "../../../src/sync/walk_for_sync.ts";
import { LATER_MS, startSourceRig } from "../../support/known_source_rig.ts";

const skip = Deno.build.os !== "linux";
const RUNS = Number(Deno.env.get("GRID_TEST_RUNS") ?? 5);
Deno.test("findSource() knows a source again by what the file system says of it", {
  ignore: skip,
}, async () => {
  using rig = startSourceRig();
  rig.write({ "a.py": "a", "b/c.py": "c", "b/old.pyc": "x", "b d/\u00fc\nz": "e", "-": "-" });
  Deno.symlinkSync("a.py", join(rig.options.source, "link"));
  assert.equal(await rig.look(), "walked");
  assert.equal(await rig.look(), "same");
  rig.write({ "b/c.py": "cc" });
  assert.equal(await rig.look(), "partly");
  assert.equal(await rig.look(), "same");
  rig.write({ "b/old.pyc": "what is left out may change" });
  assert.equal(await rig.look(), "same");
  rig.write({ "b/new.py": "n" });
  assert.equal(await rig.look(), "walked");
  rig.write({ "b/new.py": undefined });
  assert.equal(await rig.look(), "walked");
  Deno.renameSync(join(rig.options.source, "b"), join(rig.options.source, "bb"));
  assert.equal(await rig.look(), "walked");
  assert.equal(await rig.look(), "same");
  Deno.chmodSync(join(rig.options.source, "a.py"), 0o755);
  assert.equal(await rig.look(), "partly");
  assert.equal(await rig.look({ exclude: [] }), "walked");
  assert.equal(await rig.look({ useChecksums: false }), "walked");
  assert.equal(
    await rig.look({ worthKnowing: 50, cacheFolder: `${rig.options.cacheFolder}2` }),
    "walked",
  );
  assert.equal(await rig.look({ cacheFolder: `${rig.options.cacheFolder}2` }), "walked");
});

Deno.test(
  "findSource() knows a source again for each list of what is left out, and of the last few",
  {
    ignore: skip,
  },
  async () => {
    using rig = startSourceRig();
    rig.write({ "a.py": "a", "b.csv": "b" });
    assert.equal(await rig.look(), "walked");
    assert.equal(await rig.look({ exclude: ["*.csv"] }), "walked");
    assert.equal(await rig.look(), "same", "another sync of the folder took nothing from it");
    assert.equal(await rig.look({ exclude: ["*.csv"] }), "same");
    for (let other = 0; other < 6; other++) await rig.look({ exclude: [`${other}`] });
    const kept = [...Deno.readDirSync(rig.options.cacheFolder ?? "")]
      .filter(({ name }) => name.startsWith("source-"));
    assert.equal(kept.length, 4);
    assert.equal(await rig.look({ exclude: ["5"] }), "same", "the newest stay");
  },
);

Deno.test("findSource() reads again what may have changed unseen", { ignore: skip }, async () => {
  using rig = startSourceRig();
  rig.write({ a: "a", b: "b" });
  assert.equal(await rig.look({}, 0), "walked");
  // As if the clock of the file system had not moved on.
  assert.equal(await rig.look({}, 0), "partly");
  assert.equal(await rig.look(), "partly");
  assert.equal(await rig.look(), "same");
});

Deno.test("findSource() walks where anything changed that decides about files", {
  ignore: skip,
}, async () => {
  using rig = startSourceRig();
  const { source, cacheFolder } = rig.options;
  const outer = dirname(source);
  const more = join(outer, "more");
  rig.write({
    a: "a",
    "b/x.log": "x",
    "b/inner/.git/config": "",
    "c/y": "y",
    ".gitignore": "*.log",
  });
  Deno.writeTextFileSync(more, "z");
  Deno.mkdirSync(join(outer, ".git", "info"), { recursive: true });
  const changes: Record<string, () => void> = {
    "ignore file": () => rig.write({ ".gitignore": "*.lot" }),
    "ignore file below": () => rig.write({ "c/.gitignore": "y" }),
    "ignore file above": () => Deno.writeTextFileSync(join(outer, ".gitignore"), "y"),
    "exclude of the repository": () => {
      Deno.writeTextFileSync(join(outer, ".git", "info", "exclude"), "a");
    },
    "exclude-from": () => Deno.writeTextFileSync(more, "zz"),
    "exclude of a repository inside": () => rig.write({ "b/inner/.git/info/exclude": "b" }),
    "end of the repository": () => Deno.removeSync(join(outer, ".git"), { recursive: true }),
    "file that says what it keeps": () => {
      const [file = ""] = [...Deno.readDirSync(cacheFolder)].map((it) => it.name)
        .filter((name) => name.startsWith("source-"));
      const path = join(cacheFolder, file);
      const bytes = Deno.readFileSync(path);
      bytes[bytes.length - 1]! ^= 1;
      Deno.writeFileSync(path, bytes);
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    await rig.look({ excludeFrom: more });
    assert.equal(await rig.look({ excludeFrom: more }), "same", name);
    change();
    assert.equal(await rig.look({ excludeFrom: more }), "walked", name);
  }
});

Deno.test("findSource() follows a link again to where it leads", { ignore: skip }, async () => {
  using rig = startSourceRig();
  const { source } = rig.options;
  rig.write({ "a/file": "a", "b/file": "b" });
  Deno.symlinkSync("way/file", join(source, "link"));
  Deno.symlinkSync("a", join(source, "way"));
  await rig.look();
  assert.equal(await rig.look(), "same");
  Deno.renameSync(join(source, "a"), join(dirname(source), "a"));
  Deno.symlinkSync(join(dirname(source), "a"), join(source, "a"));
  assert.equal(await rig.look(), "walked");
  assert.equal(await rig.look(), "walked");
});

const names = fc.array(fc.constantFrom("a", "b", "c.pyc", ".gitignore", "\u00fc"), {
  minLength: 1,
  maxLength: 3,
}).map((parts) => parts.join("/"));
const acts = fc.array(
  fc.record({
    kind: fc.constantFrom("put", "put", "remove", "folder", "rename", "link", "x-bit", "ignore"),
    path: names,
    to: names,
  }),
  { maxLength: 3 },
);

Deno.test("findSource() finds what a walk finds, whatever was done", { ignore: skip }, async () => {
  const found = { same: 0, partly: 0, walked: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 2, maxLength: 8 }), async (history) => {
      using rig = startSourceRig();
      for (const [turn, all] of history.entries()) {
        for (const { kind, path, to } of all) {
          // What cannot be done is not done.
          try {
            const full = join(rig.options.source, path);
            if (kind === "put") rig.write({ [path]: `${turn}`.repeat(turn) });
            else if (kind === "remove") rig.write({ [path]: undefined });
            else if (kind === "folder") Deno.mkdirSync(full, { recursive: true });
            else if (kind === "rename") Deno.renameSync(full, join(rig.options.source, to));
            else if (kind === "link") Deno.symlinkSync(to, full);
            else if (kind === "ignore") rig.write({ [`${dirname(path)}/.gitignore`]: to });
            else Deno.chmodSync(full, turn % 2 === 0 ? 0o755 : 0o644);
          } catch { /* in the way of each other */ }
        }
        found[await rig.look({}, turn % 3 === 2 ? 0 : LATER_MS)]++;
        found[await rig.look()]++;
      }
    }),
    { numRuns: RUNS },
  );
  assert.ok(found.same > RUNS && found.walked > RUNS, JSON.stringify(found));
});

Deno.test("findSource() walks where what is kept is damaged, cut or of another format", {
  ignore: skip,
}, async () => {
  using rig = startSourceRig();
  rig.write({ "a.py": "a", "b/c.py": "c" });
  assert.equal(await rig.look(), "walked");
  assert.equal(await rig.look(), "same");
  const folder = rig.options.cacheFolder;
  const name = [...Deno.readDirSync(folder)].find((it) => it.name.startsWith("source-"))?.name;
  const file = join(folder, name ?? "");
  const kept = Deno.readFileSync(file);
  const turned = (at: number) => kept.map((byte, place) => place === at ? byte ^ 1 : byte);
  const damages = [
    new Uint8Array(),
    ...[10, 18, 25, 45, 60, 90, kept.length - 300, kept.length - 1].map(turned),
    ...[30, 70, 200, kept.length - 1].map((end) => kept.subarray(0, end)),
  ];
  for (const [number, damaged] of damages.entries()) {
    Deno.writeFileSync(file, damaged);
    assert.equal(await rig.look(), "walked", `damage ${number}`);
  }
  assert.equal(await rig.look(), "same");
  // What left files out in another version may not be what does so here.
  const other = Buffer.from(kept).toString("latin1").replace(VERSION, VERSION.replace(/\d/, "7"));
  Deno.writeFileSync(file, Buffer.from(other, "latin1"));
  assert.equal(await rig.look(), "walked", "of another version");
});

Deno.test("findSource() walks where what decides went away while the source was looked at", {
  ignore: skip,
}, async () => {
  using rig = startSourceRig();
  const { source } = rig.options;
  const rules = {
    "outer": join(source, "..", ".gitignore"),
    "exclude": join(source, "..", ".git", "info", "exclude"),
  };
  for (const [name, file] of Object.entries(rules)) {
    rig.write({ "../.git/HEAD": "ref: x", "../.git/info/exclude": "", "a.py": "a", "b.log": "b" });
    Deno.writeTextFileSync(file, "*.log");
    Deno.utimeSync(file, 1_700_000_000, 1_700_000_000);
    const nowMs = systemClock.now() + LATER_MS;
    const look = await walkForSync(rig.options, [], nowMs);
    using found = new Source(look, rig.options);
    Deno.removeSync(file);
    await found.hashed();
    await found.save();
    assert.equal(await rig.look(), "walked", name);
  }
});

Deno.test(
  "findSource() reads the file again that a .gridignore leads to",
  { ignore: skip },
  async () => {
    using rig = startSourceRig();
    rig.write({ "../shared": "*.log", "a.py": "a", "b/b.log": "b", "b/c.log": "c" });
    Deno.symlinkSync("../../shared", join(rig.options.source, "b", ".gridignore"));
    rig.write({ "b/.gitignore": "/.gridignore" });
    assert.equal(await rig.look(), "walked");
    assert.equal(await rig.look(), "same");
    rig.write({ "../shared": "c.log" });
    assert.equal(await rig.look(), "walked");
  },
);

Deno.test("findSource() walks where find cannot be started", { ignore: skip }, async () => {
  // Variables are those of the whole process, in which other tests start programs, too.
  const script = new URL("find_that_cannot_start.ts", import.meta.url).href;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});

Deno.test("Source knows the hashes of a folder also after a file of it was a source of its own", async () => {
  using rig = startSourceRig();
  rig.write({ "a.py": "a", "b.py": "b" });
  const known: string[][] = [];
  for (const only of [undefined, "a.py", undefined]) {
    const options = { ...rig.options, only };
    const walk = await walkForSync(options, []);
    const aged = walk.found.map(({ state, ...entry }) => ({
      ...entry,
      state: { ...state, mtimeMs: 1_700_000_000_000, ctimeMs: 1_700_000_000_000 },
    }));
    using source = new Source({ found: aged, skipped: [], ignored: [] }, options);
    known.push(aged.filter(({ content }) => content !== "").map(({ path }) => path));
    for (const entry of aged) entry.content = "sha256:0";
    await source.save();
  }
  assert.deepEqual(known, [[], [], ["a.py", "b.py"]]);
});
