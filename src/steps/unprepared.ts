/** How a command whose preparation failed ends its step: with the line that failed, before the command began. */
import { engineRepair } from "../cluster/engine_repairs.ts";
import type { OpenNode } from "../cluster/node.ts";
import { isImageLine } from "../core/image_line.ts";
import type { StepOutcome } from "../engine/ports.ts";
import type { Job, JobExit } from "../transport/job/job.ts";
import { commandHint } from "./command_hint.ts";
import { containerRefusal } from "./container_job.ts";
import type { LastWords } from "./last_words.ts";
import { linesBefore, type RunRequest } from "./run_job.ts";
import { isPrepared, type PreparedLine, stoppedBefore } from "./prepared_command.ts";

const LONGEST_LINE = 100;

export interface UnpreparedOptions {
  readonly node: OpenNode;
  readonly exit: JobExit;
  readonly request: RunRequest;
  readonly words: Pick<LastWords, "stderr">;
}

/** Undefined where the command began. */
export async function unpreparedEnd(
  job: Job,
  { node, exit, request, words }: UnpreparedOptions,
): Promise<StepOutcome | undefined> {
  const lines = linesBefore(request, node);
  const { container } = request.action;
  if (exit.kind !== "code") return undefined;
  if (!container && !isPrepared({ lines, shell: request.shell })) return undefined;
  const output = await job.readOutputFile();
  const refusal = containerRefusal(output);
  if (refusal !== undefined) {
    return refused(refusal, { node, code: exit.code, words: words.stderr });
  }
  const at = stoppedBefore(output);
  if (at === undefined) return undefined;
  const { code } = exit;
  const where = node.node.name;
  return {
    status: "failed",
    failure: {
      code: "step-failed",
      message: `Cannot prepare the command on "${where}": ${stopWords(lines[at - 1], code)}`,
      hint: commandHint(code, words.stderr) ?? hintFor(lines[at - 1], where),
      node: where,
      started: false,
    },
  };
}

function stopWords(line: PreparedLine | undefined, code: number): string {
  if (line === undefined) {
    return `the account's start-up files ended the shell with code ${code}, so it did not begin`;
  }
  const [first = "", ...more] = line.script.trim().split("\n");
  const shown = first.length > LONGEST_LINE ? `${first.slice(0, LONGEST_LINE - 1)}…` : first;
  const rest = more.length > 0 ? " …" : "";
  const how = code === 0 ? "ended the shell with code 0" : `failed with code ${code}`;
  return `a line of before: ${how}, so it did not begin: ${shown}${rest}`;
}

function hintFor(line: PreparedLine | undefined, node: string): string {
  if (line === undefined) {
    return "shell: bash without -l does not read them; exec and exit in them belong behind a test " +
      "for people: case $- in *i*) … ;; esac";
  }
  return line.by === "node"
    ? `it stands in the cluster config, under before: of "${node}" or of defaults`
    : "it stands under before: of the step or of defaults in the pipeline";
}

/** Lines that engines end with whatever happened. */
const IDLE_LINE = /^(See '|Run ')/;
/** No registry gave the image, or there is none of that name. */
const NO_IMAGE =
  /initializing source |manifest unknown|pull access denied|Unable to find image|image not known|No such image/;

interface Refused {
  readonly node: OpenNode;
  readonly code: number;
  readonly words: string;
}

/** The engine did not come to the command: a class of failures of its own, whatever code it has for it. */
function refused(refusal: string, { node: { node }, code, words }: Refused): StepOutcome {
  const [, engine] = /^start (\w{1,20})$/.exec(refusal) ?? [];
  const last = words.split("\n").findLast((line) =>
    line.trim() !== "" && !IDLE_LINE.test(line) && !isImageLine(line)
  );
  const why = engine === undefined
    ? refusal
    : `${engine} ended with code ${code} before it began${
      last ? `: ${last.trim().slice(0, 300).replace(/\.$/, "")}` : ""
    }`;
  return {
    status: "failed",
    failure: {
      code: "step-failed",
      message: `Cannot start the container on "${node.name}": ${why}`,
      hint: engine === undefined
        ? "grid doctor says which engines this account may use there, and what they lack"
        : engineRepair(words) ??
          (NO_IMAGE.test(words)
            ? `the image is not there, and no registry gave it: see its name and tag, or have it there before (${engine} pull, load or login)`
            : "try it there by hand: image, volumes, options and GPUs are those of container:"),
      node: node.name,
      started: false,
    },
  };
}
