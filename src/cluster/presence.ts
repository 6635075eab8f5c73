/**
 * What a runner itself says on a node: how much it has given to it, whether or not it has started there,
 * and its places in the line. One file per runner, renewed while it says anything, which counts as long
 * as the runner's connection lives; see `claims.sh`.
 */
import type { Clock } from "../core/clock.ts";
import { quote } from "../core/shell.ts";
import { nodeProgram } from "../transport/node_program.ts";
import type { Transport } from "../transport/transport.ts";
import { claimWord, type NodeWork, parseWork } from "./claim.ts";
import type { JobWords } from "./claim_wish.ts";
import type { Node } from "./node.ts";

/** A place in the line that nobody renews is given up after so long. */
const TTL_SECONDS = 30;
const RENEW_MS = 5000;

/** A place in the line before a node's GPUs. */
export interface Ticket {
  /** Unique within this process. */
  readonly id: string;
  readonly gpus: number;
  readonly minFreeVramBytes: number | undefined;
  readonly model: string | undefined;
  readonly words: JobWords;
}

interface Standing {
  readonly ticket: Ticket;
  /** Since when, on the node's clock; "-" until the node has said it. */
  up: string;
}

interface Own {
  readonly tickets: Map<string, Standing>;
  /** On the monotonic clock: when the node was last told. */
  toldAt: number;
  /** Something, rather than nothing. */
  isTold: boolean;
  /** One after the other. */
  telling: Promise<unknown>;
  /** What has not begun yet. */
  next: Promise<NodeWork> | undefined;
}

export interface PresenceDeps {
  readonly clock: Clock;
  readonly owner: string;
  readonly project: string;
  readonly transport: (node: Node) => Transport;
  readonly countOn: (node: Node) => number;
  readonly hear: (node: Node, work: NodeWork) => void;
}

export class Presence {
  readonly #deps: PresenceDeps;
  readonly #own = new Map<Node, Own>();

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  /** How long ago the node was told, in milliseconds. */
  ageOn(node: Node): number {
    const own = this.#own.get(node);
    return own === undefined ? Number.POSITIVE_INFINITY : this.#deps.clock.monotonic() - own.toldAt;
  }

  /**
   * Takes a place in the line, or keeps it: at once where it is new, else now and then. A node that
   * cannot be told has no line.
   */
  async stand(node: Node, ticket: Ticket, signal?: AbortSignal): Promise<void> {
    const own = this.#of(node);
    const isNew = !own.tickets.has(ticket.id);
    if (isNew) own.tickets.set(ticket.id, { ticket, up: "-" });
    if (!isNew && this.ageOn(node) < RENEW_MS) return;
    await this.tell(node).catch(() => {});
    signal?.throwIfAborted();
  }

  /** Gives up a place in every line; the nodes hear of it in a moment. */
  leave(id: string): void {
    for (const [node, own] of this.#own) {
      if (own.tickets.delete(id)) this.tell(node).catch(() => {});
    }
  }

  /**
   * The run has got GPUs: its other wishes go behind those who have waited for as long, or one GPU after
   * the other would go to it, for as long as it has older wishes than others.
   */
  served(run: string): void {
    for (const [node, { tickets }] of this.#own) {
      const own = [...tickets.values()].filter(({ ticket }) => ticket.words.run === run);
      for (const each of own) each.up = "-";
      if (own.length > 0) this.tell(node).catch(() => {});
    }
  }

  /** Nodes that would otherwise forget what they were told. */
  get due(): readonly Node[] {
    return [...this.#own].flatMap(([node, { isTold }]) =>
      isTold && this.ageOn(node) >= RENEW_MS ? [node] : []
    );
  }

  /** Whether this node believes that this runner has something there. */
  isToldOn(node: Node): boolean {
    return this.#own.get(node)?.isTold ?? false;
  }

  /** Whether any node believes that this runner has something there. */
  get isTold(): boolean {
    return [...this.#own.values()].some(({ isTold }) => isTold);
  }

  /**
   * Tells the node how things stand, and hears who else is there. Those that ask while the node is being
   * told share the next time.
   *
   * @throws {GridError} a transport code
   */
  tell(node: Node): Promise<NodeWork> {
    const own = this.#of(node);
    if (own.next !== undefined) return own.next;
    const next = own.telling.then(() => {
      own.next = undefined;
      return this.#tellNow(node, own);
    });
    own.next = next;
    own.telling = next.catch(() => {});
    return next;
  }

  async #tellNow(node: Node, own: Own): Promise<NodeWork> {
    const { clock, transport, countOn, hear } = this.#deps;
    own.toldAt = clock.monotonic();
    const tickets = [...own.tickets.values()];
    const count = countOn(node);
    own.isTold = count > 0 || tickets.length > 0;
    const { stdout } = await transport(node).exec(this.#script(node, { tickets, count }));
    const lines = stdout.split("\n");
    const up = lines.find((line) => /^@up \d+(\.\d+)?$/.test(line))?.slice(4);
    if (up !== undefined) { for (const each of tickets) if (each.up === "-") each.up = up; }
    const work = parseWork(lines);
    hear(node, work);
    return work;
  }

  #script(
    node: Node,
    { tickets, count }: {
      readonly tickets: Own["tickets"] extends Map<string, infer T> ? readonly T[] : never;
      readonly count: number;
    },
  ): string {
    const { owner, project } = this.#deps;
    const waits = tickets.map(({ ticket, up }) => {
      const { id, gpus, minFreeVramBytes, model, words } = ticket;
      const lasts = words.lastsMs === undefined ? "-" : Math.ceil(words.lastsMs / 1000);
      const rest = [
        gpus,
        minFreeVramBytes ?? "-",
        model === undefined ? "-" : claimWord(model),
        lasts,
      ];
      return `${claimWord(id)} ${up} ${rest.join(" ")} ${claimWord(words.run)} ${
        claimWord(words.step)
      }`;
    });
    const words = [owner, claimWord(project), placeOf(node), count, TTL_SECONDS];
    return `${programs()}\ngrid_present ${words.map((word) => quote(String(word))).join(" ")} ${
      waits.map(quote).join(" ")
    }\n`;
  }

  #of(node: Node): Own {
    const own = this.#own.get(node) ??
      {
        tickets: new Map(),
        toldAt: Number.NEGATIVE_INFINITY,
        isTold: false,
        telling: Promise.resolve(),
        next: undefined,
      };
    this.#own.set(node, own);
    return own;
  }
}

function programs(): string {
  return ["claims.sh", "claims_read.sh", "claim.sh", "presence.sh"]
    .map((name) => nodeProgram(name, import.meta.url)).join("");
}

/** Folders of this machine that stand for nodes are told apart by their end; else a machine is one node. */
export function placeOf({ remoteRoot, endpoint }: Node): string {
  return endpoint.transport === "local" ? claimWord(remoteRoot.slice(-PLACE_LENGTH)) : "-";
}

const PLACE_LENGTH = 60;
