/**
 * Run by `unread_test.ts`: this process takes on another account, with all of its threads, so that what is
 * closed to its owner is closed to it too.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import fc from "fast-check";
import { GridError } from "../../../src/core/errors.ts";
import { syncFolders } from "../../../src/sync/folders.ts";
import { createLocalTransport } from "../../../src/transport/local.ts";
import { isBlocked, isFile, removeAny } from "../../support/odd_paths.ts";
import { ORDINARY_UID } from "../../support/account_transport.ts";
import { type MeasuredTransport, measuredTransport } from "../../support/measured_transport.ts";
import { until } from "../../support/cli.ts";
import { transportWithPrograms } from "../../support/node_programs.ts";
import { localEndpoint, readTree, startSyncRig, type SyncRig } from "../../support/sync_rig.ts";

/** Histories; some hundred take minutes. */
const RUNS = Number(Deno.env.get("GRID_TEST_RUNS") ?? 3);
/** Few runs are the same ones each time; many are new ones, unless they are asked for again. */
const SEED = Deno.env.get("GRID_TEST_SEED") ?? (RUNS > 5 ? undefined : "7");

/** Beyond what travels as one small file. */
const LARGE = 700_000;
const GROWING = "grows.log";
const PROGRAMS = ["mv", "rm", "rmdir", "cp", "ln", "tar"];

const paths = fc.array(fc.constantFrom("a", "b", "c", "-", "d e", "f\ng", "\u00fc", ".h"), {
  minLength: 1,
  maxLength: 3,
}).map((parts) => parts.join("/"));
const act = fc.record({
  kind: fc.constantFrom(
    "put",
    "put",
    "put",
    "large",
    "remove",
    "folder",
    "link",
    "x-bit",
    "rename",
  ),
  path: paths,
  to: paths,
});
const step = fc.record({
  ours: fc.array(act, { maxLength: 6 }),
  others: fc.array(
    fc.record({ kind: fc.constantFrom("put", "put", "remove", "folder"), path: paths }),
    {
      maxLength: 3,
    },
  ),
  closed: fc.array(paths, { maxLength: 2 }),
  isGrowing: fc.boolean(),
  isHere: fc.boolean(),
  fault: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ kind: "none" as const }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("dies" as const),
        at: fc.integer({ min: 1, max: 16 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("cut" as const),
        at: fc.integer({ min: 1, max: 60_000 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("cut" as const),
        at: fc.integer({ min: 1, max: 1_500_000 }),
      }),
    },
  ),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Act = Step["ours"][number];

Deno.test("any history of source and node: nothing of others is lost, nothing of ours stays", async () => {
  if (Deno.uid() === 0) {
    process.setgid?.(ORDINARY_UID);
    process.setuid?.(ORDINARY_UID);
    Deno.env.set("HOME", "/");
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (steps) => {
      await using world = new World();
      for (const one of steps) await world.play(one);
      await world.settle();
    }),
    { numRuns: RUNS, ...(SEED !== undefined && { seed: Number(SEED) }), endOnFailure: RUNS < 20 },
  );
});

class World implements AsyncDisposable {
  readonly #here = createLocalTransport(localEndpoint("n1"));
  readonly #link: MeasuredTransport = measuredTransport(this.#here);
  readonly #rig: SyncRig = startSyncRig({ transport: this.#link });
  #texts = 0;

  async play({ ours, others, closed, isGrowing, isHere, fault }: Step): Promise<void> {
    const { source, there } = this.#rig;
    for (const one of ours) this.#change(one);
    for (const { kind, path } of others) {
      if (!existsSync(there)) continue;
      if (kind === "put") put(join(there, path), `other ${this.#texts++}`);
      else if (kind === "remove") removeAny(join(there, path));
      else replaceWith(join(there, path), (at) => Deno.mkdirSync(at));
    }
    if (isGrowing) put(join(source, GROWING), `ours ${this.#texts++}`.padEnd(LARGE * 2));
    const reopen = closed.flatMap((path) => close(join(source, path)));
    const before = this.#node();
    try {
      await this.#sync(fault, { isGrowing, isHere });
    } catch (error) {
      if (!isInTheWay(error)) throw error;
    } finally {
      for (const open of reopen.toReversed()) open();
    }
    this.#nothingLost(before);
    for (const path of closed) {
      if (!existsSync(join(source, path))) continue;
      // Whatever it was, and all below it, where it is still of the same kind.
      const isFolder = Deno.lstatSync(join(source, path)).isDirectory;
      const after = this.#node();
      for (const [name, is] of Object.entries(before)) {
        const isBelow = isFolder && before[path] === "folder" && name.startsWith(`${path}/`);
        if (isBelow) assert.equal(after[name], is, `${name}, below ${path}, which is closed`);
      }
    }
  }

  /** Everything can be read and nothing dies: now it has to come right. */
  async settle(): Promise<void> {
    const { source, there } = this.#rig;
    // What a node that died left beside the folder goes with the next sync that has anything to do.
    put(join(source, "last"), `ours ${this.#texts++}`);
    for (let tries = 0;; tries++) {
      const before = this.#node();
      try {
        await this.#sync({ kind: "none" }, { isGrowing: false, isHere: tries % 2 === 0 });
        this.#nothingLost(before);
        break;
      } catch (error) {
        this.#nothingLost(before);
        // They are asked to take it away.
        if (!isInTheWay(error) || tries > 9) throw error;
        this.#takeAway();
      }
    }
    const wanted = readTree(source);
    const found = this.#node();
    for (const [path, is] of Object.entries(wanted)) assert.equal(found[path], is, path);
    for (const [path, is] of Object.entries(found)) {
      if (is === "folder" || wanted[path] !== undefined) continue;
      assert.match(is, /^file other /, `${path} is nobody's`);
    }
    assert.deepEqual(this.#kept().filter((is) => !is.startsWith("file other ")), []);
    assert.equal((await this.#rig.sync({ worthKnowing: 0 })).sent, 0);
    const state = join(this.#rig.root, ".grid/sync/app");
    const left = () =>
      [...Deno.readDirSync(state)].map((it) => it.name)
        // A lock that was judged by somebody who was ended goes some minutes later.
        .filter((name) => /^(work|lock(?!\.dead)|pending|partial)/.test(name));
    // A shell on a busy machine may still be on its way out.
    await until(() => left().length === 0, { what: `the end of ${left()}` });
    assert.equal(existsSync(there), true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rig[Symbol.asyncDispose]();
  }

  async #sync(
    fault: Step["fault"],
    { isGrowing, isHere }: Pick<Step, "isGrowing" | "isHere">,
  ): Promise<void> {
    const { options, target, folder, source } = this.#rig;
    const growing = join(source, GROWING);
    this.#link.measures = {
      ...(fault.kind === "cut" && { cutAfter: fault.at }),
      ...(isGrowing && { onWrite: () => Deno.writeTextFileSync(growing, "+", { append: true }) }),
    };
    await using dying = fault.kind === "dies"
      ? transportThatDies(folder, { at: fault.at, isHere })
      : undefined;
    const open = isHere && fault.kind === "none" ? this.#here : this.#link;
    const transport = dying ?? open;
    const given = {
      ...options,
      allowLargeDelete: true,
      worthKnowing: 0,
      signal: AbortSignal.timeout(120_000),
    };
    const [result] = await syncFolders([{ ...target, transport }], given);
    this.#link.measures = {};
    if (!result?.ok && fault.kind === "none") throw result?.error;
  }

  #change({ kind, path, to }: Act): void {
    const { source } = this.#rig;
    const at = join(source, path);
    const text = `ours ${this.#texts++} `;
    if (kind === "put") put(at, text);
    else if (kind === "large") put(at, text.padEnd(LARGE, "x"));
    else if (kind === "remove") removeAny(at);
    else if (kind === "folder") replaceWith(at, (made) => Deno.mkdirSync(made));
    else if (kind === "link") replaceWith(at, (made) => Deno.symlinkSync("a", made));
    else if (kind === "x-bit" && isFile(at)) Deno.chmodSync(at, 0o755);
    else if (kind === "rename" && isFile(at)) {
      replaceWith(join(source, to), (made) => existsSync(at) && Deno.renameSync(at, made));
    }
  }

  #node(): Record<string, string> {
    return existsSync(this.#rig.there) ? readTree(this.#rig.there) : {};
  }

  /** What was moved aside. */
  #kept(): string[] {
    const kept = join(this.#rig.root, ".grid/sync/app/kept");
    if (!existsSync(kept)) return [];
    return Object.values(readTree(kept)).filter((is) => is !== "folder");
  }

  #nothingLost(before: Readonly<Record<string, string>>): void {
    const found = new Set([...Object.values(this.#node()), ...this.#kept()]);
    for (const [path, is] of Object.entries(before)) {
      if (is.startsWith("file other ")) assert.ok(found.has(is), `${path} is lost: ${is}`);
    }
  }

  #takeAway(): void {
    const wanted = readTree(this.#rig.source);
    for (const [path, is] of Object.entries(this.#node())) {
      if (wanted[path] !== undefined && (is === "folder") !== (wanted[path] === "folder")) {
        removeAny(join(this.#rig.there, path));
      }
    }
  }
}

/** A folder of others where a file belongs, or the other way round. */
function isInTheWay(error: unknown): boolean {
  return error instanceof GridError && /in the way/.test(error.message);
}

/** A node whose shell is killed at the `at`th call of a program that changes something. */
function transportThatDies(
  folder: string,
  { at, isHere }: { readonly at: number; readonly isHere: boolean },
) {
  const count = join(folder, "count");
  Deno.writeTextFileSync(count, "0");
  const program = (name: string) =>
    `n=$(($(cat ${count}) + 1)); echo $n >${count}
[ $n != ${at} ] || { kill -9 $PPID; exit 1; }
PATH=/usr/bin:/bin exec ${name} "$@"`;
  return transportWithPrograms(
    folder,
    Object.fromEntries(PROGRAMS.map((name) => [name, program(name)])),
    isHere,
  );
}

/** Gives back how it is opened again; nothing is done where there is nothing, or it is closed already. */
function close(path: string): (() => void)[] {
  try {
    const { isSymlink, mode } = Deno.lstatSync(path);
    if (isSymlink || mode === null) return [];
    Deno.chmodSync(path, 0);
    return [() => Deno.chmodSync(path, mode & 0o777)];
  } catch (error) {
    if (isBlocked(error) || error instanceof Deno.errors.PermissionDenied) return [];
    throw error;
  }
}

function put(path: string, text: string): void {
  replaceWith(path, (made) => Deno.writeTextFileSync(made, text));
}

function replaceWith(path: string, make: (path: string) => unknown): void {
  removeAny(path);
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
    make(path);
  } catch (error) {
    // A file or a link stands where a folder would be needed.
    if (!isBlocked(error)) throw error;
  }
}
