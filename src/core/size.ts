const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const SIZE = /^(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)$/;

/** Bytes of a size such as `16GiB` or `500MB`; undefined where the unit is missing or unknown. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  const factor = match && UNITS[match[2] ?? ""];
  return factor ? Math.round(Number(match[1]) * factor) : undefined;
}

/** A size for people in binary units: `812 B`, `4.1 KiB`, `16.0 GiB`. */
export function formatSize(bytes: number): string {
  const steps = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let step = 0;
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024;
    step++;
  }
  return step === 0 ? `${value} B` : `${value.toFixed(1)} ${steps[step]}`;
}

/** A whole number for people: `100,000`. The tables of `Intl` would take 50 ms to load for it. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
