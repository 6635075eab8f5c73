/** Text as it may stand in XML and HTML, inside elements and quoted attributes. */

/** Whatever is not simply itself there. */
const SPECIAL = /[^\t\n\r\x20\x21\x23-\x25\x28-\x3b\x3d\x3f-\x7e]/;
/**
 * What XML 1.0 cannot carry at all, escaped or not (https://www.w3.org/TR/xml/#charsets), further
 * control characters, and marks that turn the direction of the text around them.
 */
const FORBIDDEN =
  // deno-lint-ignore no-control-regex -- these are the characters in question
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
// deno-lint-ignore no-control-regex -- colours and other control sequences
const SEQUENCES = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?/g;

export function escapeMarkup(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text
    .replaceAll(SEQUENCES, "")
    .replaceAll(FORBIDDEN, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
