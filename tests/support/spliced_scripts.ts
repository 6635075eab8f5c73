import assert from "node:assert/strict";
import type { JsonValue } from "../../src/core/json.ts";
import { spliceValues } from "../../src/script/splice.ts";
import { Text, type TextPart } from "../../src/expression/text.ts";

const PLACE = { file: "pipeline.yaml", line: 1, column: 1 };

/** The shells of this machine: `sh`, and those of these names that are not the same one. */
export const SHELLS = shells();

function shells(): string[] {
  const known = new Map<string, string>();
  for (const name of ["sh", "bash", "dash"]) {
    try {
      known.set(Deno.realPathSync(`/bin/${name}`), name);
    } catch {
      // Not every machine has each of them.
    }
  }
  return [...known.values()];
}

/** A script with an expression at each `@`. */
export function asScript(script: string): Text {
  const parts = script.split(/(@)/).filter((piece) => piece !== "").map((piece): TextPart =>
    piece === "@"
      ? { kind: "expression", source: "value", place: PLACE }
      : { kind: "literal", value: piece }
  );
  return new Text(parts, PLACE);
}

/** A script with a value at each `@`. */
export function splice(script: string, value: JsonValue): string {
  return spliceValues(asScript(script), () => value);
}

/** What each script prints; one process for all, since starting them would cost more than they do. */
export async function run(shell: string, scripts: readonly string[]): Promise<string[]> {
  const folder = Deno.makeTempDirSync({ prefix: "grid-splice-" });
  try {
    for (const [index, script] of scripts.entries()) {
      Deno.writeTextFileSync(`${folder}/${index}`, script);
    }
    const driver = `i=0; while [ $i -lt ${scripts.length} ]; do ` +
      `( . ./$i ) </dev/null || { echo "$? from:"; cat ./$i; } >&2; ` +
      `printf '\\0'; i=$((i + 1)); done`;
    const command = new Deno.Command(shell, { args: ["-c", driver], cwd: folder });
    const { stdout, stderr } = await command.output();
    assert.equal(new TextDecoder().decode(stderr), "");
    return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
