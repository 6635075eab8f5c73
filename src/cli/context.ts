/** The outside world of the command line, injected so that tests can stand in for it. */
import type { GridError } from "../core/errors.ts";
import { isRunId } from "../core/ids.ts";
import { nodeFs } from "../core/node_builtins.ts";
import { oneLine } from "../terminal/harmless.ts";
import type { InputSource } from "../transport/job/input_supply.ts";
import { ownInput } from "./own_input.ts";
import { Pipes, type PipesHandler } from "./pipes.ts";

export interface CliContext {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Id that the run gets which this process runs, chosen by who started it; default: one of its own. */
  readonly runId?: string | undefined;
  /** The run that a unit or a crontab goes on with after a restart of this machine, until it ends. */
  readonly restart?: string | undefined;
  /** Secrets by name that the run is given by who started it; default: it reads them itself. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Takes as data what keeps the run from beginning, for who started this process; default: nobody. */
  readonly problemFile?: string | undefined;
  /** Data for programs. */
  stdout(data: string | Uint8Array): void;
  /** Words for people. */
  stderr(text: string): void;
  /** What a command printed for people, not necessarily text. */
  stderrBytes(bytes: Uint8Array): void;
  /** What we were given to read; undefined where that is nothing. */
  input(): InputSource | undefined;
  /** One line from the person at the terminal; undefined where there is none. */
  ask(question: string): string | undefined;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Columns of the terminal behind a stream; infinite where there is none, so that nothing is cut. */
  columns(stream: "stdout" | "stderr"): number;
  /** Rows of the terminal; 24 where there is none. */
  rows(): number;
  /** Calls back on SIGINT and SIGTERM until disposed. */
  onSignal(handler: (signal: "SIGINT" | "SIGTERM") => void): Disposable;
  /** Calls back when our output gets nowhere, which otherwise ends the process, or is thrown. */
  onOutputProblem(handler: PipesHandler): Disposable;
  /** What kept some of our output from getting where it should. */
  outputLost(): GridError | undefined;
  /** Ends the process at once; the second Ctrl-C. */
  exit(code: number): never;
}

/** Where `grid submit` says how the run is called; not for what the run starts. */
export const RUN_ID_VARIABLE = "GRID_SUBMITTED_RUN";

function takeRunId(variable: string): string | undefined {
  const id = Deno.env.get(variable);
  Deno.env.delete(variable);
  return id !== undefined && isRunId(id) ? id : undefined;
}

/** Where `grid submit --restart`, its unit and its crontab say which run they are about. */
export const RESTART_VARIABLE = "GRID_SUBMITTED_RESTART";

/** Where `grid submit` says that secrets come over stdin, until its end: they stand nowhere else. */
export const SECRETS_VARIABLE = "GRID_SUBMITTED_SECRETS";

/** Where `grid submit` says which file, made by it, takes what keeps the run from beginning. */
export const PROBLEM_VARIABLE = "GRID_SUBMITTED_PROBLEM";

function takeProblemFile(): string | undefined {
  const file = Deno.env.get(PROBLEM_VARIABLE);
  Deno.env.delete(PROBLEM_VARIABLE);
  return file;
}

function takeSecrets(): Readonly<Record<string, string>> | undefined {
  const isGiven = Deno.env.get(SECRETS_VARIABLE) !== undefined;
  Deno.env.delete(SECRETS_VARIABLE);
  if (!isGiven) return undefined;
  return JSON.parse(nodeFs().readFileSync(0, "utf8"));
}

export function processContext(): CliContext {
  const runId = takeRunId(RUN_ID_VARIABLE);
  const restart = takeRunId(RESTART_VARIABLE);
  const problemFile = takeProblemFile();
  const secrets = takeSecrets();
  const encoder = new TextEncoder();
  const pipes = new Pipes();
  return {
    args: enterDirectory(Deno.args),
    env: ownEnvironment(),
    cwd: Deno.cwd(),
    runId,
    restart,
    secrets,
    problemFile,
    stdout: (data) =>
      pipes.write(Deno.stdout, typeof data === "string" ? encoder.encode(data) : data),
    stderr: textWriter((bytes) => pipes.write(Deno.stderr, bytes, "standard error")),
    stderrBytes: (bytes) => pipes.write(Deno.stderr, bytes, "standard error"),
    input: secrets === undefined ? ownInput : () => undefined,
    ask,
    stdoutIsTerminal: Deno.stdout.isTerminal(),
    stderrIsTerminal: Deno.stderr.isTerminal(),
    columns: (stream) =>
      Deno[stream].isTerminal() ? terminalSize().columns : Number.POSITIVE_INFINITY,
    rows: () => terminalSize().rows,
    onSignal,
    onOutputProblem: (handler) => pipes.onProblem(handler),
    outputLost: () => pipes.lost,
    exit: Deno.exit,
  };
}

/**
 * An installed Grid is started with a folder of its own for what Deno compiles: that is not for the
 * programs that it starts, which may be Deno, too.
 */
function ownEnvironment(): Record<string, string> {
  // Not with node:url, which takes longer to load than all that `--help` needs.
  const own = import.meta.dirname?.replace(/\/src\/cli$/, "/cache");
  if (own !== undefined && Deno.env.get("DENO_DIR") === own) Deno.env.delete("DENO_DIR");
  return Deno.env.toObject();
}

/** Of a command line that makes no sense. */
const USAGE_EXIT = 2;

/** `-C folder` in first place, as with git and make: everything happens as if started there. */
function enterDirectory(args: readonly string[]): readonly string[] {
  const [option, folder, ...rest] = args;
  if (option !== "-C" || folder === undefined) return args;
  try {
    Deno.chdir(folder);
  } catch (error) {
    const state = error instanceof Deno.errors.NotFound ? "there is no such folder" : `${error}`;
    Deno.stderr.writeSync(
      new TextEncoder().encode(`error: Cannot start in "${oneLine(folder)}": ${state}\n`),
    );
    Deno.exit(USAGE_EXIT);
  }
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
  const { columns, rows } = consoleSize();
  // Fresh pseudo-terminals, which nobody has sized, say that they have no columns.
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

function consoleSize(): { readonly columns: number; readonly rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 0, rows: 0 }; // not a terminal
  }
}

function onSignal(handler: (signal: "SIGINT" | "SIGTERM") => void): Disposable {
  const onInterrupt = () => handler("SIGINT");
  const onTerminate = () => handler("SIGTERM");
  const onHangUp = hangUpHandler();
  Deno.addSignalListener("SIGINT", onInterrupt);
  Deno.addSignalListener("SIGTERM", onTerminate);
  Deno.addSignalListener("SIGHUP", onHangUp);
  return {
    [Symbol.dispose]: () => {
      Deno.removeSignalListener("SIGINT", onInterrupt);
      Deno.removeSignalListener("SIGTERM", onTerminate);
      Deno.removeSignalListener("SIGHUP", onHangUp);
    },
  };
}

/**
 * A closed terminal ends us, unless we were started with `nohup`: once Deno listens to any signal,
 * it takes care of this one too, and forgets that it was to be ignored.
 */
function hangUpHandler(): () => void {
  return isHangUpIgnored() ? () => {} : () => {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(HANG_UP_WORDS));
    } catch {
      // The terminal that is gone.
    }
    Deno.exit(HANG_UP_EXIT);
  };
}

const HANG_UP_WORDS =
  "\nSIGHUP: left; what still runs on nodes: grid ps; to go on with it: grid resume\n";
/** 128 + SIGHUP. */
const HANG_UP_EXIT = 129;

/** Bit 0 of the mask stands for signal 1. Without /proc, whoever has no terminal is taken for it. */
function isHangUpIgnored(): boolean {
  try {
    const ignored = /^SigIgn:\t([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
    return ignored !== undefined && (BigInt(`0x${ignored}`) & 1n) === 1n;
  } catch {
    return !Deno.stdout.isTerminal() && !Deno.stderr.isTerminal();
  }
}
