"""What a network says of rows, held to what the slow truth says of its arrays."""

import numpy as np

from skbnn.packed import reference

REAL = [0.0, -0.0, 0.5, -1.5, np.nan, np.inf, -np.inf, 5e-324, 1e-310, 1e308, -1.8e308, 2.0**53, 2.0**-1074, 3e38]


def rows_for(rng, network):
    """Rows at thresholds, next to them, and far away from them."""
    shape = 5, network.n_features_in
    values = [*REAL, *rng.choice(network.thresholds, 5), *np.arange(-9, 10) / 4, *range(5)]
    X = rng.choice(values, size=shape)
    with np.errstate(over="ignore"):
        return X.astype(rng.choice(["f8", "f8", "f4"]))


def assert_scores(network, X):
    """All that predicts says what the reference says, of the network's own arrays."""
    expected = reference.integer_scores(network, X)
    plain = network.named(classes=network.classes)
    scores = network.factor * expected
    np.testing.assert_array_equal(plain.integer_scores(X), expected)
    np.testing.assert_array_equal(plain.decision_function(X), scores)
    predictions = {
        "identity": lambda: scores,
        "logistic": lambda: (expected > 0).astype(int),
        "softmax": lambda: expected.argmax(axis=1),
    }[network.output]()
    if network.output != "softmax" and len(network.bias) == 1:
        predictions = predictions[:, 0]
    labels = predictions if network.classes is None else network.classes[predictions]
    np.testing.assert_array_equal(plain.predict(X), labels)  # labels may be NaN
