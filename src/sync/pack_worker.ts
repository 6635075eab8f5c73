/** The thread of `pack_thread.ts`. */
/// <reference lib="deno.worker" />
import type { SourceEntry } from "./hash.ts";
import { packEntries } from "./pack.ts";
import { fromColumns, joinContents, type PackAnswer, type PackOrder } from "./pack_words.ts";
import { TarWriter } from "./tar_writer.ts";

const BLOCK_BYTES = 2 ** 20;
/** Blocks on their way to the other thread. */
const AHEAD = 3;

let onTheWay = 0;
/** Blocks that were sent, and came back. */
const spares: Uint8Array[] = [];
let room = Promise.withResolvers<void>();

self.onmessage = ({ data }: MessageEvent<PackOrder>) => {
  if ("taken" in data) {
    onTheWay--;
    room.resolve();
  } else if ("spare" in data) {
    if (data.spare.byteLength === BLOCK_BYTES) spares.push(new Uint8Array(data.spare));
  } else {
    pack(data).catch((error) => answer({ failed: String(error?.stack ?? error) }));
  }
};
answer({ ready: true });

async function pack({ start, ...options }: Extract<PackOrder, { start: unknown }>): Promise<void> {
  const entries = fromColumns(start);
  const places = new Map(entries.map((entry, at) => [entry.path, at]));
  const placeOf = (path: string) => places.get(path) ?? 0;
  let files = 0;
  const archive = new TarWriter(async (block) => {
    answer({ block, files }, [block.buffer as ArrayBuffer]);
    files = 0;
    for (onTheWay++; onTheWay >= AHEAD;) {
      room = Promise.withResolvers();
      await room.promise;
    }
  }, { blockBytes: BLOCK_BYTES, spare: () => spares.pop() });
  const packed = await packEntries(entries, {
    ...options,
    archive,
    packedFile: () => files++,
  });
  await archive.flush();
  const isChanged = (entry: SourceEntry) => entries[placeOf(entry.path)] !== entry;
  answer({
    done: {
      contents: joinContents(entries),
      changed: packed.sent.filter(isChanged).map((entry) => [placeOf(entry.path), entry]),
      torn: packed.torn.map((skipped) => [placeOf(skipped.path), skipped]),
      bytes: packed.bytes,
    },
  });
}

function answer(words: PackAnswer, moved: readonly ArrayBuffer[] = []): void {
  self.postMessage(words, [...moved]);
}
