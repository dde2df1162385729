"""Every kind of dropout put into models that exist, and taken out again."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

import kerasopt
from kerasopt.graph import Graph
from kerasopt.layers import DropBlock2D, DropConnect, ScheduledDropout, StochasticDepth
from kerasopt.regularization import (
    add_constraint,
    add_penalty,
    freeze_dropout,
    insert_dropout,
    penalties,
    remove_constraint,
    remove_dropout,
    remove_penalty,
)
from kerasopt.regularization.dropout.kinds import ALL_DROPOUTS
from tests.graph import models


def inserted(model):
    nodes = Graph.of(model).nodes
    return [(n.path, type(n.layer).__name__) for n in nodes if isinstance(n.layer, ALL_DROPOUTS)]


def assert_same_inference(old, new):
    inputs = models.batch(old)
    for one, other in zip(models.results(old, inputs), models.results(new, inputs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def residual():
    """Give a small pre-activation network: an identity block, a projected one, a skip of ops."""
    x = keras.Input((8, 8, 4), name="image")
    y = layers.Conv2D(4, 3, padding="same", name="stem")(x)
    z = layers.Conv2D(4, 3, padding="same", activation="relu", name="a1")(y)
    z = layers.Conv2D(4, 3, padding="same", name="a2")(z)
    y = layers.Add(name="add_a")([y, z])
    z = layers.Conv2D(8, 3, strides=2, padding="same", name="b1")(y)
    z = layers.Conv2D(8, 3, padding="same", name="b2")(z)
    z = layers.BatchNormalization(name="b_norm")(z)
    s = layers.Conv2D(8, 1, strides=2, name="project")(y)
    y = layers.Add(name="add_b")([z, s])
    z = layers.Conv2D(8, 3, padding="same", name="c1")(y)
    y = y + z
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="residual")


def recurrent(**arguments):
    x = keras.Input((7, 3), name="x")
    y = layers.GRU(5, return_sequences=True, name="gru", **arguments)(x)
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both")(y)
    y = layers.RNN(layers.SimpleRNNCell(4), name="cells")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="recurrent")


def by_rank():
    x = keras.Input((8, 8, 8, 2))
    y = layers.MaxPooling3D(name="p3")(x)
    y = layers.Conv3D(2, 2, name="c3")(y)
    y = layers.Reshape((3, 3, 6))(y)
    y = layers.MaxPooling2D(name="p2")(y)
    y = layers.Conv2D(2, 1, name="c2")(y)
    y = layers.Reshape((2, 1))(y)
    y = layers.AveragePooling1D(2, name="p1")(y)
    y = layers.Dense(4, name="d")(layers.Flatten()(y))
    return keras.Model(x, layers.Dense(1)(y))


@pytest.mark.parametrize(
    ("make", "kind", "expected"),
    [
        (
            by_rank,
            "spatial_dropout",
            [
                ("p3_spatial_dropout", "SpatialDropout3D"),
                ("p2_spatial_dropout", "SpatialDropout2D"),
                ("p1_spatial_dropout", "SpatialDropout1D"),
                ("d_spatial_dropout", "Dropout"),
            ],
        ),
        (models.sequential, "alpha", [("norm_alpha_dropout", "AlphaDropout")]),
        (models.with_step, "GaussianDropout", [("hidden_gaussian_dropout", "GaussianDropout")]),
        (
            models.skips,
            "scheduled",
            [("pool_dropout", "ScheduledDropout"), ("hidden_dropout", "ScheduledDropout")],
        ),
        (
            models.skips,
            "drop_block",
            # Behind both there is a further layer with a kernel; the stem counts too.
            [("relu_a_drop_block", "DropBlock2D"), ("conv_b_drop_block", "DropBlock2D")],
        ),
        (
            residual,
            "stochastic_depth",
            [
                ("a2_stochastic_depth", "StochasticDepth"),
                ("b_norm_stochastic_depth", "StochasticDepth"),
                ("c1_stochastic_depth", "StochasticDepth"),
            ],
        ),
        (models.attention, "stochastic_depth", [("attend_stochastic_depth", "StochasticDepth")]),
        (recurrent, "gaussian", [("cells_gaussian_dropout", "GaussianDropout")]),
    ],
)
def test_automatic_places(make, kind, expected, tmp_path):
    old = models.scrambled(make())
    new = insert_dropout(old, 0.5, kind=kind, seed=1)
    assert inserted(new) == expected
    assert type(new) is type(old)
    assert_same_inference(old, new)
    new.save(tmp_path / "model.keras")
    loaded = kerasopt.load_model(tmp_path / "model.keras")
    assert inserted(loaded) == expected
    assert_same_inference(old, loaded)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = remove_dropout(new)
    assert back.get_config() == old.get_config()
    assert_same_inference(old, back)
    inputs = models.batch(old, size=16)
    before = models.results(new, inputs)[0]  # training moves the averages of a normalization
    assert not np.allclose(models.results(new, inputs, training=True)[0], before)


def test_stochastic_depth_grows_along_the_branches():
    new = insert_dropout(residual(), 0.3, kind="stochastic_depth")
    rates = [layer.rate for layer in new.layers if isinstance(layer, StochasticDepth)]
    assert rates == pytest.approx([0.1, 0.2, 0.3])
    one = insert_dropout(residual(), 0.3, after="a2", kind="stochastic_depth")
    assert [x.rate for x in one.layers if isinstance(x, StochasticDepth)] == [0.3]


def test_stochastic_depth_only_where_a_shortcut_gets_through():
    with pytest.raises(ValueError, match="a1 are none.*The model has: a2, b_norm, c1"):
        insert_dropout(residual(), 0.3, after=["a1", "a2"], kind="stochastic_depth")
    with pytest.raises(ValueError, match="no residual branch"):
        insert_dropout(models.sequential(), 0.3, kind="stochastic_depth")


def test_two_towers_that_are_added_are_no_residual_block():
    a, b = keras.Input((4,)), keras.Input((4,))
    y = layers.Add()([layers.Dense(4, name="a")(a), layers.Dense(4, name="b")(b)])
    model = keras.Model([a, b], layers.Dense(1)(y))
    with pytest.raises(ValueError, match="no residual branch"):
        insert_dropout(model, 0.3, kind="stochastic_depth")


@pytest.mark.parametrize("how", ["dense", "layer", "operation", "pooled"])
def test_selu_gets_alpha_dropout(how):
    x = keras.Input((6, 4))
    if how == "dense":
        y = layers.Dense(5, "selu", name="hidden")(layers.Flatten()(x))
    elif how == "layer":
        y = layers.Activation("selu")(layers.Dense(5, name="hidden")(layers.Flatten()(x)))
    elif how == "operation":
        y = keras.ops.selu(layers.Dense(5, name="hidden")(layers.Flatten()(x)))
    else:
        y = layers.GlobalMaxPooling1D()(layers.Conv1D(5, 3, activation="selu")(x))
    model = keras.Model(x, layers.Dense(1)(y))
    assert [kind for _, kind in inserted(insert_dropout(model, 0.1))] == ["AlphaDropout"]
    plain = insert_dropout(model, 0.1, kind="dropout")
    assert [kind for _, kind in inserted(plain)] == ["Dropout"]


def test_recurrent_layers_get_dropout_in_their_config():
    old = models.scrambled(recurrent())
    new = insert_dropout(old, 0.4, seed=5)
    assert inserted(new) == [("cells_dropout", "Dropout")]
    gru, both, cells = (new.get_layer(name) for name in ("gru", "both", "cells"))
    assert (gru.dropout, gru.recurrent_dropout) == (0.4, 0.4)
    for one in (both.forward_layer, both.backward_layer, cells.cell):
        assert (one.dropout, one.recurrent_dropout) == (0.4, 0.4)
    # Before any inference: Keras draws the masks of recurrent layers there too, in vain.
    inputs = models.batch(old, size=16)
    again = insert_dropout(old, 0.4, seed=5)
    results = [models.results(model, inputs, training=True)[0] for model in (new, again)]
    np.testing.assert_array_equal(*results)
    assert not np.allclose(results[0], models.results(old, inputs)[0])
    assert_same_inference(old, new)
    back = remove_dropout(new)
    assert back.get_layer("gru").dropout == back.get_layer("both").forward_layer.dropout == 0
    assert_same_inference(old, back)
    assert insert_dropout(old, 0.4, after="gru").get_layer("gru").dropout == 0.0


def test_a_recurrent_layer_that_has_dropout_keeps_its_own():
    new = insert_dropout(recurrent(dropout=0.1), 0.4)
    assert (new.get_layer("gru").dropout, new.get_layer("gru").recurrent_dropout) == (0.1, 0.4)
    x = keras.Input((7, 3))
    y = layers.LSTM(4, name="lstm")(layers.Dropout(0.2)(x))
    new = insert_dropout(keras.Model(x, layers.Dense(1)(y)), 0.4)
    assert (new.get_layer("lstm").dropout, new.get_layer("lstm").recurrent_dropout) == (0.0, 0.4)


def test_a_recurrent_model_trains_and_a_state_is_passed_on():
    x = keras.Input((7,), dtype="int32")
    e = layers.Embedding(9, 4, mask_zero=True)(x)
    y, h, c = layers.LSTM(4, return_sequences=True, return_state=True, name="encoder")(e)
    y = layers.LSTM(4, name="decoder")(y, initial_state=[h, c])
    old = models.scrambled(keras.Model(x, layers.Dense(1)(y)))
    old.compile("sgd", "mse")
    new = insert_dropout(old, 0.3)
    assert_same_inference(old, new)
    new.fit(np.ones((4, 7)), np.ones((4, 1)), verbose=0)


def test_a_class_or_function_of_your_own():
    class Halved(layers.Dropout):
        def __init__(self, rate, **kwargs):
            super().__init__(rate / 2, **kwargs)

    model = models.sequential()
    new = insert_dropout(model, 0.5, kind=Halved, seed=2)
    assert [(x.rate, x.seed) for x in new.layers if isinstance(x, Halved)] == [(0.25, 2)]

    def blocks(rate, **kwargs):
        return DropBlock2D(rate, block_size=2, **kwargs)

    new = insert_dropout(models.skips(), 0.5, after="conv_a", kind=blocks)
    assert new.get_layer("conv_a_dropout").block_size == (2, 2)
    with pytest.raises(ValueError, match="`kind`"):
        insert_dropout(model, 0.5, kind=lambda rate, **kwargs: rate)


def test_channels_first_reaches_the_new_layer():
    x = keras.Input((3, 8, 8))
    y = layers.ReLU(name="relu")(layers.Conv2D(4, 3, data_format="channels_first", name="c")(x))
    y = layers.GlobalAveragePooling2D(data_format="channels_first")(y)
    model = keras.Model(x, layers.Dense(1)(y))
    for kind, name in (("spatial", "relu_spatial_dropout"), ("drop_block", "relu_drop_block")):
        new = insert_dropout(model, 0.5, after="relu", kind=kind)
        assert new.get_layer(name).data_format == "channels_first"


@pytest.mark.parametrize("kind", ["dropouts", "", "Dense", "drop_connect"])
def test_an_unknown_kind(kind):
    with pytest.raises(ValueError, match=r"`kind`.*'stochastic_depth'"):
        insert_dropout(models.sequential(), 0.5, kind=kind)


@pytest.mark.parametrize("kind", [None, 3, layers.Dropout(0.5), dict])
def test_a_kind_of_the_wrong_type(kind):
    with pytest.raises(TypeError, match="`kind`"):
        insert_dropout(models.sequential(), 0.5, kind=kind)


def test_drop_block_needs_maps():
    with pytest.raises(ValueError, match="hidden have no blocks"):
        insert_dropout(models.skips(), 0.5, after="hidden", kind="drop_block")
    with pytest.raises(ValueError, match="no hidden 2D convolution"):
        insert_dropout(models.sequential(), 0.5, kind="drop_block")


def test_many_at_once_leave_the_output_out():
    new = insert_dropout(models.sequential(), 0.5, after=layers.Dense)
    assert inserted(new) == [("first_dropout", "Dropout")]
    assert inserted(insert_dropout(models.sequential(), 0.5, after="auto")) == [
        ("norm_dropout", "Dropout")
    ]


def test_a_subclassed_model_is_told_what_to_do():
    model = models.subclassed()
    for change in (remove_dropout, freeze_dropout, lambda m: insert_dropout(m, 0.5)):
        with pytest.raises(ValueError, match="subclassed model.*Change that code itself"):
            change(model)
    with pytest.raises(ValueError, match="built"):
        insert_dropout(keras.Sequential([layers.Dense(2)]), 0.5)


# Removing and freezing.


def full():
    x = keras.Input((6, 8), name="x")
    y = layers.TimeDistributed(layers.Dropout(0.1), name="times")(x)
    y = layers.MultiHeadAttention(2, 4, dropout=0.2, name="attend")(y, y)
    y = layers.SpatialDropout1D(0.1, name="spatial")(y)
    y = layers.LSTM(4, dropout=0.3, name="lstm")(y)
    y = DropConnect(layers.Dense(5, name="inside"), 0.2, name="connect")(y)
    y = layers.GaussianNoise(0.1, name="noise")(y)
    y = ScheduledDropout(0.4, name="scheduled")(y)
    y = DropConnect(layers.Dense(3), 0.2, name="out")(y)
    return keras.Model(x, y, name="full")


def test_everything_that_drops_goes():
    old = models.scrambled(full())
    drop = {layer.name for layer in old.layers}
    new = remove_dropout(old)
    assert {layer.name for layer in new.layers} == (
        drop - {"times", "spatial", "scheduled", "connect"} | {"inside"}
    )
    assert new.output_names == old.output_names
    assert type(new.get_layer("out")) is layers.Dense
    assert new.get_layer("lstm").dropout == 0
    assert new.get_layer("attend").get_config()["dropout"] == 0
    assert_same_inference(old, new)
    inputs = models.batch(old)
    without_noise = keras.Model(new.input, new.get_layer("inside").output)
    np.testing.assert_array_equal(
        models.results(without_noise, inputs, training=True)[0],
        models.results(without_noise, inputs)[0],
    )


def test_only_some_go():
    new = remove_dropout(full(), include=["spatial", "times"], exclude="times")
    assert inserted(new) == [("scheduled", "ScheduledDropout")]
    assert new.get_layer("times")
    assert new.get_layer("lstm").dropout == 0.3
    with pytest.raises(ValueError, match="`include`.*'spatial'"):
        remove_dropout(full(), include="spatiall")


def test_what_stays_is_named():
    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.drop = layers.Dropout(0.5, name="mine")

        def call(self, x, training=False):
            return self.drop(x, training=training)

    model = keras.Sequential(
        [keras.Input((4,)), Block(name="block"), layers.Dense(2), layers.Dropout(0.1, name="last")]
    )
    with pytest.warns(UserWarning, match="stays in block/mine, last"):
        new = remove_dropout(model)
    assert [layer.name for layer in new.layers][-1] == "last"


def test_a_nested_model_of_dropout_alone_stays():
    inner = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5, name="only")], name="inner")
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2)(inner(x)))
    with pytest.warns(UserWarning, match="inner/only"):
        remove_dropout(model)


def test_a_model_without_dropout_is_only_copied():
    old = models.scrambled(models.nested())
    new = remove_dropout(old)
    assert new is not old
    assert new.get_config() == old.get_config()
    assert_same_inference(old, new)


@pytest.mark.parametrize("make", [models.shared, models.with_step, models.two_in_two_out])
def test_freezing(make):
    old = insert_dropout(models.scrambled(make()), 0.25, kind="scheduled", seed=7)
    for layer in old.layers:
        if isinstance(layer, ScheduledDropout):
            layer.rate.assign(0.1)
    new = freeze_dropout(old)
    assert type(new) is type(old)
    assert [path for path, _ in inserted(new)] == [path for path, _ in inserted(old)]
    assert {kind for _, kind in inserted(new)} == {"Dropout"}
    found = [layer for layer in new.layers if isinstance(layer, layers.Dropout)]
    assert [layer.rate for layer in found] == [0.1] * len(found)
    assert_same_inference(old, new)
    assert new.compiled == old.compiled
    with pytest.raises(ValueError, match="has none"):
        freeze_dropout(new)


def test_the_frozen_layer_goes_on_with_the_seed():
    old = insert_dropout(models.sequential(), 0.25, kind="scheduled", seed=7)
    inputs = models.batch(old)
    models.results(old, inputs, training=True)
    state = np.array(old.get_layer("norm_dropout").seed_generator.state)
    new = freeze_dropout(old)
    np.testing.assert_array_equal(new.get_layer("norm_dropout").seed_generator.state, state)


def test_a_scheduled_model_needs_kerasopt_to_load_and_a_frozen_one_does_not(tmp_path):
    old = insert_dropout(models.skips(), 0.25, kind="scheduled")
    old.save(tmp_path / "scheduled.keras")
    assert inserted(kerasopt.load_model(tmp_path / "scheduled.keras")) == inserted(old)
    new = freeze_dropout(old)
    assert all(type(layer).__module__.startswith("keras.") for layer in new.layers)


def test_freezing_within_wrappers_and_what_stays():
    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.drop = ScheduledDropout(0.5, name="mine")

        def call(self, x, training=False):
            return self.drop(x, training=training)

    x = keras.Input((3, 4))
    y = layers.TimeDistributed(ScheduledDropout(0.25, name="drop"), name="times")(x)
    model = keras.Model(x, layers.Dense(2)(Block(name="block")(y)))
    with pytest.warns(UserWarning, match="ScheduledDropout stays in block/mine"):
        new = freeze_dropout(model)
    assert type(new.get_layer("times").layer) is layers.Dropout
    assert new.get_layer("times").layer.rate == 0.25
    only = keras.Sequential([keras.Input((4,)), Block(name="block"), layers.Dense(1)])
    with pytest.raises(ValueError, match="Those in block/mine are made by"):
        freeze_dropout(only)


def test_poolings_that_do_not_make_the_map_smaller_are_no_places():
    x = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    s = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(y)
    s = layers.Conv2D(4, 1, activation="sigmoid", name="excite")(s)
    y = layers.Multiply(name="scale")([y, s])
    b = layers.AveragePooling2D(3, strides=1, padding="same", name="branch")(y)
    y = layers.Concatenate()([layers.Conv2D(2, 1, name="c")(b), y])
    y = layers.GlobalAveragePooling2D(name="pool")(layers.MaxPooling2D(name="half")(y))
    model = keras.Model(x, layers.Dense(2, name="top")(y))
    assert [path for path, _ in inserted(insert_dropout(model, 0.1))] == [
        "half_dropout",
        "pool_dropout",
    ]
    blocks = insert_dropout(model, 0.1, kind="drop_block")
    assert [path for path, _ in inserted(blocks)] == ["conv_drop_block", "c_drop_block"]


def test_many_ways_through_a_graph_take_no_longer():
    x = keras.Input((4,))
    h = layers.Dense(4, name="hidden")(x)
    for _ in range(40):  # 2 ** 40 ways
        h = layers.Add()([h, layers.ReLU()(h)])
    model = keras.Model(x, layers.Dense(1, name="top")(h))
    assert [path for path, _ in inserted(insert_dropout(model, 0.1))] == ["hidden_dropout"]


def test_wildcards_leave_inputs_and_integers_out():
    x = keras.Input((5,), dtype="int32", name="words")
    y = layers.Embedding(7, 4, name="embed")(x)
    model = keras.Model(x, layers.Dense(1, name="top")(layers.Flatten(name="flat")(y)))
    for make in (model, keras.models.clone_model(model)):
        found = [path for path, _ in inserted(insert_dropout(make, 0.5, after="*"))]
        assert found == ["embed_dropout", "flat_dropout"]
    given = models.with_step()
    assert "x_dropout" not in [p for p, _ in inserted(insert_dropout(given, 0.5, after="*"))]
    assert inserted(insert_dropout(given, 0.5, after="x")) == [("x_dropout", "Dropout")]
    with pytest.raises(ValueError, match="words gives"):
        insert_dropout(model, 0.5, after=["words", "embed"])
    with pytest.raises(ValueError, match="It names none"):
        insert_dropout(model, 0.5, after=[])


def test_the_copy_is_under_the_same_strategy(mirrored):
    with mirrored.scope():
        model = models.skips()
        model.compile("adam", "mse")
    new = insert_dropout(model, 0.3)
    assert new.distribute_strategy is mirrored
    assert_same_inference(model, new)
    new.fit(np.ones((8, 8, 8, 3)), np.ones((8, 2)), batch_size=4, verbose=0)


def test_the_copy_has_what_was_set_on_variables_and_no_more():
    old = models.attention()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        add_penalty(old, 1e-3, include="attend")
        add_penalty(old, 9e-3, include="attend/query")
        add_constraint(old, "non_neg", include="attend")
        remove_constraint(old, include="attend/key")
        remove_penalty(old, include="attend/value")
    new = insert_dropout(old, 0.2)
    assert [(r.layer, r.regularizer) for r in penalties(new).rows] == [
        (r.layer, r.regularizer) for r in penalties(old).rows
    ]
    assert penalties(new).total == pytest.approx(penalties(old).total, rel=1e-6)
    for one, other in zip(old.trainable_variables, new.trainable_variables, strict=True):
        assert type(one.constraint) is type(other.constraint)


def test_a_kind_that_cannot_be_called_so():
    for kind in (layers.Dense, lambda rate: None):
        with pytest.raises(ValueError, match=r"`kind`.*kind\(rate, seed=.*It says"):
            insert_dropout(models.sequential(), 0.5, kind=kind)
