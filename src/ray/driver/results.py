# ---- In the driver: which tasks are left, and what has come back ---------------------------------


def item_keys(texts):
    """Names of items by their exact bytes; the second of two that are equal is another item."""
    seen = collections.Counter()
    keys = []
    for text in texts:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        keys.append("%s.%d" % (digest, seen[digest]))
        seen[digest] += 1
    return keys


class Results:
    """The results file of one attempt: what is already there, and one more line for each item that ends.

    Its first line names the work (code, call, environment). Files of other attempts at the same work
    lie beside it; what they have finished is taken over.
    """

    def __init__(self, spec, texts):
        self.total = len(texts)
        self.mark = spec["mark"]
        self.work = spec["work"]
        self.max_failures = spec.get("max_failures", 0)
        self.done = {}
        self.failed = 0
        self.announced_at = 0.0
        self.keys = item_keys(texts)
        self.index_of = {key: index for index, key in enumerate(self.keys)}
        self.path = os.path.expanduser(spec["results"])
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        self.file = open(self.path, "a+b")
        self.lock()
        self.file.seek(0)
        content = self.file.read()
        if content and not content.endswith(b"\n"):
            self.file.write(b"\n")  # the last writer died in the middle of a line
        if not content:
            self.file.write(json.dumps({"work": self.work}).encode() + b"\n")
        for line in content.splitlines():
            self.read(line)
        self.adopted = self.adopt() + self.adopt_known(spec.get("known"))
        self.file.flush()

    def lock(self):
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                return fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Problem(
                        "Cannot run the batch: an earlier driver is still working on it",
                        "See `grid ps`, end it with `grid kill`",
                    )
            check_stop()
            time.sleep(0.1)

    def read(self, line):
        try:
            entry = json.loads(line)
            self.book(entry["index"], entry["ok"])
        except (ValueError, KeyError, TypeError):
            pass  # the first line, or one cut short; its item runs again

    def book(self, index, ok):
        self.failed += (not ok) - (self.done.get(index) is False)
        self.done[index] = ok

    def siblings(self):
        for path in sorted(glob.glob(glob.escape(os.path.dirname(self.path)) + "/*.jsonl")):
            if path == self.path:
                continue
            try:
                with open(path, "rb") as file:
                    if json.loads(file.readline()).get("work") == self.work:
                        yield path, file
            except (OSError, ValueError, AttributeError):
                pass  # gone meanwhile, or none of ours

    def adopt(self):
        """Takes over what other attempts at the same work have finished. @returns how many items"""
        count = 0
        for _, file in self.siblings():
            for line in file:
                try:
                    entry = json.loads(line)
                    index = self.index_of[entry["item"]]
                    if not entry["ok"] or self.done.get(index):
                        continue
                except (ValueError, KeyError, TypeError):
                    continue
                rest = line[line.index(b'"ok": ') :]
                self.file.write(self.opening(index) + rest)
                self.book(index, True)
                count += 1
        return count

    def adopt_known(self, path):
        """What Grid itself knows from another node, by index."""
        if not path or not os.path.exists(path):
            return 0
        count = 0
        with open(path, "rb") as file:
            for line in file:
                index = json.loads(line)["index"]
                if not self.done.get(index):
                    self.file.write(self.opening(index) + line[line.index(b'"ok": ') :])
                    self.book(index, True)
                    count += 1
        return count

    def opening(self, index):
        return ('{"item": "%s", "index": %d, ' % (self.keys[index], index)).encode()

    def missing(self):
        """Indices without success, so that a repeated step tries its failed items again."""
        return [index for index in range(self.total) if not self.done.get(index)]

    def add(self, index, outcome):
        rest = '"value": %s}\n' % outcome["json"] if outcome["ok"] else '"error": %s}\n' % json.dumps(
            outcome["error"]
        )
        ok = b'"ok": true, ' if outcome["ok"] else b'"ok": false, '
        self.file.write(self.opening(index) + ok + rest.encode())
        self.book(index, outcome["ok"])
        if not outcome["ok"]:
            write_line(2, "task %d failed: %s" % (index, outcome["error"]))

    def flush(self):
        self.file.flush()
        if time.monotonic() - self.announced_at > PROGRESS_SECONDS:
            self.announce()

    def too_many_failed(self):
        return self.failed > self.max_failures

    def say_all(self):
        """For a Grid that cannot read the file: every outcome, later ones last."""
        self.file.seek(0)
        for line in self.file:
            try:
                json.loads(line)["index"]
                write_all(1, self.mark.encode() + b'{"result": ' + line.rstrip(b"\n") + b"}\n")
            except (ValueError, KeyError):
                pass  # the first line, or one cut short; its item has a later line

    def forget(self):
        """The work is done for good: the next run of it starts from nothing."""
        for path, _ in [*self.siblings(), (self.path, None)]:
            with open(path, "rb") as file:
                try:
                    if path != self.path:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # another run is at it
                os.unlink(path)

    def announce(self):
        self.announced_at = time.monotonic()
        say(self.mark, {"done": len(self.done), "failed": self.failed, "total": self.total})


def say(mark, fields):
    """One line for Grid."""
    write_line(1, mark + json.dumps(fields))


stop_asked = False


def ask_stop(_signal, _frame):
    global stop_asked
    stop_asked = True


def check_stop():
    if stop_asked:
        raise Stopped()


class Queue:
    """Items that have not begun, handed out in batches. A size of 0 follows the measured time of items."""

    def __init__(self, texts, indices, size):
        self.texts = texts
        self.indices = collections.deque(indices)
        self.returned = collections.deque()
        self.size = size or 1
        self.grows = size == 0
        self.slots = 1

    def set_slots(self, slots):
        """A batch must not be so large that a slot goes idle."""
        self.slots = slots
        if self.grows:
            self.size = max(1, min(FIRST_BATCH, math.ceil(len(self.indices) / (4 * slots))))

    def __len__(self):
        return len(self.indices) + sum(map(len, self.returned))

    def __bool__(self):
        return bool(self.indices or self.returned)

    def take(self):
        if self.returned:
            return self.returned.popleft()
        count = min(self.size, len(self.indices))
        if self.grows:
            count = min(count, max(1, math.ceil(len(self.indices) / (2 * self.slots))))
        taken = [self.indices.popleft() for _ in range(count)]
        return [(index, self.texts[index]) for index in taken]

    def give_back(self, items, one_by_one=False):
        self.returned.extend([[item] for item in items] if one_by_one else [items])

    def measured(self, items, seconds):
        if not self.grows or items == 0:
            return
        wanted = int(BATCH_SECONDS * items / max(seconds, 1e-4))
        self.size = max(1, min(wanted, 4 * self.size, LARGEST_BATCH))

    def give_up(self, results):
        """Nothing more begins; what has not begun is a task without success."""
        words = "not begun: more than %d tasks had failed" % results.max_failures
        while self:
            for index, _ in self.take():
                results.add(index, {"ok": False, "error": words})


# Ten items to a batch at first; then as many as take half a second, by measurement.
FIRST_BATCH = 10
BATCH_SECONDS = 0.5
LARGEST_BATCH = 5000


def slots_of(have, need):
    """How many batches fit beside each other into `have` = (cpus, gpus)."""
    fits = [math.floor(h / n + 1e-9) for h, n in zip(have, need) if n > 0]
    return int(min(fits)) if fits else max(1, int(have[0]))


def say_demand(need):
    return "%g CPUs and %g GPUs" % need


