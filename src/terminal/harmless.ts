/**
 * What a remote command prints may hold anything. Before it is shown inside Grid's own output,
 * everything that could move the cursor, retitle the window or hide text is taken out.
 */

// deno-lint-ignore no-control-regex -- finding control characters is the purpose
const SUSPECT = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
/** Control sequences of ECMA-48: CSI, then strings such as OSC, then all other escapes. */
const SEQUENCES =
  // deno-lint-ignore no-control-regex -- as above
  /(?:\x1b\[|\x9b)([0-?]*)([ -/]*[@-~])|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?/g;
/** Control characters that are left, and marks that turn the direction of text around. */
const CONTROLS =
  // deno-lint-ignore no-control-regex -- as above
  /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]|\x1b(?!\[[0-9;:]*m)/g;

export interface HarmlessOptions {
  /** Keep the command's own colours. */
  readonly color: boolean;
}

/** One line without its newline, safe to show. */
export function harmless(line: string, options: HarmlessOptions): string {
  if (!SUSPECT.test(line)) return line;
  let coloured = false;
  const shown = line.replaceAll(
    SEQUENCES,
    (_all, parameters: string | undefined, final: string | undefined) => {
      const isColour = final === "m" && /^[0-9;:]*$/.test(parameters ?? "");
      if (!isColour || !options.color) return "";
      coloured = true;
      return `\x1b[${parameters}m`;
    },
  ).replaceAll(CONTROLS, "");
  return coloured ? `${shown}\x1b[0m` : shown;
}

/** The same for many lines, joined by `between`; one look at all of them is mostly enough. */
export function harmlessLines(
  lines: readonly string[],
  { between, ...options }: HarmlessOptions & { readonly between: string },
): string {
  const text = lines.join("\n");
  if (!SUSPECT.test(text)) return text.replaceAll("\n", () => between);
  return lines.map((line) => harmless(line, options)).join(between);
}

/** The same for words of several lines, such as an error that quotes what a node said. */
export function harmlessText(text: string): string {
  return text.split("\n").map((line) => harmless(line, { color: false })).join("\n");
}

/** Words that have one line to stand in. */
export function oneLine(text: string): string {
  return harmlessText(text).replaceAll(/\s*\n\s*/g, " ").trim();
}
