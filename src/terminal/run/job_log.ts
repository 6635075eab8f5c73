/** What a CI system reads out of the log of its job: where a foldable part begins and ends, and mistakes. */
import { randomWord } from "../../core/ids.ts";
import { type Annotation, escapeData, renderAnnotation } from "../diagnostics/github.ts";

export interface JobLog {
  /** `name` is unique in the job. */
  open(title: string, name: string): string;
  close(name: string): string;
  /** Empty where the system knows none. */
  annotate(annotation: Annotation, place: { readonly inside: boolean }): string;
  /** Our own words never start a command by accident. */
  plain(text: string): string;
}

/**
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 *
 * `stopWord` ends the time in which output cannot give commands: what a step prints must never be
 * read as a command to the runner.
 */
export function githubLog(stopWord = randomWord(20)): JobLog {
  const mute = `::stop-commands::${stopWord}\n`;
  const listen = `::${stopWord}::\n`;
  return {
    open: (title) => `::group::${escapeData(title)}\n${mute}`,
    close: () => `${listen}::endgroup::\n`,
    annotate: (annotation, { inside }) => {
      const line = `${renderAnnotation(annotation)}\n`;
      return inside ? `${listen}${line}${mute}` : line;
    },
    plain: (text) => text.replaceAll(/^(\s*)::/gm, "$1\u200b::"),
  };
}

/** https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections */
export function gitlabLog(now: () => number): JobLog {
  const mark = (kind: string) => `\x1b[0Ksection_${kind}:${Math.floor(now() / 1000)}`;
  return {
    open: (title, name) => `${mark("start")}:${name}[collapsed=true]\r\x1b[0K${title}\n`,
    close: (name) => `${mark("end")}:${name}\r\x1b[0K\n`,
    annotate: () => "",
    plain: (text) => text,
  };
}
