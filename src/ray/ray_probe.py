"""Who has joined the Ray cluster and takes work, as one line of JSON after `grid:`.

    python3 ray_probe.py ADDRESS NODE_IP SECONDS

Being registered is not enough: a node whose ports cannot be reached from the head registers, too.
So every node must answer one small task before the time is up. The task also runs a command that
fails: where its exit code is not what it should be, no failure of a batch would ever be seen.
"""

import json
import sys
import time


def main(address: str, node_ip: str, seconds: float) -> None:
    reach_head(address)
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    timer = expect_answer(address)
    ray.init(
        address=address,
        _node_ip_address=node_ip or None,
        log_to_driver=False,
        logging_level="ERROR",
    )
    timer.cancel()
    nodes = ray.nodes()
    probe = ray.remote(num_cpus=0, max_retries=0)(run_failing_command)
    answers = {
        node["NodeID"]: probe.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote()
        for node in nodes
        if node["Alive"]
    }
    wait_for_names(ray, nodes, answers, seconds)
    members = [describe(ray, node, answers.get(node["NodeID"])) for node in nodes]
    # Ray prints warnings of its own between our words; the mark tells them apart.
    print("grid:" + json.dumps(members), flush=True)


def wait_for_names(ray: Any, nodes: list[Fields], answers: dict[str, Any], seconds: float) -> None:
    """Until one of each name has answered: one that has died a moment ago is still in the book as alive."""
    names = {node["NodeID"]: node["Labels"].get("grid-host") for node in nodes}
    open_ones = {answer: names[node] for node, answer in answers.items()}
    begun, first = time.monotonic(), None
    while open_ones:
        left = patience(seconds, first) - (time.monotonic() - begun)
        ready = ray.wait(list(open_ones), num_returns=1, timeout=max(0, left))[0]
        if ready and first is None:
            first = time.monotonic() - begun
        for answer in ready:
            name = open_ones.pop(answer)
            # The task of one that has died fails, which says nothing of the one that took its place.
            if name is not None and answer_of(ray, answer) is not None:
                open_ones = {other: its for other, its in open_ones.items() if its != name}
        if left <= 0 and not ready:
            return


def patience(seconds: float, first: float | None) -> float:
    """How long to wait in all, where the first answer took so long, or where there is none: then it is no firewall
    between nodes, but machines that have more to do than they can."""
    most = MORE * seconds
    return most if first is None else min(most, max(seconds, MORE * first))


MORE = 4


def run_failing_command() -> int:
    import subprocess

    return subprocess.call(["sh", "-c", "exit 3"])


def describe(ray: Any, node: Fields, answer: Any) -> Fields:
    exit_code = None if answer is None else answer_of(ray, answer)
    return {
        "name": node["Labels"].get("grid-host"),
        "alive": node["Alive"],
        "answered": None if answer is None else exit_code is not None,
        "exitCode": exit_code,
        "address": node["NodeManagerAddress"],
        "cpus": node["Resources"].get("CPU", 0),
        "gpus": node["Resources"].get("GPU", 0),
        "cpusUsed": None,
        "gpusUsed": None,
    }


def answer_of(ray: Any, answer: Any) -> int | None:
    try:
        code: int = ray.get(answer, timeout=0.1)
        return code
    except Exception:
        return None


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
