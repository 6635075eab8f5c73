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
  const short = new Uint8Array(BLOCK);
  if (putTarHeader(member, short)) return short;
  const name = encoder.encode(nameOf(member));
  const target = encoder.encode(member.target ?? "");
  const blocks: Uint8Array[] = [];
  if (name.length > NAME_BYTES) blocks.push(...longMember("L", name));
  if (target.length > NAME_BYTES) blocks.push(...longMember("K", target));
  blocks.push(block({ ...member, name, target, flag: TYPE_FLAGS[member.type] }));
  return concatBytes(blocks);
}

/**
 * The header in the first 512 bytes of `into`, whatever was there. False, and they are of no use, where its names are
 * too long for one.
 */
export function putTarHeader(member: TarMember, into: Uint8Array): boolean {
  into.set(START);
  const name = putText(nameOf(member), into, 0);
  const target = member.target === undefined ? 0 : putText(member.target, into, TARGET_AT);
  if (name === undefined || target === undefined) return false;
  const flag = TYPE_FLAGS[member.type].charCodeAt(0);
  into[FLAG_AT] = flag;
  const sum = START_SUM + name + target + flag + putNumbers(member, into);
  putOctal(into, sum, { at: SUM_AT, digits: 6 });
  into[SUM_AT + 6] = 0;
  return true;
}

function nameOf({ type, path }: TarMember): string {
  return type === "folder" ? `${path}/` : path;
}

/** Gives back the sum of its bytes; undefined where it does not fit. */
function putText(text: string, into: Uint8Array, at: number): number | undefined {
  const { read, written } = encoder.encodeInto(text, into.subarray(at, at + NAME_BYTES));
  if (read < text.length) return undefined;
  let sum = 0;
  for (let byte = at; byte < at + written; byte++) sum += into[byte]!;
  return sum;
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

interface HeaderFields extends Pick<TarMember, "mode" | "size" | "mtime"> {
  readonly name: Uint8Array;
  readonly target: Uint8Array;
  readonly flag: string;
}

function block(fields: HeaderFields): Uint8Array {
  const bytes = START.slice();
  bytes.set(fields.name.subarray(0, NAME_BYTES), 0);
  bytes.set(fields.target.subarray(0, NAME_BYTES), TARGET_AT);
  bytes[FLAG_AT] = fields.flag.charCodeAt(0);
  putNumbers(fields, bytes);
  const sum = bytes.reduce((sum, byte) => sum + byte, 0);
  putOctal(bytes, sum, { at: SUM_AT, digits: 6 });
  bytes[SUM_AT + 6] = 0;
  return bytes;
}

const NAME_BYTES = 100;
const SUM_AT = 148;
const FLAG_AT = 156;
const TARGET_AT = 157;

/** Nobody's header: of root, and with blanks where the sum will be. */
const START = new Uint8Array(BLOCK);
START.set(encoder.encode("0000000\0".repeat(3)), 100);
START.fill(0x20, SUM_AT, FLAG_AT);
START.set(encoder.encode("ustar  \0"), 257);
const START_SUM = START.reduce((sum, byte) => sum + byte, 0) - 7 * 0x30;

/** Mode, size and time; gives back the sum of their bytes. */
function putNumbers(
  { mode, size, mtime }: Pick<TarMember, "mode" | "size" | "mtime">,
  into: Uint8Array,
): number {
  return putOctal(into, mode, { at: 100, digits: 7 }) + putSize(into, size) +
    putOctal(into, Math.max(0, mtime), { at: 136, digits: 11 });
}

/** Gives back the sum of its digits. */
function putOctal(
  bytes: Uint8Array,
  value: number,
  { at, digits }: { readonly at: number; readonly digits: number },
): number {
  let rest = value;
  let sum = 0;
  for (let place = at + digits - 1; place >= at; place--) {
    const digit = 0x30 + rest % 8;
    bytes[place] = digit;
    sum += digit;
    // What fits into a small integer is soon shifted.
    rest = rest < 2 ** 31 ? rest >> 3 : Math.floor(rest / 8);
  }
  return sum;
}

/** Octal holds 8 GiB; beyond that GNU's base-256 form, marked by the top bit. */
function putSize(bytes: Uint8Array, size: number): number {
  if (size < 8 ** 11) return putOctal(bytes, size, { at: 124, digits: 11 });
  let rest = size;
  let sum = 0x80;
  for (let at = 135; at > 124; at--) {
    bytes[at] = rest % 256;
    sum += bytes[at]!;
    rest = Math.floor(rest / 256);
  }
  bytes[124] = 0x80;
  return sum;
}
