/** What is legal in a step, but cannot be what its author wanted. */
import type { WrittenStep } from "../written_step.ts";
import { checkRendezvous } from "./gang_check.ts";
import { checkLimits } from "./limit_check.ts";
import { checkScriptTraps } from "./script_traps.ts";
import { checkSharedOutputs } from "./shared_outputs.ts";
import { KIND_OUTPUTS } from "../step_kinds.ts";
import type { TextReader } from "../../expression/reader.ts";

export function checkStep(step: WrittenStep, reader: TextReader): void {
  checkScript(step, reader);
  checkTwice(step, reader);
  checkHiddenVariables(step, reader);
  checkIdleOutputs(step, reader);
  checkScriptTraps(step, reader);
  checkIdleBefore(step, reader);
  checkIdleContainer(step, reader);
  checkRendezvous(step, reader);
  checkLimits(step.entry, reader);
  checkSharedOutputs(step, reader);
}

function checkScript({ entry }: WrittenStep, reader: TextReader): void {
  if (entry.run?.trim() !== "") return;
  reader.report({
    rule: "empty-script",
    spot: reader.source.valueSpot(entry, "run"),
    message: "run: has no script",
    hint: "write the command after run:",
  });
}

function checkTwice({ entry }: WrittenStep, reader: TextReader): void {
  for (const key of ["needs", "after", "secrets"] as const) {
    const names = entry[key];
    if (!Array.isArray(names)) continue;
    const seen = new Set<unknown>();
    for (const [index, name] of names.entries()) {
      if (seen.size < seen.add(name).size) continue;
      warn(reader, {
        rule: "listed-twice",
        spot: reader.source.valueSpot(names, index),
        message: `"${name}" is listed twice`,
        hint: "remove one of them",
      });
    }
  }
}

/** The secret wins. */
function checkHiddenVariables({ entry, secrets }: WrittenStep, reader: TextReader): void {
  const { env = {} } = entry;
  for (const { name } of secrets) {
    if (!Object.hasOwn(env, name)) continue;
    warn(reader, {
      rule: "hidden-variable",
      spot: reader.source.keySpot(env, name),
      message: `the secret ${name} takes the place of this variable`,
      hint: "remove it, or give it another name",
    });
  }
}

function checkIdleOutputs({ entry, kind }: WrittenStep, reader: TextReader): void {
  const own = kind && KIND_OUTPUTS[kind];
  if (entry.outputs === undefined || own === undefined) return;
  warn(reader, {
    rule: "idle-outputs",
    spot: reader.source.keySpot(entry, "outputs"),
    message: `outputs: has no effect on ${kind}: it gives ${own.join(", ")}`,
    hint: "move it to a run step",
  });
}

function checkIdleBefore({ entry, kind }: WrittenStep, reader: TextReader): void {
  if (entry.before === undefined || kind === undefined || kind === "run" || kind === "uses") return;
  warn(reader, {
    rule: "idle-before",
    spot: reader.source.keySpot(entry, "before"),
    message: `before: has no effect on ${kind}: it runs no command in a shell of its own`,
    hint: "move it to a run step",
  });
}

function checkIdleContainer({ entry, kind }: WrittenStep, reader: TextReader): void {
  if (entry.container === undefined || kind === undefined || kind === "run") return;
  reader.report({
    rule: "idle-container",
    spot: reader.source.keySpot(entry, "container"),
    message: `container: is not possible on ${kind}`,
    hint: kind === "ray-batch"
      ? "its work runs in the workers of Ray, as Ray was started: install what it needs beside Ray, or move " +
        "it to a run step"
      : "move it to a run step",
  });
}

type Warning = Omit<Parameters<TextReader["report"]>[0], "severity">;

function warn(reader: TextReader, warning: Warning): void {
  reader.report({ ...warning, severity: "warning" });
}
