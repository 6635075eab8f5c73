import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { changedRows } from "../../../src/sync/source_rows.ts";

interface Thing {
  readonly name: string;
  readonly size: number;
}

/** As `find` tells them. */
function rowsOf(things: readonly Thing[]): Buffer {
  return Buffer.from(
    things.map(({ name, size }) => `f 644 ${size} 7 1 1.5 1.5 ./${name}\0`).join(""),
  );
}

const things = fc.uniqueArray(
  fc.record({ name: fc.stringMatching(/^[ab/ ]{1,6}$/), size: fc.nat(20) }),
  { selector: (thing) => thing.name, maxLength: 12 },
);

Deno.test("changedRows() names just those that differ, in whichever order they are told", () => {
  fc.assert(
    fc.property(things, fc.infiniteStream(fc.nat(4)), fc.boolean(), (before, dice, mixed) => {
      const roll = () => dice.next().value ?? 0;
      const changed: Thing[] = before.map((thing) =>
        roll() === 0 ? { ...thing, size: thing.size + 1 } : thing
      );
      const now = mixed ? [...changed].sort(() => roll() - 2) : changed;
      const rows = changedRows(rowsOf(before), rowsOf(now));
      const named = rows?.map(({ path, size }) => `${path} ${size}`).toSorted();
      const meant = changed.filter((thing, at) => thing !== before[at])
        .map(({ name, size }) => `${name} ${size}`).toSorted();
      assert.deepEqual(named, meant);
    }),
  );
});

Deno.test("changedRows() says nothing where something came or went", () => {
  fc.assert(fc.property(things, fc.nat(), fc.nat(20), (before, place, size) => {
    const more = [...before];
    more.splice(place % (before.length + 1), 0, { name: "new", size });
    assert.equal(changedRows(rowsOf(before), rowsOf(more)), undefined);
    assert.equal(changedRows(rowsOf(more), rowsOf(before)), undefined);
    if (before.length === 0) return;
    const other = before.with(place % before.length, { name: "new", size });
    assert.equal(changedRows(rowsOf(before), rowsOf(other)), undefined);
  }));
});
