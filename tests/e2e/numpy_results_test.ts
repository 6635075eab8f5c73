/** What tasks return of the real numpy: exact, in the form that docs/ray.md names, or refused by its type. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { findNumpyVenv, testWith } from "../support/requires.ts";

const WORK = `
import numpy as np

class Odd:
    pass

def large():
    # 10 MB of every bit pattern of a fraction that matters: no two alike.
    return np.arange(1, 1_310_721, dtype=np.float64) / 3

VALUES = {
    "int64": lambda: np.int64(2**63 - 1),
    "uint64": lambda: np.array([2**64 - 1], dtype=np.uint64),
    "float32": lambda: np.array([np.float32(0.1), np.float32(1e38)]),
    "float64": lambda: np.array([0.1, -0.0, 1e308, 5e-324]),
    "scalar": lambda: {"loss": np.float64(0.1), "ok": np.bool_(True), "n": np.int8(-7)},
    "matrix": lambda: np.eye(2, dtype=np.int32),
    "nan": lambda: np.array([np.nan, np.inf, -np.inf]),
    "bool": lambda: np.array([True, False]),
    "text": lambda: np.array(["a", "é"]),
    "date": lambda: [np.datetime64("2026-01-31T12:00:00.123456789"), np.array(["2026-01-31"], "M8[D]")],
    "span": lambda: [np.timedelta64(5, "s"), np.array([[5, 7]], "m8[ms]")],
    "record": lambda: np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    "empty": lambda: np.array([]),
    "large": large,
    # No form that would keep all of it.
    "complex": lambda: {"z": [np.array([1 + 2j])]},
    "long": lambda: np.array([np.longdouble("0.1")]),
    "object": lambda: np.array([1, Odd()], dtype=object),
}

def make(task):
    return VALUES[task]()
`;

const NAMES = [...WORK.matchAll(/^ {4}"(\w+)": /gm)].map(([, name]) => name ?? "");

testWith(
  ["numpy"],
  "numpy's numbers and arrays come back exact, or are refused by their type",
  async () => {
    using folder = project({
      "work.py": WORK,
      "values.yaml": `name: values
steps:
  - { id: code, sync: { from: work.py, to: all } }
  - id: batch
    needs: code
    ray-batch: { call: "work:make", tasks: ${JSON.stringify(NAMES)}, max-failures: 99 }
`,
      "config/cluster_config.yaml":
        "nodes: [{ name: here, transport: local, remote_root: ./here }]\nray: { mode: embedded }\n",
    });
    const linked = await grid(["setup", "--venv", findNumpyVenv() ?? ""], { cwd: folder.path });
    assert.equal(linked.code, 0, linked.stderr);
    const { code, stdout, stderr } = await grid(["run", "values.yaml", "--json"], {
      cwd: folder.path,
    });
    assert.equal(code, 0, stderr);
    const { run } = JSON.parse(stdout);
    const results = join(folder.path, ".grid", "runs", run, "results");
    const [file] = [...Deno.readDirSync(results)].filter(({ name }) => /results|jsonl/.test(name));
    assert.ok(file, [...Deno.readDirSync(results)].map(({ name }) => name).join());
    const lines = Deno.readTextFileSync(join(results, file.name)).trim().split("\n");
    const line = (name: string) => lines[NAMES.indexOf(name)] ?? "";
    const exact = {
      int64: "9223372036854775807",
      uint64: "[18446744073709551615]",
      float32: "[0.10000000149011612, 9.999999680285692e+37]",
      float64: "[0.1, -0.0, 1e+308, 5e-324]",
      scalar: '{"loss": 0.1, "ok": true, "n": -7}',
      matrix: "[[1, 0], [0, 1]]",
      nan: "[NaN, Infinity, -Infinity]",
      bool: "[true, false]",
      text: '["a", "\\u00e9"]',
      date: '["2026-01-31T12:00:00.123456789", ["2026-01-31"]]',
      span: '["5 seconds", [["5 milliseconds", "7 milliseconds"]]]',
      record: "[[1, 2.5]]",
      empty: "[]",
    };
    for (const [name, wanted] of Object.entries(exact)) assert.equal(line(name), wanted, name);
    const numbers: number[] = JSON.parse(line("large"));
    assert.equal(numbers.length, 1_310_720);
    assert.ok(numbers.every((number, at) => number === (at + 1) / 3));
    const { steps } = JSON.parse(stdout);
    const [batch] = steps.filter(({ id }: { id: string }) => id === "batch");
    const errors = new Map<string, string>(
      batch.outputs.errors.map((
        { index, error }: { index: number; error: string },
      ) => [NAMES[index], error]),
    );
    assert.deepEqual([...errors.keys()].toSorted(), ["complex", "long", "object"], stderr);
    assert.match(errors.get("complex") ?? "", /at result\.z\[0\]\[0\]: complex/);
    assert.match(errors.get("long") ?? "", /at result\[0\]: numpy\.longdouble/);
    assert.match(errors.get("object") ?? "", /at result\[1\]: work\.Odd/);
  },
);
