import type { JsonValue } from "../../core/json.ts";
import { setOwn } from "../../core/own.ts";
import { evaluateValue } from "../../expression/evaluate.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { OutputFile, StepResult } from "../event.ts";
import { failureOf } from "../failure.ts";
import type { StepEnding } from "../ledger/ledger.ts";
import type { Scopes } from "../ledger/scopes.ts";
import { isFailure } from "../schedule/verdict.ts";

export function isGroupOf({ action }: Step, of: "matrix" | "template"): boolean {
  return action.kind === "group" && action.of === of;
}

/** How a group ends: a template's outputs are evaluated inside it, once its members have ended. */
export function groupEnding(
  step: Step,
  { result, scopes }: { readonly result: StepResult; readonly scopes: Scopes },
): StepEnding {
  const outputs: Record<string, JsonValue> = {};
  if (step.action.kind !== "group") return { state: result, outputs };
  const filed: Record<string, OutputFile> = {};
  const ending = { state: result, outputs, filed, ...reasonOfMembers(step.action.members, scopes) };
  for (const [name, text] of Object.entries(step.action.outputs)) {
    try {
      const value = evaluateValue(text, scopes.inside(step.id, { matrix: step.matrix }));
      const file = scopes.fileOf(value);
      if (file) setOwn(filed, name, file);
      else setOwn(outputs, name, value);
    } catch (thrown) {
      // Steps that did not run have no outputs; only a group that went well must have all of its own.
      if (result !== "succeeded" && result !== "reused") continue;
      const failure = failureOf(thrown, { started: true });
      return { state: step.allowFailure ? "allowed-failure" : "failed", outputs, failure };
    }
  }
  return Object.keys(filed).length > 0 ? ending : withoutFiles(ending);
}

function withoutFiles({ filed: _, ...ending }: StepEnding): StepEnding {
  return ending;
}

/** `2 of 4 failed, first "sweep[lr=1e-4]"`: the first by time. */
function reasonOfMembers(
  members: readonly string[],
  scopes: Scopes,
): { readonly reason?: string } {
  const ended = scopes.inOrder(members).flatMap((id) => {
    const state = scopes.record(id)?.state;
    return state === undefined ? [] : [{ id, state }];
  });
  for (const [word, fits] of WORST_FIRST) {
    const hit = ended.filter(({ state }) => fits(state));
    const [first] = hit;
    if (first) return { reason: `${hit.length} of ${members.length} ${word}, first "${first.id}"` };
  }
  const alike = (["skipped", "reused"] as const)
    .find((word) => ended.length > 0 && ended.every(({ state }) => state === word));
  return alike === undefined ? {} : { reason: `every one of its steps was ${alike}` };
}

const WORST_FIRST: readonly (readonly [string, (state: StepResult) => boolean])[] = [
  ["failed", isFailure],
  ["cancelled", (state) => state === "cancelled"],
];
