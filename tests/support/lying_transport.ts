/**
 * A transport that lies: what the node says is bent on its way here, or made up. It wraps a real one, so
 * that everything that is not lied about is as it is; with no transport behind it nothing is.
 */
import type { Channel, ExecResult, OpenOptions, Transport } from "../../src/transport/transport.ts";

export interface Lies {
  /** Bends the answer of a short command. */
  readonly exec?: (command: string, honest: ExecResult) => ExecResult | Promise<ExecResult>;
  /** Bends what a channel prints. */
  readonly stdout?: (
    honest: ReadableStream<Uint8Array>,
    command: string,
  ) => ReadableStream<Uint8Array>;
  /** Bends what a channel complains of. */
  readonly stderr?: (
    honest: ReadableStream<Uint8Array>,
    command: string,
  ) => ReadableStream<Uint8Array>;
}

/** Closing it closes the transport behind it. */
export function lyingTransport(honest: Transport, lies: Lies): Transport {
  return {
    endpoint: honest.endpoint,
    async exec(command, options) {
      const answer = await honest.exec(command, options);
      return await lies.exec?.(command, answer) ?? answer;
    },
    wait: (command, options) => honest.wait(command, options),
    async open(command: string, options?: OpenOptions): Promise<Channel> {
      const channel = await honest.open(command, options);
      return {
        stdin: channel.stdin,
        stdout: lies.stdout?.(channel.stdout, command) ?? channel.stdout,
        stderr: lies.stderr?.(channel.stderr, command) ?? channel.stderr,
        exit: channel.exit,
        [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
      };
    },
    terminal: (screen, options) => honest.terminal(screen, options),
    dial: (target, options) => honest.dial(target, options),
    get stats() {
      return honest.stats;
    },
    [Symbol.asyncDispose]: () => honest[Symbol.asyncDispose](),
  };
}

/** Replaces bytes, seen as Latin-1 text, wherever they stand in what is printed. */
export function replaced(
  honest: ReadableStream<Uint8Array>,
  change: (text: string) => string,
): ReadableStream<Uint8Array> {
  return honest.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        controller.enqueue(bytesOf(change(textOf(piece))));
      },
    }),
  );
}

/** The honest beginning up to and with the text `after`, then whatever is made up. */
export function turned(
  honest: ReadableStream<Uint8Array>,
  { after, then }: { readonly after: RegExp; readonly then: ReadableStream<Uint8Array> },
): ReadableStream<Uint8Array> {
  async function* pieces() {
    let text = "";
    for await (const piece of honest) {
      text += textOf(piece);
      const found = after.exec(text);
      if (found === null) continue;
      yield bytesOf(text.slice(0, found.index + found[0].length));
      yield* then;
      return;
    }
    yield bytesOf(text);
  }
  return ReadableStream.from(pieces());
}

/** The same bytes again and again, up to `most` of them in all; counts what was asked for. */
export function endless(
  text: string,
  { most = 2 ** 30 }: { readonly most?: number } = {},
): { readonly stream: ReadableStream<Uint8Array>; readonly given: () => number } {
  const block = bytesOf(text.repeat(Math.ceil(65_536 / text.length)));
  let given = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += block.length;
      controller.enqueue(block);
      if (given >= most) controller.close();
    },
  }, { highWaterMark: 0 });
  return { stream, given: () => given };
}

/** Says nothing, and does not end. */
export function silence(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
}

/** Said, and then the end. */
export function said(text: string): ReadableStream<Uint8Array> {
  return ReadableStream.from([bytesOf(text)]);
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Hands everything on, and counts it. */
export function counted() {
  let bytes = 0;
  const through = (out: ReadableStream<Uint8Array>) =>
    out.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          bytes += piece.length;
          controller.enqueue(piece);
        },
      }),
    );
  return { through, bytes: () => bytes };
}
