/**
 * Cluster configs that were found well, by a digest of their bytes: the YAML parser and the checks need
 * longer than all else that an answer from the cache needs, half a second for a thousand nodes.
 */
import SHAPE from "../../config/cluster_config.schema.json" with { type: "json" };
import { VERSION } from "../core/version.ts";
import type { HealthCache } from "./cluster.ts";
import { parseObject } from "./row_cache.ts";
import type { RawCluster } from "./schema.ts";

export interface WellKnownRows {
  readonly cache: HealthCache;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** Undefined where this very text was not found well by this very Grid. */
export async function knownConfig(
  { cache }: WellKnownRows,
  content: Uint8Array,
): Promise<RawCluster | undefined> {
  const key = await keyOf(content);
  const value = parseObject(cache.load([key]).get(key)?.json);
  return Array.isArray(value?.["nodes"]) ? value as unknown as RawCluster : undefined;
}

export interface WellConfig {
  readonly content: Uint8Array;
  readonly value: RawCluster;
}

/** What JSON cannot say just so is read anew each time. */
export async function keepConfig(
  { cache, now }: WellKnownRows,
  { content, value }: WellConfig,
): Promise<void> {
  const json = JSON.stringify(value);
  if (!isSame(JSON.parse(json), value)) return;
  cache.save(new Map([[await keyOf(content), { at: now, json }]]));
}

async function keyOf(content: Uint8Array): Promise<string> {
  // Another Grid may find other mistakes.
  const checks = new TextEncoder().encode(JSON.stringify([VERSION, SHAPE]));
  return `config ${(await digestOf(checks)).slice(0, 16)} ${await digestOf(content)}`;
}

/** Not with node:crypto, which takes longer to load than all rows to read. */
async function digestOf(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex();
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return Object.is(one, other);
  }
  const keys = Object.keys(one);
  return Array.isArray(one) === Array.isArray(other) &&
    keys.length === Object.keys(other).length &&
    keys.every((key) => isSame(Reflect.get(one, key), Reflect.get(other, key)));
}
