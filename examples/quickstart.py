"""
Quickstart: a binary network beside a float one
===============================================

Trains :class:`skbnn.BinaryMLPClassifier` and scikit-learn's
:class:`~sklearn.neural_network.MLPClassifier` of the same shape on the handwritten digits that scikit-learn
bundles, and compares accuracy, time and size.
"""

import pickle
from statistics import median
from time import perf_counter

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skbnn import BinaryMLPClassifier

SHAPE = (512, 512)
threadpool_limits(1)  # one thread for either, so that the times compare

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)


def seconds(function, *args):
    """Time of one call."""
    start = perf_counter()
    function(*args)
    return perf_counter() - start


def measure(name, classifier, parameters):
    """Fit, then one line of the table; ``parameters(classifier)`` is what prediction needs of it."""
    fit_time = seconds(classifier.fit, X_train, y_train)
    predict_time = median(seconds(classifier.predict, X_test) for _ in range(11))
    accuracy, n_bytes = classifier.score(X_test, y_test), len(pickle.dumps(parameters(classifier)))
    return f"{name:<20} {accuracy:>8.3f} {fit_time:>8.1f} s {1e3 * predict_time:>10.2f} ms {n_bytes:>12,} bytes"


# %%
# The binary network reads the pixels as they are. ``verbose`` shows how ``fit`` goes on.
binary = BinaryMLPClassifier(SHAPE, random_state=0, verbose=True)
binary_line = measure("BinaryMLPClassifier", binary, lambda classifier: classifier.packed_)

# %%
# The float network needs scaled features. Of its pickle only the weights are counted, not the optimizer's state.
float_mlp = make_pipeline(StandardScaler(), MLPClassifier(SHAPE, random_state=0))
float_line = measure("MLPClassifier", float_mlp, lambda pipeline: (pipeline[-1].coefs_, pipeline[-1].intercepts_))

# %%
# Predictions are of all test rows at once, the median of eleven runs.
print(f"\n{len(X_train)} rows to train, {len(X_test)} to test, hidden layers {SHAPE}, one thread")
print(f"{'':<20} {'accuracy':>8} {'fit':>10} {'predict':>13} {'model':>18}")
print(binary_line, float_line, sep="\n")
