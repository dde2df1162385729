"""Which layers XNNPACK's sparse inference can make faster."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.callbacks import Pruning
from kerasopt.pruning import sparse_inference, sparsity
from kerasopt.schedules import OneShot


def mobile(stem=None, middle=(), end="mean", size=32):
    x = keras.Input((size, size, 3))
    y = layers.ZeroPadding2D(1)(x)
    y = (stem or layers.Conv2D(8, 3, strides=2, name="stem"))(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization(name="norm")(y))
    z = layers.Conv2D(8, 1, name="expand", activation="relu")(y)
    z = layers.DepthwiseConv2D(3, padding="same", name="depth")(z)
    z = layers.Conv2D(8, 1, name="project")(z)
    y = layers.Add()([y, z])
    y = layers.DepthwiseConv2D(5, strides=2, name="down")(layers.ZeroPadding2D(2)(y))
    for layer in middle:
        y = layer(y)
    y = layers.Conv2D(16, 1, name="last")(y)
    y = layers.GlobalAveragePooling2D()(y) if end == "mean" else layers.Flatten()(y)
    return keras.Model(x, layers.Dense(2, name="top")(y))


def test_a_mobile_network():
    found = sparse_inference(mobile())
    assert found
    assert found.include == ["expand", "project", "last"]
    assert found.reasons == {
        "stem": "it begins the sparse part, and stays dense",
        "depth": "only 1x1 convolutions run sparse",
        "down": "only 1x1 convolutions run sparse",
        "top": "it lies outside the sparse part",
    }
    assert "expand   yes" in str(found)


def test_it_can_be_pruned_so():
    model = mobile(size=8)
    model.compile("sgd", "mse")
    pruning = Pruning(OneShot(0.7), include=sparse_inference(model).include)
    model.fit(np.ones((4, 8, 8, 3)), np.ones((4, 2)), verbose=0, callbacks=[pruning])
    sparse = [row.path for row in sparsity(model).rows if row.zeros]
    assert sparse == ["expand/kernel", "project/kernel", "last/kernel"]


@pytest.mark.parametrize(
    ("middle", "why"),
    [
        ([layers.Conv2D(8, 3, padding="same", name="wide")], "'wide' breaks .* not 1x1"),
        ([layers.MaxPooling2D(name="pool")], "'pool' breaks .* MaxPooling2D is no operator"),
        ([layers.Activation("tanh", name="tanh")], "'tanh' breaks .* 'tanh' is no operator"),
        ([layers.DepthwiseConv2D(3, strides=2, padding="same", name="odd")],
         r"'odd' breaks .* not padded by 1 on each side \(put ZeroPadding2D\(1\)"),
        ([layers.DepthwiseConv2D(7, padding="same", name="seven")], "only 3x3 and 5x5"),
        ([layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="two")], "multiplier"),
        ([layers.DepthwiseConv2D(3, padding="same", dilation_rate=2, name="far")], "dilated"),
    ],
)  # fmt: skip
def test_what_breaks_it(middle, why):
    clones = [type(layer).from_config(layer.get_config()) for layer in middle]
    found = sparse_inference(mobile(middle=clones))
    assert not found
    assert re.search(why, found.reasons["expand"])


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        (layers.Conv2D(8, 3, name="stem"), "not 3x3 with stride 2"),
        (layers.Conv2D(8, 5, strides=2, name="stem"), "not 3x3 with stride 2"),
        (layers.Conv2D(8, 3, strides=2, padding="same", name="stem"), "not padded by 1"),
        (layers.Conv2D(8, 3, strides=2, activation="gelu", name="stem"), "'gelu'"),
    ],
)
def test_what_cannot_begin_it(stem, why):
    found = sparse_inference(mobile(stem=type(stem).from_config(stem.get_config())))
    assert not found
    assert why in found.reasons["top"]
    assert "'stem' cannot begin one" in found.reasons["expand"]


def test_what_does_not_end_or_begin():
    found = sparse_inference(mobile(end="flatten"))
    assert "Flatten is no operator" in found.reasons["expand"]
    gray = keras.Sequential([keras.Input((9, 9, 1)), layers.Conv2D(2, 3, strides=2, name="c")])
    assert "takes 1 channels, not 3" in sparse_inference(gray).reasons["c"]
    dense = keras.Sequential([keras.Input((9,)), layers.Dense(2, name="d")])
    assert "no 2D convolution" in sparse_inference(dense).reasons["d"]
    open_ended = keras.Sequential([keras.Input((9, 9, 3))])
    open_ended.add(layers.Conv2D(2, 3, strides=2, padding="same", name="c"))
    open_ended.add(layers.Conv2D(2, 1, name="p"))
    assert "no mean over all places" in sparse_inference(open_ended).reasons["p"]


@pytest.mark.parametrize("size", [96, 97])
def test_mobilenet_v2_runs_sparse_on_maps_of_odd_size_only(size):
    model = keras.applications.MobileNetV2(weights=None, input_shape=(size, size, 3), alpha=0.35)
    found = sparse_inference(model)
    if size == 96:  # Keras pads these by 0 and 1
        assert not found
        assert "'Conv1' cannot begin one, as it is not padded by 1" in found.reasons["Conv_1"]
        return
    assert found.include == [
        layer.name
        for layer in model.layers
        if type(layer) is layers.Conv2D and layer.kernel_size == (1, 1)
    ]
