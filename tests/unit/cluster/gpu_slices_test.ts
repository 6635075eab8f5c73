import assert from "node:assert/strict";
import { join } from "node:path";
import { freeModels } from "../../../src/cluster/free_gpus.ts";
import { fittingGpus, whyNot } from "../../../src/cluster/gpu_choice.ts";
import { foldGpus } from "../../../src/cluster/gpu_fold.ts";
import { claimKey, runtimeName } from "../../../src/cluster/claim_key.ts";
import { parseProbe, probeCommand } from "../../../src/cluster/probe.ts";
import { findProgram } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { GIB, health, node } from "./nodes.ts";
import { writeProgram } from "../../support/program_file.ts";

const CARD = (index: number) => `GPU-0000000${index}-1111-2222-3333-444444444444`;
const PART = (index: number) => `MIG-0000000${index}-aaaa-bbbb-cccc-dddddddddddd`;

/** Card 0 is whole, card 1 is split into two parts, of which the second is in use; card 2 into none. */
const TOOL = `#!/bin/sh
case "$*" in
  *--query-gpu=index,uuid*)
    echo "0, ${CARD(0)}, NVIDIA A100-SXM4-40GB, 3, 40960, 0, 30"
    echo "1, ${CARD(1)}, NVIDIA A100-SXM4-40GB, 500, 40960, [N/A], 30"
    echo "2, ${CARD(2)}, NVIDIA A100-SXM4-40GB, 3, 40960, [N/A], 30" ;;
  *--query-gpu=index,mig*) echo "0, Disabled, 0"; echo "1, Enabled, 0"; echo "2, Enabled, 0" ;;
  -L)
    echo "GPU 0: NVIDIA A100-SXM4-40GB (UUID: ${CARD(0)})"
    echo "GPU 1: NVIDIA A100-SXM4-40GB (UUID: ${CARD(1)})"
    echo "  MIG 3g.20gb     Device  0: (UUID: ${PART(0)})"
    echo "  MIG 2g.10gb     Device  1: (UUID: ${PART(1)})"
    echo "GPU 2: NVIDIA A100-SXM4-40GB (UUID: ${CARD(2)})" ;;
  *-x)
    cat <<END
<?xml version="1.0" ?>
<nvidia_smi_log>
	<gpu id="00000000:07:00.0">
		<mig_devices>
			None
		</mig_devices>
		<uuid>${CARD(0)}</uuid>
		<fb_memory_usage>
			<total>40960 MiB</total>
			<used>3 MiB</used>
		</fb_memory_usage>
	</gpu>
	<gpu id="00000000:08:00.0">
		<mig_devices>
			<mig_device>
				<index>0</index>
				<gpu_instance_id>2</gpu_instance_id>
				<fb_memory_usage>
					<total>19968 MiB</total>
					<reserved>0 MiB</reserved>
					<used>19 MiB</used>
				</fb_memory_usage>
				<bar1_memory_usage>
					<total>32767 MiB</total>
					<used>0 MiB</used>
				</bar1_memory_usage>
			</mig_device>
			<mig_device>
				<index>1</index>
				<fb_memory_usage>
					<total>9856 MiB</total>
					<used>9000 MiB</used>
				</fb_memory_usage>
			</mig_device>
		</mig_devices>
		<uuid>${CARD(1)}</uuid>
	</gpu>
</nvidia_smi_log>
END
    ;;
esac
`;

const SHELLS = [["sh"], ["bash"], ["busybox", "sh"]]
  .filter(([program]) => findProgram(program ?? ""));

for (const [shell = "sh", ...words] of SHELLS) {
  Deno.test(`MIG slices are devices of their own (${[shell, ...words].join(" ")})`, async () => {
    using home = tempDir();
    Deno.mkdirSync(join(home.path, "bin"));
    writeProgram(join(home.path, "bin", "nvidia-smi"), TOOL);
    const { stdout } = await new Deno.Command(shell, {
      args: [...words, "-c", probeCommand({ root: home.path, gpuSeconds: 20 })],
      env: { PATH: `${join(home.path, "bin")}:/usr/bin:/bin`, GRID_LEASE_DIR: home.path },
    }).output();
    const facts = parseProbe(new TextDecoder().decode(stdout));
    assert.ok(facts);
    assert.deepEqual(
      facts.gpus.map(({ index, uuid, memoryTotalBytes = 0, isSlice = false }) => [
        index,
        uuid,
        Math.round(memoryTotalBytes / 2 ** 20),
        isSlice,
      ]),
      [
        [0, CARD(0), 40960, false],
        [1, PART(0), 19968, true],
        [2, PART(1), 9856, true],
        [3, CARD(2), 40960, false],
      ],
    );
    const [whole, slice, busy, empty] = facts.gpus;
    assert.ok(whole && slice && busy && empty);
    const one = { gpus: 1, minFreeVramBytes: undefined };
    assert.deepEqual(fittingGpus(facts.gpus, one), [whole, slice], "whole cards have more memory");
    assert.match(whyNot(busy, one) ?? "", /91 % of its memory is used/);
    assert.match(whyNot(empty, one) ?? "", /split by MIG/);
    assert.match(whyNot(slice, { ...one, gpus: 2 }) ?? "", /can use only one/);
    assert.equal(runtimeName(slice), PART(0));
    assert.equal(claimKey(slice), PART(0));
    const gpuGroups = foldGpus(node("a"), facts);
    const models = freeModels([health("a", { gpuGroups })]);
    assert.deepEqual(models.map(({ model, free, selector }) => `${model} ${free} ${selector}`), [
      "A100 1 { gpus: 1, gpu: A100 }",
      "A100 MIG 3g.20gb 1 { gpus: 1, gpu: MIG 3g.20gb }",
      "A100 MIG 2g.10gb 0 { gpus: 1, gpu: MIG 2g.10gb }",
    ]);
    const wish = { gpus: 1, minFreeVramBytes: undefined, model: "MIG 3g.20gb" };
    assert.deepEqual(fittingGpus(facts.gpus, wish), [slice]);
    assert.deepEqual(fittingGpus(facts.gpus, { ...wish, minFreeVramBytes: 30 * GIB }), []);
  });
}
