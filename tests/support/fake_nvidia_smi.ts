/** A scriptable stand-in for `nvidia-smi`: what it shows lies in `<home>/gpu.csv`. */
import { join } from "node:path";
import { writeProgram } from "./program_file.ts";

/** Columns of `gpu.csv`, named as in `nvidia-smi --help-query-gpu`. */
const FIELDS = [
  "index",
  "uuid",
  "name",
  "memory.used",
  "memory.total",
  "utilization.gpu",
  "temperature.gpu",
  "mig.mode.current",
  "ecc.errors.uncorrected.volatile.total",
  "persistence_mode",
  "driver_version",
] as const;

export interface FakeGpu {
  /** MiB. */
  readonly memoryUsed?: number | string;
  /** MiB; default 24576. */
  readonly memoryTotal?: number | string;
  readonly utilization?: number | string;
  readonly mig?: string;
  readonly eccErrors?: number | string;
}

/** Answers `--query-gpu` with any of the fields and `-L`; unknown fields fail as the real one does. */
const SCRIPT = `#!/bin/sh
# Optional behaviour: a file gpu.delay holds seconds to sleep, gpu.fail an exit code.
[ -f "$HOME/gpu.delay" ] && sleep "$(cat "$HOME/gpu.delay")"
if [ -f "$HOME/gpu.fail" ]; then
  echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
  exit "$(cat "$HOME/gpu.fail")"
fi
if [ "$1" = -L ]; then
  awk -F', ' 'NR > 1 { print "GPU " $1 ": " $3 " (UUID: " $2 ")" }' "$HOME/gpu.csv"
  exit 0
fi
for argument; do
  case $argument in --query-gpu=*) query=\${argument#*=} ;; esac
done
awk -F', ' -v query="$query" '
  NR == 1 {
    for (i = 1; i <= NF; i++) column[$i] = i
    count = split(query, wanted, ",")
    for (i = 1; i <= count; i++) if (!(wanted[i] in column)) {
      print "Field \\"" wanted[i] "\\" is not a valid field to query."
      exit 2
    }
    next
  }
  { line = ""; for (i = 1; i <= count; i++) line = line (i > 1 ? ", " : "") $column[wanted[i]]; print line }
' "$HOME/gpu.csv"
`;

export function writeFakeNvidiaSmi(home: string, options: { readonly gpus: number }): void {
  const path = join(home, "bin", "nvidia-smi");
  Deno.mkdirSync(join(home, "bin"), { recursive: true });
  writeProgram(path, SCRIPT);
  setGpus(home, Array.from({ length: options.gpus }, () => ({})));
}

/** Replaces what the node's `nvidia-smi` shows from now on. */
export function setGpus(home: string, gpus: readonly FakeGpu[]): void {
  const rows = gpus.map((gpu, index) => [
    index,
    `GPU-${String(index).padStart(8, "0")}`,
    "NVIDIA A100-SXM4-24GB",
    gpu.memoryUsed ?? 0,
    gpu.memoryTotal ?? 24576,
    gpu.utilization ?? 0,
    40,
    gpu.mig ?? "Disabled",
    gpu.eccErrors ?? 0,
    "Enabled",
    "550.54.15",
  ]);
  const lines = [FIELDS, ...rows].map((row) => row.join(", ") + "\n");
  Deno.writeTextFileSync(join(home, "gpu.csv"), lines.join(""));
}
