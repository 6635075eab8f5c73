"""A softmax classifier in plain Python: ten weighted sums, the largest one wins."""

import json
import math
import random
from operator import mul


class Classifier:
    def __init__(self, weights, biases):
        self.weights = weights
        self.biases = biases

    @classmethod
    def blank(cls, classes, features):
        return cls([[0.0] * features for _ in range(classes)], [0.0] * classes)

    @classmethod
    def load(cls, path):
        with open(path) as file:
            model = json.load(file)
        return cls(model["weights"], model["biases"])

    def save(self, path):
        with open(path, "w") as file:
            json.dump({"weights": self.weights, "biases": self.biases}, file)
            file.write("\n")

    def scores(self, features):
        return [bias + sum(map(mul, row, features)) for row, bias in zip(self.weights, self.biases)]

    def probabilities(self, features):
        scores = self.scores(features)
        top = max(scores)  # keeps exp() from overflowing
        powers = [math.exp(score - top) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]

    def predict(self, features):
        scores = self.scores(features)
        return scores.index(max(scores))

    def train_epoch(self, rows, learning_rate, seed):
        """One pass of stochastic gradient descent; returns the mean cross-entropy loss."""
        order = list(rows)
        random.Random(seed).shuffle(order)
        loss = 0.0
        for features, label in order:
            probabilities = self.probabilities(features)
            loss -= math.log(max(probabilities[label], 1e-12))
            for index, probability in enumerate(probabilities):
                step = learning_rate * (probability - (index == label))
                self.weights[index] = [
                    weight - step * feature for weight, feature in zip(self.weights[index], features)
                ]
                self.biases[index] -= step
        return loss / len(order)

    def count_correct(self, rows):
        return sum(self.predict(features) == label for features, label in rows)
