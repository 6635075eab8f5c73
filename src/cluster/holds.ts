/**
 * GPUs that a runner holds on nodes for jobs that are still to start: from the choice of a node on, so that
 * nobody else takes them in between, until the work that they were chosen for is over. A hold is a claim
 * like a job's own, of the same group, and goes with the runner's connection; see `claims.sh`.
 */
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import { nodeProgram } from "../transport/node_program.ts";
import type { Transport } from "../transport/transport.ts";
import { claimWord } from "./claim.ts";
import { claimWords, gpuWords } from "./claim_prelude.ts";
import type { ClaimWish } from "./claim_wish.ts";
import type { GpuFacts, Node } from "./node.ts";

/** A runner that sleeps, or whose node has lost it, holds nothing after so long. */
const TTL_MS = 5 * 60_000;

export interface HoldDeps {
  readonly owner: string;
  readonly project: string;
  readonly transport: (node: Node) => Transport;
}

export interface HoldOptions {
  /** What takes it back. */
  readonly holder: string;
  readonly wish: ClaimWish;
  /** The best first; as many are taken as the wish says. */
  readonly gpus: readonly GpuFacts[];
  readonly signal?: AbortSignal | undefined;
}

interface Hold extends Omit<HoldOptions, "signal"> {
  readonly node: Node;
  readonly name: string;
}

export class Holds {
  readonly #deps: HoldDeps;
  readonly #holds = new Map<string, Hold>();
  #count = 0;

  constructor(deps: HoldDeps) {
    this.#deps = deps;
  }

  /**
   * Undefined where others hold too many of them.
   *
   * @throws {GridError} a transport code; `workspace` where nothing can be claimed on the node
   */
  async take(node: Node, options: HoldOptions): Promise<readonly GpuFacts[] | undefined> {
    const hold = { ...options, node, name: `hold.${this.#deps.owner}.${++this.#count}` };
    const gpus = await this.#claim(hold, options.signal);
    if (gpus !== undefined) this.#holds.set(options.holder, { ...hold, gpus });
    return gpus;
  }

  get any(): boolean {
    return this.#holds.size > 0;
  }

  /** What is held on a node for jobs of this group. */
  gpusOf(node: Node, group: string): readonly GpuFacts[] | undefined {
    return [...this.#holds.values()].find((hold) => hold.node === node && hold.wish.group === group)
      ?.gpus;
  }

  /** Lets go of what the holder has; nothing where it has none. @throws {GridError} a transport code */
  async release(holder: string): Promise<void> {
    const hold = this.#holds.get(holder);
    if (hold === undefined) return;
    this.#holds.delete(holder);
    const script = `${programs(["claims.sh", "claim.sh"])}
grid_claims_own && rm -f "$grid_claims/gpu."${quote(hold.name)}`;
    await this.#deps.transport(hold.node).exec(script);
  }

  /**
   * Says again that they are held, over a new connection where there is one. Those that others have taken
   * meanwhile, because the node did not see this runner any more, are given up.
   *
   * @returns what was given up, in words
   * @throws {GridError} a transport code
   */
  async renew(): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const [holder, hold] of [...this.#holds]) {
      const gpus = await this.#claim(hold);
      if (gpus !== undefined || this.#holds.get(holder) !== hold) continue;
      this.#holds.delete(holder);
      lost.push(`others took the GPUs held on ${hold.node.name} while it was out of reach`);
    }
    return lost;
  }

  async #claim(hold: Hold, signal?: AbortSignal): Promise<readonly GpuFacts[] | undefined> {
    const { owner, project, transport } = this.#deps;
    const { node, wish, gpus, name } = hold;
    const words = [
      wish.gpus,
      claimWord(wish.group),
      wish.share ? "yes" : "no",
      ...gpuWords(gpus),
    ].join(" ");
    const script = `grid_claim_name=${quote(name)}; grid_wish=${quote(words)}
${claimWords({ node, wish, project, owner, ttlMs: TTL_MS })}
${programs(["claims.sh", "claims_read.sh", "claim.sh", "claim_hold.sh"])}`;
    const { stdout } = await transport(node).exec(script, { signal });
    const [word, ...rest] = stdout.trim().split(" ");
    if (word === "taken") return undefined;
    const indices = new Set((rest[0] ?? "").split(",").map(Number));
    if (word !== "held") throw notHeld(node.name, rest.join(" "));
    return gpus.filter(({ index }) => indices.has(index));
  }
}

function programs(names: readonly string[]): string {
  return names.map((name) => nodeProgram(name, import.meta.url)).join("");
}

/** The reason says what to do as well, behind its bracket. */
export function notHeld(node: string, reason: string): GridError {
  const at = reason.lastIndexOf("): ");
  const state = at < 0 ? reason || "it did not say why" : reason.slice(0, at + 1);
  return new GridError({
    code: "workspace",
    message: `Cannot claim GPUs on "${node}": ${state}`,
    hint: at < 0 ? undefined : reason.slice(at + 3),
    node,
  });
}
