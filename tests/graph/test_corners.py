"""What few people build is read, rewritten and edited like everything else."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.graph import Graph
from tests.graph import corners, models
from tests.graph.rewriting import (
    assert_same_results,
    assert_same_weights,
    insert_dropouts,
    removed,
    saved_and_loaded,
)
from tests.graph.test_identity import assert_same

# Keras saves and restores what is shared with a wrapper in one place, and misses it in the other.
KERAS_DOES_NOT_LOAD = (
    corners.shared_with_a_wrapper,
    corners.shared_by_two_wrappers,
    corners.shared_with_a_model_in_a_wrapper,
)


def made(make):
    model = make()
    rng = np.random.default_rng(1)
    for variable in model.weights:
        if "float" in variable.dtype and variable.name not in ("mean", "variance", "count"):
            variable.assign(rng.uniform(0.1, 1.0, variable.shape))
    return model


@pytest.mark.parametrize("make", corners.ALL, ids=lambda make: make.__name__)
def test_corner(make, tmp_path):
    old = made(make)
    inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, models.batch(old))
    before = models.results(old, inputs)
    new = Graph.of(old).build(copied=True)
    assert_same(old, new, inputs)
    if not isinstance(old, keras.Sequential):
        assert new.output_names == old.output_names
    if make is not corners.tied_weights:
        assert new.get_config() == old.get_config()
    if make not in KERAS_DOES_NOT_LOAD:
        assert_same_results(before, saved_and_loaded(new, tmp_path), inputs)
    new, paths = insert_dropouts(old, lambda node: True)
    assert_same_weights(old, new)
    assert_same_results(before, new, inputs)
    assert_same(old, removed(new, paths), inputs)
    assert_shares_nothing(old, new, inputs)


def assert_shares_nothing(old, new, inputs):
    for one, other in ((old, new), (new, old)):
        before = models.results(one, inputs)
        for variable in other.weights:
            variable.assign(keras.ops.zeros_like(variable))
        assert_same_results(before, one, inputs, atol=0.0)


def test_a_stateful_layer_starts_at_zero_as_when_loaded():
    x = keras.Input(batch_shape=(4, 5, 3))
    old = keras.Model(x, layers.LSTM(2, stateful=True, name="lstm")(x))
    inputs = models.batch(old)
    first = models.results(old, inputs)
    assert_same_results(first, Graph.of(old).build(), inputs)
