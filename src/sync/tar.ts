/**
 * Writes tar headers. Long names use GNU's `L` and `K` members, which GNU tar, bsdtar and busybox all
 * read; busybox skips the pax headers that tar-stream writes and would cut the names.
 */
import { concatBytes } from "../core/bytes.ts";

export const BLOCK = 512;

export interface TarMember {
  readonly path: string;
  readonly type: "file" | "link" | "folder";
  readonly mode: number;
  readonly size: number;
  /** Whole seconds since the Unix epoch. */
  readonly mtime: number;
  /** Target of a link. */
  readonly target?: string;
}

const TYPE_FLAGS = { file: "0", link: "2", folder: "5" } as const;
const encoder = new TextEncoder();

/** The member's header, with long-name members before it where they are needed. */
export function tarHeader(member: TarMember): Uint8Array {
  const name = encoder.encode(member.type === "folder" ? `${member.path}/` : member.path);
  const target = encoder.encode(member.target ?? "");
  const blocks: Uint8Array[] = [];
  if (name.length > 100) blocks.push(...longMember("L", name));
  if (target.length > 100) blocks.push(...longMember("K", target));
  blocks.push(block({ ...member, name, target, flag: TYPE_FLAGS[member.type] }));
  return concatBytes(blocks);
}

/** Zero bytes that fill the last block of a member of `size` bytes. */
export function tarPadding(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

/** The two empty blocks that end an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}

function longMember(flag: "L" | "K", text: Uint8Array): Uint8Array[] {
  const size = text.length + 1;
  const name = encoder.encode("././@LongLink");
  const header = block({ name, target: new Uint8Array(), flag, mode: 0o644, size, mtime: 0 });
  const body = new Uint8Array(size + tarPadding(size));
  body.set(text);
  return [header, body];
}

interface HeaderFields {
  readonly name: Uint8Array;
  readonly target: Uint8Array;
  readonly flag: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
}

function block(fields: HeaderFields): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  bytes.set(fields.name.subarray(0, 100), 0);
  putOctal(bytes, fields.mode, { at: 100, digits: 7 });
  putOctal(bytes, 0, { at: 108, digits: 7 });
  putOctal(bytes, 0, { at: 116, digits: 7 });
  putSize(bytes, fields.size);
  putOctal(bytes, Math.max(0, fields.mtime), { at: 136, digits: 11 });
  bytes[156] = fields.flag.charCodeAt(0);
  bytes.set(fields.target.subarray(0, 100), 157);
  bytes.set(GNU_MAGIC, 257);
  bytes.fill(0x20, 148, 156);
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += bytes[at]!;
  putOctal(bytes, sum, { at: 148, digits: 6 });
  bytes[154] = 0;
  return bytes;
}

const GNU_MAGIC = encoder.encode("ustar  \0");

function putOctal(bytes: Uint8Array, value: number, field: { at: number; digits: number }): void {
  let rest = value;
  for (let at = field.at + field.digits - 1; at >= field.at; at--) {
    bytes[at] = 0x30 + rest % 8;
    rest = Math.floor(rest / 8);
  }
}

/** Octal holds 8 GiB; beyond that GNU's base-256 form, marked by the top bit. */
function putSize(bytes: Uint8Array, size: number): void {
  if (size < 8 ** 11) return putOctal(bytes, size, { at: 124, digits: 11 });
  let rest = size;
  for (let at = 135; at > 124; at--) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[124] = 0x80;
}
