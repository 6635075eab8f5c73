# ---- What this machine has -----------------------------------------------------------------------

def local_slots(need: Resources) -> list[str | None]:
    """One entry per batch that fits beside the others: the GPUs it sees, or None."""
    gpus = list_gpus() if need[1] > 0 else []
    have = (count_cpus(), len(gpus))
    slots = slots_of(have, need)
    if slots == 0:
        raise Problem(
            "Cannot run the batch: each asks for %s, but this node has %s"
            % (say_demand(need), say_demand(have)),
            "Lower gpus-per-batch or cpus-per-batch, or choose another node",
        )
    if need[1] == 0:
        return [None] * slots
    if need[1] < 1:
        return [gpus[slot % len(gpus)] for slot in range(slots)]
    size = int(need[1])
    return [",".join(gpus[slot * size : (slot + 1) * size]) for slot in range(slots)]


def list_gpus() -> list[str]:
    """Those that the step has claimed, else all that the tools of their makers name."""
    import shutil
    import subprocess

    for name in ("HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"):
        visible = os.environ.get(name)
        if visible is not None:
            return [gpu for gpu in visible.split(",") if gpu not in ("", "-1")]
    # With one lost card among good ones the tool names the good ones, and fails.
    for tool, start in ((["nvidia-smi", "-L"], "GPU "), (["amd-smi", "list"], "GPU: ")):
        if shutil.which(tool[0]):
            try:
                answer = subprocess.run(
                    tool, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20
                )
            except subprocess.TimeoutExpired:
                continue
            lines = answer.stdout.decode("utf-8", "replace").splitlines()
            found = [line[len(start) :].split(":")[0].strip() for line in lines if line.startswith(start)]
            if found:
                return [number for number in found if number.isdigit()]
    return []


