/**
 * Secrets for a Ray that Grid did not start. What a job is submitted with stands in its dashboard, and its code
 * lies on the disks of its nodes; so they are split: a pad travels with the code, and the secrets under that pad
 * as an upload of its own, which the driver takes off the cluster before it does anything else.
 */
import type { SealedSecrets } from "./driver_spec.ts";

/** @param upload stores bytes on the cluster and returns their URI */
export async function sealSecrets(
  secrets: Readonly<Record<string, string>>,
  upload: (bytes: Uint8Array<ArrayBuffer>) => Promise<string>,
): Promise<SealedSecrets | undefined> {
  if (Object.keys(secrets).length === 0) return undefined;
  const plain = new TextEncoder().encode(JSON.stringify(secrets));
  const pad = new Uint8Array(plain.length);
  // No more than this at a time: Web Crypto.
  for (let at = 0; at < pad.length; at += 65_536) {
    crypto.getRandomValues(pad.subarray(at, at + 65_536));
  }
  const masked = plain.map((byte, at) => byte ^ (pad[at] ?? 0));
  return { package: await upload(masked), pad: pad.toBase64() };
}
