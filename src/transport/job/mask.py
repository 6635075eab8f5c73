# Masks what a command prints before it reaches a file; the twin of mask.pl, whose head says how it
# is started, what it answers and when it ends. For a node without perl.
from __future__ import annotations

import contextlib, itertools, os, select, signal, sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Sequence

READ_SIZE = 1 << 16
# Bytes that a pipe holds at most, unless root made it larger: no more can be left of the command.
LARGEST_PIPE = 1 << 20
HEAD = 4
# The text is looked at as machine words: one lookup for up to eight bytes. Wherever a pattern of
# 2n - 1 bytes stands, it holds a whole word of n bytes.
WORDS = (8, "Q"), (4, "I"), (2, "H")


class Patterns:
    def __init__(self, patterns: set[bytes]) -> None:
        self.longest = max(map(len, patterns), default=0)
        self.by_head: dict[bytes, list[bytes]] = {}  # By their first bytes, longest first.
        self.offsets: dict[tuple[int, str], dict[int, set[int]]] = {}  # By size of a word and word, how far into a pattern it stands.
        for pattern in sorted(patterns, key=len, reverse=True):
            for length in range(1, HEAD + 1):
                self.by_head.setdefault(pattern[:length], []).append(pattern)
            size, code = next(word for word in WORDS if len(pattern) >= 2 * word[0] - 1)
            offsets = self.offsets.setdefault((size, code), {})
            for offset in range(len(pattern) - 2 * size + 1, len(pattern) - size + 1):
                word = int.from_bytes(pattern[offset:offset + size], sys.byteorder)
                offsets.setdefault(word, set()).add(offset)

    def matches(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Start and length of the longest pattern at every place, in order."""
        starts: set[int] = set()
        for (size, code), offsets in self.offsets.items():
            whole: Any = memoryview(data)[:len(data) // size * size]
            words = whole.cast(code)
            hits = itertools.compress(itertools.count(), map(offsets.__contains__, words))
            starts.update(hit * size - offset for hit in hits for offset in offsets[words[hit]])
        for start in sorted(start for start in starts if start >= 0):
            for pattern in self.by_head.get(data[start:start + HEAD], ()):
                if data.startswith(pattern, start):
                    yield start, len(pattern)
                    break

    def open_end(self, data: bytes) -> int:
        """From where on all bytes are the beginning, but not the whole, of a pattern."""
        for start in range(max(0, len(data) - self.longest + 1), len(data)):
            for pattern in self.by_head.get(data[start:start + HEAD], ()):
                if len(pattern) > len(data) - start and pattern.startswith(data[start:]):
                    return start
        return len(data)


class Stream:
    def __init__(self, patterns: Patterns, source: int, target: int) -> None:
        self.patterns, self.target = patterns, target
        self.source: int | None = source
        # Held may be the start of a secret; covered are its first bytes whose mask is written.
        self.held, self.covered, self.full = b"", 0, False

    def copy(self) -> int:
        assert self.source is not None
        data = os.read(self.source, READ_SIZE)
        self.source = self.source if data else None
        self.held += data
        self.put(at_end=not data)
        return len(data)

    def put(self, at_end: bool) -> None:
        """Writes of what is held all that is sure, with every secret replaced."""
        data, done = self.held, self.covered
        clean: list[bytes] = []
        until = len(data) if at_end else self.patterns.open_end(data)
        for start, length in self.patterns.matches(data):
            if start >= until:
                break
            if start >= done:  # Secrets that overlap become one mask.
                clean += data[done:start], b"***"
            done = max(done, start + length)
        rest = b"".join([*clean, data[done:until]])
        self.held, self.covered = data[until:], max(0, done - until)
        try:
            while rest:
                rest = rest[os.write(self.target, rest):]
        except OSError:
            self.full = True


def readable(streams: Sequence[Stream], wake: int, wait: float | None = None) -> tuple[list[Stream], bool]:
    sources = {stream.source: stream for stream in streams if stream.source is not None}
    ready = select.select([*sources, wake], [], [], wait)[0]
    return [sources[fd] for fd in ready if fd != wake], wake in ready


def answer(streams: Sequence[Stream]) -> None:
    with contextlib.suppress(OSError):
        os.write(1, b"full\n" if any(stream.full for stream in streams) else b"flushed\n")


def flush(streams: Sequence[Stream], wake: int) -> None:
    os.read(wake, READ_SIZE)
    ready, left = streams, len(streams) * LARGEST_PIPE
    while ready and left > 0:
        ready, _ = readable(streams, wake, 0)
        left -= sum(stream.copy() for stream in ready)
    for stream in streams:
        stream.put(at_end=True)
    answer(streams)


for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ:
    signal.signal(number, signal.SIG_IGN)
wake, wakened = os.pipe()
os.set_blocking(wakened, False)
signal.set_wakeup_fd(wakened)
signal.signal(signal.SIGUSR1, lambda *_: None)
lines = sys.stdin.read().split()
if lines[-1:] != ["."]:
    sys.exit(1)
patterns = Patterns({bytes.fromhex(line) for line in lines[:-1]})
streams = Stream(patterns, 3, 5), Stream(patterns, 4, 6)
os.write(1, b"ready\n")
while any(stream.source is not None for stream in streams):
    ready, asked = readable(streams, wake)
    for stream in ready:
        stream.copy()
    if asked:
        flush(streams, wake)
answer(streams)
