/**
 * `junit.xml` in the form that CI systems read: one case per step.
 * https://github.com/testmoapp/junitxml
 */
import type { RunDocument, StepDocument } from "./run_document.ts";
import { escapeMarkup } from "./markup.ts";

export interface JunitOptions {
  /** Last lines that a step printed. */
  readonly tail: (step: string) => readonly string[];
  /** What was made of a step before. */
  readonly caseOf?: (step: StepDocument) => string | undefined;
}

/** Steps are one suite, hooks that were called for another. */
export function renderJunit(report: RunDocument, options: JunitOptions): string {
  const cases = report.steps.filter(({ counted }) => counted);
  const hooks = cases.filter(({ hook }) => hook !== null);
  const hookMs = hooks.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
  const suites = [
    suite(cases.filter(({ hook }) => hook === null), {
      ...options,
      report,
      name: report.pipeline,
      durationMs: report.durationMs,
    }),
    ...(hooks.length === 0 ? [] : [
      suite(hooks, { ...options, report, name: `${report.pipeline} hooks`, durationMs: hookMs }),
    ]),
  ];
  return ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", ...suites, "</testsuites>", ""]
    .join("\n")
    // By this sign readers that guess at the encoding of a file take it for another.
    .replaceAll("\ufffd", "&#xFFFD;");
}

interface SuiteOptions extends JunitOptions {
  readonly report: RunDocument;
  readonly name: string;
  readonly durationMs: number | null;
}

function suite(cases: readonly StepDocument[], options: SuiteOptions): string {
  const { report, name, durationMs } = options;
  const counts = { ok: 0, failure: 0, error: 0, skipped: 0 };
  for (const step of cases) counts[resultOf(step)]++;
  const head = attributes({
    name,
    tests: cases.length,
    failures: counts.failure,
    errors: counts.error,
    skipped: counts.skipped,
    time: seconds(durationMs),
    timestamp: report.startedAt.replace(/\.\d+Z$/, ""),
  });
  return [
    `  <testsuite${head}>`,
    "    <properties>",
    ...Object.entries({ run: report.run, file: report.file, ...causeOf(report) })
      .map(([name, value]) => `      <property${attributes({ name, value })}/>`),
    "    </properties>",
    ...cases.map((step) => options.caseOf?.(step) ?? testCase(step, options)),
    "  </testsuite>",
  ].join("\n");
}

/** `97× exit code 1: CUDA out of memory, 2× exit code 3`; nothing where nothing failed. */
function causeOf({ failureGroups }: RunDocument): { readonly cause?: string } {
  if (failureGroups.length === 0) return {};
  return { cause: failureGroups.map(({ words, steps }) => `${steps.length}× ${words}`).join(", ") };
}

type CaseResult = "ok" | "failure" | "error" | "skipped";

function resultOf(step: StepDocument): CaseResult {
  switch (step.state) {
    case "succeeded":
    case "reused":
    case "allowed-failure":
      return "ok";
    case "failed":
    case "timed-out":
      return "failure";
    case "cancelled":
    case "stopped":
    case "running":
      return "error";
    case "pending":
    case "skipped":
      return "skipped";
  }
}

/** Whether its case says the same without the step's last lines. */
export function isWithoutTail(step: StepDocument): boolean {
  const result = resultOf(step);
  return result === "ok" || result === "skipped";
}

/** Of a step that needs no last lines it says the same at any time. */
export function testCase(
  step: StepDocument,
  options: JunitOptions & { readonly report: Pick<RunDocument, "pipeline"> },
): string {
  const head = attributes({
    name: step.id,
    classname: `${options.report.pipeline}.${step.kind}`,
    time: seconds(step.durationMs),
  });
  const inner = [verdict(step, options), ...reruns(step), systemOut(step)].filter((text) =>
    text !== ""
  );
  return inner.length === 0
    ? `    <testcase${head}/>`
    : [`    <testcase${head}>`, ...inner, "    </testcase>"].join("\n");
}

function verdict(step: StepDocument, { tail }: JunitOptions): string {
  const result = resultOf(step);
  if (result === "ok") return "";
  const message = step.failure?.message ?? step.reason ?? step.state;
  if (result === "skipped") return `      <skipped${attributes({ message })}/>`;
  const where = step.node === null ? "" : `node ${step.node}\n`;
  const text = escapeMarkup(`${where}${tail(step.id).join("\n")}`);
  const type = step.failure?.code ?? step.state;
  return `      <${result}${attributes({ message, type })}>${text}</${result}>`;
}

/**
 * Attempts before the last one, in the words of Maven's Surefire, which Jenkins and others know: of a
 * step that came to a good end, and of one that did not.
 * https://maven.apache.org/surefire/maven-surefire-plugin/examples/rerun-failing-tests.html
 */
function reruns(step: StepDocument): string[] {
  const result = resultOf(step);
  if (result !== "ok" && result !== "failure") return [];
  const name = result === "ok" ? "flakyFailure" : "rerunFailure";
  const failed = step.attempts.slice(0, -1).filter(({ result }) => result !== "succeeded");
  return failed.map(({ attempt, result, node, failure, exitCode }) => {
    const message = failure?.message ?? result;
    const where = node === null ? "" : ` on ${node}`;
    const code = exitCode === null ? "" : `, exit code ${exitCode}`;
    const trace = escapeMarkup(`attempt ${attempt} ${result}${where}${code}`);
    const head = attributes({ message, type: failure?.code ?? result });
    return `      <${name}${head}><stackTrace>${trace}</stackTrace></${name}>`;
  });
}

function systemOut(step: StepDocument): string {
  const lines = step.attempts.map((attempt) => {
    const node = attempt.node === null ? "" : ` on ${attempt.node}`;
    const code = attempt.exitCode === null ? "" : `, exit code ${attempt.exitCode}`;
    const log = attempt.log === null ? "" : `, log ${attempt.log}`;
    return `attempt ${attempt.attempt} ${attempt.result}${node}${code}${log}`;
  });
  return lines.length === 0
    ? ""
    : `      <system-out>${escapeMarkup(lines.join("\n"))}</system-out>`;
}

function seconds(ms: number | null): string {
  return ((ms ?? 0) / 1000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values).map(([name, value]) => ` ${name}="${escapeMarkup(String(value))}"`)
    .join("");
}
