/** Whether the nodes are there that the steps name, and one that fits where a step lets Grid choose. */
import { passedOverWords } from "../../cluster/passed_over.ts";
import type { NodeHealth } from "../../cluster/node.ts";
import { formatDuration } from "../../core/duration.ts";
import { formatSize } from "../../core/size.ts";
import { aboutStep, caution, type Finding, obstacle, well, withoutRepeats } from "./finding.ts";
import type { StepChoice, Survey } from "./survey.ts";

/** A node that is down is an obstacle only to the steps that name it. */
export function nodeFindings(rows: readonly NodeHealth[], survey: Survey): Finding[] {
  const namedBy = Map.groupBy(
    survey.steps.flatMap((step) =>
      survey.namedBy(step).map((node) => ({ node, step: aboutStep(step) }))
    ),
    ({ node }) => node,
  );
  return rows.map((row) => {
    const about = `node ${row.node}`;
    if (row.status === "ok") return well(about, `reachable${diskWords(row)}`);
    const why = row.reason ?? row.status;
    const [first] = namedBy.get(row.node) ?? [];
    return first === undefined
      ? caution(about, `${why}; no step names it`)
      : obstacle(about, `${why}; ${first.step} needs it`, "no-node");
  });
}

function diskWords({ facts }: NodeHealth): string {
  const free = facts?.diskFreeBytes;
  return free === undefined ? "" : `, ${formatSize(free)} of disk free`;
}

/** What a run would choose now; a choice that depends on the run cannot be judged. */
export function choiceFindings(survey: Survey): Finding[] {
  const found = survey.steps.flatMap((step) => {
    const choice = survey.choiceOf(step);
    return choice === undefined ? [] : [choiceFinding(aboutStep(step), choice)];
  });
  return withoutRepeats(found);
}

function choiceFinding(about: string, { chosen, passedOver, selector }: StepChoice): Finding {
  if (chosen) return well(about, `${chosen.node.name} would be chosen now`);
  const words = `no node fits now: ${passedOverWords(passedOver)}`;
  const mayWait = selector.waitMs > 0 && passedOver.some(({ isFinal }) => !isFinal);
  return mayWait
    ? caution(about, `${words}; a run would wait ${formatDuration(selector.waitMs)} for one`)
    : obstacle(about, words, "no-node");
}
