import assert from "node:assert/strict";
import type { Entry } from "../../../src/sync/entry.ts";
import { compareRows } from "../../../src/sync/rows.ts";

const entry = (path: string, type: Entry["type"] = "file"): Entry => ({
  path,
  type,
  executable: false,
  size: 0,
  content: "",
});
const row = (
  path: string,
  facts = "81a4 5 77|2026-01-31 10:00:00.5 +0000|2026-01-31 11:00:00.25 +0000",
) => `${facts}|${path}\n`;

Deno.test("compareRows() finds nothing where both texts are the same", () => {
  const text = row("a") + row("b\nc") + row("d", "41ed||");
  const known = [entry("a"), entry("b\nc"), entry("d", "folder")];
  const result = compareRows(known, { recorded: text, live: text });
  assert.deepEqual(result, { changed: new Set(), missing: new Set(), displaced: new Set() });
});

Deno.test("compareRows() names what is missing and what differs", () => {
  const known = [entry("a"), entry("b"), entry("c"), entry("d")];
  const recorded = row("a") + row("b") + row("c") + row("d");
  const live = row("a") + row("b", "81a4 6 77|x|y") + row("d");
  const result = compareRows(known, { recorded, live });
  assert.deepEqual(result.changed, new Set(["b", "c"]));
  assert.deepEqual(result.missing, new Set(["c"]));
});

Deno.test("compareRows() tells a folder that is now a link", () => {
  const known = [entry("d", "folder"), entry("e", "folder")];
  const recorded = row("d", "41ed||") + row("e", "41ed||");
  const live = row("d", "a1ff||") + row("e", "41c0||");
  const result = compareRows(known, { recorded, live });
  assert.deepEqual(result.displaced, new Set(["d"]));
  assert.deepEqual(result.changed, new Set(["d", "e"]));
});

Deno.test("compareRows() trusts nothing that was not recorded", () => {
  const result = compareRows([entry("a")], { recorded: "", live: row("a") });
  assert.deepEqual(result.changed, new Set(["a"]));
});

Deno.test("compareRows() is not misled by bars and new lines in names", () => {
  const names = ["a", "a\n81a4|||b", "b", "|||", "|||\n"];
  const known = names.map((name) => entry(name));
  const text = names.map((name) => row(name)).join("");
  assert.equal(compareRows(known, { recorded: text, live: text }).changed.size, 0);
});
