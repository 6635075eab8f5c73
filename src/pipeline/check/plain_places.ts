import { type Container, isContainer, type Key } from "../../document/source.ts";
import { HOOK_MOMENTS } from "./checked_file.ts";
import { MATRIX_SETTINGS } from "../matrix/matrix_settings.ts";
import type { HookEntry, MatrixEntry, PipelineFile } from "../schema.ts";
import type { TextReader } from "../../expression/reader.ts";

const ITSELF = "write the value itself; it is needed before the run";

/** Reports `${{ }}` where nothing replaces it, so that it would reach a script as it is written. */
export function checkPlainPlaces(file: PipelineFile, reader: TextReader): void {
  const finder = new Finder(reader);
  finder.look(file, { keys: ["name"], hint: "write the name itself" });
  finder.mention(file, "description");
  for (const input of Object.values(file.inputs ?? {})) {
    finder.look(input, { keys: ["default", "options", "pattern"], hint: ITSELF });
    finder.mention(input, "description");
  }
  if (file.secrets !== undefined) finder.look(file.secrets, { hint: ITSELF });
  const hooks = HOOK_MOMENTS.flatMap((moment) => file.hooks?.[moment] ?? []);
  for (const step of [...file.steps, ...hooks]) checkStep(step, finder);
}

function checkStep(step: HookEntry, finder: Finder): void {
  for (const output of Object.values(step.outputs ?? {})) {
    if (!isContainer(output)) continue;
    const hint = "write the pattern or path itself; only path: and value: may hold expressions";
    finder.look(output, { keys: ["match", "json"], hint });
  }
  const tasks = step["ray-batch"]?.tasks;
  if (Array.isArray(tasks)) {
    finder.look(tasks, { hint: "make the whole list one expression: tasks: ${{ [ … ] }}" });
  }
  if (step.matrix !== undefined) checkMatrix(step.matrix, finder);
}

function checkMatrix(matrix: MatrixEntry, finder: Finder): void {
  for (const key of ["include", "exclude"] as const) {
    const hint = "only a whole axis may be an expression; write the value itself";
    finder.look(matrix[key] ?? [], { hint });
  }
  for (const [axis, values] of Object.entries(matrix)) {
    if (MATRIX_SETTINGS.includes(axis) || !Array.isArray(values)) continue;
    const list = values.map((_, index) => finder.inner(values, index)).join(", ");
    const hint = `make the whole axis one expression: ${axis}: \${{ [${list}] }}`;
    finder.look(values, { hint });
  }
}

interface LookOptions {
  readonly keys?: readonly Key[];
  readonly hint: string;
}

class Finder {
  readonly #reader: TextReader;

  constructor(reader: TextReader) {
    this.#reader = reader;
  }

  /** Goes through all texts below some keys; all keys where none are given. */
  look(container: Container, { keys, hint }: LookOptions): void {
    for (const key of keys ?? keysOf(container)) {
      const value = (container as Record<Key, unknown>)[key];
      if (isContainer(value)) this.look(value, { hint });
      else if (typeof value === "string") this.#report({ container, key, value, hint });
    }
  }

  /** In a description an expression may be meant as an example. */
  mention(container: Container, key: Key): void {
    const value = (container as Record<Key, unknown>)[key];
    if (typeof value !== "string") return;
    this.#report({ container, key, value, hint: "write it without ${{ }}" }, "warning");
  }

  /** A value as it would stand inside an expression. */
  inner(container: Container, key: Key): string {
    const value = (container as Record<Key, unknown>)[key];
    if (typeof value !== "string") return this.#reader.spelling(container, key);
    return /^\s*\$\{\{(.*)\}\}\s*$/.exec(value)?.[1]?.trim() ?? JSON.stringify(value);
  }

  #report(
    { container, key, value, hint }: {
      readonly container: Container;
      readonly key: Key;
      readonly value: string;
      readonly hint: string;
    },
    severity: "error" | "warning" = "error",
  ): void {
    const index = value.indexOf("${{");
    if (index === -1) return;
    const close = value.indexOf("}}", index);
    const length = close === -1 ? 3 : close + 2 - index;
    this.#reader.report({
      severity,
      rule: "plain-place",
      spot: this.#reader.source.spotWithin(container, key, { index, length }),
      message: severity === "error"
        ? "an expression is not possible here"
        : "an expression is plain text here",
      hint,
    });
  }
}

function keysOf(container: Container): Key[] {
  return Array.isArray(container) ? [...container.keys()] : Object.keys(container);
}
