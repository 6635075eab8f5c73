/** What the probe makes of the real nvidia-smi, driver by driver, when the cards below it fail. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { deviceRemarks } from "../../../src/cluster/cures.ts";
import { fittingGpus } from "../../../src/cluster/gpu_choice.ts";
import type { NodeFacts } from "../../../src/cluster/node.ts";
import { parseProbe, probeCommand } from "../../../src/cluster/probe.ts";
import { installNvidiaSmi, realNvidiaSmi, VERSIONS } from "../../support/nvml/real_nvidia_smi.ts";
import { grid, project } from "../../support/cli.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { node } from "../../unit/cluster/nodes.ts";

type Variables = Readonly<Record<string, string>>;

async function probed(home: string, variables: Variables): Promise<NodeFacts> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", probeCommand({ root: home, gpuSeconds: 20 })],
    env: { ...variables, PATH: `${join(home, "bin")}:/usr/bin:/bin`, GRID_LEASE_DIR: home },
    stdin: "null",
  }).output();
  const facts = parseProbe(new TextDecoder().decode(stdout));
  assert.ok(facts);
  return facts;
}

function free(facts: NodeFacts): number[] {
  return fittingGpus(facts.gpus, { gpus: 1, minFreeVramBytes: undefined })
    .filter(({ doubt }) => doubt === undefined).map(({ index }) => index);
}

interface Wanted {
  /** Cards that may be given away without a doubt. */
  readonly free: readonly number[];
  /** What is said of card 1, or of the tool. */
  readonly says?: RegExp;
  readonly cure?: RegExp;
}

const BAD = { NVML_BAD: "1" };
const CASES: readonly (readonly [Variables, Wanted])[] = [
  [{}, { free: [0, 1, 2] }],
  [{ ...BAD, NVML_HANDLE: "15" }, { free: [0, 2], says: /GPU is lost/, cure: /reboot/ }],
  [{ ...BAD, NVML_HANDLE: "16" }, { free: [0, 2], says: /reset/i, cure: /./ }],
  [{ ...BAD, NVML_HANDLE: "999" }, { free: [0, 2], says: /Unknown Error/, cure: /reboot/ }],
  [{ ...BAD, NVML_HANDLE: "4" }, { free: [0, 2] }],
  [{ ...BAD, NVML_MEMORY: "15" }, { free: [0, 2], says: /GPU is lost/, cure: /reboot/ }],
  [{ ...BAD, NVML_MEMORY: "16" }, { free: [0, 2], says: /reset/, cure: /--gpu-reset -i 1/ }],
  [{ ...BAD, NVML_MEMORY: "4" }, { free: [0, 2] }],
  [{ ...BAD, NVML_ECC: "16" }, { free: [0, 2], says: /reset/, cure: /--gpu-reset -i 1/ }],
  [{ ...BAD, NVML_ECC: "999" }, { free: [0, 2] }],
  [{ ...BAD, NVML_MIG: "999" }, { free: [0, 2] }],
  [{ ...BAD, NVML_UUID: "999" }, { free: [0, 2] }],
  [{ ...BAD, NVML_SPLIT: "1" }, { free: [0, 2], says: /MIG/ }],
  [{ NVML_COUNT: "0" }, { free: [] }],
  [{ NVML_INIT: "18" }, { free: [], says: /version mismatch/, cure: /^sudo reboot$/ }],
  [{ NVML_INIT: "4" }, { free: [], says: /Insufficient Permissions/, cure: /nvidia/ }],
  [{ NVML_INIT: "17" }, { free: [], says: /blocked/, cure: /dmesg/ }],
  [{ NVML_INIT: "999" }, { free: [], says: /Unknown Error/ }],
  // Left over on a machine without a card: no failure.
  [{ NVML_INIT: "9" }, { free: [] }],
];

for (const version of VERSIONS) {
  testWith(
    ["cc", `nvidia-smi-${version}`],
    `the real nvidia-smi ${version}, card by card`,
    async () => {
      using home = tempDir();
      await installNvidiaSmi(home.path, realNvidiaSmi(version) ?? "");
      const all = await Promise.all(CASES.map(([variables]) => probed(home.path, variables)));
      for (const [index, facts] of all.entries()) {
        const [variables = {}, wanted] = CASES[index] ?? [];
        const what = `${version} ${JSON.stringify(variables)}: ${facts.gpuProblem}`;
        assert.deepEqual(free(facts), wanted?.free, what);
        const remarks = deviceRemarks({ node: node("a"), facts, missing: [] });
        const said = remarks.map(({ words }) => words).join("\n");
        if (wanted?.says) assert.match(said, wanted.says, what);
        const cures = remarks.map(({ cure }) => cure ?? "").join("\n");
        if (wanted?.cure) assert.match(cures, wanted.cure, `${what}: ${said}`);
        if (wanted?.free.length === 3) assert.equal(facts.gpuProblem, undefined, what);
      }
    },
  );
}

testWith(
  ["cc", "nvidia-smi-550"],
  "seven of eight cards are leased, the eighth is lost",
  async () => {
    using home = tempDir();
    await installNvidiaSmi(home.path, realNvidiaSmi("550") ?? "");
    const config = "nodes: [{ name: here, transport: local, remote_root: ./work }]\n";
    using folder = project({ "config/cluster_config.yaml": config });
    const run = (gpus: number) =>
      grid(["run", 'echo "$GRID_GPUS $CUDA_VISIBLE_DEVICES"', "--gpus", String(gpus)], {
        cwd: folder.path,
        env: {
          PATH: `${join(home.path, "bin")}:${Deno.env.get("PATH")}`,
          GRID_LEASE_DIR: home.path,
          GRID_DRAIN_DIR: home.path,
          NVML_COUNT: "8",
          NVML_BAD: "3",
          NVML_HANDLE: "15",
        },
      });
    const { code, stdout, stderr } = await run(7);
    assert.equal(code, 0, stderr);
    const [indices = "", names = ""] = stdout.trim().split(" ");
    assert.deepEqual(indices.split(",").toSorted(), ["0", "1", "2", "4", "5", "6", "7"]);
    assert.equal(new Set(names.split(",")).size, 7);
    for (const name of names.split(",")) assert.match(name, /^GPU-[0-9a-f-]+$/);
    const all = await run(8);
    assert.equal(all.code, 3, all.stderr);
    assert.match(all.stderr, /GPU 3.*lost|7 of 8/);
  },
);
