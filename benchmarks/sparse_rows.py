"""Text as a sparse matrix: seconds and peak memory of training, and the rate of predicting beside dense rows."""

from functools import partial

import numpy as np
from common import interleaved, main, now
from memory import in_child, peak
from scipy.sparse import csr_array
from sklearn.neural_network import MLPClassifier

from skbnn import BinaryMLPClassifier

SHAPE, QUICK_SHAPE = (100_000, 50_000), (4000, 5000)
WORDS = 100  # of a text
N_TOPICS, N_OWN = 4, 100  # words that a topic prefers

ONE_NETWORK = {"n_estimators": 1, "dropout": 0.0, "random_state": 0}


def run(arguments):
    """Yield the tables."""
    shape = QUICK_SHAPE if arguments.quick else SHAPE
    models = {
        "skbnn, 512-512, batches of 128": BinaryMLPClassifier((512, 512), batch_size=128, **ONE_NETWORK),
        "skbnn, 512-512, batches of 1,024": BinaryMLPClassifier((512, 512), batch_size=1024, **ONE_NETWORK),
        "skbnn, 128, batches of 1,024": BinaryMLPClassifier(128, batch_size=1024, **ONE_NETWORK),
        "MLPClassifier, 128, batches of 1,024": MLPClassifier(128, batch_size=1024, random_state=0),
    }
    rows = [{"model": name, **in_child(train, model, shape)} for name, model in models.items()]
    yield f"a text matrix of {shape[0]:,} x {shape[1]:,} with {shape[0] * WORDS:,} words", rows

    yield "µs to predict a row of 100 words, 512-512", list(readings(arguments))


def train(model, shape):
    """What it takes to train and to predict, in this process."""
    X, y = texts(shape, seed=0)
    X_test, y_test = texts((shape[0] // 5, shape[1]), seed=1)
    start_memory = peak()
    begin = now()
    model.partial_fit(X, y, classes=np.arange(N_TOPICS))
    first = now() - begin
    begin = now()
    model.partial_fit(X, y)
    epoch = now() - begin
    begin = now()
    predicted = model.predict(X_test)
    per_row = (now() - begin) / len(y_test)
    return {
        "first epoch, s": first,
        "another, s": epoch,
        "MiB at most": peak(),
        "of these before": start_memory,
        "µs to predict a row": 1e6 * per_row,
        "test accuracy": np.mean(predicted == y_test),
    }


def readings(arguments):
    """How long sparse rows take, and dense ones of the same values."""
    for n_features in (1000, 5000) if arguments.quick else (1000, 10_000, 50_000):
        X, y = texts((1000, n_features), seed=0)
        network = BinaryMLPClassifier((512, 512), max_iter=1, init="constant", **ONE_NETWORK).fit(X, y).packed_
        rows = {"sparse": X, "dense": X.toarray()}
        calls = {name: partial(network.predict, of_kind) for name, of_kind in rows.items()}
        seconds = interleaved(calls, arguments.repeats or 5)
        yield {"features": n_features, **{name: 1e6 * np.median(took) / len(y) for name, took in seconds.items()}}


def texts(shape, seed):
    """Weights of words in texts, CSR float64, and their topics.

    Words are as frequent as their rank says (Zipf, 1949); a tenth of a text is of words that its topic prefers. Like
    those of TfidfVectorizer, weights are positive and rows have length 1.
    """
    rng, (n_rows, n_words) = np.random.default_rng(seed), shape
    y = rng.integers(N_TOPICS, size=n_rows)
    frequency = 1 / np.arange(1, n_words + 1)
    reached = np.cumsum(frequency / frequency.sum())
    words = np.minimum(np.searchsorted(reached, rng.random((n_rows, WORDS))), n_words - 1)
    n_own = WORDS // 10
    words[:, :n_own] = n_words // 4 + N_OWN * y[:, np.newaxis] + rng.integers(N_OWN, size=(n_rows, n_own))
    counts = csr_array((np.ones(words.size), words.ravel(), WORDS * np.arange(n_rows + 1)), shape)
    counts.sum_duplicates()
    weights = counts.data * -np.log(frequency)[counts.indices] + 1
    lengths = np.sqrt(np.add.reduceat(weights**2, counts.indptr[:-1]))
    counts.data = weights / np.repeat(lengths, np.diff(counts.indptr))
    return counts, y


if __name__ == "__main__":
    main(run, __doc__, sources=("synthetic", "synthetic"))
