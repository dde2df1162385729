"""Parameters, multiplications and memory: published figures, and counts by hand."""

import keras
import pytest
from keras import layers

from kerasopt.profile import count
from kerasopt.structured import shrink_plan
from tests.graph import models


@pytest.mark.parametrize(
    ("name", "macs"),
    # Howard et al. 2017, Sandler et al. 2018, He et al. 2016, Simonyan & Zisserman 2015.
    [("MobileNet", 569e6), ("MobileNetV2", 300e6), ("ResNet50", 3.86e9), ("VGG16", 15.5e9)],
)
def test_known_figures(name, macs):
    model = getattr(keras.applications, name)(weights=None)
    found = count(model)
    assert found.macs == pytest.approx(macs, rel=0.02)
    assert found.parameters == model.count_params()
    assert sum(one.macs for one in found.layers) == found.macs
    assert sum(one.parameters for one in found.layers) == found.parameters


def one(layer, shape):
    return keras.Sequential([keras.Input(shape), layer])


@pytest.mark.parametrize(
    ("model", "macs"),
    [
        (one(layers.Dense(5), (3,)), 15),
        (one(layers.Dense(5), (7, 3)), 7 * 15),
        (one(layers.Conv2D(4, 3), (8, 8, 3)), 36 * 9 * 3 * 4),
        (one(layers.Conv2D(4, 3, strides=2, padding="same"), (8, 8, 3)), 16 * 9 * 3 * 4),
        (one(layers.Conv2D(4, 3, groups=2), (8, 8, 2)), 36 * 9 * 1 * 4),
        (one(layers.DepthwiseConv2D(3, depth_multiplier=2), (8, 8, 3)), 36 * 9 * 3 * 2),
        (one(layers.SeparableConv2D(4, 3), (8, 8, 3)), 36 * (9 * 3 + 3 * 4)),
        (one(layers.Conv2DTranspose(4, 3, strides=2), (8, 8, 3)), 64 * 9 * 3 * 4),
        (one(layers.Conv1D(4, 3), (8, 3)), 6 * 3 * 3 * 4),
        (one(layers.LSTM(4), (5, 3)), 5 * (3 * 16 + 4 * 16)),
        (one(layers.GRU(4), (5, 3)), 5 * (3 * 12 + 4 * 12)),
        (one(layers.Bidirectional(layers.SimpleRNN(4)), (5, 3)), 2 * 5 * (12 + 16)),
        (one(layers.TimeDistributed(layers.Dense(4)), (5, 3)), 5 * 12),
        (one(layers.EinsumDense("abc,cde->abde", (7, 4, 5)), (7, 3)), 7 * 3 * 20),
        (one(layers.EinsumDense("...x,xy->...y", 4), (7, 2, 3)), 14 * 12),
        (one(layers.ConvLSTM2D(2, 3, padding="same"), (4, 6, 6, 3)), 4 * 36 * 9 * (3 + 2) * 8),
    ],
)
def test_multiplications_of_one_layer(model, macs):
    assert count(model).macs == macs


def test_attention():
    x = keras.Input((6, 8))
    model = keras.Model(x, layers.MultiHeadAttention(2, 3, value_dim=5)(x, x))
    projections = 6 * 8 * 2 * (3 + 3 + 5) + 6 * 2 * 5 * 8
    assert count(model).macs == projections + 2 * 6 * 6 * (3 + 5)


def test_a_model_that_is_called_twice_works_twice_and_has_its_weights_once():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="in")], name="tower")
    a, b = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([a, b], layers.Add()([inner(a), inner(b)]))
    found = count(model)
    assert (found.macs, found.parameters) == (24, 15)
    assert sum(one.macs for one in found.layers) == 24


def test_the_peak_is_that_of_what_lives_at_a_time():
    x = keras.Input((8, 8, 2), name="x")  # 512 bytes
    y = layers.Conv2D(4, 1, name="a")(x)  # 1024
    y = layers.ReLU(name="r")(y)  # in place
    z = layers.Conv2D(8, 1, name="b")(y)  # 2048
    z = layers.Conv2D(4, 1, name="c")(z)  # 1024
    y = layers.Add(name="sum")([y, z])  # 1024
    model = keras.Model(x, layers.GlobalAveragePooling2D(name="p")(y))
    # While c runs, what the addition needs waits.
    assert count(model).peak_bytes == 1024 + 2048 + 1024


def test_what_is_needed_later_is_not_overwritten():
    x = keras.Input((100,))
    y = layers.Dense(100, name="a")(x)
    model = keras.Model(x, layers.Add(name="sum")([y, layers.ReLU(name="r")(y)]))
    assert count(model).peak_bytes == 1200


def test_both_results_of_a_model_that_is_called_twice_live():
    inner = keras.Sequential([keras.Input((100,)), layers.Dense(100, name="in")], name="tower")
    a, b = keras.Input((100,)), keras.Input((100,))
    model = keras.Model([a, b], layers.Concatenate()([inner(a), inner(b)]))
    assert count(model).peak_bytes >= 1600


def test_what_is_not_counted_is_named():
    x = keras.Input((6, 6, 3))
    y = layers.SpectralNormalization(layers.Conv2D(4, 3), name="sn")(x)
    model = keras.Model(x, layers.GlobalMaxPooling2D()(y))
    found = count(model)
    assert (found.macs, found.not_counted) == (0, ("sn",))
    assert str(found).endswith("MACs that are not counted: sn.")


def test_half_precision_has_half_the_bytes():
    model = one(layers.Dense(4, dtype="float16"), (4,))
    found = count(model)
    assert found.weight_bytes == 2 * 20


def test_the_table_names_every_layer():
    model = one(layers.Dense(4, name="only"), (4,))
    text = str(count(model))
    assert "only" in text.splitlines()[1]
    assert text.splitlines()[-1].startswith("in all")


def test_the_cost_after_is_that_of_the_smaller_model():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(16, 3, padding="same", name="a")(x)
    y = layers.Add(name="add")([y, layers.Conv2D(16, 3, padding="same", name="b")(y)])
    y = layers.GlobalAveragePooling2D(name="p")(layers.BatchNormalization(name="n")(y))
    model = keras.Model(x, layers.Dense(2, name="top")(y))
    plan = shrink_plan(model, pruning_ratio=0.5)
    small = count(plan.apply())
    for name in ("parameters", "macs", "peak_bytes", "weight_bytes"):
        assert getattr(plan.after, name) == getattr(small, name)


def test_a_subclassed_model_says_what_to_do():
    with pytest.raises(ValueError, match="subclassed model"):
        count(models.subclassed())
