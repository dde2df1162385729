"""Whole architectures: read, rewritten, edited all over, saved and loaded, always the same."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.graph import Graph
from tests.graph import models
from tests.graph.rewriting import (
    assert_same_results,
    assert_same_weights,
    calibrated,
    insert_dropouts,
    removed,
    replace_by_equals,
    saved_and_loaded,
    shaken,
)

HIDDEN = (layers.ReLU, layers.Activation, layers.Conv2D, layers.Dense, layers.LSTM)


def application(name):
    def make():
        return getattr(keras.applications, name)(
            weights=None, input_shape=(32, 32, 3), classes=10, classifier_activation=None
        )

    make.__name__ = name
    return make


def u_net():
    def block(x, filters, name):
        for part in "ab":
            x = layers.Conv2D(filters, 3, padding="same", name=f"{name}{part}")(x)
            x = layers.BatchNormalization(name=f"{name}{part}_norm")(x)
            x = layers.ReLU(name=f"{name}{part}_relu")(x)
        return x

    image = keras.Input((16, 16, 3), name="image")
    x, skips = image, []
    for level in range(2):
        x = block(x, 4 * 2**level, f"down{level}")
        skips.append(x)
        x = layers.MaxPooling2D(name=f"pool{level}")(x)
    x = block(x, 16, "bottom")
    for level in (1, 0):
        x = layers.Conv2DTranspose(4 * 2**level, 2, strides=2, name=f"up{level}")(x)
        x = block(layers.Concatenate(name=f"join{level}")([skips[level], x]), 4, f"rise{level}")
    return keras.Model(image, layers.Conv2D(2, 1, name="mask")(x), name="u_net")


def two_towers():
    user, item = keras.Input((6,), name="user"), keras.Input((6,), name="item")
    first = layers.Dense(8, activation="relu", name="shared_1")
    second = layers.Dense(4, name="shared_2")
    towers = [second(layers.Dropout(0.1, name=f"drop_{x.name}")(first(x))) for x in (user, item)]
    score = layers.Dot(1, normalize=True, name="score")(towers)
    return keras.Model({"user": user, "item": item}, {"score": score}, name="two_towers")


def transformer():
    words = keras.Input((7,), dtype="int32", name="words")
    token = layers.Embedding(11, 8, mask_zero=True, name="token")(words)
    place = layers.Embedding(7, 8, name="place")(keras.ops.arange(7))
    x = token + place
    y = layers.MultiHeadAttention(2, 4, name="attend")(x, x, use_causal_mask=True)
    x = layers.LayerNormalization(name="norm_1")(layers.Add(name="add_1")([x, y]))
    y = layers.Dense(16, activation="gelu", name="wide")(x)
    y = layers.Dense(8, name="narrow")(y)
    x = layers.LayerNormalization(name="norm_2")(layers.Add(name="add_2")([x, y]))
    return keras.Model(words, layers.Dense(11, name="next")(x), name="transformer")


def lstm_with_masking():
    x = keras.Input((None, 4), name="series")
    y = layers.Masking(name="masking")(x)
    y = layers.LSTM(5, return_sequences=True, name="lstm_1")(y)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.LSTM(3, name="lstm_2")(y)
    return keras.Model(x, layers.Dense(1, name="top")(y), name="masked_lstm")


def keras_ops():
    x = keras.Input((6, 4), name="x")
    y = layers.Dense(4, activation="relu", name="hidden")(x)
    left, right = keras.ops.split(y, 2, axis=-1)
    y = keras.ops.einsum("bij,bkj->bik", left, right) / np.float32(3.0)
    y = keras.ops.where(y > 0, y, 0.1 * y)[:, 1:]
    y = keras.ops.mean(keras.ops.stack([y, y * 2.0], axis=1), axis=[1, 2])
    return keras.Model(x, layers.Dense(2, name="top")(y), name="ops")


@keras.saving.register_keras_serializable(package="tests")
def halved(x):
    return x / 2.0


def with_lambda():
    x = keras.Input((6,), name="x")
    y = layers.Lambda(lambda t: t * 2.0, output_shape=(6,), name="twice")(x)
    y = layers.Dense(5, activation="relu", name="hidden")(y)
    y = layers.Lambda(halved, name="half")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="lambda")


BIG = ["MobileNetV2", "ResNet50", "EfficientNetV2B0", "DenseNet121"]
SMALL = [u_net, two_towers, transformer, lstm_with_masking, keras_ops, with_lambda]


@pytest.fixture(
    scope="module",
    params=[*(pytest.param(application(n), marks=pytest.mark.slow) for n in BIG), *SMALL],
    ids=lambda make: make.__name__,
)
def case(request):
    """Give a model, an input, and what it makes of it."""
    model = shaken(request.param())
    inputs = models.batch(model, size=2)
    if request.param is lstm_with_masking:
        inputs = np.ones((2, 6, 4), "float32")
        inputs[0, 2:] = 0.0
    before = models.results(calibrated(model, inputs), inputs)
    # That equal results say something.
    assert all(np.isfinite(one).all() and np.ptp(one, axis=0).max() > 1e-2 for one in before)
    return model, inputs, before


def names(model):
    return [layer.name for layer in model.layers]


def test_rewriting_changes_nothing(case, tmp_path):
    old, inputs, before = case
    new = Graph.of(old).build()
    assert names(new) == names(old)
    assert not {id(v) for v in old.variables} & {id(v) for v in new.variables}
    assert_same_weights(old, new)
    assert_same_results(before, new, inputs, atol=1e-6)
    loaded = saved_and_loaded(new, tmp_path, safe_mode=old.name != "lambda")
    assert names(loaded) == names(old)
    assert_same_results(before, loaded, inputs)


def test_what_is_inserted_everywhere_can_be_removed(case, tmp_path):
    old, inputs, before = case
    new, paths = insert_dropouts(old, lambda node: isinstance(node.layer, HIDDEN))
    assert paths
    assert set(names(new)) == {*names(old), *paths}
    assert_same_weights(old, new)
    assert_same_results(before, new, inputs)
    if len(old.layers) < 100:
        loaded = saved_and_loaded(new, tmp_path, safe_mode=old.name != "lambda")
        assert_same_results(before, loaded, inputs)
    again = removed(new, paths)
    assert names(again) == names(old)
    assert_same_weights(old, again)
    assert_same_results(before, again, inputs)


def test_equal_layers_change_nothing(case):
    old, inputs, before = case
    new, put_in = replace_by_equals(old, (layers.Dense, layers.Conv2D))
    assert put_in
    assert {id(layer) for layer in put_in} <= {id(layer) for layer in new.layers}
    assert names(new) == names(old)
    assert_same_weights(old, new)
    assert_same_results(before, new, inputs)


def test_a_dropout_behind_every_activation_of_a_big_model():
    old = application("MobileNetV2")()
    _, paths = insert_dropouts(old, lambda node: isinstance(node.layer, layers.ReLU))
    assert len(paths) == 35


def test_a_lambda_loads_without_a_leave_if_its_function_is_registered(tmp_path):
    x = keras.Input((3,))
    old = keras.Model(x, layers.Dense(2)(layers.Lambda(halved)(layers.Dense(3, name="d")(x))))
    new, paths = insert_dropouts(old, lambda node: node.path == "d")
    assert paths == ["inserted"]
    inputs = models.batch(old)
    loaded = saved_and_loaded(new, tmp_path)
    assert_same_results(models.results(old, inputs), loaded, inputs)
    saved_and_loaded(with_lambda(), tmp_path, safe_mode=False)
    with pytest.raises(ValueError, match="lambda"):
        saved_and_loaded(with_lambda(), tmp_path)
