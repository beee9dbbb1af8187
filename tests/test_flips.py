"""The share of weights that flip in each epoch."""

import numpy as np
import pytest
from skbnn.network._dense import Signs
from sklearn.datasets import load_iris

from skbnn import BinaryMLPClassifier

X, Y = load_iris(return_X_y=True)
SMALL = {"hidden_layer_sizes": (9, 70), "max_iter": 3, "dropout": 0.0, "random_state": 0}


def latent_weights(model):
    networks = [trainer.network for trainer in model._state.trainers]
    return np.concatenate([layer.latent_weights.ravel() for network in networks for layer in network.layers])


@pytest.mark.parametrize("shape", [(1, 1), (3, 63), (2, 64), (5, 65), (7, 200)])
def test_flips_are_those_since_the_last_count(shape):
    rng = np.random.default_rng(0)
    weights = rng.standard_normal(shape).astype(np.float32)
    signs = Signs(weights)
    assert signs.count_flips() == 0
    for _ in range(3):
        before = weights >= 0
        weights[:] = rng.integers(-1, 2, shape)  # 0 is positive
        assert signs.count_flips() == np.count_nonzero((weights >= 0) != before)
        assert signs.count_flips() == 0


@pytest.mark.parametrize("options", [{}, {"solver": "sgd"}, {"solver": "bop"}, {"binarization": "stochastic"}])
def test_an_epoch_is_compared_with_the_one_before(options):
    model = BinaryMLPClassifier(**SMALL, **options).fit(X, Y)
    curve, before = model.flip_ratio_curve_, latent_weights(model) >= 0
    model.partial_fit(X, Y)
    flipped = np.mean((latent_weights(model) >= 0) != before)
    assert model.flip_ratio_curve_ == [*curve, flipped]
    assert len(curve) == 3 and flipped > 0 and type(curve[0]) is float


def test_the_curve_is_as_long_as_that_of_the_loss():
    model = BinaryMLPClassifier(**SMALL, warm_start=True, early_stopping=True, n_iter_no_change=1).fit(X, Y)
    assert len(model.flip_ratio_curve_) == len(model.loss_curve_) == model.n_iter_
    model.set_params(early_stopping=False).fit(X, Y)
    assert len(model.flip_ratio_curve_) == len(model.loss_curve_) == 3
