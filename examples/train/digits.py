"""The data set: 1,797 handwritten digits of 8 x 8 pixels, split once and for all by a seed."""

import csv
import os
import random

PIXELS = 64
DIGITS = 10
HELD_OUT = 0.2
SPLIT_SEED = 1998

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "digits.csv")


def load():
    """Returns (training rows, held-out rows); a row is (64 pixels from 0 to 1, digit)."""
    with open(FILE, newline="") as file:
        rows = [parse(line) for line in csv.reader(file)]
    random.Random(SPLIT_SEED).shuffle(rows)
    held_out = round(len(rows) * HELD_OUT)
    return rows[held_out:], rows[:held_out]


def parse(line):
    if len(line) != PIXELS + 1:
        raise ValueError("%s: a row has %d columns instead of %d" % (FILE, len(line), PIXELS + 1))
    return [int(pixel) / 16 for pixel in line[:PIXELS]], int(line[PIXELS])
