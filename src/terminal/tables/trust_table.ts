/** `grid trust`: the keys that nodes show, beside what is known of them. */
import { createPaint, type Paint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable, type TableRow } from "./table.ts";

export interface TrustRow {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly keys: readonly TrustKey[];
  /** Why there are no keys. */
  readonly problem: string | undefined;
}

export interface TrustKey {
  readonly kind: string;
  readonly fingerprint: string;
  readonly state: "trusted" | "unknown" | "changed" | "revoked";
  readonly expected: string | undefined;
}

export interface TrustTableOptions {
  readonly color: boolean;
  readonly width: number;
}

const COLUMNS: readonly Column[] = [
  { title: "NODE", shrinkTo: 10, fit: "pasted" },
  { title: "ADDRESS", shrinkTo: 12, fit: "pasted" },
  { title: "KEY" },
  { title: "FINGERPRINT" },
  { title: "STATE" },
];

export function renderTrust(rows: readonly TrustRow[], options: TrustTableOptions): string {
  const paint = createPaint(options.color);
  const lines = rows.flatMap((row): TableRow[] =>
    row.problem === undefined
      ? row.keys.map((key, at) => keyLine(key, { row, paint, first: at === 0 }))
      : [{
        cells: [row.node, `${row.host}:${row.port}`, "–", "–", paint.red("unreachable")],
        below: [row.problem],
      }]
  );
  return renderTable(COLUMNS, lines, { width: options.width, paint });
}

interface KeyLineOptions {
  readonly row: TrustRow;
  readonly paint: Paint;
  readonly first: boolean;
}

function keyLine(key: TrustKey, { row, paint, first }: KeyLineOptions): TableRow {
  const hues = {
    trusted: paint.green,
    unknown: paint.yellow,
    changed: paint.red,
    revoked: paint.red,
  };
  return {
    cells: [
      first ? row.node : "",
      first ? `${row.host}:${row.port}` : "",
      key.kind,
      key.fingerprint,
      hues[key.state](key.state),
    ],
    ...(key.expected !== undefined && { below: [`known_hosts holds ${key.expected}`] }),
  };
}
