# ---- What tasks print ----------------------------------------------------------------------------
#
# Each stream of a worker is one stream of bytes to the driver. The worker writes marks into it where
# an item begins and where a batch ends, so that every line is known to be an item's, and the driver
# knows when all has come. On Ray the bytes go through `cat` and a connection to the driver: a worker
# that is killed loses nothing that it has written.
#
# Of many small items most print nothing, and a mark for each would cost more than they do. In a large
# batch the worker looks after each item whether its streams have been written to, and only then says
# whose words these were; the driver holds them until it does. An item that takes longer is named
# while it runs.

writing = threading.Lock()
# A line that never ends is handed on in pieces of this size.
LONGEST_LINE = 1 << 16
# What has been printed arrives soon after the batch; a connection may be slow.
DRAIN_SECONDS = 30
CONNECT_SECONDS = 5


def write_all(number: int, content: bytes) -> None:
    """Whole lines only, so that nobody's line lands inside another."""
    with writing:
        view = memoryview(content)
        while view:
            view = view[os.write(number, view) :]


def write_line(number: int, text: str) -> None:
    write_all(number, (text + "\n").encode("utf-8", "replace"))


def mark_of(token: str, word: str) -> bytes:
    return ("\x1egrid:%s:%s\n" % (token, word)).encode()


def write_marks(mark: bytes, kept: list[int]) -> None:
    """Into both streams, behind all that was printed. `kept` leads where they lead."""
    flush_streams(kept)
    for number, other in zip((1, 2), kept):
        try:
            os.write(number, mark)
        except OSError:  # an item has closed it
            os.dup2(other, number)
            os.write(number, mark)


def flush_streams(kept: list[int]) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:
        mend_streams(kept)


def mend_streams(kept: list[int]) -> None:
    """An item may have closed them, or put nothing in their place: the next one prints all the same."""
    for number, name, other in zip((1, 2), ("stdout", "stderr"), kept):
        stream = getattr(sys, name)
        if stream is None or getattr(stream, "closed", False):
            os.dup2(other, number)
            setattr(sys, name, open(number, "w", buffering=1, encoding="utf-8", closefd=False))


class Splitter:
    """The items' lines in one stream of a worker, each handed on behind `[index] `."""

    def __init__(
        self,
        token: str,
        number: int,
        on_end: Callable[[str], None] | None = None,
        on_begin: Callable[[str], None] | None = None,
        on_done: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self.start = ("\x1egrid:%s:" % token).encode()
        # An item that has printed nothing: its mark stands right before the next one's.
        mark = re.escape(self.start) + rb"item:\d+\n"
        self.silent = re.compile(rb"(?:%s)+(?=%s)" % (mark, mark))
        self.number = number
        self.on_end, self.on_begin, self.on_done = on_end, on_begin, on_done
        self.prefix = b""
        self.rest = b""
        # What has come from an item that is not named yet; None where each is named before it begins.
        self.held: list[bytes] | None = None

    def feed(self, chunk: bytes) -> None:
        data = self.silent.sub(b"", self.rest + chunk)
        while True:
            at = data.find(self.start)
            if at < 0:
                break
            end = data.find(b"\n", at)
            if end < 0:
                self.lines(data[:at], True)
                self.rest = data[at:]
                return
            self.lines(data[:at], True)
            self.hear(data[at + len(self.start) : end])
            data = data[end + 1 :]
        # The end may be the beginning of a mark.
        held = data.rfind(b"\x1e")
        if held >= 0 and self.start.startswith(data[held : held + len(self.start)]):
            self.rest = self.lines(data[:held], False) + data[held:]
        else:
            self.rest = self.lines(data, False)

    def lines(self, data: bytes, is_over: bool) -> bytes:
        """Hands on what is complete. @returns the beginning of a line whose rest has not come"""
        if self.held is not None:
            self.held.append(data)
            return b""
        end = len(data) if is_over or len(data) > LONGEST_LINE else data.rfind(b"\n") + 1
        if end:
            whole = data[:end].split(b"\n")
            if whole[-1] == b"":
                whole.pop()
            write_all(self.number, b"".join(self.prefix + line + b"\n" for line in whole))
        return data[end:]

    def hear(self, word: bytes) -> None:
        kind, _, value = word.partition(b":")
        if kind == b"item":
            self.tell_held(value)
            self.prefix = b"[%s] " % value
        elif kind == b"was":
            self.tell_held(value)
            self.held = []
        elif kind == b"quiet":
            self.held = []
        elif kind == b"done" and self.on_done:
            index, _, text = value.partition(b":")
            self.on_done(int(index), text)
        elif kind == b"begin" and self.on_begin:
            self.on_begin(value.decode())
        elif kind == b"end":
            self.tell_held(None)
            self.prefix = b""
            if self.on_end:
                self.on_end(value.decode())

    def tell_held(self, index: bytes | None) -> None:
        """Whose it was is known now, or never will be: then its worker has died, and the item runs again."""
        if self.held is None:
            return
        data, self.held = b"".join(self.held), None
        self.prefix = b"" if index is None else b"[%s] " % index
        self.lines(data, True)

    def close(self) -> None:
        self.tell_held(None)
        self.lines(self.rest, True)
        self.rest = b""


