# ---- In the driver: what is handed out next ------------------------------------------------------

# How a batch is run, by its mode; the parts that are there enter themselves.
MODES: dict[str, Callable[[Fields, Fields, Queue, Results], None]] = {}


class Queue:
    """Items that have not begun, handed out in batches. A size of 0 follows the measured time of items."""

    def __init__(self, texts: list[str], indices: list[int], size: int) -> None:
        self.texts = texts
        self.indices = collections.deque(indices)
        self.returned: collections.deque[Items] = collections.deque()
        self.size = size or 1
        self.grows = size == 0
        self.slots = 1
        # The last ones are dealt out in ever smaller batches, but in none that is over in a moment.
        self.least = 1

    def set_slots(self, slots: int) -> None:
        """A batch must not be so large that a slot goes idle."""
        self.slots = slots
        if self.grows:
            self.size = max(1, min(FIRST_BATCH, math.ceil(len(self.indices) / (4 * slots))))

    def __len__(self) -> int:
        return len(self.indices) + sum(map(len, self.returned))

    def __bool__(self) -> bool:
        return bool(self.indices or self.returned)

    def take(self) -> Items:
        if self.returned:
            return self.returned.popleft()
        count = min(self.size, len(self.indices))
        if self.grows:
            count = min(count, max(self.least, math.ceil(len(self.indices) / (2 * self.slots))))
        taken = [self.indices.popleft() for _ in range(count)]
        return [(index, self.texts[index]) for index in taken]

    def give_back(self, items: Items, one_by_one: bool = False) -> None:
        self.returned.extend([[item] for item in items] if one_by_one else [items])

    def measured(self, items: int, seconds: float, size: int) -> None:
        """`size` is that of their results, in bytes."""
        if not self.grows or items == 0:
            return
        wanted = int(BATCH_SECONDS * items / max(seconds, 1e-4))
        fitting = int(BATCH_BYTES * items / max(size, 1))
        self.size = max(1, min(wanted, fitting, GROWTH * self.size, LARGEST_BATCH))
        self.least = max(1, min(self.size, int(wanted * MOMENT_SECONDS / BATCH_SECONDS)))

    def give_up(self, results: Results) -> None:
        """Nothing more begins; what has not begun is a task without success."""
        words = "not begun: more than %d tasks had failed" % results.max_failures
        while self:
            for index, _ in self.take():
                results.fail(index, words)


# Ten items to a batch at first; then as many as take half a second, by measurement.
FIRST_BATCH = 10
BATCH_SECONDS = 0.5
MOMENT_SECONDS = 0.02
GROWTH = 16
# Of results; a batch's results travel together.
BATCH_BYTES = 16 << 20
LARGEST_BATCH = 5000


def say_demand(need: Resources) -> str:
    return "%g CPUs and %g GPUs" % need


