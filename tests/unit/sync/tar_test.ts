import assert from "node:assert/strict";
import fc from "fast-check";
import { extract } from "tar-stream";
import { tarEnd, tarHeader, type TarMember, tarPadding } from "../../../src/sync/tar.ts";

interface Read {
  readonly name: string;
  readonly type: string | undefined;
  readonly size: number;
  readonly mode: number;
  readonly linkname: string | undefined;
}

/** Taken apart by a library that Grid did not write. */
async function readBack(bytes: Uint8Array): Promise<Read[]> {
  const archive = extract();
  archive.end(bytes);
  const found: Read[] = [];
  for await (const { header, ...rest } of toEntries(archive)) {
    found.push({
      name: header.name,
      type: header.type ?? undefined,
      size: header.size ?? 0,
      mode: header.mode ?? 0,
      linkname: header.linkname ?? undefined,
    });
    rest.resume();
  }
  return found;
}

async function* toEntries(archive: ReturnType<typeof extract>) {
  for await (const entry of archive) yield { header: entry.header, resume: () => entry.resume() };
}

function archiveOf(member: TarMember): Uint8Array {
  const header = tarHeader(member);
  const body = member.type === "file" ? member.size + tarPadding(member.size) : 0;
  const whole = new Uint8Array(header.length + body + tarEnd().length);
  whole.set(header);
  return whole;
}

const member = (more: Partial<TarMember>): TarMember => ({
  path: "a",
  type: "file",
  mode: 0o644,
  size: 0,
  mtime: 0,
  ...more,
});

Deno.test("tarHeader() writes names, targets and sizes that others read", async () => {
  const name = fc.string({ minLength: 1, maxLength: 300, unit: "grapheme" })
    .map((text) => text.replaceAll(/[\0/]/g, "_")).filter((text) => text !== "." && text !== "..");
  await fc.assert(
    fc.asyncProperty(name, name, fc.nat(5000), async (path, target, size) => {
      const [file] = await readBack(archiveOf(member({ path, size })));
      assert.deepEqual([file?.name, file?.size, file?.type], [path, size, "file"]);
      const [link] = await readBack(archiveOf(member({ path, type: "link", target })));
      assert.deepEqual([link?.name, link?.linkname, link?.type], [path, target, "symlink"]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("tarHeader() holds sizes beyond the 8 GiB that octal digits can say", () => {
  const size = 9 * 2 ** 30 + 5;
  const header = tarHeader(member({ size }));
  assert.equal(header[124], 0x80);
  const read = header.subarray(125, 136).reduce((sum, byte) => sum * 256 + byte, 0);
  assert.equal(read, size);
});

Deno.test("tarPadding() fills the block", () => {
  assert.deepEqual([0, 1, 511, 512, 513].map(tarPadding), [0, 511, 1, 0, 511]);
});
