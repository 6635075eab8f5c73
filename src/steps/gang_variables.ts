/** What each rank of a gang finds in its environment. Pure. */
import type { Reach } from "../cluster/gang_address.ts";
import { quote } from "../core/shell.ts";
import type { GangAlias } from "../pipeline/gang.ts";

export interface GangWorld {
  /** By rank. */
  readonly nodes: readonly string[];
  readonly reaches: readonly Reach[];
  readonly port: number;
  readonly gpusPerNode: number;
  readonly aliases: readonly GangAlias[];
}

export interface RankVariables {
  readonly env: Readonly<Record<string, string>>;
  /** Variables that name a file with this content. */
  readonly files: Readonly<Record<string, string>>;
}

/** @param set variables that the step or its node sets itself: they stay what they are */
export function rankVariables(
  world: GangWorld,
  { rank, set }: { readonly rank: number; readonly set: ReadonlySet<string> },
): RankVariables {
  const { nodes, reaches, port, gpusPerNode } = world;
  const addresses = reaches.map(({ address }) => address);
  const { address = "", iface } = reaches[rank] ?? {};
  const main = addresses[0] ?? "";
  const own = {
    GRID_NODE_RANK: String(rank),
    GRID_NODE_COUNT: String(nodes.length),
    GRID_NODES: nodes.join("\n"),
    GRID_NODE_ADDRESSES: addresses.join("\n"),
    GRID_NODE_ADDRESS: address,
    ...(iface !== undefined && { GRID_NODE_INTERFACE: iface }),
    GRID_MAIN_ADDRESS: main,
    GRID_MAIN_PORT: String(port),
    GRID_GPUS_PER_NODE: String(gpusPerNode),
  };
  const launchers = {
    MASTER_ADDR: main,
    MASTER_PORT: String(port),
    NODE_RANK: String(rank),
    // Without it gloo tells the others what this machine's own name leads to.
    ...(iface !== undefined && { GLOO_SOCKET_IFNAME: iface, NCCL_SOCKET_IFNAME: iface }),
    ...aliased(world, rank),
  };
  const slots = Math.max(1, gpusPerNode);
  const hostfile = addresses.map((each) => `${each} slots=${slots}\n`).join("");
  const files: Record<string, string> = { GRID_HOSTFILE: hostfile, GRID_FAIL: "" };
  if (world.aliases.includes("dstack") && !set.has("DSTACK_MPI_HOSTFILE")) {
    files["DSTACK_MPI_HOSTFILE"] = hostfile;
  }
  const unset = Object.entries(launchers).filter(([name]) => !set.has(name));
  return { env: { ...own, ...Object.fromEntries(unset) }, files };
}

function aliased(
  { nodes, reaches, gpusPerNode, aliases }: GangWorld,
  rank: number,
): Record<string, string> {
  const ips = reaches.map(({ address }) => address).join("\n");
  const [count, gpus] = [String(nodes.length), String(gpusPerNode)];
  return {
    ...(aliases.includes("skypilot") && {
      SKYPILOT_NODE_RANK: String(rank),
      SKYPILOT_NODE_IPS: ips,
      SKYPILOT_NUM_NODES: count,
      SKYPILOT_NUM_GPUS_PER_NODE: gpus,
    }),
    ...(aliases.includes("dstack") && {
      DSTACK_NODE_RANK: String(rank),
      DSTACK_NODES_NUM: count,
      DSTACK_MASTER_NODE_IP: reaches[0]?.address ?? "",
      DSTACK_NODES_IPS: ips,
      DSTACK_GPUS_PER_NODE: gpus,
      DSTACK_GPUS_NUM: String(nodes.length * gpusPerNode),
    }),
  };
}

/**
 * Of other launchers, and of a process rather than a node: with them a library takes another world for this
 * one. Shell text on one line that removes what the node's own environment brings along.
 */
export function withoutForeign(set: ReadonlySet<string>): string {
  const kept = [...set].filter((name) => FOREIGN.test(name)).map(quote);
  const keep = kept.length === 0 ? "" : `case $grid_v in ${kept.join("|")}) continue;; esac; `;
  return `for grid_v in $(env | sed -n 's/^\\(${FOREIGN_SED}\\)=.*/\\1/p'); do ${keep}` +
    'unset "$grid_v"; done; unset grid_v; ';
}

const WORDS = "[A-Za-z0-9_]*";
const FOREIGN =
  /^((SLURM|OMPI|PMI|PMIX|TORCHELASTIC|PET)_[A-Za-z0-9_]*|RANK|WORLD_SIZE|LOCAL_RANK|LOCAL_WORLD_SIZE|GROUP_RANK)$/;
const FOREIGN_SED = [
  ...["SLURM", "OMPI", "PMI", "PMIX", "TORCHELASTIC", "PET"].map((word) => `${word}_${WORDS}`),
  ...["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK"],
].join("\\|");

/** How a rank ends that nobody released: nothing of its command has run. */
export const NOT_RELEASED_OUTPUT = "grid: not released\n";
export const NOT_RELEASED_EXIT = 75;

/** Ends of the names of a rank's files: it stands ready; it may begin. */
export const READY_FILE = "value.gang-ready";
export const GO_FILE = "value.gang-go";

/** Between two looks, in seconds. */
const HOLD_LOOK = 0.05;

/** Shell text on one line, behind all other preludes: says that the rank is ready, and waits for the others. */
export function holdBack(withinMs: number): string {
  const looks = Math.ceil(withinMs / 1000 / HOLD_LOOK);
  const over =
    `{ printf '${NOT_RELEASED_OUTPUT.trim()}\\n' >|"$GRID_OUTPUT"; exit ${NOT_RELEASED_EXIT}; }`;
  return `grid_g=\${GRID_OUTPUT%.output}; : >|"$grid_g.${READY_FILE}"; grid_n=0; ` +
    `while [ ! -e "$grid_g.${GO_FILE}" ]; do grid_n=$((grid_n+1)); [ "$grid_n" -le ${looks} ] || ${over}; ` +
    `sleep ${HOLD_LOOK} 2>/dev/null || sleep 1; done; unset grid_g grid_n; `;
}
