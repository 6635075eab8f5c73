# ---- Outcomes in files, and on their way to Grid -------------------------------------------------
#
# `hand_over.sh` runs this part alone: starting the whole driver takes longer than to read them.

import fcntl
import json
import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator


# One outcome: a line of the results file. A line that its writer did not finish ends otherwise.
OUTCOME = re.compile(rb'\{"item": "([^"]*)", "index": (\d+), "ok": (true|false), "(?:value|error)": ')
OUTCOME_END = b"}\n"
CUT = b" cut short\n"


class OutcomeFile:
    """A results file that is there already, read line by line, whatever its size."""

    def __init__(self, path: str) -> None:
        self.path = path

    def lines(self) -> Iterator[tuple[int, bytes, re.Match[bytes]]]:
        """Yields offset, line and match of each whole outcome. An older line on the same item comes first."""
        with open(self.path, "rb") as file:
            at = 0
            for line in file:
                match = OUTCOME.match(line) if line.endswith(OUTCOME_END) else None
                if match:
                    yield at, line, match
                at += len(line)

    def work(self) -> object:
        """The work that it belongs to, from its first line."""
        try:
            with open(self.path, "rb") as file:
                return json.loads(file.readline()).get("work")
        except (OSError, ValueError, AttributeError):
            return None  # gone meanwhile, or none of ours

    def is_cut(self) -> bool:
        with open(self.path, "rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"


def siblings(path: str, work: object) -> Iterator[str]:
    """Results files of other attempts at the same work."""
    folder = os.path.dirname(path)
    for name in sorted(os.listdir(folder)):
        other = os.path.join(folder, name)
        if name.endswith(".jsonl") and other != path and OutcomeFile(other).work() == work:
            yield other


def forget_results(path: str, work: object) -> None:
    """The work is done for good: the next run of it starts from nothing."""
    for other in siblings(path, work):
        with open(other, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # another run is at it
            os.unlink(other)
    os.rename(path, path + DONE)


# Behind the name of a file whose results have been handed over: no other run takes them up.
DONE = ".done"
# What the driver has laid ready beside it, as Grid wants it; ends alike, so that it is cleared away alike.
ORDERED = ".ordered" + DONE


# To Grid goes one line for each task, in the order of the tasks: `=` and the value as JSON, `!` and the error as
# JSON, or `?` where there is no outcome.


def outcomes_in_order(path: str, total: int) -> Iterable[bytes]:
    if os.path.exists(path + ORDERED):
        with open(path + ORDERED, "rb") as file:
            return [file.read()]
    if os.path.getsize(path) <= SMALL_BYTES:
        return small_outcomes(path, total)
    return large_outcomes(path, total)


def large_outcomes(path: str, total: int) -> Iterator[bytes]:
    places = {int(match[2]): at for at, _, match in OutcomeFile(path).lines()}
    with open(path, "rb") as file:
        for index in range(total):
            at = places.get(index)
            if at is None:
                yield b"?\n"
                continue
            file.seek(at)
            line = file.readline()
            match = OUTCOME.match(line)
            assert match, "the place of each outcome was told by a line that is one"
            yield (b"=" if match[3] == b"true" else b"!") + line[match.end() : -len(OUTCOME_END)] + b"\n"


def small_outcomes(path: str, total: int) -> list[bytes]:
    """The same of a file that is read as a whole."""
    with open(path, "rb") as file:
        content = file.read()
    lines = [b"?\n"] * total
    for index, ok, rest in WHOLE_OUTCOME.findall(content):
        lines[int(index)] = (b"=" if ok == b"true" else b"!") + rest + b"\n"
    return lines


# As `OUTCOME` and `OUTCOME_END`; nothing but the end of a line ends one.
WHOLE_OUTCOME = re.compile(rb'^\{"item": "[^"\n]*", "index": (\d+), "ok": (true|false), "(?:value|error)": (.*)\}\n', re.M)
# Of a results file that fits into memory, several times over.
SMALL_BYTES = 32 << 20


def hand_over(path: str, total: int) -> None:
    """Prints all outcomes; removes them when the work is done, it hears."""
    own = path
    if not os.path.exists(path) and os.path.exists(path + DONE):
        path += DONE  # handed over before, to somebody who did not live to tell
    has_any = os.path.exists(path)
    out = sys.stdout.buffer
    if not has_any:
        out.write(b"?\n" * total)
    else:
        out.writelines(outcomes_in_order(path, total))
    out.flush()
    if sys.stdin.readline() == "done\n" and path == own and has_any:
        forget_results(path, OutcomeFile(path).work())
    try:
        os.unlink(own + ORDERED)  # the results file says the same to whoever asks again
    except FileNotFoundError:
        pass


