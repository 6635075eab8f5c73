import assert from "node:assert/strict";
import { join } from "node:path";
import { driverSource, handOverSource } from "../../../src/ray/driver_source.ts";
import { handOverScript } from "../../../src/ray/results.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** `batch_driver` without Ray: what a worker would answer is booked, then handed over in both ways. */
const PLACE = `
import json, os, subprocess, sys
sys.path.insert(0, ".")
import batch_driver as driver

TEXTS = ['"a"', '"\\ud800"', '"a"', "3", "4", "5"]

def results(name):
    return driver.Results({"mark": "@", "work": "w", "results": name}, TEXTS)

def answer(indices, values):
    batch = driver.pack([(index, TEXTS[index]) for index in indices], made.keys.ordinals)
    assert list(batch["indices"]) == indices
    return driver.answer_of(batch, [(index, True, value) for index, value in zip(indices, values)])

def book(indices, values):
    said = answer(indices, values)
    made.add_lines(indices, said["lines"], said["ordered"])

def handed_over(name, then=b""):
    words = ["sh", "hand_over.sh", name, str(len(TEXTS)), open("hand_over.py").read()]
    return subprocess.run(words, input=b"go\\n" + then, stdout=subprocess.PIPE, check=True).stdout
`;

async function inPlace(words: string): Promise<void> {
  using place = tempDir();
  Deno.writeTextFileSync(join(place.path, "batch_driver.py"), driverSource());
  Deno.writeTextFileSync(join(place.path, "hand_over.py"), handOverSource());
  Deno.writeTextFileSync(join(place.path, "hand_over.sh"), handOverScript());
  const { code, stderr } = await new Deno.Command("python3", {
    args: ["-c", PLACE + words],
    cwd: place.path,
    env: { PYTHONDONTWRITEBYTECODE: "1" },
    stdout: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

testWith(["python3"], "outcomes laid ready say what the results file says", () =>
  inPlace(`
made = results("one/one.jsonl")
book([3, 4], ["33", '"x"'])
made.fail(2, "no")
book([0, 1], ['"\\\\u00e9"', "[1, 2]"])
made.flush()
assert not os.path.exists("one/one.jsonl.ordered.done")
book([5], ["null"])
made.announce()
ready = handed_over("one/one.jsonl")
assert ready.split(b"\\n")[:3] == [b'="\\\\u00e9"', b"=[1, 2]", b'!"no"'], ready
assert not os.path.exists("one/one.jsonl.ordered.done")
assert handed_over("one/one.jsonl") == ready
`));

testWith(
  ["python3"],
  "items of a worker's answer are named as the driver names them",
  () =>
    inPlace(`
made = results("one/one.jsonl")
book([0, 1, 2], ["1", "2", "3"])
made.flush()
names = [json.loads(line).get("item") for line in open("one/one.jsonl")]
assert names[1:] == [made.keys.of(index).decode() for index in (0, 1, 2)], names
assert len(set(names[1:])) == 3
# Another attempt takes over what it finds, by these names.
made = results("one/two.jsonl")
assert made.missing() == [3, 4, 5] and made.adopted == 3
`),
);

testWith(["python3"], "outcomes laid ready are no older than the results", () =>
  inPlace(`
made = results("one/one.jsonl")
book([0, 1, 2, 3, 4], ["0", "1", "2", "3", "4"])
made.fail(5, "no")
made.announce()
assert os.path.exists("one/one.jsonl.ordered.done")
made.file.close()
made = results("one/one.jsonl")
assert made.missing() == [5]
# A success that is known already stays as it is.
book([3, 4, 5], ["7", "7", "7"])
made.announce()
assert handed_over("one/one.jsonl") == b"=0\\n=1\\n=2\\n=3\\n=4\\n=7\\n"
`));

testWith(
  ["python3"],
  "a result that comes after all was over takes the place of a failure laid ready",
  () =>
    inPlace(`
made = results("one/one.jsonl")
book([0, 1, 2, 3, 4], ["0", "1", "2", "3", "4"])
made.fail(5, "its worker died")
made.flush()
assert os.path.exists("one/one.jsonl.ordered.done")
made.add(5, True, b"5")
made.flush()
made.announce()
assert handed_over("one/one.jsonl").split() == [b"=0", b"=1", b"=2", b"=3", b"=4", b"=5"]
`),
);

testWith(
  ["python3"],
  "who is not told that the outcomes are there hands nothing over",
  () =>
    inPlace(`
made = results("one/one.jsonl")
book([0, 1, 2, 3, 4, 5], ["0", "1", "2", "3", "4", "5"])
made.flush()
words = ["sh", "hand_over.sh", "one/one.jsonl", "6", open("hand_over.py").read()]
assert subprocess.run(words, input=b"", stdout=subprocess.PIPE, check=True).stdout == b""
assert os.path.exists("one/one.jsonl")
`),
);

testWith(["python3"], "work that is done leaves nothing that another run takes up", () =>
  inPlace(`
left = results("one/killed.jsonl")
left.add(0, True, b"0")
left.file.close()
for name in ("beside.jsonl", "alone.jsonl"):
    made = results("one/" + name)
    assert made.adopted == (name == "beside.jsonl")
    book(made.missing(), ["7" for _ in made.missing()])
    made.flush()
    assert os.path.exists("one/%s.ordered.done" % name)
    made.file.close()
    said = handed_over("one/" + name, b"done\\n")
    assert said.split() == ([b"=0"] if name == "beside.jsonl" else [b"=7"]) + [b"=7"] * 5, said
    assert sorted(os.listdir("one")) == sorted(["beside.jsonl.done", "alone.jsonl.done"][: 1 if name == "beside.jsonl" else 2])
    # Whoever asks again, since that runner did not live to tell, gets the same.
    assert handed_over("one/" + name, b"done\\n") == said
`));

testWith(["python3"], "a batch of large results travels once", () =>
  inPlace(`
made = results("one/one.jsonl")
large = '"%s"' % ("x" * 3000000)
said = answer([0, 1], [large, large])
assert "lines" not in said
made.add_all(said["outcomes"])
book([2, 3, 4, 5], ["2", "3", "4", "5"])
made.announce()
assert handed_over("one/one.jsonl").split() == [b"=" + large.encode()] * 2 + [b"=2", b"=3", b"=4", b"=5"]
`));
