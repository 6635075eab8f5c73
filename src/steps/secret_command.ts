/** A secret that a program such as `pass` is asked for. */
import { formatDuration } from "../core/duration.ts";
import { GridError } from "../core/errors.ts";
import { quoteAll } from "../core/shell.ts";

export interface SecretCommandOptions {
  /** Program and arguments. */
  readonly run: readonly string[];
  /** Folder that it starts in. */
  readonly project: string;
  readonly signal: AbortSignal;
  /** How long it may take; default 30 seconds, enough for its owner to type a PIN. */
  readonly commandMs?: number;
}

const COMMAND_MS = 30_000;

/**
 * What the program prints.
 *
 * @throws {GridError} `input-invalid` naming the secret and the command; the signal's reason
 */
export async function askCommand(name: string, options: SecretCommandOptions): Promise<string> {
  const { run, project, signal, commandMs = COMMAND_MS } = options;
  const [program = "", ...args] = run;
  const fail = (state: string, cause?: unknown) =>
    new GridError({
      code: "input-invalid",
      message: `Cannot read secret "${name}": command "${program}" ${state}`,
      hint: `run it by hand: ${quoteAll(run)}`,
      cause,
    });
  signal.throwIfAborted();
  let child: Deno.ChildProcess;
  try {
    const pipes = { stdin: "null", stdout: "piped", stderr: "inherit" } as const;
    child = new Deno.Command(program, { args, cwd: project, ...pipes }).spawn();
  } catch (cause) {
    throw fail("cannot be started", cause);
  }
  using deadline = deadlineOf(commandMs);
  const answer = await answerOf(child, AbortSignal.any([signal, deadline.signal]));
  signal.throwIfAborted();
  if (answer === undefined) throw fail(`gave no answer within ${formatDuration(commandMs)}`);
  if (!answer.success) throw fail(`exited with ${answer.code}`);
  return answer.text;
}

interface Answer extends Deno.CommandStatus {
  readonly text: string;
}

/** Undefined where the signal fires first: then the program is killed, and nobody waits for what it started. */
async function answerOf(
  child: Deno.ChildProcess,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const reader = child.stdout.getReader();
  const stop = () => {
    child.kill("SIGKILL");
    void reader.cancel();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const decoder = new TextDecoder();
    let text = "";
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      text += decoder.decode(next.value, { stream: true });
    }
    const status = await child.status;
    return signal.aborted ? undefined : { ...status, text: text + decoder.decode() };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function deadlineOf(ms: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
