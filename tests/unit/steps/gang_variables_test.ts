import assert from "node:assert/strict";
import fc from "fast-check";
import { RankLines } from "../../../src/steps/gang_lines.ts";
import { rankVariables, withoutForeign } from "../../../src/steps/gang_variables.ts";

const WORLD = {
  nodes: ["g1", "g2"],
  reaches: [{ address: "10.0.0.1", iface: "ib0" }, { address: "10.0.0.2", iface: undefined }],
  port: 23456,
  gpusPerNode: 8,
  aliases: [],
} as const;

Deno.test("a rank finds the world, and never who it would be as a process", () => {
  const { env, files } = rankVariables(WORLD, { rank: 0, set: new Set() });
  assert.deepEqual(env, {
    GRID_NODE_RANK: "0",
    GRID_NODE_COUNT: "2",
    GRID_NODES: "g1\ng2",
    GRID_NODE_ADDRESSES: "10.0.0.1\n10.0.0.2",
    GRID_NODE_ADDRESS: "10.0.0.1",
    GRID_NODE_INTERFACE: "ib0",
    GRID_MAIN_ADDRESS: "10.0.0.1",
    GRID_MAIN_PORT: "23456",
    GRID_GPUS_PER_NODE: "8",
    MASTER_ADDR: "10.0.0.1",
    MASTER_PORT: "23456",
    NODE_RANK: "0",
    GLOO_SOCKET_IFNAME: "ib0",
    NCCL_SOCKET_IFNAME: "ib0",
  });
  assert.equal(files["GRID_HOSTFILE"], "10.0.0.1 slots=8\n10.0.0.2 slots=8\n");
});

Deno.test("what the step sets itself stays; other tools' names come on request", () => {
  const set = new Set(["MASTER_PORT", "NCCL_SOCKET_IFNAME"]);
  const own = rankVariables(WORLD, { rank: 1, set }).env;
  assert.equal(own["MASTER_PORT"], undefined);
  assert.equal(own["GRID_MAIN_PORT"], "23456");
  assert.equal(own["GRID_NODE_INTERFACE"], undefined);
  const aliases = ["skypilot", "dstack"] as const;
  const { env, files } = rankVariables({ ...WORLD, aliases }, { rank: 1, set });
  assert.equal(env["SKYPILOT_NODE_IPS"], "10.0.0.1\n10.0.0.2");
  assert.equal(env["SKYPILOT_NODE_RANK"], "1");
  assert.equal(env["DSTACK_GPUS_NUM"], "16");
  assert.equal(files["DSTACK_MPI_HOSTFILE"], files["GRID_HOSTFILE"]);
});

Deno.test("variables of other launchers are removed unless the step sets them", () => {
  const script = `${withoutForeign(new Set(["OMPI_COMM_WORLD_RANK"]))}env | sort`;
  for (const shell of ["sh", "bash"]) {
    const { stdout } = new Deno.Command(shell, {
      args: ["-ec", script],
      clearEnv: true,
      env: {
        PATH: "/usr/bin:/bin",
        SLURM_NTASKS: "4",
        RANK: "3",
        WORLD_SIZE: "9",
        PET_NNODES: "2",
        OMPI_COMM_WORLD_RANK: "0",
        OMPI_COMM_WORLD_SIZE: "2",
        FRANK: "stays",
        NODE_RANK: "1",
      },
    }).outputSync();
    const names = new TextDecoder().decode(stdout).split("\n").map((line) => line.split("=")[0])
      .filter((name) => /RANK|SIZE|SLURM|PET|NTASKS/.test(name ?? ""));
    assert.deepEqual(names, ["FRANK", "NODE_RANK", "OMPI_COMM_WORLD_RANK"]);
  }
});

Deno.test("lines keep their bytes, whole, each behind its rank, however they come", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.constantFrom("a", "é", "\n", "\r", "\r\n", "\0"), { maxLength: 8 })),
      async (chunks) => {
        const out: Uint8Array[] = [];
        const lines = new RankLines("[1 g2] ", (bytes) => void out.push(bytes));
        for (const chunk of chunks) await lines.push(new TextEncoder().encode(chunk.join("")));
        await lines.end();
        const text = new TextDecoder().decode(Uint8Array.from(out.flatMap((bytes) => [...bytes])));
        const given = chunks.flat().join("");
        const plain = text.replaceAll("[1 g2] ", "");
        assert.ok(plain === given || plain === `${given}\n`, JSON.stringify([given, text]));
        const heads = text.split("[1 g2] ").slice(1);
        for (const line of heads) assert.match(line, /^[^\n\r]*(\n|\r\n|\r)$/s);
      },
    ),
    { numRuns: 100 },
  );
});
