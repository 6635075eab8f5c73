/** What the schema says about wrong values. The second line of each message is its hint. */
import { nearest } from "../core/did_you_mean.ts";
import { own } from "../core/own.ts";
import { expectedWords } from "../document/shape/issue.ts";

export const INPUT_TYPES = ["string", "integer", "number", "boolean", "choice", "path"] as const;

export function durationWords(value: unknown): string {
  if (isBareNumber(value)) return `${value} has no unit\nwrite ${value}s, ${value}m or ${value}h`;
  if (isExpression(value)) return NO_EXPRESSION;
  return `${
    show(value)
  } is not a duration\nwrite a number and a unit (ms, s, m, h, d), such as 30m`;
}

export function sizeWords(value: unknown): string {
  if (isBareNumber(value)) return `${value} has no unit\nwrite ${value}GiB or ${value}MiB`;
  const loose = /^(\d+(?:\.\d+)?)\s*([kmgt])(i?)b?$/i.exec(String(value));
  if (loose) {
    const [, amount, letter = "", binary] = loose;
    const unit = `${letter.toUpperCase()}${binary === "" ? "" : "i"}B`;
    return `${show(value)} is not a size\nwrite ${amount}${unit}`;
  }
  if (isExpression(value)) return NO_EXPRESSION;
  return `${
    show(value)
  } is not a size\nwrite a number and a unit (B, KB … TB, KiB … TiB), such as 16GiB`;
}

const NO_EXPRESSION = "an expression is not possible here\n" +
  "write the value itself; it is needed before the run";

function isExpression(value: unknown): boolean {
  return typeof value === "string" && value.includes("${{");
}

function isBareNumber(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && /^\d+(\.\d+)?$/.test(value));
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "an empty value";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : JSON.stringify(value);
}

const RETRY_CLASSES = ["transport", "node-lost", "timeout", "exit:1", "any"];

function classHint(value: unknown): string {
  const best = nearest(String(value), RETRY_CLASSES);
  if (best !== undefined) return `did you mean "${best}"?`;
  if (/^exit:\d+$/.test(String(value))) return "exit codes go from 0 to 255";
  if (/^\d+$/.test(String(value))) return `write "exit:${value}" for an exit code`;
  return "known: transport, node-lost, timeout, exit:N, any";
}

export function portWords(value: unknown): string {
  if (isExpression(value)) return NO_EXPRESSION;
  return `${show(value)} is no port\nwrite a number from 1 to 65535, or auto for a free one`;
}

/** Undefined for a map: what is wrong in it is said of its key. */
export function gangWords(value: unknown): string | undefined {
  if (isExpression(value)) {
    return "the number of nodes is one expression\nwrite nodes: ${{ inputs.nodes }}, with nothing around it";
  }
  if (isMap(value)) return undefined;
  return `${show(value)} is no number of nodes\n` +
    (Array.isArray(value) || typeof value === "string"
      ? "write nodes: 4; which ones may be taken stands in node: { among: [gpu1, gpu2] }"
      : "write nodes: 4, or nodes: { count: 4, gpus: 8 }");
}

export function readyWords(value: unknown): string {
  return `${show(value)} does not say when the service is ready\n` +
    "write a path such as /health, or { run: a command }, or { output: a pattern }";
}

export function lifeWords(value: unknown): string {
  if (isExpression(value)) return NO_EXPRESSION;
  const forever = typeof value === "string" && /^(forever|always|never|infinite)$/i.test(value);
  return `${show(value)} is no life of a service\n` +
    (forever ? "write until-stopped" : "write run, until-stopped, or a duration such as 8h");
}

export function scriptWords(value: unknown): string {
  if (value === null) return "run: has no script\nwrite the command after run:";
  return `expected a script, found ${show(value)}\nwrite its lines as text below run: |`;
}

export function stepsWords(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const [first = "its-name"] = isMap(value) ? Object.keys(value) : [];
  const hint = first === "id" ? "put - before id:" : `write each step as - id: ${first}`;
  return `expected a list of steps, found ${show(value)}\n${hint}`;
}

export function hookWords(code: string | undefined, value: unknown): string | undefined {
  if (code !== "invalid_type" || value === undefined) return undefined;
  const words = expectedWords("a map", value).split("\n")[0];
  return `${words}\nwrite - run: ${typeof value === "string" ? value : "./notify.sh"}`;
}

export function nameWords(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length > 100) {
    return `the name has ${value.length} characters\n100 are possible`;
  }
  return `${show(value)} is not a name\nletters, digits, - and _; it starts with a letter or _`;
}

export function shellWords(value: unknown): string | undefined {
  if (typeof value !== "string" || !/[\s/]/.test(value)) return undefined;
  const words = `${show(value)} is not possible here`;
  return `${words}\nshell: is bash or sh; a command belongs under run:`;
}

export function tasksWords(value: unknown): string | undefined {
  if (typeof value !== "number") return undefined;
  return `expected tasks, found ${value}\nfor so many write { range: ${value} }`;
}

export function outputWords(value: unknown): string | undefined {
  if (!isMap(value) || "from" in value) return undefined;
  const inner = "value" in value ? "its value alone, without a map" : "from: file, stdout or value";
  return `the output does not say where it comes from\nwrite ${inner}`;
}

/** What was written is not repeated: it may be the secret itself. */
export function secretWords(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const known = value === "env" || value === "file" || value === "command";
  const hint = known
    ? `write { from: ${value} }`
    : "write where it comes from, such as { from: env }; the value itself never stands here";
  return `expected a map, found text\n${hint}`;
}

export function hooksWords(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return `expected a list of steps, found ${show(value)}\nwrite - before each: - run: ./notify.sh`;
}

export function commandWords(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const words = value.trim().split(/\s+/).join(", ");
  return `expected a list of words, found ${show(value)}\nwrite [${words}]`;
}

export function secretsWords(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  return `expected a list of names, found ${show(value)}\nwrite [${value}]`;
}

/** What was meant by something else than a map of what a node must offer. */
export function selectorWords(code: string | undefined, value: unknown): string | undefined {
  if (code !== "invalid_type" || value === undefined) return undefined;
  const words = expectedWords("a map", value).split("\n")[0];
  if (Array.isArray(value)) return `${words}\nto choose between nodes: { among: [gpu1, gpu2] }`;
  if (typeof value === "string") return `${words}\nfor this node alone: { among: [${value}] }`;
  return `${words}\nwrite what it must offer, such as { gpus: 1 }`;
}

export function cronWords(value: unknown): string | undefined {
  if (value === undefined) {
    return 'missing key "cron"\nadd cron: "17 2 * * *", which is every night at 02:17';
  }
  return `expected a cron expression, found ${
    show(value)
  }\nwrite it in quotes, such as "17 2 * * *"`;
}

export function scheduleWords(value: unknown): string | undefined {
  if (value === undefined || isMap(value) || Array.isArray(value)) return undefined;
  return `expected a map, found ${show(value)}\nwrite schedule: { cron: "17 2 * * *" }`;
}

function isMap(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names of types in other languages. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  int: "integer",
  float: "number",
  double: "number",
  bool: "boolean",
  str: "string",
  text: "string",
  enum: "choice",
  select: "choice",
  file: "path",
  folder: "path",
};

export function typeWords(value: unknown): string {
  const best = own(OTHER_TYPES, String(value)) ?? nearest(String(value), INPUT_TYPES);
  const hint = best === undefined ? `known: ${INPUT_TYPES.join(", ")}` : `did you mean "${best}"?`;
  return `${show(value)} is no type of input\n${hint}`;
}

/** An error for a map of which something else was written: says how the map would look. */
export function mapLike(example: string) {
  return (issue: { readonly code?: string; readonly input?: unknown }): string | undefined => {
    if (issue.code !== "invalid_type" || issue.input === undefined) return undefined;
    return `${expectedWords("a map", issue.input).split("\n")[0]}\nwrite ${example}`;
  };
}

/** One value of `env`. */
export function variableWords(
  { code, input }: { readonly code?: string; readonly input?: unknown },
): string | undefined {
  if (code !== "invalid_type" || input === undefined) return undefined;
  const words = expectedWords("text, a number or true or false", input).split("\n")[0];
  return `${words}\nwrite one value, or { file: value } for a long one`;
}

export function classWords(value: unknown): string {
  return `${show(value)} is no class of failure\n${classHint(value)}`;
}

/** Undefined where it is a list: then one of its values says what is wrong. */
export function axisWords(value: unknown): string | undefined {
  if (Array.isArray(value)) return undefined;
  return `${expectedWords("a list of values", value).split("\n")[0]}\n` +
    "an axis is a list, such as seed: [1, 2]; settings: include, exclude, max-parallel, fail-fast";
}
