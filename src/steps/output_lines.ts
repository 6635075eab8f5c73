import { GridError } from "../core/errors.ts";
import { setOwn } from "../core/own.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** As on GitHub: 1 MiB per step. */
const LIMIT_CHARACTERS = 2 ** 20;

/**
 * What a command wrote to `$GRID_OUTPUT`: `name=value` lines, and for several lines
 * `name<<WORD`, the lines, `WORD`. The last value of a name counts.
 *
 * @throws {GridError} `output-invalid` with the line
 */
export function parseOutputLines(text: string): Readonly<Record<string, string>> {
  if (text.length > LIMIT_CHARACTERS) {
    throw invalid("it is longer than 1 MiB", "write large results to a file and fetch it");
  }
  const lines = text.split(/\r?\n/);
  const outputs: Record<string, string> = {};
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.trim() === "") continue;
    const [, name = "", sign, rest = ""] = /^([^=<]*)(=|<<)(.*)$/s.exec(line) ?? [];
    if (sign === undefined || !NAME.test(name)) {
      throw invalid(`line ${at + 1} is neither name=value nor name<<WORD`);
    }
    if (sign === "=") {
      setOwn(outputs, name, rest);
      continue;
    }
    const end = lines.indexOf(rest, at + 1);
    if (end < 0) throw invalid(`line ${at + 1} opens "${rest}", which never comes`);
    setOwn(outputs, name, lines.slice(at + 1, end).join("\n"));
    at = end;
  }
  return outputs;
}

function invalid(state: string, hint = 'echo "name=value" >> "$GRID_OUTPUT"'): GridError {
  return new GridError({
    code: "output-invalid",
    message: `Cannot read what the command wrote to $GRID_OUTPUT: ${state}`,
    hint,
  });
}
