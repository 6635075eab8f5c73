import { isAbsolute, join } from "node:path";
import { GridError } from "../core/errors.ts";
import { own } from "../core/own.ts";
import { type SecretParts, SHORTEST_SECRET } from "../core/secret_forms.ts";
import { textsAt } from "../core/secret_json.ts";
import type { Pipeline, SecretSource } from "../pipeline/pipeline.ts";
import { askCommand } from "./secret_command.ts";

export interface SecretOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Folder that relative paths and commands start in. */
  readonly project: string;
  readonly signal: AbortSignal;
  /** How long a command such as `pass show …` may take; default 30 seconds. */
  readonly commandMs?: number;
  /** Values by name that somebody else has read; these are not looked for. */
  readonly given?: Readonly<Record<string, string>> | undefined;
}

/**
 * The secrets that steps list.
 *
 * @param chosen ids of the steps to be run; default all. Hooks may always run.
 */
export function neededSecrets(
  { secrets, steps, hooks }: Pick<Pipeline, "secrets" | "steps" | "hooks">,
  chosen?: ReadonlySet<string>,
): SecretSource[] {
  const running = steps.filter(({ id }) => chosen?.has(id) ?? true);
  const names = new Set(
    [...running, ...Object.values(hooks).flat()].flatMap((step) => step.secrets),
  );
  return secrets.filter(({ name }) => names.has(name));
}

/** Declared secrets that can be had without asking: masked even where no step lists them. */
export function secretsAtHand(
  secrets: readonly SecretSource[],
  env: SecretOptions["env"],
): (string | SecretParts)[] {
  return secrets.flatMap((source) => {
    const value = source.from === "env" ? env[source.variable] : undefined;
    return value ? [partsOf(source, value)] : [];
  });
}

/** What is to be masked of secrets with their values by name. */
export function secretParts(
  sources: readonly SecretSource[],
  values: Readonly<Record<string, string>>,
): (string | SecretParts)[] {
  return sources.map((source) => partsOf(source, own(values, source.name) ?? ""));
}

function partsOf({ mask }: SecretSource, value: string): string | SecretParts {
  // Where a path finds nothing, what looks secret is masked.
  return mask?.every((path) => textsAt(value, path) !== undefined) ? { value, mask } : value;
}

/** Masking them would ruin every text; whoever sees them in a log should have been told. */
export function shortSecrets(
  sources: readonly SecretSource[],
  values: Readonly<Record<string, string>>,
): string[] {
  return sources.flatMap(({ name, mask = [] }) => {
    const value = own(values, name) ?? "";
    const places = [
      ...(isShort(value) ? [""] : []),
      ...mask.filter((path) => textsAt(value, path)?.some(isShort)).map((path) => ` at ${path}`),
    ];
    return places.map((place) =>
      `secret ${name} has fewer than ${SHORTEST_SECRET} characters${place}, so that it is not masked`
    );
  });
}

function isShort({ length }: string): boolean {
  return length > 0 && length < SHORTEST_SECRET;
}

/** By name: the paths of those that say which of their values to mask. */
export function masksOf(
  sources: readonly SecretSource[],
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(sources.flatMap(({ name, mask }) => mask ? [[name, mask]] : []));
}

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
  sources.forEach((source, index) => checkMask(source, values[index] ?? ""));
  return Object.fromEntries(sources.map((source, index) => [source.name, values[index] ?? ""]));
}

/** A path that finds nothing would leave a secret in the logs. */
function checkMask({ name, mask = [] }: SecretSource, value: string): void {
  const lost = mask.find((path) => textsAt(value, path) === undefined);
  if (lost === undefined) return;
  const state = textsAt(value, ".") === undefined ? "it is no JSON" : `it has no text at ${lost}`;
  throw new GridError({
    code: "input-invalid",
    message: `Cannot mask secret "${name}": ${state}`,
    hint: "`mask:` lists paths into its JSON; without it, what looks secret in there is masked",
  });
}

async function readSecret(source: SecretSource, options: SecretOptions): Promise<string> {
  const given = own(options.given ?? {}, source.name);
  if (given !== undefined) return given;
  switch (source.from) {
    case "env":
      return readVariable(source.name, { variable: source.variable, env: options.env });
    case "file":
      return await readFile(source.name, { path: source.path, project: options.project });
    case "command":
      return withoutLastNewline(await askCommand(source.name, { run: source.run, ...options }));
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

function withoutLastNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}
