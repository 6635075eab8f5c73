/** The journal is read as any file is: what stands there is checked before it is believed. */
import { GridError } from "../core/errors.ts";
import { parseJson } from "../core/exact_json.ts";
import { type Event, EVENT_FORM } from "../engine/event.ts";

type Kind = "string" | "number" | "object" | "array";

const STEP = { at: "number", step: "string" } as const;
const ATTEMPT = { ...STEP, attempt: "number" } as const;

/** What each event must have for the rest of Grid to be safe with it. */
const FIELDS: { readonly [T in Event["type"]]: Readonly<Record<string, Kind>> } = {
  "run.started": {
    at: "number",
    run: "string",
    pipeline: "string",
    file: "string",
    project: "string",
    inputs: "object",
    steps: "array",
    gridVersion: "string",
  },
  "run.finished": { at: "number", state: "string", exitCode: "number" },
  "step.started": STEP,
  "step.finished": { ...STEP, state: "string", outputs: "object" },
  "attempt.started": ATTEMPT,
  "attempt.finished": { ...ATTEMPT, result: "string" },
  "node.chosen": { ...ATTEMPT, node: "string" },
  "job.started": { ...ATTEMPT, node: "string", job: "string" },
  "rank.ended": { ...ATTEMPT, rank: "number", node: "string", by: "string" },
  "sync.finished": { ...ATTEMPT, node: "string", folder: "string", sent: "number" },
  "fetch.finished": { ...ATTEMPT, node: "string", folder: "string", files: "array" },
  "data.finished": { ...ATTEMPT, node: "string", name: "string", path: "string", digest: "string" },
  "sync.progressed": { ...ATTEMPT, node: "string", bytes: "number", totalBytes: "number" },
  "batch.progressed": { ...ATTEMPT, done: "number", failed: "number", total: "number" },
  "service.ended": { ...ATTEMPT, state: "string", failure: "object" },
  "warned": { at: "number", message: "string" },
};

/** Milliseconds; ECMAScript's `Date` ends there. */
export const LATEST_TIME = 8.64e15;

/** Of each step that `run.started` announces. */
const OUTLINE: Readonly<Record<string, Kind>> = {
  id: "string",
  kind: "string",
  needs: "array",
  after: "array",
};

/** The event, or in a clause why it is none that this Grid can read. */
export function readEvent(json: string): Event | string {
  let value: unknown;
  try {
    value = parseJson(json);
  } catch {
    return "is damaged";
  }
  if (!isObject(value)) return "is damaged";
  const type = value["type"];
  if (typeof type !== "string") return "is damaged";
  if (!isKnown(type)) return `is of a kind that this Grid does not know (${type})`;
  const form = value["form"];
  if (type === "run.started" && typeof form === "number" && form > EVENT_FORM) {
    return "was written by a newer Grid";
  }
  if (!has(value, FIELDS[type]) || Math.abs(Number(value["at"])) > LATEST_TIME) return "is damaged";
  const steps = value["steps"];
  if (value["filed"] !== undefined && !areFiles(value["filed"])) return "is damaged";
  if (type === "run.started" && Array.isArray(steps)) {
    if (!steps.every((step) => isObject(step) && has(step, OUTLINE))) return "is damaged";
  }
  return value as unknown as Event;
}

/** A file of a run's folder is named by a word; one that leads elsewhere is not believed. */
function areFiles(filed: unknown): boolean {
  return isObject(filed) &&
    Object.values(filed).every((file) =>
      isObject(file) && has(file, OUTPUT_FILE) && isWord(file["run"]) && isWord(file["file"])
    );
}

const OUTPUT_FILE = { run: "string", file: "string", items: "number", bytes: "number" } as const;

function isWord(name: unknown): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(String(name));
}

/** What to do about a run whose events cannot be read; others are not touched by it. */
export function unreadable(run: string, why: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot read the journal of run ${run}: ${why}`,
    hint: `what it printed lies in .grid/runs/${run}/logs; other runs are not touched: grid runs`,
  });
}

function isKnown(type: string): type is Event["type"] {
  return Object.hasOwn(FIELDS, type);
}

function has(value: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, Kind>>) {
  return Object.entries(fields).every(([name, kind]) => isKind(value[name], kind));
}

function isKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "number":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
