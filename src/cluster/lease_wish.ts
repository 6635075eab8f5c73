import type { GpuWish } from "./gpu_choice.ts";

/** GPUs that one job wants to hold. */
export interface LeaseWish extends GpuWish {
  /** Jobs of one group share GPUs; `[A-Za-z0-9._-]+`. */
  readonly group: string;
  /** How long to wait for GPUs of this very node. */
  readonly waitMs: number;
}

export interface LeaseCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once with the reason where GPUs must be waited for. */
  readonly onWait?: ((reason: string) => void) | undefined;
}
