"""Work for `ray-batch`: one call per task, on whichever node has room."""

import functools
import os

import digits
from classifier import Classifier


def score_shard(digit):
    """How well the model named by $MODEL reads the held-out rows of one digit."""
    model = load_model(os.environ.get("MODEL", "model.json"))
    _, held_out = digits.load()
    shard = [row for row in held_out if row[1] == digit]
    return {"digit": digit, "rows": len(shard), "correct": model.count_correct(shard)}


@functools.lru_cache(maxsize=1)
def load_model(path):
    return Classifier.load(path)
