/** `grid submit --restart` where the account has a systemd of its own. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { programArgs, project, until } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";
import { startUserSystemd } from "../support/user_systemd.ts";

const STEPS = `name: long
steps:
  - { id: one, node: local, run: "echo one >> $HERE/effects", env: { HERE: "\${{ env.HERE }}" } }
  - id: two
    needs: one
    node: local
    run: |
      echo waits | tee "$HERE/waits"
      while [ ! -e "$HERE/go" ]; do sleep 0.1; done
      echo two >> "$HERE/effects"
    env: { HERE: "\${{ env.HERE }}" }
`;

testWith(
  ["systemd", "unshare"],
  "a run that is submitted with --restart is gone on with by the account's systemd",
  async () => {
    using folder = project({ "p.yaml": STEPS, "home/.keep": "" });
    const home = join(folder.path, "home");
    await using systemd = await startUserSystemd(home);
    const denoDir = JSON.parse(
      new TextDecoder().decode(
        new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync().stdout,
      ),
    ).denoDir;
    const grid = async (...args: readonly string[]) => {
      const [program = "", ...words] = [
        ...systemd.enter,
        Deno.execPath(),
        ...programArgs(["-C", folder.path, ...args]),
      ];
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args: words,
        env: { HOME: home, HERE: folder.path, DENO_DIR: denoDir, NO_COLOR: "1", ...systemd.env },
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    };
    const effects = () => Deno.readTextFileSync(join(folder.path, "effects"));
    const submitted = await grid("--json", "submit", "--restart", "p.yaml");
    assert.equal(submitted.code, 0, submitted.stderr);
    const { run, pid } = JSON.parse(submitted.stdout);
    const unit = join(home, ".config", "systemd", "user", `grid-${run}.service`);
    assert.match(
      submitted.stderr,
      new RegExp(`after a restart, .*systemd goes on with it: grid-${run}.service`),
    );
    assert.ok(existsSync(unit));
    await until(() => existsSync(join(folder.path, "waits")), { what: "the second step" });

    await systemd.stop();
    await until(() => !existsSync(`/proc/${pid}`), { what: "the end of the runner" });
    assert.equal(effects(), "one\n");
    const early = await grid("attach", "long");
    assert.match(early.stderr, /its runner is gone\nhint: it is gone on with once its machine has/);
    await systemd.start();
    Deno.writeTextFileSync(join(folder.path, "go"), "");
    await until(() => effects() === "one\ntwo\n", { what: "the rest" });
    const shown = await grid("attach", "long");
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stderr, /│ waits/);
    await until(() => !existsSync(unit), { what: "the end of the unit" });
    assert.match((await grid("show", run)).stdout, /resumed as \d{8}-/);
  },
);
