/**
 * The line before the GPUs of a node: pure, so that every rule can be tested without one. The oldest wish
 * goes first. Whoever is behind may go at once only with GPUs that those before it will not need until
 * then: so a large wish collects what becomes free, and small ones fill what it cannot use yet.
 */

/** A GPU that works, whoever has it. */
export interface LineGpu {
  readonly key: string;
  /** Until it can be had; 0: now; infinite: nobody knows when. */
  readonly freeInMs: number;
}

export interface LineWish {
  readonly gpus: number;
  readonly fits: (gpu: LineGpu) => boolean;
  /** How long the work takes, by earlier runs; undefined: nobody knows. */
  readonly lastsMs: number | undefined;
}

export interface Turn {
  /** GPUs that the wish may take now; fewer than it wants: it has to wait. */
  readonly now: readonly string[];
  /** Wishes before it that can be met on this node at all. */
  readonly before: number;
  /** When it will probably have what it wants; undefined: nobody knows. */
  readonly startsInMs: number | undefined;
}

interface Seat {
  readonly gpu: LineGpu;
  /** When the last of those before is through with it. */
  untilMs: number;
  /** When the first of those before wants it; undefined: nobody does. */
  wantedMs: number | undefined;
}

/** @param before wishes that are older, the oldest first */
export function turnOf(
  wish: LineWish,
  { gpus, before }: { readonly gpus: readonly LineGpu[]; readonly before: readonly LineWish[] },
): Turn {
  const seats: Seat[] = gpus.map((gpu) => ({ gpu, untilMs: gpu.freeInMs, wantedMs: undefined }));
  let count = 0;
  for (const earlier of before) {
    // Whoever may go at once goes into the gap that it fits into, and nobody else does.
    const open = seats.filter((seat) => earlier.fits(seat.gpu) && isOpen(seat, earlier.lastsMs));
    const taken = earliest(open, earlier) ?? earliest(seats, earlier);
    // What this node can never give holds nobody up.
    if (taken === undefined) continue;
    count++;
    const startMs = open.length >= earlier.gpus
      ? 0
      : Math.max(...taken.map(({ untilMs }) => untilMs));
    for (const seat of taken) {
      seat.wantedMs = Math.min(seat.wantedMs ?? startMs, startMs);
      seat.untilMs = Math.max(
        seat.untilMs,
        startMs + (earlier.lastsMs ?? Number.POSITIVE_INFINITY),
      );
    }
  }
  const now = seats.filter((seat) => wish.fits(seat.gpu) && isOpen(seat, wish.lastsMs))
    .map(({ gpu }) => gpu.key);
  const own = earliest(seats, wish);
  const startMs = now.length >= wish.gpus
    ? 0
    : Math.max(...(own ?? []).map(({ untilMs }) => untilMs), own === undefined ? Infinity : 0);
  return { now, before: count, startsInMs: Number.isFinite(startMs) ? startMs : undefined };
}

/** Free now, and wanted by nobody before the work would be over. */
function isOpen({ gpu, wantedMs }: Seat, lastsMs: number | undefined): boolean {
  if (gpu.freeInMs > 0) return false;
  if (wantedMs === undefined) return true;
  return Number.isFinite(wantedMs) && lastsMs !== undefined && lastsMs <= wantedMs;
}

/** Those that fit and can be had first; undefined where there are too few. */
function earliest(seats: readonly Seat[], { gpus, fits }: LineWish): readonly Seat[] | undefined {
  const fitting = seats.filter(({ gpu }) => fits(gpu));
  if (fitting.length < gpus) return undefined;
  // Of those that are free those that nobody wants: the others may serve somebody else meanwhile.
  return fitting.toSorted((a, b) => a.untilMs === b.untilMs ? 0 : a.untilMs - b.untilMs)
    .slice(0, gpus);
}
