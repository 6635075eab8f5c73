/** The outside world of the command line, injected so that tests can stand in for it. */
import { Pipes } from "./pipes.ts";

export interface CliContext {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Data for programs. */
  stdout(data: string | Uint8Array): void;
  /** Words for people. */
  stderr(text: string): void;
  /** What a command printed for people, not necessarily text. */
  stderrBytes(bytes: Uint8Array): void;
  /** One line from the person at the terminal; undefined where there is none. */
  ask(question: string): string | undefined;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Columns of the terminal; 80 where there is none. */
  columns(): number;
  /** Rows of the terminal; 24 where there is none. */
  rows(): number;
  /** Calls back on SIGINT and SIGTERM until disposed. */
  onSignal(handler: (signal: "SIGINT" | "SIGTERM") => void): Disposable;
  /** Calls back when a reader of our output went away, which otherwise ends the process. */
  onClosedPipe(handler: () => void): Disposable;
  /** Ends the process at once; the second Ctrl-C. */
  exit(code: number): never;
}

export function processContext(): CliContext {
  const encoder = new TextEncoder();
  const pipes = new Pipes();
  return {
    args: enterDirectory(Deno.args),
    env: Deno.env.toObject(),
    cwd: Deno.cwd(),
    stdout: (data) =>
      pipes.write(Deno.stdout, typeof data === "string" ? encoder.encode(data) : data),
    stderr: textWriter((bytes) => pipes.write(Deno.stderr, bytes)),
    stderrBytes: (bytes) => pipes.write(Deno.stderr, bytes),
    ask,
    stdoutIsTerminal: Deno.stdout.isTerminal(),
    stderrIsTerminal: Deno.stderr.isTerminal(),
    columns: () => terminalSize().columns,
    rows: () => terminalSize().rows,
    onSignal,
    onClosedPipe: (handler) => pipes.onClosed(handler),
    exit: Deno.exit,
  };
}

/** `-C folder` in first place, as with git and make: everything happens as if started there. */
function enterDirectory(args: readonly string[]): readonly string[] {
  const [option, folder, ...rest] = args;
  if (option !== "-C" || folder === undefined) return args;
  Deno.chdir(folder);
  return rest;
}

function ask(question: string): string | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  Deno.stderr.writeSync(new TextEncoder().encode(question));
  const buffer = new Uint8Array(256);
  // A terminal hands over whole lines.
  const count = Deno.stdin.readSync(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count)).trimEnd();
}

/** Bytes encoded at a time: a little more than a command prints at a time. */
const TEXT_BUFFER = 256 * 1024;

/** Encodes into the same memory again and again: fresh memory for each text costs more than that. */
function textWriter(write: (bytes: Uint8Array) => void): (text: string) => void {
  const encoder = new TextEncoder();
  let buffer: Uint8Array<ArrayBuffer> | undefined;
  return (text) => {
    buffer ??= new Uint8Array(TEXT_BUFFER);
    for (let at = 0; at < text.length;) {
      const { read, written } = encoder.encodeInto(at === 0 ? text : text.slice(at), buffer);
      write(buffer.subarray(0, written));
      at += read;
    }
  };
}

function terminalSize(): { readonly columns: number; readonly rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 80, rows: 24 }; // not a terminal
  }
}

function onSignal(handler: (signal: "SIGINT" | "SIGTERM") => void): Disposable {
  const onInterrupt = () => handler("SIGINT");
  const onTerminate = () => handler("SIGTERM");
  Deno.addSignalListener("SIGINT", onInterrupt);
  Deno.addSignalListener("SIGTERM", onTerminate);
  return {
    [Symbol.dispose]: () => {
      Deno.removeSignalListener("SIGINT", onInterrupt);
      Deno.removeSignalListener("SIGTERM", onTerminate);
    },
  };
}
