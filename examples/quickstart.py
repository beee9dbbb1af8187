"""
Quickstart
==========

Trains a binary and a float multilayer perceptron of the same shape on scikit-learn's bundled digits, and compares
their accuracy, speed and size.
"""

import pickle
import statistics
import time

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbnn import BinaryMLPClassifier

X_train, X_test, y_train, y_test = train_test_split(
    *load_digits(return_X_y=True), test_size=0.3, stratify=load_digits().target, random_state=0
)

# The binary network needs no scaling: it turns each feature into bits by thresholds that it learns from the data.
binary = BinaryMLPClassifier(hidden_layer_sizes=(512, 512), random_state=0, verbose=True)
floating = make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(512, 512), random_state=0))


def fit_seconds(model):
    """Seconds that fit takes."""
    start = time.perf_counter()
    model.fit(X_train, y_train)
    return time.perf_counter() - start


def predict_microseconds(model, repeats=20):
    """Median over the repeats of predict's microseconds a row."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        model.predict(X_test)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) / len(X_test) * 1e6


print(f"{'':22}{'accuracy':>10}{'fit, s':>10}{'predict, µs/row':>18}{'model, bytes':>15}")
for name, model in ("BinaryMLPClassifier", binary), ("MLPClassifier", floating):
    seconds = fit_seconds(model)
    # packed_ is what to deploy: the network that predicts, without the training state.
    size = len(pickle.dumps(binary.packed_ if model is binary else floating))
    accuracy, speed = model.score(X_test, y_test), predict_microseconds(model)
    print(f"{name:22}{accuracy:10.4f}{seconds:10.2f}{speed:18.2f}{size:15,}")
