import type { GpuWish } from "./gpu_choice.ts";

/** What a job is for, as others see it on its node. */
export interface JobWords {
  readonly run: string;
  readonly step: string;
  /** How long it took in earlier runs. */
  readonly lastsMs?: number | undefined;
}

/** GPUs that one job wants to hold; with `gpus: 0` it only says that it is there. */
export interface ClaimWish extends GpuWish {
  /** Jobs of one group and account share GPUs. */
  readonly group: string;
  /** How long to wait for GPUs of this very node. */
  readonly waitMs: number;
  readonly words: JobWords;
  /** A job that asked for no GPU sees those that others hold, too. */
  readonly seesAll?: boolean | undefined;
}

export interface ClaimOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the reason where GPUs must be waited for, again when it changes. */
  readonly onWait?: ((reason: string) => void) | undefined;
}

/** How a job says what it holds. */
export interface JobClaim {
  /** One line of shell that goes before the job's script, on the script's own first line. */
  readonly prelude: string;
  /** Of `JobSpec.record`: where the job's launcher makes that file, the prelude need not do it again. */
  readonly record?: string;
}
