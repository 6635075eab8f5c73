/** A program of its own for `known_source_test.ts`: no other can be started while its variables are so long. */
import assert from "node:assert/strict";
import { startSourceRig } from "../../support/known_source_rig.ts";

using rig = startSourceRig();
rig.write({ "a.py": "a" });
assert.equal(await rig.look(), "walked");
// More than Linux gives any program.
Deno.env.set("GRID_TEST_LONG", "x".repeat(2 ** 18));
assert.equal(await rig.look(), "walked");
Deno.env.delete("GRID_TEST_LONG");
assert.equal(await rig.look(), "same");
