# ---- The head of Ray, and what it knows ----------------------------------------------------------

def reach_head(address: str) -> None:
    """Ray itself goes on trying for a minute before it says so."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), HEAD_SECONDS).close()
    except OSError as error:
        raise Problem(
            "Cannot run the batch: the head of Ray does not answer at %s (%s)" % (address, error.strerror or error),
            "grid cluster start brings it back",
        )


# A head that refuses connections for this long is gone.
HEAD_SECONDS = 3


class HeadWatch(threading.Thread):
    """Ends the driver when the head is gone; Ray would wait for a minute, then die without a reason."""

    def __init__(self, address: str, mark: str) -> None:
        super().__init__(daemon=True)
        self.address, self.mark = address, mark

    def run(self) -> None:
        misses = 0
        while misses < 2:
            time.sleep(1)
            try:
                reach_head(self.address)
                misses = 0
            except Problem as problem:
                misses += 1
                said = problem
        words = "Cannot finish the batch: the head of Ray at %s is gone" % self.address
        say(self.mark, {"problem": words, "hint": "%s; finished items are kept" % said.hint})
        os._exit(3)


def ray_slots(ray: Any, need: Resources) -> tuple[int, Resources]:
    """How many batches fit at once, and the CPUs and GPUs of the largest node."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    sizes = [(node.get("CPU", 0), node.get("GPU", 0)) for node in nodes]
    largest = max(sizes, key=lambda size: (size[1], size[0]), default=(0, 0))
    return sum(slots_of(size, need) for size in sizes), largest


# For a node to come that has what batches ask for, and between two looks.
NODE_WAIT_SECONDS = 900
LOOK_SECONDS = 3


def take_secrets(sealed: Fields | None) -> dict[str, str]:
    """One half has come with the code, the other by itself; it is removed before anything else happens."""
    if not sealed:
        return {}
    from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_get

    key = sealed["package"].encode()
    masked = _internal_kv_get(key)
    if masked is None:
        raise Problem("Cannot run the batch: its secrets are no longer on the Ray cluster", "The step can run again")
    _internal_kv_del(key)
    pad = base64.b64decode(sealed["pad"])
    secrets: dict[str, str] = json.loads(bytes(one ^ other for one, other in zip(masked, pad)))
    return secrets


