/** Which of the values that the cluster config gives a node (`vars:`) a step reads. */
import type { RunAction, Step } from "./pipeline.ts";
import type { Text } from "../expression/text.ts";
import { type NodeReads, partReads } from "../expression/node_reference.ts";

const known = new WeakMap<Step, NodeReads>();

/** What the step's own texts read; those of its condition, its node and its cache cannot. */
export function nodeReads(step: Step): NodeReads {
  const found = known.get(step) ?? readsOf(textsOf(step));
  known.set(step, found);
  return found;
}

function readsOf(texts: readonly (Text | undefined)[]): NodeReads {
  const found = texts.flatMap((text) => text?.parts.map(partReads) ?? [])
    .filter((reads) => reads !== undefined);
  return found.includes("all") ? "all" : [...new Set(found.flat())].toSorted();
}

function textsOf(step: Step): readonly (Text | undefined)[] {
  const { action, env, before = [], outputs, workingDirectory } = step;
  return [
    ...(action.kind === "run" ? [action.run, ...containerTexts(action)] : []),
    ...(action.kind === "fetch" ? action.from : []),
    ...before,
    ...Object.values(env),
    workingDirectory,
    ...outputs.flatMap((output) =>
      output.from === "file" ? [output.path] : output.from === "value" ? [output.value] : []
    ),
  ];
}

function containerTexts({ container }: RunAction<Text>): readonly (Text | undefined)[] {
  if (container === undefined) return [];
  return [container.image, container.user, ...container.volumes, ...container.options];
}
