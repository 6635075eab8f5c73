"""Runs a list of tasks in batches: as Ray tasks, or in local processes where there is no Ray.

    python3 batch_driver.py SPEC.json

One file, joined from the parts of `src/ray/driver/`; standard library only (plus `ray` in mode
"ray"), Python 3.8 or newer. Every finished item is one line of the results file, so a run that is
repeated goes on where the last one stopped. What Grid must know is printed as one line of JSON
behind a mark that is made from the batch's id.

Exit codes: 0 every task has an outcome (some may have failed), 3 the batch could not be run and the
printed problem says why, 143 asked to stop by SIGTERM.
"""

# Every worker loads these: what few of them need is imported where it is used.
import collections
import enum
import importlib
import json
import math
import os
import re
import signal
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from types import FrameType
    from typing import IO, Any, Callable, Iterable, Iterator

    # What came as JSON, from Grid or from a worker.
    Fields = dict[str, Any]
    # Index and text of each task.
    Items = list[tuple[int, str]]
    # Host and port, as `socket` takes them.
    Address = list[Any]
    # CPUs and GPUs.
    Resources = tuple[float, float]
    Run = Callable[[int, str], object]
    Report = Callable[[int, bool, str], None]

# Each time costs the node a dozen small processes, until it has reached Grid.
PROGRESS_SECONDS = 0.5
POLL_SECONDS = 0.5
LOCK_SECONDS = 30
STOP_SECONDS = 2
# What one command may print as its result, and how much of an error is kept.
RESULT_BYTES = 1 << 20
ERROR_CHARACTERS = 8000
# A batch of one item is tried again when its node died, which was not the item's doing.
NODE_LOSSES = 3
# Whoever reads the results walks through them; Python and V8 both end somewhere near 1000.
MOST_NESTING = 400


class Problem(Exception):
    """The batch as a whole cannot be run."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Stopped(Exception):
    """SIGTERM or SIGINT has arrived."""


