/** The first event of a run: all that is known of it before anything happens. */
import type { Action, HookMoment, Pipeline, Step } from "../../pipeline/pipeline.ts";
import type { Text } from "../../expression/text.ts";
import {
  type Command,
  type Event,
  EVENT_FORM,
  type RunStarted,
  type StepOutline,
} from "../event.ts";
import { definitionOf } from "../resume/definition.ts";
import { sourceOf } from "../schedule/verdict.ts";

export interface AnnouncementOptions {
  readonly started: Pick<RunStarted, "run" | "project" | "gridVersion">;
  readonly at: number;
}

export function startedEvent(pipeline: Pipeline, { started, at }: AnnouncementOptions): Event {
  const moments = ["success", "failure", "exit"] as const;
  const hooks = moments.flatMap((hook) => pipeline.hooks[hook].map((step) => outline(step, hook)));
  const commands = commandsOf([
    ...pipeline.steps,
    ...moments.flatMap((hook) => pipeline.hooks[hook]),
  ]);
  return {
    type: "run.started",
    at,
    form: EVENT_FORM,
    pipeline: pipeline.name,
    file: pipeline.file,
    inputs: pipeline.inputs,
    steps: [...pipeline.steps.map((step) => outline(step)), ...hooks],
    ...started,
    ...(pipeline.steps.some(({ action }) => action.kind === "sync") && {
      definition: definitionOf(pipeline),
    }),
    ...(commands.length > 0 && { commands }),
  };
}

function outline(step: Step, hook?: HookMoment): StepOutline {
  return {
    id: step.id,
    kind: step.action.kind,
    needs: step.needs,
    after: step.after,
    ...(step.group === undefined ? {} : { group: step.group }),
    ...(step.condition === undefined ? {} : { if: sourceOf(step.condition) }),
    ...(hook === undefined ? {} : { hook }),
    ...(step.matrix === undefined ? {} : { matrix: step.matrix }),
  };
}

/** Characters of one text, and of all together: the journal is no place for programs. */
const LONGEST_COMMAND = 8_000;
const MOST_CHARACTERS = 200_000;

/** Every text once, so that a matrix of a thousand cells does not keep it a thousand times. */
function commandsOf(steps: readonly Step[]): readonly Command[] {
  const users = new Map<string, string[]>();
  let left = MOST_CHARACTERS;
  for (const { id, action } of steps) {
    const text = commandOf(action);
    if (text === undefined) continue;
    const known = users.get(text);
    if (known) known.push(id);
    else if (text.length <= left) {
      users.set(text, [id]);
      left -= text.length;
    }
  }
  return [...users].map(([text, steps]) => ({ text, steps }));
}

function commandOf(action: Action<Text>): string | undefined {
  if (action.kind === "run") return written(action.run);
  if (action.kind !== "ray-batch") return undefined;
  return written("call" in action.target ? action.target.call : action.target.command);
}

function written({ parts }: Text): string {
  const text = parts.map((part) =>
    part.kind === "expression" ? `$\{{ ${part.source.trim()} }}` : part.value
  ).join("").trimEnd();
  return text.length > LONGEST_COMMAND ? `${text.slice(0, LONGEST_COMMAND)}…` : text;
}
