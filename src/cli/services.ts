/** The services on all nodes, and the one that somebody means. */
import type { OpenNode } from "../cluster/node.ts";
import { nearest } from "../core/did_you_mean.ts";
import { GridError } from "../core/errors.ts";
import { quoteAll } from "../core/shell.ts";
import type { Store } from "../store/store.ts";
import { listServices, type ServiceListing } from "../transport/job/job_service.ts";
import { type OpenedNodes, openMachines } from "./nodes.ts";
import type { Session } from "./session.ts";

export interface FoundService extends ServiceListing {
  readonly on: OpenNode;
}

export interface FoundServices {
  /** Of each node the oldest first. */
  readonly services: readonly FoundService[];
  readonly nodes: OpenedNodes;
}

/** @throws {GridError} `usage` for a node that is not configured */
export async function findServices(
  session: Session,
  names?: readonly string[],
): Promise<FoundServices> {
  const nodes = await openMachines(session, { names, withLocal: true });
  const lists = await Promise.all(nodes.open.map(async (on) => {
    const services = await listServices(on.transport, on.root);
    return services.map((service) => ({ ...service, on }));
  }));
  return { services: lists.flat(), nodes };
}

export function isServing({ state }: Pick<ServiceListing, "state">): boolean {
  return state === "running" || state === "starting";
}

export interface ServiceWish {
  /** A run where there is a step; else a step, a job, or a run with one service. */
  readonly name: string;
  readonly step: string | undefined;
  /** `stop the service`. */
  readonly what: string;
}

/**
 * The one that serves.
 *
 * @throws {GridError} `usage` where none is meant, or more than one
 */
export function chooseService(
  { services, nodes }: FoundServices,
  { name, step, what }: ServiceWish,
  store: Store,
): FoundService {
  const serving = services.filter(isServing);
  const run = step === undefined ? undefined : runOf(store, name);
  const matches = step === undefined
    ? firstOf([
      serving.filter((service) => service.job === name || service.step === name),
      serving.filter((service) => service.run === name || service.pipeline === name),
    ])
    : serving.filter((service) => service.run === run && service.step === step);
  const [match, second] = matches;
  if (match && !second) return match;
  const asked = step === undefined ? `"${name}"` : `"${step}" of run ${run}`;
  if (match) {
    const each = matches.slice(0, 5).map((one) => quoteAll([one.run, one.step])).join(", or ");
    throw wrong(what, `${matches.length} are called ${asked}`, `name one: ${each}`);
  }
  const [away] = nodes.failed;
  const elsewhere = step === undefined ? undefined : serving.find((one) => one.step === step);
  if (elsewhere) {
    const words = quoteAll([elsewhere.run, elsewhere.step]);
    throw wrong(what, `nothing called ${asked} serves`, `another run's does: ${words}`);
  }
  const near = nearest(step ?? name, serving.map((service) => service.step));
  throw wrong(
    what,
    `nothing called ${asked} serves` +
      (away ? `; ${nodes.failed.map(({ node }) => node).join(", ")} did not answer` : ""),
    near ? `did you mean "${near}"?` : "list them: grid services",
    away?.error.code,
  );
}

function firstOf<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return lists.find((list) => list.length > 0) ?? [];
}

/** A run that this project knows by a name; another project's is known by its id alone. */
function runOf(store: Store, name: string): string {
  try {
    return store.resolveRun(name);
  } catch (error) {
    if (error instanceof GridError) return name;
    throw error;
  }
}

function wrong(what: string, why: string, hint: string, code: GridError["code"] = "usage") {
  return new GridError({ code, message: `Cannot ${what}: ${why}`, hint });
}
