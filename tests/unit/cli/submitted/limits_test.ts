import assert from "node:assert/strict";
import { GridError } from "../../../../src/core/errors.ts";
import { refuse, tellLimits } from "../../../../src/cli/submitted/limits.ts";
import { parseText } from "../../../support/texts.ts";

const CHECK = { unreached: [{ node: "gpu3", why: "no key" }], findings: [] };
const CONFIG = { text: "", others: ["gpu2", "gpu3"], here: ["local1"] };

function told(pipeline: Parameters<typeof tellLimits>[1]["pipeline"]): string[] {
  const lines: string[] = [];
  tellLimits(CHECK, { on: "gpu1", config: CONFIG, pipeline, tell: (line) => lines.push(line) });
  return lines;
}

Deno.test("what a runner on a node reaches is told, and what it does not", () => {
  const [first = "", ...others] = told(undefined);
  assert.match(first, /it reaches itself and gpu2$/);
  assert.deepEqual(others, [
    "not from there: gpu3: no key",
    "not from there: local1: it is this machine",
  ]);
});

Deno.test("that concurrency counts for one submission is told where it is asked for", () => {
  const group = { max: 1, onConflict: "queue" } as const;
  assert.ok(!told({ concurrency: undefined }).some((line) => line.includes("concurrency")));
  const lines = told({ concurrency: { ...group, group: parseText("train") } });
  assert.match(lines.at(-1) ?? "", /concurrency: counts the runs of this submission alone there/);
});

Deno.test("what keeps it from running there is told as it came from there", () => {
  const problem = new GridError({ code: "input-invalid", message: "no n" });
  const lines: string[] = [];
  const tell = (line: string) => lines.push(line);
  const act = () => refuse({ ...CHECK, problem }, { on: "gpu1", target: "p.yaml", tell });
  assert.throws(act, problem);
  assert.match(lines.join("\n"), /^cannot submit p\.yaml to gpu1: only the project and nodes/);
});
