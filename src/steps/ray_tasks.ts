/** The list of tasks of a `ray-batch`, from wherever the pipeline says; each as JSON. */
import { isAbsolute, join } from "node:path";
import { parseJson, pythonJson } from "../core/exact_json.ts";
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { thrownWords } from "../core/refusal.ts";
import type { RayBatchAction } from "../pipeline/pipeline.ts";

/**
 * A file holds one JSON value per line (`.jsonl`), one JSON list (`.json`), or else plain lines.
 *
 * @throws {GridError} `ray` naming the file and line
 */
export async function readTasks(
  tasks: RayBatchAction<string>["tasks"],
  project: string,
): Promise<readonly string[]> {
  if ("list" in tasks) return tasks.list.map(pythonJson);
  if ("range" in tasks) return Array.from({ length: tasks.range }, (_, index) => String(index));
  if ("expression" in tasks) return parseList(tasks.expression, "the expression under `tasks`");
  const path = isAbsolute(tasks.file) ? tasks.file : join(project, tasks.file);
  return parseTaskFile(decode(await readTaskFile(path), tasks.file), tasks.file);
}

/** Lines of JSON stay as they are spelled. */
export function parseTaskFile(text: string, name: string): readonly string[] {
  if (name.endsWith(".json")) return parseList(text, name);
  const isJson = /\.(jsonl|ndjson)$/.test(name);
  const tasks: string[] = [];
  let number = 0;
  for (const line of text.split("\n")) {
    number++;
    const trimmed = line.trim();
    if (trimmed === "") continue;
    if (!isJson) tasks.push(JSON.stringify(line.endsWith("\r") ? line.slice(0, -1) : line));
    else {
      if (!isPlainJson(trimmed)) parse(trimmed, `${name}:${number}`);
      tasks.push(trimmed);
    }
  }
  return tasks;
}

/** Whether it surely is JSON, found out without making exact values of it. */
function isPlainJson(text: string): boolean {
  if (text.length > LONGEST_PLAIN) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Nothing so short is nested too deeply. */
const LONGEST_PLAIN = 400;

function parseList(text: string, place: string): readonly string[] {
  const value = parse(text, place);
  if (Array.isArray(value)) return value.map(pythonJson);
  throw new GridError({
    code: "ray",
    message: `Cannot read the tasks: ${place} is not a list`,
    hint: "one JSON list; or `.jsonl` with one JSON value per line; or plain lines of text",
  });
}

function parse(text: string, place: string): JsonValue {
  try {
    return parseJson(text);
  } catch (cause) {
    const words = thrownWords(cause);
    throw new GridError({
      code: "ray",
      message: `Cannot read the tasks: ${place} is not JSON (${words})`,
      cause,
    });
  }
}

/** Replacing what cannot be decoded would make other tasks of them. */
function decode(bytes: Uint8Array, name: string): string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new GridError({
      code: "ray",
      message: `Cannot read the tasks: ${name}:${firstUndecoded(bytes)} is not UTF-8 text`,
      hint: "of text in another encoding `iconv -t utf-8` makes it",
      cause,
    });
  }
}

/** Number of the first line that cannot be decoded; no character of UTF-8 holds the end of one. */
function firstUndecoded(bytes: Uint8Array): number {
  for (let [at, number] = [0, 1];; number++) {
    const newline = bytes.indexOf(NEWLINE, at);
    const line = bytes.subarray(at, newline < 0 ? bytes.length : newline);
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(line);
    } catch {
      return number;
    }
    if (newline < 0) return number;
    at = newline + 1;
  }
}

const NEWLINE = 10;

async function readTaskFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    throw new GridError({
      code: "ray",
      message: `Cannot read the tasks: file "${path}" cannot be read`,
      hint: "paths under `tasks: {file: …}` start in the project folder",
      cause,
    });
  }
}
