/** From the bytes of a file to its text, and what in it no YAML file may hold. */

export interface TextFault {
  readonly rule: "encoding" | "control-character" | "line-ends";
  /** Offset in the text. */
  readonly at: number;
  readonly message: string;
  readonly hint: string;
  /** Whether the rest is not worth reading. */
  readonly isLast?: boolean;
}

export interface DecodedText {
  /** With line feeds where only carriage returns stood. */
  readonly text: string;
  readonly faults: readonly TextFault[];
}

/** Text stays as it is; bytes are read as UTF-8, or as UTF-16 where that is plain to see. */
export function decodeText(content: string | Uint8Array): DecodedText {
  const { text, faults } = typeof content === "string"
    ? { text: content, faults: [] }
    : decode(content);
  const controls = controlFaults(text);
  if (faults.length > 0 && text.includes("\0")) {
    const hint = "give the path of a YAML file";
    const message = "the file is not text";
    return { text, faults: [{ rule: "encoding", at: 0, message, hint, isLast: true }] };
  }
  if (text.includes("\n") || !/\r\s*\S/.test(text)) {
    return { text, faults: [...faults, ...controls] };
  }
  const lineEnds: TextFault = {
    rule: "line-ends",
    at: text.indexOf("\r"),
    message: "the lines end with a carriage return alone, as on old Macs",
    hint: "save the file with Unix line ends (LF)",
  };
  return { text: text.replaceAll("\r", "\n"), faults: [...faults, lineEnds, ...controls] };
}

function decode(bytes: Uint8Array): DecodedText {
  const wide = wideEncoding(bytes);
  if (wide !== undefined) {
    const message = "the file is UTF-16, not UTF-8";
    const fault: TextFault = { rule: "encoding", at: 0, message, hint: "save the file as UTF-8" };
    return { text: new TextDecoder(wide).decode(bytes), faults: [fault] };
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), faults: [] };
  } catch {
    const text = new TextDecoder().decode(bytes);
    return { text, faults: [badByte(bytes, text)] };
  }
}

/** Undefined for UTF-8; without a byte order mark, every other byte of plain letters is zero. */
function wideEncoding(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const start = bytes.subarray(0, 64);
  const zeros = (rest: number) =>
    start.filter((byte, index) => byte === 0 && index % 2 === rest).length;
  if (start.length < 4) return undefined;
  if (zeros(1) > start.length / 4 && zeros(0) === 0) return "utf-16le";
  return zeros(0) > start.length / 4 && zeros(1) === 0 ? "utf-16be" : undefined;
}

/** The first byte that the decoder had to replace; its replacement may also stand in the file itself. */
function badByte(bytes: Uint8Array, text: string): TextFault {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const encoder = new TextEncoder();
  let at = text.indexOf("\ufffd");
  for (;; at = text.indexOf("\ufffd", at + 1)) {
    const offset = marked + encoder.encode(text.slice(0, at)).length;
    const [first, second, third] = bytes.subarray(offset, offset + 3);
    if (first === 0xef && second === 0xbf && third === 0xbd) continue;
    const byte = (first ?? 0).toString(16).toUpperCase();
    const message = `the byte ${byte} is not UTF-8`;
    return { rule: "encoding", at, message, hint: "save the file as UTF-8" };
  }
}

/** The first on each line. */
function controlFaults(text: string): TextFault[] {
  // deno-lint-ignore no-control-regex
  const found = text.matchAll(/[\0-\x08\x0b\x0c\x0e-\x1f][^\n]*/g);
  return [...found].map(({ 0: rest, index }) => {
    const code = rest.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase();
    return {
      rule: "control-character",
      at: index,
      message: `the control character ${code} cannot stand in a YAML file`,
      hint: `remove it, or write "\\x${code}" in double quotes`,
    };
  });
}
