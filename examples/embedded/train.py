"""Trains a network of handwritten digits, and writes it and its test rows as C: model.h and rows.h."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skbnn import BinaryMLPClassifier
from skbnn.export import to_c

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X.astype(np.uint8), y, test_size=0.25, random_state=0)

# Chosen by cross-validation of the training rows among what takes at most 6 KB of flash.
model = BinaryMLPClassifier(
    (128,), n_thresholds=4, dropout=0.2, max_iter=300, init="constant", n_estimators=1, random_state=0
)
model.fit(X_train, y_train)
print(f"accuracy {model.score(X_test, y_test):.3f}")

to_c(model, "model.h", dtype="uint8")


def table(values):
    """Values as C has them between braces."""
    return ", ".join(map(str, values.tolist()))


with open("rows.h", "w") as file:
    file.write(f"enum {{ n_rows = {len(X_test)} }};\n\nstatic const uint8_t rows[n_rows][{X.shape[1]}] = {{\n")
    file.writelines(f"    {{{table(row)}}},\n" for row in X_test)
    file.write(f"}};\n\nstatic const uint8_t expected[n_rows] = {{{table(model.packed_.predict(X_test))}}};\n")
