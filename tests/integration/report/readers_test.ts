/** What Grid makes of a real run, read by the programs that people read it with. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openChromium } from "../../support/browser.ts";
import { grid, project, REPOSITORY } from "../../support/cli.ts";
import { findCiTools, findReaders, testWith } from "../../support/requires.ts";

const SCHEMA = join(REPOSITORY, "config", "pipeline.schema.json");

/** Of every kind of end, with output that is no text. */
const PIPELINE = `# yaml-language-server: $schema=${pathToFileURL(SCHEMA)}
name: 'many <ends> & "quotes"'
schedule: { cron: "17 2 * * *", time-zone: Europe/Berlin, overlap: queue }
steps:
  - { id: end, node: local1, run: "true" }
  - id: sweep
    needs: end
    node: local1
    matrix: { lr: [1e-3, 0.1], word: ['a"b', '<i>'] }
    run: "[ \${{ matrix.lr }} != 0.1 ] || { printf '\\\\033[31m]]>\\\\000\\\\377 & <b>\\\\n'; exit 3; }"
  - { id: late, needs: sweep, node: local1, run: "true" }
  - { id: maybe, if: "false", node: local1, run: "true" }
  - { id: may_fail, node: local1, run: "exit 4", allow-failure: true }
  - { id: flaky, node: local1, run: "[ $GRID_ATTEMPT = 2 ]", retry: { max: 1, on: any, delay: 1ms } }
hooks:
  exit: [{ run: "true", node: local1 }]
`;

testWith(
  ["readers", "ci-tools", "dot", "chromium"],
  "reports, graphs and pipeline files are read by the programs that people use",
  async () => {
    const readers = findReaders() ?? "";
    const modules = join(readers, "node_modules");
    using home = project({ "p.yaml": PIPELINE });
    const cwd = home.path;
    const ran = await grid(["run", "p.yaml", "--quiet"], { cwd });
    assert.equal(ran.code, 1, ran.stderr);
    const folder = (await grid(["report"], { cwd })).stdout.trim();
    const junit = join(folder, "junit.xml");
    const report = JSON.parse(Deno.readTextFileSync(join(folder, "report.json")));
    const failed = report.counts.failed;
    assert.ok(failed > 0);

    const read: Promise<void>[] = [];
    // junitparser counts as the report does.
    read.push((async () => {
      const script = "import sys, junitparser as j\nx = j.JUnitXml.fromfile(sys.argv[1])\n" +
        "cases = [c for s in x for c in s]\n" +
        "kinds = [type(r).__name__ for c in cases for r in c.result]\n" +
        "print(len(cases), x.failures + x.errors, x.skipped, kinds.count('Failure') + kinds.count('Error'))";
      const python = join(readers, "venv/bin/python");
      const { stdout } = await run([python, "-c", script, junit], cwd);
      const [cases, bad, skipped, told] = stdout.trim().split(" ").map(Number);
      assert.deepEqual([bad, told], [failed, failed]);
      assert.ok((skipped ?? 0) >= 2, stdout);
      const { stdout: merged } = await run([python, "-m", "junitparser", "verify", junit], cwd, 1);
      assert.equal(merged, "", "verify says by its exit code that something failed");
      assert.ok((cases ?? 0) > failed);
    })());

    // xunit-viewer shows every case.
    read.push((async () => {
      const { stdout } = await run([
        "node",
        join(modules, "xunit-viewer/bin/xunit-viewer"),
        ...["--results", junit, "--output", join(cwd, "x.html"), "--console"],
      ], cwd);
      for (const word of ["end", "sweep", "may_fail", "flaky", "late"]) {
        assert.ok(stdout.includes(word), `${word}: ${stdout}`);
      }
      const page = Deno.readTextFileSync(join(cwd, "x.html"));
      assert.match(page, new RegExp(`2 skipped, 5 passed, ${failed} failure, 1 flakyFailure`));
    })());

    // graphviz draws the graph without a word.
    read.push((async () => {
      const { stdout: dot } = await grid(["graph", "p.yaml", "--format", "dot"], { cwd });
      Deno.writeTextFileSync(join(cwd, "g.dot"), dot);
      const { stdout, stderr } = await run(["dot", "-Tsvg", "g.dot"], cwd);
      assert.equal(stderr, "");
      assert.ok([...stdout.matchAll(/class="node"/g)].length >= 6, stdout);
    })());

    // mermaid draws the graph.
    read.push((async () => {
      const { stdout } = await grid(["graph", "p.yaml", "--format", "mermaid"], { cwd });
      const browser = await openChromium();
      try {
        const page = await browser.newPage();
        await page.addScriptTag({ path: join(modules, "mermaid/dist/mermaid.min.js") });
        const svg = await page.evaluate<string>(
          `mermaid.render("g", ${JSON.stringify(stdout)}).then(({ svg }) => svg)`,
        );
        for (const word of ["end", "may_fail", "flaky"]) assert.ok(svg.includes(word), word);
        assert.doesNotMatch(svg, /Syntax error/);
      } finally {
        await browser.close();
      }
    })());

    // check-jsonschema takes the report and the pipeline, and finds a mistake.
    read.push((async () => {
      const check = join(findCiTools() ?? "", "venv/bin/check-jsonschema");
      const schema = (name: string) => ["--schemafile", join(REPOSITORY, "config", name)];
      await run([check, ...schema("report.schema.json"), join(folder, "report.json")], cwd);
      Deno.writeTextFileSync(join(cwd, "w.yaml"), PIPELINE.replace("cron:", "crom:"));
      const { stdout } = await run(
        [check, ...schema("pipeline.schema.json"), "p.yaml", "w.yaml"],
        cwd,
        1,
      );
      assert.match(stdout, /w\.yaml::.*schedule/);
      assert.doesNotMatch(stdout, /p\.yaml::/);
    })());

    // yaml-language-server marks mistakes, and only those.
    read.push((async () => {
      const wrong = PIPELINE.replace("overlap: queue", "overlap: forbid");
      const told = await diagnose(join(modules, "yaml-language-server/bin/yaml-language-server"), {
        "p.yaml": PIPELINE,
        "w.yaml": wrong,
      });
      assert.deepEqual(told["p.yaml"], []);
      assert.match(told["w.yaml"]?.join() ?? "", /skip/);
    })());
    await Promise.all(read);
  },
);

async function run(words: readonly string[], cwd: string, wanted = 0) {
  const [program = "", ...args] = words;
  const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd, stdin: "null" })
    .output();
  const decoder = new TextDecoder();
  const said = { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  assert.equal(code, wanted, `${words.join(" ")}: ${said.stdout}${said.stderr}`);
  return said;
}

/**
 * What the server says of each text, as an editor is told.
 * https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
 */
async function diagnose(
  program: string,
  texts: Readonly<Record<string, string>>,
): Promise<Record<string, string[]>> {
  const server = new Deno.Command("node", {
    args: [program, "--stdio"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = server.stdin.getWriter();
  const encoder = new TextEncoder();
  const send = async (message: Record<string, unknown>) => {
    const body = encoder.encode(JSON.stringify({ jsonrpc: "2.0", ...message }));
    await writer.write(encoder.encode(`Content-Length: ${body.length}\r\n\r\n`));
    await writer.write(body);
  };
  const told: Record<string, string[]> = {};
  const settings = { yaml: { validate: true, schemaStore: { enable: false } } };
  await send({
    id: 1,
    method: "initialize",
    params: { processId: null, rootUri: null, capabilities: {} },
  });
  let text = "";
  for await (const chunk of server.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let head; (head = /^Content-Length: (\d+)\r\n(?:.*\r\n)*?\r\n/.exec(text)) !== null;) {
      const body = text.slice(head[0].length, head[0].length + Number(head[1]));
      // Its messages are ASCII here: characters are bytes.
      if (body.length < Number(head[1])) break;
      text = text.slice(head[0].length + body.length);
      const message = JSON.parse(body);
      if (message.id === 1 && message.result) {
        await send({ method: "initialized", params: {} });
        await send({ method: "workspace/didChangeConfiguration", params: { settings } });
        for (const [name, text] of Object.entries(texts)) {
          const textDocument = { uri: `file:///${name}`, languageId: "yaml", version: 1, text };
          await send({ method: "textDocument/didOpen", params: { textDocument } });
        }
      } else if (message.method === "workspace/configuration") {
        await send({ id: message.id, result: message.params.items.map(() => settings.yaml) });
      } else if (message.id !== undefined && message.method !== undefined) {
        await send({ id: message.id, result: null });
      } else if (message.method === "textDocument/publishDiagnostics") {
        const { uri, diagnostics } = message.params;
        told[uri.replace("file:///", "")] = diagnostics.map(({ message }: { message: string }) =>
          message
        );
      }
    }
    if (Object.keys(texts).every((name) => told[name] !== undefined)) break;
  }
  await writer.close();
  server.kill();
  await server.status;
  return told;
}
