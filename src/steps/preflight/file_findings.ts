/** Files and folders of this machine that steps read. */
import { access } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { LOCAL_NODE } from "../../cluster/defaults.ts";
import { NODE_HOLE } from "../../pipeline/fetch_place.ts";
import type { PartialEvaluation } from "../../pipeline/partial_evaluation.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { Text } from "../../expression/text.ts";
import { aboutStep, type Finding, obstacle, well, withoutRepeats } from "./finding.ts";
import type { Survey } from "./survey.ts";

export interface FileOptions {
  readonly survey: Survey;
  readonly evaluation: PartialEvaluation;
  /** Absolute folder that relative paths start in. */
  readonly project: string;
}

export async function fileFindings(options: FileOptions): Promise<Finding[]> {
  const { survey, evaluation, project } = options;
  const found = survey.steps.flatMap((step) =>
    pathsReadBy(step).flatMap((text) => {
      const path = evaluation.text(text, step);
      return path === undefined
        ? []
        : [fileFinding({ step, path, full: resolve(project, path) }, options)];
    })
  );
  return withoutRepeats((await Promise.all(found)).flat());
}

function pathsReadBy({ action }: Step): Text[] {
  switch (action.kind) {
    case "sync":
      return [action.from, ...(action.excludeFrom ? [action.excludeFrom] : [])];
    case "data":
      return [action.from];
    case "ray-batch":
      return "file" in action.tasks ? [action.tasks.file] : [];
    default:
      return [];
  }
}

interface FileQuestion {
  readonly step: Step;
  readonly path: string;
  readonly full: string;
}

async function fileFinding(
  { step, path, full }: FileQuestion,
  options: FileOptions,
): Promise<Finding[]> {
  const about = aboutStep(step);
  if (await exists(full)) return [well(about, `${path} is there`)];
  const mayYetCome = options.survey.before(step).some((before) => mayMake(before, full, options));
  return mayYetCome ? [] : [obstacle(about, `${path} does not exist`, "step-failed")];
}

/** A fetch brings files, a command that runs here can make any. */
function mayMake(step: Step, path: string, options: FileOptions): boolean {
  const { survey, evaluation, project } = options;
  if (step.action.kind === "fetch") {
    const to = evaluation.text(step.action.to, step);
    if (to === undefined) return true;
    // Whatever the node is called.
    const [above = ""] = to.split(NODE_HOLE);
    const folder = above === to ? to : above.replace(/[^/]*$/, "");
    return !relative(resolve(project, folder), path).startsWith("..");
  }
  if (step.action.kind !== "run") return false;
  return survey.placesOf(step)?.includes(LOCAL_NODE) ?? true;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
