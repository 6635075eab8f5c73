/** What can be known before a run starts: nodes, choices, tools, files and secrets. */
import type { Cluster } from "../../cluster/cluster.ts";
import type { HealthConfig, RayConfig } from "../../cluster/config.ts";
import { LOCAL_NODE } from "../../cluster/defaults.ts";
import type { NodeHealth } from "../../cluster/node.ts";
import { PartialEvaluation } from "../../pipeline/partial_evaluation.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { neededSecrets } from "../secrets.ts";
import { commandQuestions } from "./command_questions.ts";
import { fileFindings } from "./file_findings.ts";
import type { Finding } from "./finding.ts";
import { choiceFindings, nodeFindings } from "./node_findings.ts";
import { askNodes } from "./node_questions.ts";
import { rayFindings } from "./ray_findings.ts";
import { secretFinding } from "./secret_findings.ts";
import { Survey } from "./survey.ts";
import { templateFindings } from "./template_findings.ts";
import { toolQuestions } from "./tool_questions.ts";

export interface PreflightOptions {
  readonly cluster: Cluster;
  readonly weights: Pick<HealthConfig, "cpuWeight" | "gpuWeight">;
  readonly ray: Pick<RayConfig, "mode" | "head">;
  /** Absolute folder that relative paths start in. */
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Looks at everything that does not depend on a result of the run itself; starts nothing. */
export async function preflight(
  pipeline: Pipeline,
  options: PreflightOptions,
): Promise<readonly Finding[]> {
  const { cluster, signal, project } = options;
  const evaluation = new PartialEvaluation(pipeline, options);
  const names = [...cluster.nodes.map(({ name }) => name), LOCAL_NODE];
  const health = await cluster.health({ signal, fresh: true, among: names });
  const survey = new Survey(pipeline, { ...options, evaluation, health });
  const questions = [
    ...toolQuestions(survey),
    ...await commandQuestions({ survey, evaluation, project }),
  ].filter(({ node }) => survey.healthOf(node)?.status === "ok");
  const found = await Promise.all([
    nodeFindings(health.filter((row) => isOfInterest(row, survey)), survey),
    choiceFindings(survey),
    askNodes(questions, { cluster, signal }),
    rayFindings(survey, options),
    fileFindings({ survey, evaluation, project }),
    templateFindings(project),
    Promise.all(neededSecrets(pipeline).map((secret) => secretFinding(secret, options))),
  ]);
  return found.flat();
}

/** This machine is only spoken of where a step runs on it. */
function isOfInterest({ node }: NodeHealth, survey: Survey): boolean {
  return node !== LOCAL_NODE || survey.steps.some((step) => survey.namedBy(step).includes(node));
}
