/** The list of tasks of a `ray-batch`, from wherever the pipeline says. */
import { isAbsolute, join } from "node:path";
import { parseJson } from "../core/exact_json.ts";
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { RayBatchAction } from "../pipeline/pipeline.ts";

/**
 * A file holds one JSON value per line (`.jsonl`), one JSON list (`.json`), or else plain lines.
 *
 * @throws {GridError} `input-invalid` naming the file and line
 */
export async function readTasks(
  tasks: RayBatchAction<string>["tasks"],
  project: string,
): Promise<readonly JsonValue[]> {
  if ("list" in tasks) return tasks.list;
  if ("range" in tasks) return Array.from({ length: tasks.range }, (_, index) => index);
  if ("expression" in tasks) return parseList(tasks.expression, "the expression under `tasks`");
  const path = isAbsolute(tasks.file) ? tasks.file : join(project, tasks.file);
  return parseTaskFile(await readTaskFile(path), tasks.file);
}

export function parseTaskFile(text: string, name: string): readonly JsonValue[] {
  if (name.endsWith(".json")) return parseList(text, name);
  const lines = text.split(/\r?\n/);
  const filled = lines.map((line, index) => ({ line, place: `${name}:${index + 1}` }))
    .filter(({ line }) => line.trim() !== "");
  if (!/\.(jsonl|ndjson)$/.test(name)) return filled.map(({ line }) => line);
  return filled.map(({ line, place }) => parse(line, place));
}

function parseList(text: string, place: string): readonly JsonValue[] {
  const value = parse(text, place);
  if (Array.isArray(value)) return value;
  throw new GridError({
    code: "input-invalid",
    message: `Cannot read the tasks: ${place} is not a list`,
    hint: "One JSON list; or `.jsonl` with one JSON value per line; or plain lines of text",
  });
}

function parse(text: string, place: string): JsonValue {
  try {
    return parseJson(text);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new GridError({
      code: "input-invalid",
      message: `Cannot read the tasks: ${place} is not JSON (${words})`,
      cause,
    });
  }
}

async function readTaskFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new GridError({
      code: "input-invalid",
      message: `Cannot read the tasks: file "${path}" cannot be read`,
      hint: "Paths under `tasks: {file: …}` start in the project folder",
      cause,
    });
  }
}
