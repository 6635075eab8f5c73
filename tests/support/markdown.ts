/** Fenced code blocks of a Markdown page, with the comment that says how to test them. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** `<!-- file: hello.yaml -->` above the block: it is saved under that name. */
  readonly file: string | undefined;
  /** `<!-- run -->` above the block: its lines are executed by bash and must exit with 0. */
  readonly run: boolean;
  /** `<!-- run by tests/a_test.ts -->` above the block: tests that run what its lines say, on real nodes. */
  readonly runBy: readonly string[];
}

export function codeBlocks(markdown: string): CodeBlock[] {
  const lines = markdown.split("\n");
  const blocks: CodeBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const language = /^```(\w+)/.exec(lines[index] ?? "")?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf("```", index + 1);
    const note = lines.slice(0, index).findLast((line) => line.trim() !== "") ?? "";
    blocks.push({
      language,
      text: lines.slice(index + 1, end).join("\n") + "\n",
      line: index + 1,
      file: /<!-- file: (\S+) -->/.exec(note)?.[1],
      run: /<!-- run -->/.test(note),
      runBy: /<!-- run by (.+) -->/.exec(note)?.[1]?.split(" ") ?? [],
    });
    index = end;
  }
  return blocks;
}

/** The `grid …` lines of a shell block, comments removed. */
export function gridCommands(block: CodeBlock): string[] {
  return block.text.split("\n").map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line.startsWith("grid "));
}

/** What a line of a shell block asks for: its program, or the command of `grid`, and its options. */
export function askedFor(line: string): string[] {
  const words = line.replace(/\s+#.*$/, "").match(/"[^"]*"|\S+/g) ?? [];
  const [program = "", command = ""] = words;
  const options = words.filter((word) => /^--[a-z-]+$/.test(word));
  return [program === "grid" ? command : program, ...options];
}
