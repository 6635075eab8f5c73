"""Prints what the run found: the accuracy of training, and the score of each shard."""

import json
import os


def main():
    shards = [shard for shard in json.loads(os.environ["SHARDS"]) if shard is not None]
    rows = sum(shard["rows"] for shard in shards)
    correct = sum(shard["correct"] for shard in shards)
    for shard in shards:
        print("digit %(digit)d  %(correct)2d of %(rows)2d" % shard)
    print("scored   %.4f  (%d of %d in %d shards)" % (correct / rows, correct, rows, len(shards)))
    print("accuracy %.4f  (as measured by training)" % float(os.environ["ACCURACY"]))


if __name__ == "__main__":
    main()
