import assert from "node:assert/strict";
import { parseProbe } from "../../../src/cluster/probe.ts";
import { GIB } from "./nodes.ts";

function answer(...lines: readonly string[]): string {
  return ["@grid-probe 1", ...lines, "@grid-probe end", ""].join("\n");
}

/** The facts of a probe whose answer is whole. */
function parse(...lines: readonly string[]) {
  const facts = parseProbe(answer(...lines));
  assert.ok(facts);
  return facts;
}

function gpus(tool: string, lines: readonly string[], exit = 0) {
  const first = tool === "nvidia-smi" ? "first" : "metric";
  const copied = lines.map((line) => line === "@more" ? "@gpu-query more" : `@gpu ${line}`);
  const at = copied.indexOf("@gpu-query more");
  if (at !== -1) copied.splice(at, 0, `@gpu exit ${exit}`);
  const end = `@gpu exit ${at === -1 ? exit : 0}`;
  const bus = `@gpu-bus ${tool === "nvidia-smi" ? "nvidia" : "amd"}`;
  return parse(bus, `@gpu-tool ${tool}`, `@gpu-query ${first}`, ...copied, end);
}

Deno.test("parseProbe() refuses an answer that is cut off or somebody else's", () => {
  assert.equal(parseProbe(""), undefined);
  assert.equal(parseProbe("Welcome!\n"), undefined);
  assert.equal(parseProbe("@grid-probe 1\n@load 0.1\n"), undefined);
  assert.equal(parseProbe("@grid-probe 2\n@grid-probe end\n"), undefined);
});

Deno.test("parseProbe() of a node that says nothing knows nothing, and no zeros", () => {
  assert.deepEqual(parse(), {
    load1: undefined,
    cores: undefined,
    memoryTotalBytes: undefined,
    memoryAvailableBytes: undefined,
    diskFreeBytes: undefined,
    diskUsedPercent: undefined,
    workspaceProblem: undefined,
    claimsProblem: undefined,
    gpus: [],
    gpuTool: "none",
    gpuProblem: undefined,
    work: { claims: [], given: [], line: [], isWhole: false },
  });
});

Deno.test("cores are the fewest of affinity, online and quota", () => {
  assert.equal(parse("@cpus-allowed 0-63", "@cpus-online 0-63").cores, 64);
  assert.equal(parse("@cpus-allowed 0-3,8,10-11", "@cpus-online 0-63").cores, 7);
  assert.equal(parse("@cpus-online 0-7", "@cpu-max 250000 100000").cores, 2.5);
  assert.equal(parse("@cpus-online 0-7", "@cpu-max max 100000").cores, 8);
  assert.equal(parse("@cpus-online 0-7", "@cpu-max -1 100000").cores, 8);
  assert.equal(parse("@cpu-max 800000 100000", "@cpu-max 50000 100000").cores, 0.5);
  assert.equal(parse("@cpus-online all").cores, undefined);
});

Deno.test("memory is the host's, or that of the tightest group", () => {
  const host = ["@MemTotal: 16777216", "@MemAvailable: 8388608"];
  assert.equal(parse(...host).memoryTotalBytes, 16 * GIB);
  assert.equal(parse(...host).memoryAvailableBytes, 8 * GIB);
  const group = parse(...host, `@memory-group ${4 * GIB} ${3 * GIB}`);
  assert.equal(group.memoryTotalBytes, 4 * GIB);
  assert.equal(group.memoryAvailableBytes, GIB);
  const unlimited = parse(...host, "@memory-group 9223372036854771712 123");
  assert.equal(unlimited.memoryTotalBytes, 16 * GIB);
});

Deno.test("memory of an old kernel is what is free, buffered and cached", () => {
  const old = parse("@MemTotal: 4000", "@MemFree: 1000", "@Buffers: 200", "@Cached: 300");
  assert.equal(old.memoryAvailableBytes, 1500 * 1024);
});

Deno.test("the disk's columns are found whatever its name", () => {
  const disk = (...lines: readonly string[]) => {
    const header = "Filesystem     1024-blocks     Used Available Capacity Mounted on";
    return parse("@load 1", "@df-begin", header, ...lines, "@df-end");
  };
  const plain = disk("/dev/vda 264212084 13374004  82127260      15% /");
  assert.equal(plain.diskFreeBytes, 82127260 * 1024);
  assert.equal(plain.diskUsedPercent, 15);
  const blanks = disk("//nas/My Share 2000 500 1500 25% /mnt/My Share 7");
  assert.equal(blanks.diskFreeBytes, 1500 * 1024);
  assert.equal(disk("/dev/vda 1000 1010 -10 100% /").diskFreeBytes, 0);
  assert.equal(disk().diskFreeBytes, undefined);
  const hostile = disk("@load 0", "@gpu-tool nvidia-smi", "@df-end", "/x 1 1 1 1% /");
  assert.equal(hostile.load1, 1);
  assert.equal(hostile.gpuTool, "none");
});

Deno.test("a disk that failed is told where the workspace lies on it, and nowhere else", () => {
  const problem = (...lines: readonly string[]) =>
    parse("@load 1", "@df-begin", ...lines, "@df-end").workspaceProblem;
  const mounts = [
    "/dev/sdb1 /mnt/my\\040data ext4 rw,relatime,emergency_ro 0 0",
    "/dev/sdc1 /scratch ext4 rw,relatime,emergency_ro 0 0",
  ];
  const words = "its disk has failed and takes no more writes";
  const header = "Filesystem     1024-blocks     Used Available Capacity Mounted on";
  assert.equal(problem(...mounts, header, "/dev/sdc1 2000 500 1500 25% /scratch"), words);
  assert.equal(problem(...mounts, header, "/dev/sdb1 2000 500 1500 25% /mnt/my data"), words);
  assert.equal(problem(...mounts, header, "/dev/sda1 2000 500 1500 25% /"), undefined);
  assert.equal(problem(...mounts), undefined);
});

Deno.test("nvidia-smi: one GPU per line", () => {
  const facts = gpus("nvidia-smi", [
    "0, GPU-a1, NVIDIA A100-SXM4-40GB, 1024, 40960, 17, 31",
    "1, GPU-b2, NVIDIA A100-SXM4-40GB, 0, 40960, 0, 29",
    "@more",
    "0, Disabled, 0",
    "1, Disabled, 0",
  ]);
  assert.equal(facts.gpuTool, "nvidia-smi");
  assert.equal(facts.gpuProblem, undefined);
  assert.deepEqual(facts.gpus, [
    {
      index: 0,
      maker: "nvidia",
      uuid: "GPU-a1",
      name: "NVIDIA A100-SXM4-40GB",
      memoryUsedBytes: GIB,
      memoryTotalBytes: 40 * GIB,
      utilizationPercent: 17,
      temperatureCelsius: 31,
      sick: undefined,
    },
    {
      index: 1,
      maker: "nvidia",
      uuid: "GPU-b2",
      name: "NVIDIA A100-SXM4-40GB",
      memoryUsedBytes: 0,
      memoryTotalBytes: 40 * GIB,
      utilizationPercent: 0,
      temperatureCelsius: 29,
      sick: undefined,
    },
  ]);
});

for (const word of ["N/A", "[N/A]", "[Not Supported]", "[Insufficient Permissions]", ""]) {
  Deno.test(`nvidia-smi: "${word}" is unknown, not 0`, () => {
    const [gpu] = gpus("nvidia-smi", [`0, ${word}, ${word}, ${word}, ${word}, ${word}, ${word}`])
      .gpus;
    assert.deepEqual(gpu, {
      index: 0,
      maker: "nvidia",
      uuid: undefined,
      name: undefined,
      memoryUsedBytes: undefined,
      memoryTotalBytes: undefined,
      utilizationPercent: undefined,
      temperatureCelsius: undefined,
      sick: undefined,
      doubt: "whether it is split by MIG is not known",
    });
  });
}

Deno.test("nvidia-smi: MIG, ECC errors and lost GPUs are sick, with the reason", () => {
  const { gpus: found } = gpus("nvidia-smi", [
    "0, GPU-a, A100, [N/A], [N/A], [N/A], 30",
    "1, GPU-b, A100, 0, 40960, 0, 30",
    "2, GPU-c, A100, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost]",
    "3, GPU-d, A100, 0, 40960, ERR!, 30",
    "4, GPU-e, A100, 0, 40960, 0, 30",
    "@more",
    "0, Enabled, 0",
    "1, Disabled, 3",
    "2, [GPU is lost], [GPU is lost]",
    "3, Disabled, 0",
    "4, [N/A], [N/A]",
  ]);
  const sick = found.map((gpu) => gpu.sick);
  assert.match(sick[0] ?? "", /MIG/);
  assert.match(sick[1] ?? "", /3 uncorrected ECC errors/);
  assert.match(sick[2] ?? "", /GPU is lost/);
  assert.match(sick[3] ?? "", /ERR!/);
  assert.equal(sick[4], undefined);
});

Deno.test("nvidia-smi: a driver that knows no newer fields still tells the rest", () => {
  const { gpus: found, gpuProblem } = gpus("nvidia-smi", [
    "0, GPU-a, K80, 0, 12206, 0, 30",
    "@more",
    'Field "mig.mode.current" is not a valid field to query.',
  ]);
  assert.equal(found.length, 1);
  assert.equal(found[0]?.sick, undefined);
  assert.equal(gpuProblem, undefined);
});

Deno.test("nvidia-smi: a driver that does not answer is a failure, with its words", () => {
  const facts = gpus("nvidia-smi", [
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
  ], 9);
  assert.equal(facts.gpuTool, "failed");
  assert.match(facts.gpuProblem ?? "", /couldn't communicate/);
});

Deno.test("nvidia-smi: one GPU that has fallen off the bus does not hide the others", () => {
  const facts = gpus("nvidia-smi", [
    "Unable to determine the device handle for GPU0000:3B:00.0: GPU is lost.",
    "1, GPU-b, A100, 0, 40960, 0, 30",
  ], 15);
  assert.equal(facts.gpuTool, "nvidia-smi");
  assert.deepEqual(facts.gpus.map(({ index, sick }) => [index, sick]), [
    [0, "nvidia-smi says GPU is lost (bus 0000:3B:00.0)"],
    [1, undefined],
  ]);
  assert.match(facts.gpuProblem ?? "", /Unable to determine/);
});

Deno.test("a tool without a card is no GPU, not a failure", () => {
  const facts = gpus("nvidia-smi", ["No devices were found"], 6);
  assert.equal(facts.gpuTool, "none");
});

Deno.test("a tool that ends without a word is a failure with its code", () => {
  const facts = gpus("nvidia-smi", [], 255);
  assert.equal(facts.gpuTool, "failed");
  assert.match(facts.gpuProblem ?? "", /code 255/);
});

Deno.test("a tool that hangs, hung before, or is missing is a failure", () => {
  const hung = parse("@gpu-tool nvidia-smi", "@gpu-timeout");
  assert.deepEqual([hung.gpuTool, hung.gpuProblem], [
    "failed",
    "nvidia-smi did not answer in time",
  ]);
  assert.equal(gpus("nvidia-smi", [], 124).gpuProblem, "nvidia-smi did not answer in time");
  const before = parse("@gpu-tool nvidia-smi", "@gpu-hung 4711");
  assert.equal(before.gpuTool, "failed");
  assert.match(before.gpuProblem ?? "", /4711/);
  const missing = parse("@gpu-bus nvidia");
  assert.match(missing.gpuProblem ?? "", /a GPU of NVIDIA is there, but not nvidia-smi/);
});

Deno.test("nothing that a tool prints can pass for a line of the probe", () => {
  const facts = gpus("nvidia-smi", [
    "@load 0",
    "@cpus-online 0-63",
    "exit 0",
    "0, GPU-a, A100, 40000, 40960, 99, 30",
  ]);
  assert.equal(facts.load1, undefined);
  assert.equal(facts.cores, undefined);
  assert.equal(facts.gpus.length, 1);
});

const AMD_6 = `[
    {
        "gpu": 0,
        "usage": { "gfx_activity": { "value": 12, "unit": "%" }, "umc_activity": "N/A" },
        "mem_usage": {
            "total_vram": { "value": 65520, "unit": "MB" },
            "used_vram": { "value": 13, "unit": "MB" },
            "free_vram": { "value": 65507, "unit": "MB" }
        },
        "temperature": { "edge": "N/A", "hotspot": { "value": 41, "unit": "C" } },
        "ecc": { "total_correctable_count": 0, "total_uncorrectable_count": 2 }
    },
    { "gpu": 1, "usage": "N/A", "mem_usage": { "total_vram": "N/A", "used_vram": "N/A" } }
]`;

Deno.test("amd-smi: a list of GPUs, with N/A unknown", () => {
  const facts = gpus("amd-smi", ["WARNING: user is not in the render group", ...AMD_6.split("\n")]);
  assert.equal(facts.gpuTool, "amd-smi");
  const [first, second] = facts.gpus;
  assert.equal(first?.memoryTotalBytes, 65520 * 2 ** 20);
  assert.equal(first?.memoryUsedBytes, 13 * 2 ** 20);
  assert.equal(first?.utilizationPercent, 12);
  assert.equal(first?.temperatureCelsius, 41);
  assert.match(first?.sick ?? "", /2 uncorrected/);
  assert.equal(second?.index, 1);
  assert.equal(second?.memoryUsedBytes, undefined);
  assert.equal(second?.sick, undefined);
});

Deno.test("amd-smi: the wrapped form of ROCm 7 is the same", () => {
  const wrapped = gpus("amd-smi", [`{"gpu_data": ${AMD_6.replaceAll("\n", "")}}`]);
  const listed = gpus("amd-smi", AMD_6.split("\n"));
  assert.deepEqual(wrapped.gpus, listed.gpus);
});

Deno.test("amd-smi: words instead of JSON are the reason", () => {
  const facts = gpus("amd-smi", ["AMDSMI_STATUS_NOT_INIT: driver not loaded"], 255);
  assert.equal(facts.gpuTool, "failed");
  assert.match(facts.gpuProblem ?? "", /driver not loaded/);
  assert.equal(gpus("amd-smi", ["[{ cut off"], 1).gpuTool, "failed");
  assert.equal(gpus("amd-smi", ['{"gpu_data": 3}']).gpuTool, "failed");
});

Deno.test("rocm-smi: a map of cards, in order, without the system entry", () => {
  const card = (used: string) => ({
    "Unique ID": "0x18f8a2d1b9a5e5c2",
    "GPU use (%)": "7",
    "VRAM Total Memory (B)": "34342961152",
    "VRAM Total Used Memory (B)": used,
    "Temperature (Sensor edge) (C)": "37.0",
  });
  const json = JSON.stringify({
    card10: card("1"),
    card2: card("7028736"),
    system: { "Driver version": "6.1" },
  });
  const facts = gpus("rocm-smi", [json]);
  assert.equal(facts.gpuTool, "rocm-smi");
  assert.deepEqual(facts.gpus.map(({ index }) => index), [2, 10]);
  const [first] = facts.gpus;
  assert.equal(first?.memoryUsedBytes, 7028736);
  assert.equal(first?.memoryTotalBytes, 34342961152);
  assert.equal(first?.temperatureCelsius, 37);
  assert.equal(first?.uuid, "0x18f8a2d1b9a5e5c2");
});

Deno.test("a runner's hold is marked where a job that it is for says more", () => {
  const claim = (kind: string, group: string) =>
    `@claim ${kind} held no ada 9 - r1 ${kind} p o ${group} no - GPU-1`;
  const leases = (...lines: readonly string[]) =>
    parse(
      "@gpu-bus nvidia",
      "@gpu-tool nvidia-smi",
      "@gpu-query first",
      "@gpu 0, GPU-1, NVIDIA H100, 0, 81559, 0, 40",
      "@gpu exit 0",
      ...lines,
      "@claims end",
    )
      .gpus[0]?.leases?.map(({ step, isCovered }) => [step, isCovered]);
  assert.deepEqual(leases(claim("hold", "g")), [["hold", undefined]]);
  assert.deepEqual(leases(claim("hold", "g"), claim("job", "g")), [["job", undefined], [
    "hold",
    true,
  ]]);
  assert.deepEqual(leases(claim("hold", "g"), claim("job", "h")), [["job", undefined], [
    "hold",
    undefined,
  ]]);
});
