# ---- In the driver: which tasks are left, and what has come back ---------------------------------


class ItemKeys:
    """Names of items by their exact bytes, made when they are asked for; the second of two equal ones is another."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.ordinals: list[int] | None = None
        if len(set(texts)) < len(texts):
            seen: collections.Counter[str] = collections.Counter()
            self.ordinals = []
            for text in texts:
                self.ordinals.append(seen[text])
                seen[text] += 1

    def of(self, index: int) -> bytes:
        digest = item_digest(as_bytes(self.texts[index]))
        return b"%s.%d" % (digest.encode(), self.ordinals[index] if self.ordinals else 0)


def item_digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:32]


class Results:
    """The results file of one attempt: what is already there, and one more line for each item that ends.

    Its first line names the work (code, call, environment). Files of other attempts at the same work
    lie beside it; what they have finished is taken over. In memory is what has an outcome, and of small lists
    the outcomes as Grid wants them.
    """

    def __init__(self, spec: Fields, texts: list[str]) -> None:
        self.total = len(texts)
        self.mark = spec["mark"]
        self.work = spec["work"]
        self.max_failures: int = spec.get("max_failures", 0)
        self.done: dict[int, bool] = {}
        self.failed = 0
        self.announced_at = 0.0
        self.is_over = False
        # When the first item of this attempt had ended, and how many were done by then.
        self.begun: tuple[float, int] | None = None
        # Seconds by node and GPU.
        self.busy: dict[str, float] = collections.defaultdict(float)
        self.keys = ItemKeys(texts)
        self.path = os.path.expanduser(spec["results"])
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        self.file = open(self.path, "ab")
        self.lock()
        if OutcomeFile(self.path).is_cut():
            self.file.write(CUT)  # the last writer died in the middle of a line
            self.file.flush()
        for _, _, match in OutcomeFile(self.path).lines():
            if match[3] == b"true":
                self.done[int(match[2])] = True
            else:  # it is tried again, and counts by what comes of that
                self.done.pop(int(match[2]), None)
        if os.path.getsize(self.path) == 0:
            self.file.write(json.dumps({"work": self.work}).encode() + b"\n")
        self.ordered = Ordered(self.path, self.total)
        self.adopted = self.adopt() + self.adopt_known(spec.get("known"))
        self.file.flush()

    def lock(self) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Problem(
                        "Cannot run the batch: an earlier driver is still working on it",
                        "See `grid ps`, end it with `grid kill`",
                    )
            check_stop()
            time.sleep(0.1)

    def book(self, index: int, ok: bool) -> None:
        self.failed += (not ok) - (self.done.get(index) is False)
        self.done[index] = ok

    def adopt(self) -> int:
        """Takes over what other attempts at the same work have finished. @returns how many items"""
        count = 0
        index_of = None
        for path in siblings(self.path, self.work):
            if index_of is None:
                index_of = {self.keys.of(index): index for index in range(self.total)}
            try:
                for _, line, match in OutcomeFile(path).lines():
                    index = index_of.get(match[1])
                    if index is not None and match[3] == b"true" and not self.done.get(index):
                        self.put(index, True, line[match.end() : -len(OUTCOME_END)])
                        count += 1
            except OSError:
                pass  # gone meanwhile
        return count

    def adopt_known(self, path: str | None) -> int:
        """What Grid itself knows from another node, by index."""
        if not path or not os.path.exists(path):
            return 0
        count = 0
        for _, line, match in OutcomeFile(path).lines():
            index = int(match[2])
            if not self.done.get(index):
                self.put(index, True, line[match.end() : -len(OUTCOME_END)])
                count += 1
        os.unlink(path)
        return count

    def missing(self) -> list[int]:
        """Indices without success, so that a repeated step tries its failed items again."""
        return [index for index in range(self.total) if not self.done.get(index)]

    def add(self, index: int, ok: bool, text: bytes) -> None:
        """`text` is the value or the error, as JSON."""
        self.put(index, ok, text)
        if not ok:
            # Each line is the task's, as if it had printed it.
            words = "failed: %s" % json.loads(text)
            write_line(2, "\n".join("[%d] %s" % (index, line) for line in words.split("\n")))

    def fail(self, index: int, words: str) -> None:
        self.add(index, False, json.dumps(words).encode())

    def put(self, index: int, ok: bool, text: bytes) -> None:
        # Part by part: a large result is there often enough.
        for part in ((VALUE_HEAD if ok else ERROR_HEAD) % (self.keys.of(index), index), text, OUTCOME_END):
            self.file.write(part)
        if len(text) > ORDERED_BYTES:
            self.ordered.forget()
        else:
            self.ordered.add(index, 1, b"%s%s\n" % (b"=" if ok else b"!", text))
        if not ok or index in self.done:
            self.book(index, ok)
        else:
            self.done[index] = True

    def add_all(self, outcomes: Iterable[tuple[int, bool, bytes]]) -> None:
        """The outcomes of one batch; a success that is known already stays as it is."""
        for index, ok, text in outcomes:
            if not (ok and self.done.get(index)):
                self.add(index, ok, text)

    def add_lines(self, indices: list[int], lines: bytes, ordered: bytes) -> None:
        """The same where all have succeeded; `lines` and `ordered` as `answer_of` makes them."""
        if not self.done.keys().isdisjoint(indices):
            values = ordered[1:-1].split(b"\n=")
            return self.add_all((index, True, text) for index, text in zip(indices, values))
        self.done.update(dict.fromkeys(indices, True))
        self.file.write(lines)
        if indices[-1] - indices[0] == len(indices) - 1:
            self.ordered.add(indices[0], len(indices), ordered)

    def flush(self) -> None:
        self.file.flush()
        if self.begun is None and len(self.done) > self.adopted:
            self.begun = (time.monotonic(), len(self.done))
        is_over = len(self.done) == self.total
        # Grid begins to read at once; whoever ends the batch may have much left to do.
        if is_over and not self.is_over or time.monotonic() - self.announced_at > PROGRESS_SECONDS:
            self.announce()
        self.is_over = is_over

    def too_many_failed(self) -> bool:
        return self.failed > self.max_failures

    def announce(self) -> None:
        self.announced_at = time.monotonic()
        said: Fields = {"done": len(self.done), "failed": self.failed, "total": self.total}
        left = self.total - len(self.done)
        if left == 0:
            self.file.flush()
            self.ordered.write()
        if self.begun is not None and left > 0:
            seconds = self.announced_at - self.begun[0]
            ended = len(self.done) - self.begun[1]
            if ended > 0 and seconds >= RATE_SECONDS:
                said.update(per_second=ended / seconds, left_seconds=left * seconds / ended)
        if self.busy:
            said["busy_seconds"] = dict(self.busy)
        say(self.mark, said)

    def worked(self, node: str, gpus: str | None, seconds: float) -> None:
        """A batch kept these GPUs for so long."""
        for gpu in (gpus or "").split(","):
            if gpu:
                self.busy["%s %s" % (node, gpu)] += seconds


# A rate is told once it has been seen for so long.
RATE_SECONDS = 1
VALUE_HEAD = b'{"item": "%s", "index": %d, "ok": true, "value": '
# Digest and ordinal of the item, index, value.
VALUE_LINE = '{"item": "%s.%d", "index": %d, "ok": true, "value": %s}\n'
ERROR_HEAD = b'{"item": "%s", "index": %d, "ok": false, "error": '
KEEP_SECONDS = 86400


def publish(results: Results) -> None:
    """For a Grid that cannot read files of this node: a file among Ray's logs, which the dashboard gives out."""
    import ray

    log = os.readlink("/proc/self/fd/1")
    folder = os.path.dirname(log)
    if not os.path.basename(log).startswith("job-driver-"):
        raise Problem("Cannot hand over the results: this job's log is not where Ray keeps it (%s)" % log)
    for name in os.listdir(folder):
        old = os.path.join(folder, name)
        try:
            if name.startswith("grid-results-") and time.time() - os.path.getmtime(old) > KEEP_SECONDS:
                os.unlink(old)
        except OSError:
            pass  # gone meanwhile, or somebody else's
    name = "grid-results-%s.txt" % hashlib.sha256(results.path.encode()).hexdigest()[:32]
    results.file.flush()
    with open(os.path.join(folder, name + ".part"), "wb", opener=open_private) as file:
        file.writelines(outcomes_in_order(results.path, results.total))
    os.rename(os.path.join(folder, name + ".part"), os.path.join(folder, name))
    size = os.path.getsize(os.path.join(folder, name))
    node = ray.get_runtime_context().get_node_id()
    said = {"file": name, "node": node, "bytes": size, "path": os.path.join(folder, name)}
    say(results.mark, {"results": said})
    if not results.too_many_failed() and len(results.done) == results.total:
        forget_results(results.path, results.work)
        os.unlink(results.path + DONE)
    results.ordered.remove()


def open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def say(mark: str, fields: Fields) -> None:
    """One line for Grid."""
    write_line(1, mark + json.dumps(fields))


stop_asked = False


def ask_stop(_signal: int, _frame: FrameType | None) -> None:
    global stop_asked
    stop_asked = True


def check_stop() -> None:
    if stop_asked:
        raise Stopped()


