import { LOCAL_NODE } from "../../cluster/defaults.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import { obstacle } from "./finding.ts";
import type { NodeQuestion } from "./node_questions.ts";
import type { Survey } from "./survey.ts";

/** Programs that kinds of steps need where they run. */
export function toolQuestions(survey: Survey): NodeQuestion[] {
  return survey.steps.flatMap((step) => {
    const tool = toolOf(step);
    if (tool === undefined) return [];
    return (survey.placesOf(step) ?? []).filter((node) => needsTool(step, node)).map((node) => ({
      node,
      test: () => `command -v ${tool}`,
      otherwise: obstacle(`node ${node}`, `${tool} is not installed`, "missing-tool"),
    }));
  });
}

function toolOf({ action }: Step): string | undefined {
  switch (action.kind) {
    case "sync":
    case "data":
    case "fetch":
      return "tar";
    case "ray-batch":
      return "python3";
    default:
      return undefined;
  }
}

/** On this machine the source of a sync is there already. */
function needsTool({ action }: Step, node: string): boolean {
  return (action.kind !== "sync" && action.kind !== "data") || node !== LOCAL_NODE;
}
