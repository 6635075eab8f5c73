/** A source of bytes, read by whichever way costs least. */

export interface InputReader {
  /** Undefined at the end. The bytes are valid until the next call. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
}

/** A file, apart from whoever else reads it, and where in it the input begins. */
export interface InputFile {
  readonly file: Deno.FsFile;
  readonly offset: number;
}

/** Into one buffer. @param options.at the first byte, counted from the input's beginning */
export function fileReader(
  { file, offset }: InputFile,
  { at, mostBytes }: { readonly at: number; readonly mostBytes: number },
): InputReader {
  const buffer = new Uint8Array(mostBytes);
  file.seekSync(offset + at, Deno.SeekMode.Start);
  return {
    async read() {
      const count = await file.read(buffer);
      return count === null ? undefined : buffer.subarray(0, count);
    },
    // Whoever opened it closes it.
    cancel: () => Promise.resolve(),
  };
}

/**
 * Into one buffer, where the source can: a fresh one for every read is garbage at once.
 *
 * @param mostBytes as many at a time, where the source can be told
 */
export function inputReader(
  source: ReadableStream<Uint8Array>,
  mostBytes: number,
): InputReader {
  let bytes: ReadableStreamBYOBReader;
  try {
    bytes = source.getReader({ mode: "byob" });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const reader = source.getReader();
    return { read: async () => (await reader.read()).value, cancel: () => reader.cancel() };
  }
  let buffer = new ArrayBuffer(mostBytes);
  return {
    async read() {
      const { value, done } = await bytes.read(new Uint8Array(buffer));
      if (value !== undefined) buffer = value.buffer;
      return done ? undefined : value;
    },
    cancel: () => bytes.cancel(),
  };
}
