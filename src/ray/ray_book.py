"""Who is in the Ray cluster, what is given out and who holds it, as one line of JSON after `grid:`.

    python3 ray_book.py ADDRESS

Only the head's book is read: no driver registers, so asking leaves no trace in it.
"""

import json
import sys

MOST_NAME = 80
# `TaskStatus.RUNNING` of common.proto; what has ended has a higher number.
RUNNING = 8


def main(address: str) -> None:
    reach_head(address)
    from ray._raylet import GcsClientOptions, GlobalStateAccessor
    from ray.core.generated import gcs_pb2

    timer = expect_answer(address)
    options = GcsClientOptions.create(address, None, allow_cluster_id_nil=True, fetch_cluster_id_if_nil=False)
    book = GlobalStateAccessor(options)
    if not book.connect():
        sys.exit("the head at %s does not let us look" % address)
    nodes = book.get_node_table()
    timer.cancel()
    free = {}
    for text in book.get_all_available_resources():
        entry = gcs_pb2.AvailableResources.FromString(text)
        free[entry.node_id.hex()] = dict(entry.resources_available)
    names = {node["NodeID"]: node["Labels"].get("grid-host") or node["NodeManagerAddress"] for node in nodes}
    holders = Holders(book, gcs_pb2, names)
    members = [describe(node, free.get(node["NodeID"])) for node in nodes]
    # Ray prints warnings of its own between our words; the mark tells them apart.
    print("grid:" + json.dumps({"members": members, "holders": holders.all()}), flush=True)


def describe(node: Fields, free: dict[str, float] | None) -> Fields:
    total = node["Resources"]

    def held(name: str) -> float:
        return 0 if free is None else round(total.get(name, 0) - free.get(name, 0), 4)

    return {
        "name": node["Labels"].get("grid-host"),
        "alive": node["Alive"],
        "answered": None,
        "exitCode": None,
        "address": node["NodeManagerAddress"],
        "cpus": total.get("CPU", 0),
        "gpus": total.get("GPU", 0),
        "cpusUsed": held("CPU") if node["Alive"] else 0,
        "gpusUsed": held("GPU") if node["Alive"] else 0,
    }


class Holders:
    """Drivers that live, with what their tasks and actors hold; actors that outlive theirs by themselves."""

    def __init__(self, book: Any, pb: Any, names: dict[str, str]) -> None:
        self.book, self.pb, self.names = book, pb, names
        self.jobs, self.detached = {}, []
        for text in book.get_job_table(skip_submission_job_info_field=True, skip_is_running_tasks_field=True):
            entry = pb.JobTableData.FromString(text)
            if not entry.is_dead:
                self.jobs[entry.job_id] = self.job(entry)
        for text in book.get_actor_table(None, "ALIVE"):
            entry = pb.ActorTableData.FromString(text)
            place = names.get(entry.node_id.hex(), "?")
            if entry.is_detached or entry.job_id not in self.jobs:
                holder = dict(kind="actor", name=cut(entry.name or entry.class_name), pid=entry.pid,
                    startedAt=entry.start_time, cpus=0, gpus=0, nodes=[])
                self.detached.append(holder)
            else:
                holder = self.jobs[entry.job_id]
            add(holder, place, entry.required_resources)

    def job(self, entry: Any) -> Fields:
        driver = self.names.get(entry.driver_address.node_id.hex(), entry.driver_address.ip_address)
        return dict(kind="job", name=name_of(entry.entrypoint), pid=entry.driver_pid, driver=driver,
            startedAt=entry.start_time, cpus=0, gpus=0, nodes=[])

    def all(self) -> list[Fields]:
        if self.jobs:
            self.add_tasks()
        return list(self.jobs.values()) + self.detached

    def add_tasks(self) -> None:
        for text in self.book.get_task_events():
            event = self.pb.TaskEvents.FromString(text)
            states = event.state_updates.state_ts_ns
            holder = self.jobs.get(event.job_id)
            # An actor's own resources are in its entry.
            if holder is None or not event.task_info.required_resources or event.task_info.actor_id:
                continue
            if states and max(states) == RUNNING:
                place = self.names.get(event.state_updates.node_id.hex(), "?")
                add(holder, place, event.task_info.required_resources)


def add(holder: Fields, place: str, resources: Any) -> None:
    holder["cpus"] = round(holder["cpus"] + resources.get("CPU", 0), 4)
    holder["gpus"] = round(holder["gpus"] + resources.get("GPU", 0), 4)
    if place not in holder["nodes"]:
        holder["nodes"].append(place)


def name_of(command: str) -> str:
    """A batch of Grid by its id; whatever else by its first words."""
    words = command.split()
    if len(words) > 1 and words[-2].endswith("/batch_driver.py") and words[-1].endswith(".json"):
        return words[-1].rpartition("/")[2][: -len(".json")]
    return cut(" ".join(words))


def cut(text: str) -> str:
    return text if len(text) <= MOST_NAME else text[: MOST_NAME - 1] + "…"


if __name__ == "__main__":
    main(sys.argv[1])
