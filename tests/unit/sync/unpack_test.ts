import assert from "node:assert/strict";
import type { GridError } from "../../../src/core/errors.ts";
import { asRelativePath } from "../../../src/core/relative_path.ts";
import { tarEnd, tarHeader } from "../../../src/sync/tar.ts";
import { unpack } from "../../../src/sync/unpack.ts";
import { tempDir } from "../../support/temp_dir.ts";

const MEBIBYTE = 2 ** 20;
const LONG_NAME = tarHeader({
  path: "a".repeat(200),
  type: "file",
  mode: 0o644,
  size: 0,
  mtime: 0,
}).subarray(0, 1024);

for (
  const [what, block] of [
    ["padding", tarEnd()],
    ["names of members that never come", LONG_NAME],
  ] as const
) {
  Deno.test(`unpack() ends an archive that goes on with ${what}`, async () => {
    using temp = tempDir();
    const path = asRelativePath("model.pt")!;
    const piece = new Uint8Array(64 * 1024);
    for (let at = 0; at < piece.length; at += block.length) piece.set(block, at);
    let given = 0;
    async function* endless() {
      // Its own end, should nobody else see one.
      for (; given < 256 * MEBIBYTE; given += piece.length) yield await Promise.resolve(piece);
    }
    const unpacking = unpack(endless(), {
      wanted: new Map([[path, { path, size: 7, mtime: 0, executable: false }]]),
      to: temp.path,
      node: "n1",
      signal: AbortSignal.timeout(60_000),
    });
    await assert.rejects(unpacking, (error: GridError) => {
      assert.match(error.message, /"n1": it sent an archive of more than 16\.\d MiB/);
      return true;
    });
    assert.equal(given < 20 * MEBIBYTE, true, `${given} bytes were taken`);
  });
}
