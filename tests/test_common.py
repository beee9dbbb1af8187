"""scikit-learn's own checks of estimators."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skbnn import BinaryMLPClassifier, BinaryMLPRegressor, ThermometerEncoder

# Small and short, since the checks fit hundreds of times; the defaults differ in nothing else.
SMALL = {"hidden_layer_sizes": (32,), "max_iter": 100}


@parametrize_with_checks([BinaryMLPClassifier(**SMALL), BinaryMLPRegressor(**SMALL), ThermometerEncoder()])
def test_scikit_learn_compliance(estimator, check):
    check(estimator)
