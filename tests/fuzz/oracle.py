"""What a network says of rows, held to what the slow truth says of its arrays; and what its attackers draw."""

import numpy as np

from skbnn.packed import reference
from skbnn.packed.activations import expit, softmax

REAL = [0.0, -0.0, 0.5, -1.5, np.nan, np.inf, -np.inf, 5e-324, 1e-310, 1e308, -1.8e308, 2.0**53, 2.0**-1074, 3e38]


def pick(rng, values):
    """One of a list's values."""
    return values[rng.integers(len(values))]


def rows_for(rng, network):
    """Rows at thresholds, next to them, and far away from them."""
    shape = 5, network.n_features_in
    values = [*REAL, *rng.choice(network.thresholds, 5), *np.arange(-9, 10) / 4, *range(5)]
    X = rng.choice(values, size=shape)
    with np.errstate(over="ignore"):
        return X.astype(rng.choice(["f8", "f8", "f4"]))


def answers(network, question, scores):
    """What a method of a network without labels is to say of rows with these integer scores."""
    real, one = network.factor * scores, scores.shape[1] == 1
    if question == "integer_scores":
        return scores
    if question == "decision_function" or (question == "predict" and network.output == "identity"):
        return real[:, 0] if one and question == "predict" else real
    if question == "predict":
        labels = scores.argmax(axis=1) if network.output == "softmax" else (scores > 0).astype(np.int64)
        return labels[:, 0] if labels.ndim == 2 and one else labels
    return softmax(real) if network.output == "softmax" else expit(np.hstack([-real, real]) if one else real)


def assert_scores(network, X):
    """All that predicts says what the reference says, of the network's own arrays."""
    expected = reference.integer_scores(network, X)
    plain = network.named(classes=network.classes)
    for question in "integer_scores", "decision_function":
        np.testing.assert_array_equal(getattr(plain, question)(X), answers(network, question, expected))
    predictions = answers(network, "predict", expected)
    labels = predictions if network.classes is None else network.classes[predictions]
    np.testing.assert_array_equal(plain.predict(X), labels)  # labels may be NaN
