import { isAbsolute, join } from "node:path";
import { GridError } from "../core/errors.ts";
import type { SecretSource } from "../pipeline/pipeline.ts";

export interface SecretOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Folder that relative paths and commands start in. */
  readonly project: string;
  readonly signal: AbortSignal;
}

/** How long a command such as `pass show …` may take; it may ask its owner for a PIN. */
const COMMAND_TIMEOUT_MS = 60_000;

/**
 * Values by name, read once before anything starts.
 *
 * @throws {GridError} `input-invalid` naming the secret and where it was looked for
 */
export async function readSecrets(
  sources: readonly SecretSource[],
  options: SecretOptions,
): Promise<Readonly<Record<string, string>>> {
  const values = await Promise.all(sources.map((source) => readSecret(source, options)));
  return Object.fromEntries(sources.map((source, index) => [source.name, values[index] ?? ""]));
}

function readSecret(source: SecretSource, options: SecretOptions): string | Promise<string> {
  switch (source.from) {
    case "env":
      return readVariable(source.name, { variable: source.variable, env: options.env });
    case "file":
      return readFile(source.name, { path: source.path, project: options.project });
    case "command":
      return readCommand(source.name, { run: source.run, ...options });
  }
}

interface VariableOptions {
  readonly variable: string;
  readonly env: Readonly<Record<string, string>>;
}

function readVariable(name: string, { variable, env }: VariableOptions): string {
  const value = env[variable];
  if (value !== undefined && value !== "") return value;
  throw new GridError({
    code: "input-invalid",
    message: `Cannot read secret "${name}": environment variable ${variable} is not set`,
    hint: `export ${variable}=… before the run`,
  });
}

interface FileOptions {
  readonly path: string;
  readonly project: string;
}

async function readFile(name: string, { path, project }: FileOptions): Promise<string> {
  const full = isAbsolute(path) ? path : join(project, path);
  try {
    return withoutLastNewline(await Deno.readTextFile(full));
  } catch (cause) {
    throw new GridError({
      code: "input-invalid",
      message: `Cannot read secret "${name}": file "${full}" cannot be read`,
      cause,
    });
  }
}

interface CommandOptions extends SecretOptions {
  readonly run: readonly string[];
}

async function readCommand(name: string, options: CommandOptions): Promise<string> {
  const [program = "", ...args] = options.run;
  const fail = (state: string, cause?: unknown) =>
    new GridError({
      code: "input-invalid",
      message: `Cannot read secret "${name}": command "${program}" ${state}`,
      hint: `run it by hand: ${options.run.join(" ")}`,
      cause,
    });
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(COMMAND_TIMEOUT_MS)]);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program, {
      args,
      cwd: options.project,
      stdout: "piped",
      stderr: "inherit",
      signal,
    }).output();
  } catch (cause) {
    throw fail("cannot be started", cause);
  }
  if (!output.success) throw fail(`exited with ${output.code}`);
  return withoutLastNewline(new TextDecoder().decode(output.stdout));
}

function withoutLastNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}
