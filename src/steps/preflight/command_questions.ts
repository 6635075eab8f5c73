/** Whether the first program of a script is where the script will look for it. Only ever a warning. */
import { basename, join, resolve } from "node:path";
import { LOCAL_NODE } from "../../cluster/defaults.ts";
import type { OpenNode } from "../../cluster/node.ts";
import { quote } from "../../core/shell.ts";
import type { PartialEvaluation } from "../../pipeline/partial_evaluation.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import { stepFolder } from "../placement.ts";
import { exists } from "./file_findings.ts";
import { aboutStep, caution } from "./finding.ts";
import { firstCommand } from "./first_command.ts";
import type { NodeQuestion } from "./node_questions.ts";
import type { Survey } from "./survey.ts";

export interface CommandOptions {
  readonly survey: Survey;
  readonly evaluation: PartialEvaluation;
  /** Absolute folder that relative paths start in. */
  readonly project: string;
}

export async function commandQuestions(options: CommandOptions): Promise<NodeQuestion[]> {
  const questions = await Promise.all(
    options.survey.steps.map((step) => questionsOf(step, options)),
  );
  return questions.flat();
}

async function questionsOf(step: Step, options: CommandOptions): Promise<NodeQuestion[]> {
  const { survey, evaluation } = options;
  const word = step.action.kind === "run" && firstCommand(plainText(step.action.run.parts));
  if (!word || "PATH" in step.env) return [];
  const folder = step.workingDirectory && evaluation.text(step.workingDirectory, step);
  if (step.workingDirectory !== undefined && folder === undefined) return [];
  const places = (survey.placesOf(step) ?? []).filter((node) => !mayChange(step, node, options));
  const isPath = word.includes("/");
  const questions = places.map(async (node): Promise<NodeQuestion[]> => {
    const source = isPath ? sourceFor(step, node, options) : undefined;
    if (source === "unknown") return [];
    const isInside = folder === undefined || !/^[~/]/.test(folder);
    if (source && isInside && await exists(resolve(source.folder, folder ?? ".", word))) return [];
    return [{
      node,
      test: (open) => test(word, { node: open, folder, source }),
      otherwise: caution(aboutStep(step), missingWords(word, node, source)),
    }];
  });
  return (await Promise.all(questions)).flat();
}

function missingWords(word: string, node: string, source: SyncedFolder | undefined): string {
  const where = `on ${node}`;
  if (source === undefined) return `${word} is not found ${where}`;
  return `${word} is neither in ${source.name} nor ${where}`;
}

type Parts = Extract<Step["action"], { kind: "run" }>["run"]["parts"];

/** What is not known yet can be anything. */
function plainText(parts: Parts): string {
  return parts.map((part) => part.kind === "literal" ? part.value : "\0").join("");
}

/** A command that ran there before can have installed it or made it. */
function mayChange(step: Step, node: string, { survey }: CommandOptions): boolean {
  return survey.before(step).some((before) =>
    before.action.kind === "fetch"
      ? node === LOCAL_NODE
      : (before.action.kind === "run" || before.action.kind === "ray-batch") &&
        (survey.placesOf(before)?.includes(node) ?? true)
  );
}

interface SyncedFolder {
  /** As written. */
  readonly name: string;
  /** Absolute, on this machine. */
  readonly folder: string;
  /** Its name below the node's workspace; undefined where the node is this machine. */
  readonly as: string | undefined;
}

/** The folder that one sync brings to the node before the step; undefined where none does. */
function sourceFor(
  step: Step,
  node: string,
  { survey, evaluation, project }: CommandOptions,
): SyncedFolder | "unknown" | undefined {
  const syncs = survey.before(step).filter((before) =>
    before.action.kind === "sync" && (survey.placesOf(before)?.includes(node) ?? true)
  );
  const [sync, ...more] = syncs;
  if (sync?.action.kind !== "sync") return undefined;
  const from = evaluation.text(sync.action.from, sync);
  if (more.length > 0 || from === undefined || survey.placesOf(sync) === undefined) {
    return "unknown";
  }
  const folder = resolve(project, from);
  if (node === LOCAL_NODE) return { name: from, folder, as: undefined };
  const as = sync.action.as ? evaluation.text(sync.action.as, sync) : basename(folder) || "root";
  return as === undefined ? "unknown" : { name: from, folder, as };
}

interface TestOptions {
  readonly node: OpenNode;
  /** As written in `working-directory`. */
  readonly folder: string | undefined;
  readonly source: SyncedFolder | undefined;
}

function test(word: string, { node, folder, source }: TestOptions): string {
  if (!word.includes("/")) return `command -v ${quote(word)}`;
  const { name } = node.node;
  const base = source && (source.as === undefined ? source.folder : join(node.root, source.as));
  const start = stepFolder(
    { folders: base === undefined ? {} : { [name]: base }, workingDirectory: folder },
    node,
  );
  return `[ -e ${quote(resolve(start, word))} ]`;
}
