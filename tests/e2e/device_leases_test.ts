import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { readShape, writeShapeTool } from "../support/device_shapes.ts";

const CONFIG = `nodes:
  - { name: here, transport: local, remote_root: ./work }
ray: { mode: embedded }
`;

interface Leased {
  readonly gpus: number;
  /** What the command finds in `GRID_GPUS`. */
  readonly indices: string;
  /** By what the runtime knows them. */
  readonly names: RegExp;
}

const SHAPES: Readonly<Record<string, Leased>> = {
  "nvidia-smi-580-gb10-idle": { gpus: 1, indices: "0", names: /^GPU-[\w-]+$/ },
  "nvidia-smi-540-jetson-orin": { gpus: 1, indices: "0", names: /^0$/ },
  "amd-smi-7.1-apu-idle": { gpus: 1, indices: "0", names: /^0$/ },
  // One card of three is dead; the others are had all the same.
  "nvidia-smi-550-one-of-three-handle-lost": {
    gpus: 2,
    indices: "0,2",
    names: /^GPU-[\w-]+0,GPU-[\w-]+2$/,
  },
};

Deno.test("devices with unified memory, and those beside a dead card, are chosen and leased", async () => {
  await Promise.all(
    Object.entries(SHAPES).map(async ([name, { gpus, indices, names }]) => {
      using folder = project({ "config/cluster_config.yaml": CONFIG });
      writeShapeTool(folder.path, readShape(name));
      const command = 'echo "$GRID_GPUS $CUDA_VISIBLE_DEVICES $HIP_VISIBLE_DEVICES"';
      const { code, stdout, stderr } = await grid(["run", command, "--gpus", String(gpus)], {
        cwd: folder.path,
        env: {
          PATH: `${join(folder.path, "bin")}:${Deno.env.get("PATH")}`,
          GRID_LEASE_DIR: join(folder.path, "leases"),
          GRID_DRAIN_DIR: folder.path,
        },
      });
      assert.equal(code, 0, `${name}: ${stderr}`);
      const [own, cuda = "", hip] = stdout.trim().split(" ");
      assert.equal(own, indices, name);
      assert.match(cuda, names, name);
      assert.equal(hip, cuda, name);
    }),
  );
});

Deno.test("runs do not fail for a node that takes none of them", async () => {
  const rounds = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 2);
  for (let round = 0; round < rounds; round++) {
    // What it says is well; what it is asked to do, it does not.
    const hole = "{ name: hole, transport: local, remote_root: /proc/nowhere/work }";
    using folder = project({
      "config/cluster_config.yaml": `${CONFIG.replace("nodes:", `nodes:\n  - ${hole}`)}`,
    });
    const { code, stdout, stderr } = await grid(["run", "echo on $GRID_NODE"], {
      cwd: folder.path,
      env: { GRID_DRAIN_DIR: folder.path },
    });
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "on here\n");
  }
});
