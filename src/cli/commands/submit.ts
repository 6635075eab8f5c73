import { checkForm, formOf } from "../run_form.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { lazy } from "../../core/lazy.ts";
import { GridError } from "../../core/errors.ts";
import type { SubmitOnFlags } from "../submitted/runner_words.ts";
import { submitRun } from "../submitted_run.ts";
import { withRunOptions } from "./run.ts";

interface SubmitFlags extends SubmitOnFlags {
  readonly on?: string;
}

export function define(command: Command, context: CommandContext): void {
  withRunOptions(command)
    .option("--on <node>", "run it on this node, with a Grid that is brought there")
    .option("--restart", "go on with it after a restart of the machine that runs it")
    .close("Prints the run's id. It is shown by: grid attach RUN; ended by: grid cancel RUN.")
    .action<SubmitFlags>(async (target, flags) => {
      if (target === undefined) throw nothingToSubmit();
      checkForm(target, flags);
      const submitted = await submit(target, { flags, context });
      if (submitted.run === undefined) throw submitted.problem;
      const { run, pid } = submitted;
      const on = flags.on === undefined ? {} : { node: flags.on };
      if (flags.json) return context.stdout(JSON.stringify({ run, pid, ...on }) + "\n");
      context.stdout(`${run}\n`);
      if (flags.quiet) return;
      const what = formOf(target) === "file" ? target : "the command";
      const where = flags.on === undefined ? "" : ` to ${flags.on}`;
      const without = flags.on === undefined ? "terminal" : "machine";
      context.stderr(
        `submitted ${what}${where}: it goes on without this ${without}\n` +
          `  look: grid attach ${run}\n  end:  grid cancel ${run}\n`,
      );
    });
}

interface Invocation {
  readonly flags: SubmitFlags;
  readonly context: CommandContext;
}

async function submit(target: string, { flags, context }: Invocation) {
  const { on } = flags;
  if (on === undefined) {
    const begun = await submitRun({ flags, context, isRestarted: flags.restart === true });
    if (begun.run !== undefined && begun.restart !== undefined && !flags.quiet) {
      context.stderr(`${begun.restart}\n${await afterRestart(target, { flags, context })}`);
    }
    return begun;
  }
  const { submitOn } = await lazy<typeof import("../submitted/submit_on.ts")>(
    "../submitted/submit_on.ts",
    import.meta.url,
  );
  return await submitOn(target, { on, flags, context });
}

/** Nothing keeps a secret for after a restart. */
async function afterRestart(target: string, { flags, context }: Invocation): Promise<string> {
  if (formOf(target) !== "file") return "";
  const { readPipeline } = await lazy<typeof import("../pipeline_file.ts")>(
    "../pipeline_file.ts",
    import.meta.url,
  );
  const { secrets } = await readPipeline(target, { flags: { ...flags, quiet: true }, context });
  const names = secrets.flatMap(({ name, from }) => from === "env" ? [name] : []);
  return names.length === 0
    ? ""
    : `warning: nothing keeps ${names.join(", ")} for then: it comes from the environment; ` +
      "let a file or a command give it, or go on by hand: grid resume\n";
}

function nothingToSubmit(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot submit: neither a pipeline file nor a command is given",
    hint: "for example: grid submit pipelines/train.yaml",
  });
}
