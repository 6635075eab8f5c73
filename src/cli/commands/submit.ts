import { checkForm, formOf } from "../run_form.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { GridError } from "../../core/errors.ts";
import type { GlobalFlags } from "../settings.ts";
import { submitRun } from "../submitted_run.ts";
import { withRunOptions } from "./run.ts";

export function define(command: Command, context: CommandContext): void {
  withRunOptions(command)
    .close("Prints the run's id. It is shown by: grid attach RUN; ended by: grid cancel RUN.")
    .action<GlobalFlags>(async (target, flags) => {
      if (target === undefined) throw nothingToSubmit();
      checkForm(target, flags);
      const submitted = await submitRun({ flags, context });
      if (submitted.run === undefined) {
        context.stderr(submitted.said);
        return context.setExitCode(submitted.exitCode || 70);
      }
      const { run, pid } = submitted;
      if (flags.json) return context.stdout(JSON.stringify({ run, pid }) + "\n");
      context.stdout(`${run}\n`);
      if (flags.quiet) return;
      const what = formOf(target) === "file" ? target : "the command";
      context.stderr(
        `submitted ${what}: it goes on without this terminal\n` +
          `  look: grid attach ${run}\n  end:  grid cancel ${run}\n`,
      );
    });
}

function nothingToSubmit(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot submit: neither a pipeline file nor a command is given",
    hint: "for example: grid submit pipelines/train.yaml",
  });
}
