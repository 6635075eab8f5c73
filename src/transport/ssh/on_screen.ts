/** A channel with a terminal there, and the person's terminal here as its window. */
import type { ClientChannel } from "./ssh2_library.ts";
import type { ChannelExit, Screen } from "../transport.ts";
import type { SshChannel } from "./channel.ts";

export interface OnScreenOptions {
  readonly stream: ClientChannel;
  readonly channel: SshChannel;
  readonly signal?: AbortSignal | undefined;
}

/** Until the far side has ended; the terminal here is then as it was, however that came. */
export async function onScreen(
  screen: Screen,
  { stream, channel, signal }: OnScreenOptions,
): Promise<ChannelExit> {
  using _raw = screen.raw();
  using _size = screen.onResize(() => {
    const { rows, columns } = screen.size();
    // Pixels: nobody knows them.
    stream.setWindow(rows, columns, 0, 0);
  });
  const over = new AbortController();
  const stop = () => void channel[Symbol.asyncDispose]();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const typing = screen.input
      .pipeTo(channel.stdin, { signal: over.signal, preventCancel: true })
      // The far side has ended, and nobody takes the rest.
      .catch(() => {});
    const showing = channel.stdout
      .pipeTo(new WritableStream({ write: (bytes) => screen.write(bytes) }));
    await Promise.race([showing, aborted(signal)]);
    over.abort();
    // A key that nobody has pressed is not waited for.
    void typing;
    return await channel.exit;
  } finally {
    over.abort();
    signal?.removeEventListener("abort", stop);
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal?.aborted) reject(signal.reason);
  signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  promise.catch(() => {});
  return promise;
}
