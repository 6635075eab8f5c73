/** A list of fingerprints that somebody vouches for, to hold host keys against without asking. */
import { GridError } from "../../core/errors.ts";
import { hostEntry } from "./known_hosts.ts";
import type { HostKeyScan, ScannedKey } from "./trust.ts";

export interface FingerprintList {
  /** Names of one machine, by fingerprint. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
}

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

/**
 * Reads what `ssh-keygen -l -f known_hosts` prints, or lines such as `gpu1 SHA256:…`; `#` starts a comment.
 *
 * @throws {GridError} `usage` at a line that names no machine or no fingerprint
 */
export function parseFingerprints(text: string, file: string): FingerprintList {
  const names = new Map<string, Set<string>>();
  for (const [index, source] of text.split("\n").entries()) {
    const words = source.replace(/(^|\s)#.*$/, "").trim().split(/\s+/).filter((word) =>
      word !== ""
    );
    if (words.length === 0) continue;
    const print = words.find((word) => FINGERPRINT.test(word));
    // The key's length in bits and its kind in parentheses are no names.
    const hosts = words.filter((word) => word !== print && !/^\d+$|^\(.*\)$/.test(word))
      .flatMap((word) => word.split(",")).map((name) => name.toLowerCase());
    if (print === undefined || hosts.length === 0) {
      throw new GridError({
        code: "usage",
        message: `Cannot read ${file}:${index + 1}: ` +
          (print === undefined ? "there is no SHA256: fingerprint" : "it names no machine"),
        hint: "write lines such as: gpu1 SHA256:… (ssh-keygen -l -f known_hosts prints them)",
        place: { file, line: index + 1, column: 1 },
      });
    }
    names.set(print, new Set([...names.get(print) ?? [], ...hosts]));
  }
  return { names };
}

export interface CheckedScan {
  /** The scan with only the keys that the list vouches for. */
  readonly scan: HostKeyScan;
  /** Keys that were to be trusted, but are not in the list for this node. */
  readonly refused: readonly ScannedKey[];
}

/** A key counts only for the machine that the list names with it. */
export function checkFingerprints(
  scans: readonly HostKeyScan[],
  list: FingerprintList,
): readonly CheckedScan[] {
  return scans.map((scan) => {
    const names = [scan.node, scan.host, hostEntry(scan.host, scan.port)]
      .map((name) => name.toLowerCase());
    const isVouched = (key: ScannedKey) =>
      names.some((name) => list.names.get(key.fingerprint)?.has(name));
    return {
      scan: { ...scan, keys: scan.keys.filter((key) => key.state === "trusted" || isVouched(key)) },
      refused: scan.keys.filter((key) => key.state !== "trusted" && !isVouched(key)),
    };
  });
}
