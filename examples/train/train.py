"""Trains on the digits, scores the held-out fifth, writes model.json and metrics.json."""

import argparse
import json

import digits
from classifier import Classifier


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--lr", type=float, default=0.1, help="learning rate")
    parser.add_argument("--seed", type=int, default=7, help="order of the rows in each epoch")
    options = parser.parse_args()

    training, held_out = digits.load()
    model = Classifier.blank(digits.DIGITS, digits.PIXELS)
    loss = None
    for epoch in range(1, options.epochs + 1):
        loss = model.train_epoch(training, options.lr, seed=options.seed * 1000 + epoch)
        print("epoch %2d/%d  loss %.4f" % (epoch, options.epochs, loss), flush=True)

    accuracy = model.count_correct(held_out) / len(held_out)
    model.save("model.json")
    metrics = {
        "accuracy": round(accuracy, 4),
        "loss": None if loss is None else round(loss, 4),
        "epochs": options.epochs,
        "lr": options.lr,
        "training_rows": len(training),
        "held_out_rows": len(held_out),
    }
    with open("metrics.json", "w") as file:
        json.dump(metrics, file, indent=2)
        file.write("\n")
    print("accuracy %.4f on %d held-out digits" % (accuracy, len(held_out)))


if __name__ == "__main__":
    main()
