import assert from "node:assert/strict";
import { createLocalTransport } from "../../../src/transport/local.ts";
import { placeOf } from "../../../src/sync/place.ts";
import { planSync } from "../../../src/sync/plan.ts";
import { refuseLargeDelete, refuseWithoutSpace } from "../../../src/sync/preflight.ts";
import type { Entry } from "../../../src/sync/entry.ts";
import { localEndpoint } from "../../support/sync_rig.ts";

function files(count: number, size = 10): Entry[] {
  return Array.from({ length: count }, (_, at) => ({
    path: `f${String(at).padStart(3, "0")}`,
    type: "file",
    executable: false,
    size,
    content: "x",
  }));
}

const where = {
  target: { node: "n1", transport: createLocalTransport(localEndpoint("n1")), root: "/r" },
  place: placeOf("/r", "app"),
  folder: "/here/app",
};

const NONE: ReadonlySet<string> = new Set();

function planDelete(total: number, left: number) {
  const known = files(total);
  const input = { known, changed: NONE, missing: NONE, displaced: NONE, delete: true };
  const wanted = known.slice(0, left);
  return { known, wanted, plan: planSync({ ...input, wanted }) };
}

Deno.test("refuseLargeDelete() stops where more than half would go", () => {
  const { plan, ...lists } = planDelete(100, 49);
  assert.throws(() => refuseLargeDelete(plan, { ...where, ...lists }), /51 of 100/);
  refuseLargeDelete(plan, { ...where, ...lists, allowLargeDelete: true });
});

Deno.test("refuseLargeDelete() names the command that brings the same, with the same left out", () => {
  const { plan, ...lists } = planDelete(100, 49);
  const left = { ownExclude: ["*.ckpt", "data/"], excludeFrom: "/here/app/more rules" };
  assert.throws(() => refuseLargeDelete(plan, { ...where, ...lists, ...left }), {
    hint: "Check sync.from and the ignore rules. If this is meant: grid sync /here/app --as app " +
      "--to n1 --exclude '*.ckpt' --exclude data/ --exclude-from '/here/app/more rules' --force",
  });
});

Deno.test("refuseLargeDelete() allows half, and always a handful", () => {
  const half = planDelete(100, 50);
  refuseLargeDelete(half.plan, { ...where, ...half });
  const handful = planDelete(11, 1);
  refuseLargeDelete(handful.plan, { ...where, ...handful });
});

Deno.test("refuseWithoutSpace() counts whole blocks and says what is missing", () => {
  const wanted = files(100, 1);
  const plan = planSync({
    wanted,
    known: [],
    changed: NONE,
    missing: NONE,
    displaced: NONE,
    delete: true,
  });
  assert.throws(
    () => refuseWithoutSpace(plan.send, { ...where, freeBytes: 100 * 4096 - 1 }),
    /400\.0 KiB needed, .* free in \/r/,
  );
  refuseWithoutSpace(plan.send, { ...where, freeBytes: 100 * 4096 });
  refuseWithoutSpace(plan.send, { ...where, freeBytes: undefined });
});
