/** What a terminal would show after these bytes: enough of ECMA-48 for pictures drawn over themselves. */
export function screenAfter(text: string): string[] {
  const lines: string[] = [""];
  let row = 0;
  let column = 0;
  // deno-lint-ignore no-control-regex -- control sequences are what moves the cursor
  for (const [token, count, command] of text.matchAll(/\x1b\[\??(\d*)([A-Za-z])|\n|[^\x1b\n]+/g)) {
    if (token === "\n") {
      row++;
      column = 0;
      if (lines[row] === undefined) lines.push("");
      continue;
    }
    const line = lines[row] ?? "";
    if (command === undefined) {
      lines[row] = line.slice(0, column).padEnd(column) + token + line.slice(column + token.length);
      column += token.length;
    } else if (command === "A") row = Math.max(0, row - Number(count || 1));
    else if (command === "B") row += Number(count || 1);
    else if (command === "G") column = Number(count || 1) - 1;
    else if (command === "K") lines[row] = count === "2" ? "" : line.slice(0, column);
    else if (command === "J") lines.splice(row, Infinity, line.slice(0, column));
    else if (!"hlm".includes(command)) throw new Error(`unknown sequence ${JSON.stringify(token)}`);
  }
  return lines;
}
