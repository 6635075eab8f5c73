import { toGridError } from "../../core/errors.ts";
import { examine } from "../../cluster/doctor.ts";
import { bad, type Finding, nodeFindings } from "../../cluster/doctor_findings.ts";
import { loginFindings } from "../../cluster/doctor_login.ts";
import type { Node } from "../../cluster/node.ts";
import { renderDoctor } from "../../terminal/doctor_findings.ts";
import { createPaint } from "../../terminal/style.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { knownNodes } from "../nodes.ts";
import { nameList } from "../option_values.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[nodes...]", "names, separated by blanks or commas; default all")
    .action<GlobalFlags>(async (names, flags) => {
      context.setExitCode(await doctor(names, { flags, context }));
    });
}

interface Invocation {
  readonly flags: GlobalFlags;
  readonly context: CommandContext;
}

/** 0 when all is well, 1 where something wants a repair. */
async function doctor(names: readonly string[], { flags, context }: Invocation): Promise<number> {
  await using session = await openSession(flags, context);
  const { settings, signal } = session;
  const nodes = knownNodes(session, names.length === 0 ? undefined : nameList(names.join(",")));
  const reports = await Promise.all(nodes.map(async (node) => ({
    node: node.name,
    findings: await examineNode(node, { session, context }),
  })));
  signal.throwIfAborted();
  const isBad = reports.some(({ findings }) => findings.some(({ level }) => level === "bad"));
  if (settings.json) {
    const shown = reports.map(({ node, findings }) => ({
      node,
      findings: findings.map((finding) => ({ ...finding, repair: finding.repair ?? null })),
    }));
    context.stdout(JSON.stringify({ nodes: shown }, null, 2) + "\n");
  } else {
    const paint = createPaint(settings.color.stdout);
    const width = context.columns("stdout");
    for (const { node, findings } of reports) {
      context.stdout(renderDoctor(node, findings, { paint, width }));
    }
  }
  return isBad ? 1 : 0;
}

interface ExamineOptions {
  readonly session: Session;
  readonly context: CommandContext;
}

async function examineNode(node: Node, options: ExamineOptions): Promise<readonly Finding[]> {
  const { grid, signal } = options.session;
  const opened = await grid.cluster.open(node.name, { signal }).then(
    (open) => ({ open, problem: undefined }),
    (thrown: unknown) => ({ open: undefined, problem: toGridError(thrown) }),
  );
  const { open, problem } = opened;
  if (problem?.code === "bug") throw problem;
  const isIn = problem === undefined || problem.code === "workspace";
  const login = node.endpoint.transport === "local"
    ? []
    : await examineLogin(node, { ...options, problem: isIn ? undefined : problem });
  if (open === undefined) {
    // The way there has told it already.
    if (!isIn && login.some(({ level }) => level === "bad")) return login;
    return [...login, bad(isIn ? "workspace" : "login", problem.message, problem.hint)];
  }
  const [health] = await grid.cluster.health({ fresh: true, among: [node.name], signal });
  try {
    const facts = await examine(open, { clock: grid.clock, signal });
    return [...login, ...nodeFindings({ facts, health, ray: grid.config.ray })];
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toGridError(thrown);
    if (error.code === "bug") throw thrown;
    return [...login, bad("shell", error.message, error.hint)];
  }
}

async function examineLogin(
  { name, endpoint }: Node,
  { session, context, problem }: ExamineOptions & {
    readonly problem: ReturnType<typeof toGridError> | undefined;
  },
): Promise<readonly Finding[]> {
  const { signal } = session;
  const { env } = context;
  const [{ loginPlan }, { trySsh }] = await Promise.all([
    import("../../transport/ssh/login_plan.ts"),
    import("../../transport/openssh/ssh_trial.ts"),
  ]);
  try {
    const [plan, trial] = await Promise.all([
      loginPlan(endpoint, { env }),
      trySsh(endpoint, { env, signal }),
    ]);
    return loginFindings({ name, plan, trial, problem });
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toGridError(thrown);
    if (error.code === "bug") throw thrown;
    return [bad("login", error.message, error.hint)];
  }
}
