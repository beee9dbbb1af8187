"""Golden answers: what models said when their files were made, they say on every machine and in every later version."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from skbnn import load_model, save_model
from skbnn.kernels import available_instruction_sets, use_instruction_set

GOLDEN = sorted(Path(__file__).parent.joinpath("golden").glob("*.skbnn"))
each_model = pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)


@each_model
@pytest.mark.parametrize("instruction_set", available_instruction_sets())
def test_a_golden_file_predicts_what_it_always_did(path, instruction_set):
    network, said = load_model(path), np.load(path.with_suffix(".npz"))
    with use_instruction_set(instruction_set):
        np.testing.assert_array_equal(network.integer_scores(said["rows"]), said["scores"])
        predictions = network.predict(said["rows"])
    assert predictions.tolist() == said["predictions"].tolist() and predictions.dtype.str == said["dtype"]


@each_model
def test_a_golden_file_is_written_as_it_always_was(path, tmp_path):
    save_model(load_model(path), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


@each_model
def test_a_golden_pickle_is_the_network_that_it_was(path):
    network, said = pickle.loads(path.with_suffix(".pickle").read_bytes()), np.load(path.with_suffix(".npz"))
    assert network == load_model(path)
    np.testing.assert_array_equal(network.integer_scores(said["rows"]), said["scores"])


def test_golden_files_are_of_every_kind():
    networks = [load_model(path) for path in GOLDEN]
    assert {network.output for network in networks} == {"identity", "logistic", "softmax"}
    assert {network.bias.dtype.name for network in networks} == {"int32", "int64"}
    for has in (
        lambda network: network.n_members > 2,
        lambda network: not network.layers,
        lambda network: len(network.layers) > 2,
        lambda network: max(network.layer_sizes) > 31 * 64,  # a byte holds the popcount of 31 words
        lambda network: len(network.components),
        lambda network: network.slopes.size and network.steps.size,
        lambda network: not network.slopes.size and not network.steps.size,
        lambda network: network.output == "logistic" and len(network.bias) > 1,
        lambda network: np.isinf(network.thresholds).any() and network.nominal.any(),
        lambda network: network.categories and network.categories[-1] == ("Köln", "a\0b", "日本", None),
        lambda network: network.feature_names == tuple(f"größe {number}" for number in range(7)),
    ):
        assert any(map(has, networks))
