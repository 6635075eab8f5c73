import { GridError } from "../core/errors.ts";

/** Bytes; no answer to a question of Grid is longer. */
export const LONGEST_ANSWER = 4 * 2 ** 20;

/** @throws {GridError} `answer-too-long`: a part of an answer is never taken for it */
export async function boundedText(
  stream: ReadableStream<Uint8Array>,
  { node, maxBytes = LONGEST_ANSWER }: { readonly node: string; readonly maxBytes?: number },
): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw answerTooLong(node, { bytes: `more than ${maxBytes}`, maxBytes });
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

export function answerTooLong(
  node: string,
  { bytes, maxBytes }: { readonly bytes: number | string; readonly maxBytes: number },
): GridError {
  return new GridError({
    code: "answer-too-long",
    message:
      `Cannot use an answer of "${node}": it has ${bytes} bytes, and ${maxBytes} are the most`,
    hint: "no sound node says so much to this question; look at what stands behind its commands",
    node,
  });
}
