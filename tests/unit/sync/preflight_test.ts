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
};

const NONE: ReadonlySet<string> = new Set();

function planDelete(total: number, left: number) {
  const known = files(total);
  const input = { known, changed: NONE, missing: NONE, displaced: NONE, delete: true };
  return { known, plan: planSync({ ...input, wanted: known.slice(0, left) }) };
}

Deno.test("refuseLargeDelete() stops where more than half would go", () => {
  const { known, plan } = planDelete(100, 49);
  assert.throws(() => refuseLargeDelete(plan, { ...where, known }), /51 of 100/);
  refuseLargeDelete(plan, { ...where, known, allowLargeDelete: true });
});

Deno.test("refuseLargeDelete() allows half, and always a handful", () => {
  const half = planDelete(100, 50);
  refuseLargeDelete(half.plan, { ...where, known: half.known });
  const handful = planDelete(10, 0);
  refuseLargeDelete(handful.plan, { ...where, known: handful.known });
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
    () => refuseWithoutSpace(plan, { ...where, freeBytes: 100 * 4096 - 1 }),
    /400\.0 KiB needed, .* free in \/r/,
  );
  refuseWithoutSpace(plan, { ...where, freeBytes: 100 * 4096 });
  refuseWithoutSpace(plan, { ...where, freeBytes: undefined });
});
