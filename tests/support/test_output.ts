/** What `deno test --parallel` prints, read back. */

export interface TestName {
  /** As `deno test` takes it. */
  readonly file: string;
  readonly name: string;
}

export interface TestResult {
  readonly passed: number;
  /** Whole tests, not steps. */
  readonly failed: readonly TestName[];
  readonly skipped: readonly string[];
  /** Something failed that is no test: a file that could not be loaded, or one that threw outside of its tests. */
  readonly isBroken: boolean;
}

/** Collects the output of one run, in pieces of any size. */
export class TestOutput {
  readonly #failed: TestName[] = [];
  readonly #skipped: string[] = [];
  #passed = 0;
  #failures = 0;
  #rest = "";

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#read(line);
  }

  result(): TestResult {
    return {
      passed: this.#passed,
      failed: this.#failed,
      skipped: this.#skipped,
      isBroken: this.#failures !== this.#failed.length,
    };
  }

  #read(line: string): void {
    const test = /^(?:(\S+) => )?(.*) \.\.\. (ignored|FAILED)\b/.exec(line);
    const totals = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/.exec(line);
    if (totals) {
      this.#passed = Number(totals[1]);
      this.#failures = Number(totals[2]);
    } else if (test?.[3] === "ignored") {
      this.#skipped.push(line.slice(0, line.lastIndexOf(" ... ignored")).trim());
    } else if (test?.[1] !== undefined && test[2] !== undefined && !test[2].includes(" ... ")) {
      this.#failed.push({ file: test[1], name: test[2] });
    }
  }
}
