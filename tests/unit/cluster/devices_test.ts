/** Every recorded shape of every device tool, through the real probe, gives the facts that are true. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { devicesOf } from "../../../src/cluster/gpu_answers.ts";
import { fittingGpus, whyNot } from "../../../src/cluster/gpu_choice.ts";
import type { NodeFacts } from "../../../src/cluster/node.ts";
import { parseProbe, probeCommand } from "../../../src/cluster/probe.ts";
import { readShape, readShapes, writeShapeTool } from "../../support/device_shapes.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";
import { GIB } from "./nodes.ts";
import { writeProgram } from "../../support/program_file.ts";

type Facts = Pick<NodeFacts, "gpus" | "gpuTool" | "gpuProblem">;

async function probe(home: TempDir): Promise<Facts> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", probeCommand({ root: "~", gpuSeconds: 20 })],
    clearEnv: true,
    env: {
      HOME: home.path,
      PATH: `${join(home.path, "bin")}:${Deno.env.get("PATH")}`,
      USER: home.path.split("/").at(-1) ?? "",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  const facts = parseProbe(new TextDecoder().decode(stdout));
  assert.ok(facts);
  return facts;
}

/** Indices that a wish for one GPU may take, the best first. */
function free({ gpus }: Facts, wish: { readonly minFreeVramBytes?: number } = {}): number[] {
  return fittingGpus(gpus, { gpus: 1, minFreeVramBytes: wish.minFreeVramBytes })
    .map(({ index }) => index);
}

function sick({ gpus }: Facts): string[] {
  return gpus.flatMap((gpu) => gpu.sick === undefined ? [] : [`${gpu.index}: ${gpu.sick}`]);
}

interface Expected {
  /** In the order in which they are chosen. */
  readonly free: readonly number[];
  readonly tool: NodeFacts["gpuTool"];
  readonly more?: (facts: Facts) => void;
}

const NONE: Expected = { free: [], tool: "none" };
const THREE: Expected = { free: [0, 1, 2], tool: "nvidia-smi" };

function failed(words: RegExp): Expected {
  return {
    free: [],
    tool: "failed",
    more: ({ gpuProblem }) => assert.match(gpuProblem ?? "", words),
  };
}

function oneSick(words: RegExp, tool: NodeFacts["gpuTool"] = "nvidia-smi"): Expected {
  return {
    free: [0, 2],
    tool,
    more: (facts) => assert.match(sick(facts).join("; "), new RegExp(`^1: .*${words.source}`)),
  };
}

/** Offered, but after those of which more is known. */
function oneDoubtful(words: RegExp): Expected {
  return {
    free: [0, 2, 1],
    tool: "nvidia-smi",
    more: ({ gpus }) => assert.match(gpus[1]?.doubt ?? "", words),
  };
}

function unified({ gpus }: Facts): void {
  assert.equal(gpus[0]?.unified, true);
  assert.ok((gpus[0]?.memoryTotalBytes ?? 0) > 0);
}

/** Tools that Grid does not ask: nothing that they print can make a GPU. */
const NOT_ASKED = new Set(["gpustat", "nvitop", "nvtop", "intel_gpu_top", "tt-smi"]);

const EXPECTED: Readonly<Record<string, Expected>> = {
  "amd-smi-10.1-cpu-and-gpu": { free: [0, 1], tool: "amd-smi" },
  "amd-smi-10.1-cpu-only": NONE,
  "amd-smi-10.1-empty": NONE,
  "amd-smi-10.1-groups-before-json": {
    free: [],
    tool: "amd-smi",
    more: ({ gpuProblem }) =>
      assert.match(gpuProblem ?? "", /may not open \/dev\/kfd: sudo usermod -aG render,video/),
  },
  "amd-smi-10.1-no-driver": NONE,
  "amd-smi-6.0-numbers-without-units": { free: [0], tool: "amd-smi" },
  "amd-smi-6.1-no-driver": NONE,
  "amd-smi-6.2-guest-no-ecc": failed(/--ecc/),
  "amd-smi-6.2-list": { free: [0, 1], tool: "amd-smi" },
  "amd-smi-6.4-mi300x-cpx": { free: [0, 1, 2, 3, 4, 5, 6, 7], tool: "amd-smi" },
  "amd-smi-7.0-ecc-na": { free: [0], tool: "amd-smi" },
  "amd-smi-7.0-gpu-data": { free: [0, 1], tool: "amd-smi" },
  "amd-smi-7.0-usage-na": {
    free: [0],
    tool: "amd-smi",
    more: ({ gpus }) => assert.equal(gpus[0]?.utilizationPercent, undefined),
  },
  "amd-smi-7.1-apu-busy": { free: [], tool: "amd-smi", more: unified },
  "amd-smi-7.1-apu-idle": {
    free: [0],
    tool: "amd-smi",
    more: (facts) => {
      unified(facts);
      assert.deepEqual(free(facts, { minFreeVramBytes: 12 * GIB }), [0]);
      assert.deepEqual(free(facts, { minFreeVramBytes: 13 * GIB }), []);
    },
  },
  "nvidia-smi-440-no-mig-field": {
    free: [0],
    tool: "nvidia-smi",
    more: ({ gpus }) => assert.equal(gpus[0]?.doubt, undefined),
  },
  "nvidia-smi-470-version-mismatch": failed(/mismatch/),
  "nvidia-smi-535-no-library": NONE,
  "nvidia-smi-540-jetson-orin": { free: [0], tool: "nvidia-smi", more: unified },
  "nvidia-smi-550-ecc-requires-reset": oneSick(/requires reset/),
  "nvidia-smi-550-ecc-unknown-error": oneDoubtful(/memory has errors/),
  "nvidia-smi-550-gb200-tray": {
    free: [0, 1, 2, 3],
    tool: "nvidia-smi",
    more: ({ gpus }) => assert.ok((gpus[0]?.memoryTotalBytes ?? 0) > 180 * GIB),
  },
  "nvidia-smi-550-healthy": THREE,
  "nvidia-smi-550-init-blocked-by-system": failed(/./),
  "nvidia-smi-550-init-insufficient-permissions": failed(/ermission/),
  "nvidia-smi-550-init-timeout": failed(/./),
  "nvidia-smi-550-init-unknown-error": failed(/./),
  "nvidia-smi-550-mig-mode-unknown-error": oneDoubtful(/split by MIG/),
  "nvidia-smi-550-no-devices": NONE,
  "nvidia-smi-550-no-driver": NONE,
  "nvidia-smi-550-no-ecc-no-mig": { free: [0], tool: "nvidia-smi" },
  "nvidia-smi-550-one-hidden-by-cgroup": { free: [0, 2], tool: "nvidia-smi" },
  "nvidia-smi-550-one-of-three-handle-lost": oneSick(/GPU is lost \(bus 0000:3B:00.0\)/),
  // Recorded without the list of the others; with it, below.
  "nvidia-smi-550-one-of-three-handle-reset": failed(/GPU reset must occur/),
  "nvidia-smi-550-one-of-three-handle-unknown": oneSick(/Unknown Error/),
  "nvidia-smi-550-one-of-three-mig": oneSick(/MIG/),
  "nvidia-smi-550-row-lost": oneSick(/GPU is lost/),
  "nvidia-smi-550-row-memory-no-permission": {
    free: [0, 2],
    tool: "nvidia-smi",
    more: ({ gpus }) => {
      assert.equal(gpus[1]?.sick, undefined);
      assert.equal(gpus[1]?.unified, undefined);
    },
  },
  "nvidia-smi-550-row-reset": oneSick(/requires reset/),
  "nvidia-smi-550-row-unknown": oneSick(/Unknown Error/),
  "nvidia-smi-550-tool-of-another-version": failed(/./),
  "nvidia-smi-550-uuid-unknown": oneDoubtful(/its own name/),
  "nvidia-smi-550-version-mismatch": failed(/mismatch/),
  "nvidia-smi-580-gb10-busy": {
    free: [],
    tool: "nvidia-smi",
    more: ({ gpus: [gpu] }) => {
      assert.equal(gpu?.unified, true);
      const why = gpu && whyNot(gpu, { gpus: 1, minFreeVramBytes: undefined });
      assert.equal(why, "GPU 0 is used by python (process 114687)");
    },
  },
  "nvidia-smi-580-gb10-idle": { free: [0], tool: "nvidia-smi", more: unified },
  "rocm-smi-6.3-7900xt": { free: [0], tool: "rocm-smi" },
  "rocm-smi-6.4-dgpu-and-igpu": { free: [0, 1], tool: "rocm-smi" },
  "rocm-smi-6.4-no-driver": NONE,
  "rocm-smi-6.4-no-json": NONE,
  "rocm-smi-7.1-low-power": { free: [0], tool: "rocm-smi" },
  "rocm-smi-7.1-no-gpu-given": failed(/No AMD GPUs specified/),
  "rocm-smi-7.x-strix-halo": { free: [], tool: "rocm-smi", more: unified },
  "xpu-smi-1.2-dump": {
    free: [],
    tool: "xpu-smi",
    more: ({ gpus }) => assert.match(gpus[0]?.name ?? "", /Arc\(TM\) A310/),
  },
};

for (const shape of readShapes()) {
  Deno.test(`devices: ${shape.name}`, async () => {
    using home = tempDir();
    writeShapeTool(home.path, shape);
    const facts = await probe(home);
    if (NOT_ASKED.has(shape.tool)) {
      assert.deepEqual([facts.gpuTool, facts.gpus], ["none", []]);
      return;
    }
    const expected = EXPECTED[shape.name];
    assert.ok(expected, "a shape without its facts");
    assert.deepEqual(
      { free: free(facts), tool: facts.gpuTool },
      { free: expected.free, tool: expected.tool },
      JSON.stringify(facts),
    );
    expected.more?.(facts);
  });
}

Deno.test("devices: a guest's GPUs are read without what its tool refuses", async () => {
  using home = tempDir();
  writeShapeTool(home.path, readShape("amd-smi-6.2-list"));
  const answer = Deno.readTextFileSync(join(home.path, "amd-smi.0"));
  const refusal = readShape("amd-smi-6.2-guest-no-ecc").queries.get("metric")?.text ?? "";
  Deno.writeTextFileSync(join(home.path, "refusal"), refusal);
  Deno.writeTextFileSync(join(home.path, "plain"), answer);
  writeProgram(
    join(home.path, "bin", "amd-smi"),
    '#!/bin/sh\ncase "$*" in *--ecc*) cat "$HOME/refusal" ;; metric*) cat "$HOME/plain" ;; esac\n',
  );
  assert.deepEqual(free(await probe(home)), [0, 1]);
});

Deno.test("devices: what no tool of NVIDIA's says is told as printed by it, and never as it came", async () => {
  const said = {
    "[]": "nvidia-smi printed: []",
    "\\033[2J\\000\\377 x": "nvidia-smi printed what is no text",
    "NVIDIA-SMI has failed": "NVIDIA-SMI has failed",
  };
  for (const [text, problem] of Object.entries(said)) {
    using home = tempDir();
    Deno.mkdirSync(join(home.path, "bin"));
    writeProgram(join(home.path, "bin", "nvidia-smi"), `#!/bin/sh\nprintf '${text}\\n'; exit 1\n`);
    assert.equal((await probe(home)).gpuProblem, problem);
  }
});

Deno.test("devices: a card that must be reset leaves the others, by the list", async () => {
  using home = tempDir();
  const { queries, ...shape } = readShape("nvidia-smi-550-one-of-three-handle-lost");
  const reset = readShape("nvidia-smi-550-one-of-three-handle-reset");
  writeShapeTool(home.path, { ...shape, queries: new Map([...queries, ...reset.queries]) });
  const facts = await probe(home);
  assert.deepEqual(free(facts), [0, 2]);
  assert.match(sick(facts)[0] ?? "", /^1: nvidia-smi says A GPU reset must occur/);
});

Deno.test("devices: a tool that was left over does not hide another maker's cards", async () => {
  using home = tempDir();
  writeShapeTool(home.path, readShape("nvidia-smi-550-no-driver"));
  writeShapeTool(home.path, readShape("amd-smi-7.0-gpu-data"));
  const facts = await probe(home);
  assert.equal(facts.gpuTool, "amd-smi");
  assert.equal(facts.gpuProblem, undefined);
  assert.deepEqual(free(facts), [0, 1]);
});

Deno.test("devices: cards of two makers have each its own index", async () => {
  using home = tempDir();
  writeShapeTool(home.path, readShape("nvidia-smi-550-healthy"));
  writeShapeTool(home.path, readShape("amd-smi-7.0-gpu-data"));
  const { gpus } = await probe(home);
  assert.deepEqual(gpus.map(({ index, ownIndex, maker }) => [index, ownIndex, maker]), [
    [0, 0, "nvidia"],
    [1, 1, "nvidia"],
    [2, 2, "nvidia"],
    [3, 0, "amd"],
    [4, 1, "amd"],
  ]);
});

/** What the probe would print of a shape, with what the kernel of that machine knows. */
function parsed(name: string, kernel: readonly string[]): Facts {
  const { tool, queries } = readShape(name);
  const lines = [...queries].flatMap(([query, { exit, text }]) => [
    `@gpu-query ${query}`,
    ...text.split("\n").map((line) => `@gpu ${line}`),
    `@gpu exit ${exit}`,
  ]);
  return devicesOf([...kernel, `@gpu-tool ${tool}`, ...lines], {
    memoryTotalBytes: undefined,
    memoryAvailableBytes: undefined,
  });
}

Deno.test("devices: the same words are a failure where the kernel knows of a card", () => {
  for (const name of ["nvidia-smi-550-no-driver", "nvidia-smi-535-no-library"]) {
    assert.equal(parsed(name, ["@gpu-bus nvidia"]).gpuTool, "failed", name);
  }
  for (const name of ["amd-smi-10.1-no-driver", "rocm-smi-6.4-no-driver"]) {
    assert.equal(parsed(name, ["@gpu-bus amd"]).gpuTool, "failed", name);
  }
  const { gpuProblem } = devicesOf(["@gpu-bus nvidia"], parsedMemory);
  assert.equal(gpuProblem, "a GPU of NVIDIA is there, but not nvidia-smi");
});

const parsedMemory = { memoryTotalBytes: undefined, memoryAvailableBytes: undefined };

Deno.test("devices: a part of a card has the memory that the kernel gives it", () => {
  const nodes = Array.from({ length: 8 }, (_, index) => `@kfd-node ${index + 2} 25767706624`);
  const facts = parsed("amd-smi-6.4-mi300x-cpx", ["@gpu-bus amd", ...nodes]);
  assert.equal(facts.gpus.length, 8);
  assert.ok(facts.gpus.every((gpu) => gpu.isPartition && gpu.memoryTotalBytes === 25767706624));
  assert.deepEqual(free(facts, { minFreeVramBytes: 64 * GIB }), []);
  assert.equal(free(facts, { minFreeVramBytes: 20 * GIB }).length, 8);
});

Deno.test("devices: this account's missing right is the reason, also where the tool says nothing", () => {
  const facts = parsed("amd-smi-7.0-gpu-data", ["@gpu-bus amd", "@gpu-denied /dev/kfd"]);
  assert.deepEqual(free(facts), []);
  assert.match(sick(facts)[0] ?? "", /may not open \/dev\/kfd/);
});
