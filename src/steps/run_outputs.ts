/** The outputs of a command: what it wrote to `$GRID_OUTPUT`, and what the pipeline declares. */
import { isAbsolute, join } from "node:path/posix";
import type { OpenNode } from "../cluster/node.ts";
import { parseJson } from "../core/exact_json.ts";
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { valueAt } from "../core/json_path.ts";
import { setOwn } from "../core/own.ts";
import { compilePattern, loadPatterns, PatternTimeout } from "../core/pattern.ts";
import { MASK } from "../core/secret.ts";
import { quote } from "../core/shell.ts";
import type { OutputSource } from "../pipeline/pipeline.ts";
import { during } from "../core/whereabouts.ts";
import type { Freshness } from "./stale_result.ts";
import { parseOutputLines } from "./output_lines.ts";

export interface OutputContext {
  readonly node: OpenNode;
  /** Folder the command started in. */
  readonly cwd: string;
  /** Content of the file named by `$GRID_OUTPUT`. */
  readonly outputFile: string;
  /** The end of stdout. */
  readonly stdout: string;
  /** Secrets have been masked in it. */
  readonly isMasked: boolean;
  /** Hears how old the files are that are read. */
  readonly freshness?: Freshness | undefined;
  readonly signal: AbortSignal;
}

/** @throws {GridError} `output-invalid` naming the output and where it was looked for */
export async function readOutputs(
  sources: readonly OutputSource<string>[],
  context: OutputContext,
): Promise<Readonly<Record<string, JsonValue>>> {
  const outputs: Record<string, JsonValue> = { ...parseOutputLines(context.outputFile) };
  for (const source of sources) setOwn(outputs, source.name, await readOutput(source, context));
  return outputs;
}

async function readOutput(
  source: OutputSource<string>,
  context: OutputContext,
): Promise<JsonValue> {
  switch (source.from) {
    case "value":
      return source.value;
    case "stdout":
      await loadPatterns();
      return lastMatch(source, context);
    case "file":
      return readFileOutput(source, context);
  }
}

type Source<F> = Extract<OutputSource<string>, { from: F }>;

function lastMatch(
  { name, match }: Source<"stdout">,
  { stdout, isMasked }: OutputContext,
): string {
  const pattern = compilePattern(match, { multiline: true });
  // Lines may end as on Windows; `$` is meant to stand before either.
  const found = searched(() => pattern.last(stdout.replaceAll("\r\n", "\n")), { name, match });
  if (found !== undefined && isMasked && found.includes(MASK)) {
    const state = `it holds a secret, which was masked in what the command printed: ${found}`;
    throw invalid(name, state, `write it to $GRID_OUTPUT: echo "${name}=…" >> "$GRID_OUTPUT"`);
  }
  if (found !== undefined) return found;
  throw invalid(name, `nothing on stdout matches /${match}/`);
}

function searched(
  search: () => string | undefined,
  { name, match }: Pick<Source<"stdout">, "name" | "match">,
): string | undefined {
  try {
    return during(() => `match: ${match} of output "${name}"`, search);
  } catch (error) {
    if (!(error instanceof PatternTimeout)) throw error;
    const hint = "let it take whole lines, and end at what it looks for";
    throw invalid(name, `/${match}/ took longer than 5 s on what was printed`, hint);
  }
}

/** Bytes; what is larger is a result to fetch, no value to pass on. */
export const LONGEST_FILE_OUTPUT = 4 * 2 ** 20;

async function readFileOutput(
  { name, path, json }: Source<"file">,
  { node, cwd, signal, freshness }: OutputContext,
): Promise<JsonValue> {
  const full = isAbsolute(path) ? path : join(cwd, path);
  const where = `"${full}" on "${node.node.name}"`;
  const { code, stdout, stderr, cut } = await node.transport.exec(
    `grid_read_output ${quote(full)} ${LONGEST_FILE_OUTPUT}`,
    {
      library: READ_OUTPUT,
      encoding: "latin1",
      maxBytes: LONGEST_FILE_OUTPUT,
      mayBeCut: true,
      signal,
    },
  );
  if (code === NOT_A_FILE) throw invalid(name, `${where} is not a regular file`);
  if (code === TOO_LARGE || cut) {
    const size = /^\d+$/.test(stdout.trim()) && !cut ? `${stdout.trim()} bytes` : "more";
    const state = `file ${where} has ${size}, and ${LONGEST_FILE_OUTPUT} are the most`;
    throw invalid(name, state, "fetch: brings a large file; an output is a value for later steps");
  }
  if (code !== 0) throw invalid(name, `file ${where} cannot be read`, stderr.trim());
  const age = /^age (\d{1,12})$/m.exec(stderr)?.[1];
  if (age !== undefined) {
    freshness?.check({ what: `output "${name}"`, path, ageMs: 1000 * Number(age) });
  }
  const text = asText(stdout);
  if (text === undefined) throw invalid(name, `file ${where} is not UTF-8 text`);
  if (json === undefined) return text.replace(/\r?\n$/, "");
  const value = valueAt(parse(text.replace(/^\uFEFF/, ""), { name, where }), json);
  if (value === undefined) throw invalid(name, `file ${where} has nothing at ${json}`);
  return value;
}

const NOT_A_FILE = 91;
const TOO_LARGE = 92;

/**
 * A device or a pipe never ends; the size is asked before a byte is read. The age in seconds goes to stderr: by
 * the time that no program can set back, since what is unpacked brings its own.
 */
const READ_OUTPUT = `grid_read_output() {
  [ ! -e "$1" ] || [ -f "$1" ] || return ${NOT_A_FILE}
  grid_size=$(wc -c <"$1") || return
  if [ "$grid_size" -gt "$2" ]; then
    echo $grid_size
    return ${TOO_LARGE}
  fi
  cat <"$1" || return
  grid_written=$(stat -c %Z -- "$1" 2>/dev/null || stat -f %c -- "$1" 2>/dev/null) || return 0
  echo "age $(($(date +%s) - grid_written))" >&2
}`;

/** Undefined where the bytes, one per character, are no UTF-8. */
function asText(bytes: string): string | undefined {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

function parse(text: string, { name, where }: { name: string; where: string }): JsonValue {
  try {
    return parseJson(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : undefined;
    throw invalid(name, `file ${where} is not JSON`, detail);
  }
}

function invalid(name: string, state: string, hint?: string): GridError {
  return new GridError({
    code: "output-invalid",
    message: `Cannot read output "${name}": ${state}`,
    hint: hint === "" ? undefined : hint,
  });
}
