"""scikit-learn's own checks of estimators."""

import pytest
from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
    parametrize_with_checks,
)

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder
from skbnn.kernels import use_instruction_set

# Small and short, since the checks fit hundreds of times.
SMALL = {"hidden_layer_sizes": (32,), "max_iter": 100}

# Adam divides by the gradient's size. Where the exact gradient is 0, as the output bias' is at the start, it steps
# along the rounding error, which depends on the order of the rows. scikit-learn runs this check on its own
# MLPRegressor with SGD for the same reason, and so does test_a_weight_equals_repeated_rows.
SENSITIVE_TO_ROUNDING = {"check_sample_weight_equivalence_on_dense_data": "Adam amplifies rounding errors"}


def expected_failures(estimator):
    return {} if isinstance(estimator, ThermometerEncoder) else SENSITIVE_TO_ROUNDING


@parametrize_with_checks(
    [BinaryMLPClassifier(**SMALL), BinaryMLPRegressor(**SMALL), ThermometerEncoder()],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_compliance(estimator, check):
    check(estimator)


@pytest.mark.parametrize("Estimator", [BinaryMLPClassifier, BinaryMLPRegressor])
def test_a_weight_equals_repeated_rows(Estimator):
    # what looks at rows one by one, leaving them out, can't take a weight for repeated rows
    rowwise = {"init": "constant", "dropout": 0.0, "n_components": 0}
    estimator = Estimator((32,), solver="sgd", learning_rate_init=0.1, max_iter=5, **rowwise)
    with use_instruction_set("portable"):  # 8 bits are relative to the largest gradient, which a weight is part of
        check_sample_weight_equivalence_on_dense_data(Estimator.__name__, estimator)
