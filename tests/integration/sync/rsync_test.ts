/** rsync compares source and node byte by byte after every step of a random history. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { isBlocked, isFile, removeAny } from "../../support/odd_paths.ts";
import { testWith } from "../../support/requires.ts";
import { startSyncRig, type SyncRig } from "../../support/sync_rig.ts";

const STEPS = 25;

testWith(
  ["rsync"],
  "syncFolders() leaves what rsync would leave, through a random history",
  async () => {
    await using rig = startSyncRig();
    const random = generator(20_260_131);
    for (let step = 0; step < STEPS; step++) {
      change(rig.source, random);
      if (step % 4 === 3) drift(rig.there, random);
      await rig.sync({ allowLargeDelete: true });
      assert.equal(differences(rig), "", `after step ${step}`);
      assert.equal((await rig.sync()).sent, 0, `after step ${step}`);
    }
  },
);

/** Content, type, x-bit and what is too much, in rsync's own words. */
function differences(rig: SyncRig): string {
  const { success, stdout, stderr } = new Deno.Command("rsync", {
    args: ["-rlEcni", "--delete", "--omit-dir-times", `${rig.source}/`, `${rig.there}/`],
  }).outputSync();
  assert.equal(success, true, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).split("\n").filter((line) => !/^\.[fdL]\.\.t/.test(line))
    .join("\n");
}

type Random = (below: number) => number;

function change(root: string, random: Random): void {
  for (let count = 0; count < 12; count++) {
    const path = pathOf(root, random);
    const kind = random(10);
    if (kind < 5) put(path, "x".repeat(random(3000)) + random(1e9));
    else if (kind < 7) removeAny(path);
    else if (kind === 7) replaceWith(path, () => Deno.mkdirSync(path));
    else if (kind === 8) replaceWith(path, () => Deno.symlinkSync("x", path));
    else if (isFile(path)) Deno.chmodSync(path, random(2) === 0 ? 0o755 : 0o644);
  }
}

/** Somebody works on the node: edits and removes files, but makes none that Grid must keep. */
function drift(there: string, random: Random): void {
  const files = [...Deno.readDirSync(there)].filter((it) => it.isFile).map((it) => it.name);
  for (const name of files.slice(0, random(3))) {
    const path = join(there, name);
    if (random(2) === 0) Deno.removeSync(path);
    else Deno.chmodSync(path, 0o600);
  }
}

function pathOf(root: string, random: Random): string {
  const depth = 1 + random(3);
  const parts = Array.from({ length: depth }, () => "abcde"[random(5)] ?? "a");
  return join(root, ...parts);
}

function put(path: string, text: string): void {
  replaceWith(path, () => Deno.writeTextFileSync(path, text));
}

function replaceWith(path: string, make: () => void): void {
  removeAny(path);
  try {
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    make();
  } catch (error) {
    // A file or a link stands where a folder would be needed.
    if (!isBlocked(error)) throw error;
  }
}

/** A small linear congruential generator, so that a failure comes back. */
function generator(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
