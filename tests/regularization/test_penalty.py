"""Penalties added to models that exist."""

import gc
import json
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.regularization import (
    add_constraint,
    add_penalty,
    insert_dropout,
    penalties,
    remove_penalty,
)
from tests.graph import models


def squares(*variables):
    return sum(float(np.sum(np.square(np.asarray(v, "float64")))) for v in variables)


def loss(model):
    return float(sum(model.losses)) if model.losses else 0.0


def around(shape, *stack):
    return keras.Sequential([keras.Input(shape), *stack])


KINDS = {
    "dense": lambda: around((4,), layers.Dense(3)),
    "conv": lambda: around((8, 8, 3), layers.Conv2D(4, 3)),
    "conv1d": lambda: around((8, 3), layers.Conv1D(4, 3)),
    "transposed": lambda: around((8, 8, 3), layers.Conv2DTranspose(4, 3)),
    "depthwise": lambda: around((8, 8, 3), layers.DepthwiseConv2D(3)),
    "separable": lambda: around((8, 8, 3), layers.SeparableConv2D(4, 3)),
    "lstm": lambda: around((5, 3), layers.LSTM(4)),
    "simple_rnn": lambda: around((5, 3), layers.SimpleRNN(4)),
    "conv3d": lambda: around((5, 5, 5, 2), layers.Conv3D(4, 3)),
    "separable1d": lambda: around((8, 3), layers.SeparableConv1D(4, 3)),
    "depthwise1d": lambda: around((8, 3), layers.DepthwiseConv1D(3)),
    "transposed1d": lambda: around((8, 3), layers.Conv1DTranspose(4, 3)),
    "gru": lambda: around((5, 3), layers.GRU(4)),
    "rnn": lambda: around((5, 3), layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)])),
    "convlstm": lambda: around((3, 8, 8, 2), layers.ConvLSTM2D(2, 3)),
    "bidirectional": lambda: around((5, 3), layers.Bidirectional(layers.LSTM(4))),
    "embedding": lambda: around((5,), layers.Embedding(7, 3)),
    "einsum": lambda: around((4,), layers.EinsumDense("ab,bc->ac", 3)),
    "distributed": lambda: around((5, 3), layers.TimeDistributed(layers.Dense(2))),
    "distributed_model": lambda: around(
        (5, 3), layers.TimeDistributed(around((3,), layers.Dense(2), layers.Dense(1)))
    ),
    "attention": models.attention,
    "grouped": lambda: grouped(),
    "nested": models.nested,
    "shared": models.shared,
    "own_step": models.with_step,
    "mixed": models.mixed,
}


def grouped():
    x = keras.Input((5, 8))
    y = layers.GroupQueryAttention(4, 4, 2)(x, x)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_layer(kind, tmp_path):
    model = KINDS[kind]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        selection = add_penalty(model, 0.01)
    expected = 0.01 * squares(*(target.variable for target in selection))
    assert loss(model) == pytest.approx(expected, rel=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loss(loaded) == pytest.approx(expected, rel=1e-4)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert loss(clone) == pytest.approx(expected, rel=1e-4)
    assert len(remove_penalty(model)) == len(selection)
    assert model.losses == []
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").losses == []


def test_a_rewritten_model_keeps_it():
    model = models.attention()
    add_penalty(model, 0.01)
    assert loss(insert_dropout(model, 0.5)) == pytest.approx(loss(model))


def test_a_fresh_process_without_kerasopt(tmp_path):
    model = models.skips()
    add_penalty(model, keras.regularizers.L1L2(0.01, 0.02), exclude="top")
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, keras\n"
        f"model = keras.saving.load_model({str(tmp_path / 'model.keras')!r})\n"
        "assert not any(name.startswith('kerasopt') for name in sys.modules)\n"
        "print(float(sum(model.losses)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert float(done.stdout.split()[-1]) == pytest.approx(loss(model), rel=1e-5)


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        ("l2", lambda w: 0.01 * np.sum(w**2)),
        ("l1", lambda w: 0.01 * np.sum(np.abs(w))),
        (2, lambda w: 2 * np.sum(w**2)),
        (np.float32(0.5), lambda w: 0.5 * np.sum(w**2)),
        (keras.regularizers.L1L2(0.1, 0.2), lambda w: 0.1 * np.abs(w).sum() + 0.2 * (w**2).sum()),
    ],
)
def test_forms_of_a_regularizer(regularizer, expected):
    model = around((4,), layers.Dense(3))
    add_penalty(model, regularizer)
    assert loss(model) == pytest.approx(float(expected(np.array(model.weights[0]))), rel=1e-5)


def test_variables_include_and_exclude():
    model = models.scrambled(models.skips())
    chosen = add_penalty(model, 1.0, include="conv_*", exclude="conv_b", variables="biases")
    assert [target.path for target in chosen] == ["conv_a/bias"]
    assert loss(model) == pytest.approx(squares(model.get_layer("conv_a").bias), rel=1e-5)
    assert model.get_layer("conv_a").bias_regularizer is not None


def test_all_variables_of_a_batch_normalization(tmp_path):
    model = models.scrambled(models.sequential())
    add_penalty(model, 1.0, include="norm", variables="all")
    norm = model.get_layer("norm")
    assert loss(model) == pytest.approx(squares(norm.gamma, norm.beta), rel=1e-5)
    model.save(tmp_path / "m.keras")
    assert loss(keras.saving.load_model(tmp_path / "m.keras")) == pytest.approx(loss(model))


@pytest.mark.parametrize(
    ("first", "second", "l1", "l2"),
    [
        (keras.regularizers.L2(0.1), keras.regularizers.L2(0.2), 0.0, 0.3),
        (keras.regularizers.L1(0.1), keras.regularizers.L1(0.2), 0.3, 0.0),
        (keras.regularizers.L1(0.1), keras.regularizers.L2(0.2), 0.1, 0.2),
        (keras.regularizers.L1L2(0.1, 0.3), keras.regularizers.L2(0.2), 0.1, 0.5),
    ],
)
def test_penalties_add_up(first, second, l1, l2):
    model = around((4,), layers.Dense(3, kernel_regularizer=first))
    add_penalty(model, second)
    total = model.layers[0].kernel_regularizer
    for name, value in (("l1", l1), ("l2", l2)):
        assert float(getattr(total, name, 0.0)) == pytest.approx(value)


def test_what_does_not_add_up_asks_for_replace():
    model = around(
        (4,),
        layers.Dense(4, name="plain"),
        layers.Dense(3, kernel_regularizer=keras.regularizers.OrthogonalRegularizer(), name="odd"),
    )
    before = loss(model)
    with pytest.raises(ValueError, match=r"'odd/kernel'.*replace=True"):
        add_penalty(model, 0.1)
    assert loss(model) == before
    assert model.get_layer("plain").kernel_regularizer is None
    add_penalty(model, 0.1, replace=True)
    assert loss(model) == pytest.approx(0.1 * squares(*(d.kernel for d in model.layers)), rel=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        add_penalty(model, 0.1, replace=True)


def test_a_regularizer_that_fails_on_a_layer_changes_nothing():
    model = models.skips()
    with pytest.raises(ValueError, match="'conv_a/kernel'"):
        add_penalty(model, keras.regularizers.OrthogonalRegularizer())
    assert model.losses == []
    assert model.get_layer("hidden").kernel_regularizer is None


def test_the_next_fit_of_a_trained_model_has_it():
    model = around((4,), layers.Dense(3))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x, y = np.zeros((8, 4), "float32"), np.zeros((8, 3), "float32")
    model.fit(x, y, verbose=0)
    before = np.array(model.layers[0].kernel)
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel, before)
    add_penalty(model, 0.5)
    logs = model.fit(x, y, verbose=0).history
    assert logs["loss"][0] == pytest.approx(0.5 * squares(before), rel=1e-5)
    np.testing.assert_allclose(model.layers[0].kernel, before * 0.9, rtol=1e-5)
    remove_penalty(model)
    after = np.array(model.layers[0].kernel)
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel, after)


def test_a_nested_layer_of_a_trained_model():
    model = models.nested()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x, y = np.zeros((4, 6), "float32"), np.zeros((4, 2), "float32")
    model.fit(x, y, verbose=0)
    add_penalty(model, 1.0, include="inner/deepest/d1")
    kernel = model.get_layer("inner").get_layer("deepest").get_layer("d1").kernel
    logs = model.fit(x, y, verbose=0).history
    assert logs["loss"][0] == pytest.approx(squares(kernel), rel=1e-5)


def test_frozen_layers_are_named():
    model = models.skips()
    model.get_layer("conv_a").trainable = False
    with pytest.warns(UserWarning, match=r"frozen layers: 'conv_a'\. It") as caught:
        add_penalty(model, 0.1, include="conv_*")
    assert len(caught) == 1
    assert loss(model) == pytest.approx(0.1 * squares(model.get_layer("conv_b").kernel), rel=1e-5)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(4, name="hidden")
        self.top = layers.Dense(2, name="top")

    def call(self, x):
        return self.top(self.hidden(x))


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3, name="dense")

    def build(self, shape):
        self.scale = self.add_weight(shape=(3, 2), name="scale_kernel")
        self.dense.build(shape)
        super().build(shape)

    def call(self, x):
        return keras.ops.matmul(self.dense(x), self.scale)


def test_subclassed_models_are_warned_about():
    model = Subclassed()
    model(np.ones((1, 3)))
    with pytest.warns(UserWarning, match="'hidden', 'top'.*add it again") as caught:
        add_penalty(model, 0.1)
    assert len(caught) == 1
    assert loss(model) == pytest.approx(0.1 * squares(model.hidden.kernel, model.top.kernel))


def test_layers_that_make_their_own_layers_are_warned_about():
    model = around((4,), layers.Dense(4, name="first"), Block(name="block"))
    with pytest.warns(UserWarning, match="on 'block', 'block/dense' works now"):
        add_penalty(model, 0.1)
    block = model.get_layer("block")
    kernels = (model.get_layer("first").kernel, block.dense.kernel, block.scale)
    assert loss(model) == pytest.approx(0.1 * squares(*kernels), rel=1e-5)


def test_one_kernel_of_an_attention_is_warned_about():
    model = models.attention()
    with pytest.warns(UserWarning, match="'attend/query' works now"):
        add_penalty(model, 0.1, include="attend/query")
    kernel = model.get_layer("attend").query_dense.kernel
    assert loss(model) == pytest.approx(0.1 * squares(kernel), rel=1e-5)


def test_a_regularizer_without_config():
    class Own(keras.regularizers.Regularizer):
        def __call__(self, x):
            return keras.ops.sum(x * 0.0) + 2.0

    model = around((4,), layers.Dense(3, name="dense"))
    with pytest.warns(UserWarning, match="'dense' works now"):
        add_penalty(model, Own())
    assert loss(model) == 2.0
    model.get_config()


@pytest.mark.parametrize("value", [0, 0.0, -0.1, float("nan"), float("inf"), "l3"])
def test_a_wrong_value(value):
    with pytest.raises(ValueError, match="`regularizer`"):
        add_penalty(models.sequential(), value)


@pytest.mark.parametrize("value", [None, True, [0.1], lambda w: w, {"class_name": "L2"}])
def test_a_wrong_type(value):
    with pytest.raises(TypeError, match="`regularizer`"):
        add_penalty(models.sequential(), value)


def test_other_wrong_arguments():
    model = models.sequential()
    with pytest.raises(ValueError, match=r"`variables`.*'kernels'"):
        add_penalty(model, 0.1, variables="kernel")
    with pytest.raises(ValueError, match=r"`include`.*'first'"):
        add_penalty(model, 0.1, include="fist")
    with pytest.raises(ValueError, match="`exclude`"):
        add_penalty(model, 0.1, exclude="*")
    with pytest.raises(TypeError, match="`replace`"):
        add_penalty(model, 0.1, replace="yes")
    with pytest.raises(TypeError, match="model"):
        add_penalty("model", 0.1)
    with pytest.raises(ValueError, match="built"):
        add_penalty(keras.Sequential([layers.Dense(2)]), 0.1)
    with pytest.raises(ValueError, match="`include`"):
        remove_penalty(model, include="fist")
    assert len(remove_penalty(model)) == 0


def test_evaluation_sees_it_too():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")

    def losses():
        history = model.fit(x, y, validation_data=(x, y), verbose=0).history
        return history["loss"][0], history["val_loss"][0]

    plain = losses()
    add_penalty(model, 1.0)
    penalized = losses()
    assert penalized[0] > plain[0] + 0.01
    assert penalized[1] == pytest.approx(penalized[0], rel=1e-5)
    remove_penalty(model)
    assert losses() == pytest.approx(plain, rel=1e-5)


def fitted_around(part):
    x = keras.Input((6,))
    outer = keras.Model(x, layers.Dense(2, name="top")(part(x)), name="outer")
    outer.compile("sgd", "mse")
    outer.fit(np.zeros((4, 6)), np.zeros((4, 2)), verbose=0)
    return outer


@pytest.mark.parametrize("change", [add_penalty, add_constraint])
def test_a_part_of_a_compiled_model_is_told_its_parent(change):
    thing = "non_neg" if change is add_constraint else 0.1
    part = keras.Sequential([keras.Input((6,)), layers.Dense(6, name="d")], name="part")
    outer = fitted_around(part)
    for inside, path in ((part, "part"), (part.layers[0], "part/d")):
        with pytest.raises(ValueError, match=rf"`{change.__name__}` on 'outer'.*'{path}'"):
            change(inside, thing)
    assert part.layers[0].kernel.regularizer is part.layers[0].kernel.constraint is None
    assert len(change(outer, thing, include="part")) == 1
    with pytest.raises(ValueError, match="`remove_penalty` on 'outer'"):
        remove_penalty(part)


def test_a_parent_that_is_gone_or_has_not_trained_does_not_matter():
    part = keras.Sequential([keras.Input((6,)), layers.Dense(6, name="d")], name="part")
    outer = fitted_around(part)
    del outer  # and nobody has collected it yet
    add_penalty(part, 0.1)
    x = keras.Input((6,))
    parent = keras.Model(x, part(x), name="parent")
    parent.compile(keras.optimizers.SGD(0.0), "mse")
    add_penalty(part, 0.1)
    zeros = np.zeros((4, 6))
    logs = parent.fit(zeros, zeros, verbose=0).history
    assert logs["loss"][0] == pytest.approx(0.2 * squares(part.layers[0].kernel), rel=1e-5)


def test_models_are_found_also_after_the_collector_was_told_to_pass_them_over():
    x = keras.Input((2,))
    shared = layers.Dense(2, kernel_initializer="ones", name="shared")
    one, other = keras.Model(x, shared(x)), keras.Model(x, layers.Dense(1)(shared(x)))
    around = [keras.Sequential([keras.Input((2,)), other])]
    data = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    around[0].compile("sgd", "mse")
    before = around[0].evaluate(*data, verbose=0)
    gc.collect()
    gc.freeze()
    try:
        add_penalty(one, keras.regularizers.L2(0.5))
        with pytest.raises(ValueError, match="is a part of the compiled model"):
            add_penalty(other, 0.5)
    finally:
        gc.unfreeze()
    # Four weights of 1, each with a penalty of 0.5.
    assert around[0].evaluate(*data, verbose=0) == pytest.approx(before + 2, abs=1e-5)


def test_the_table():
    model = models.scrambled(models.skips())
    assert str(penalties(model)) == "no penalties"
    add_penalty(model, 0.01, include="conv_a")
    add_penalty(model, keras.regularizers.L1L2(0.1, 0.2), include="hidden")
    add_penalty(model, keras.regularizers.OrthogonalRegularizer(), include="top")
    table = penalties(model)
    assert [(row.layer, row.variable) for row in table.rows] == [
        ("conv_a", "kernel"), ("hidden", "kernel"), ("top", "kernel")
    ]  # fmt: skip
    assert table.total == pytest.approx(loss(model), rel=1e-5)
    assert table.rows[0].value == pytest.approx(
        0.01 * squares(model.get_layer("conv_a").kernel), rel=1e-5
    )
    assert "L1L2(l1=0.1, l2=0.2)" in str(table)
    assert json.loads(json.dumps(table.to_dict()))["total"] == table.total
    assert len(penalties(model, include="conv_*")) == 1


def test_a_frozen_penalty_is_listed_and_can_be_removed():
    model = models.skips()
    add_penalty(model, 0.1, include="conv_a")
    model.get_layer("conv_a").trainable = False
    (row,) = penalties(model).rows
    assert row.frozen
    assert row.value == 0.0 == loss(model)
    assert "frozen" in str(penalties(model))
    assert len(remove_penalty(model)) == 1
    assert len(penalties(model)) == 0
    model.get_layer("conv_a").trainable = True
    assert loss(model) == 0.0


def test_an_orthogonal_penalty(tmp_path):
    model = around((4,), layers.Dense(4), layers.Dense(3))
    add_penalty(model, keras.regularizers.OrthogonalRegularizer(0.5))
    expected = sum(
        float(keras.regularizers.OrthogonalRegularizer(0.5)(d.kernel)) for d in model.layers
    )
    assert loss(model) == pytest.approx(expected, rel=1e-5)
    model.save(tmp_path / "model.keras")
    assert loss(keras.saving.load_model(tmp_path / "model.keras")) == pytest.approx(expected)


def test_added_again_after_loading_as_the_documentation_shows(tmp_path):
    @keras.saving.register_keras_serializable(package="tests")
    class Registered(Subclassed):
        def __init__(self, **kwargs):
            super().__init__()

    model = Registered()
    model(np.ones((1, 3)))
    with pytest.warns(UserWarning, match="add it again"):
        add_penalty(model, 0.1)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loss(loaded) == 0.0
    with pytest.warns(UserWarning, match="add it again"):
        add_penalty(loaded, 0.1)
    assert loss(loaded) == pytest.approx(loss(model), rel=1e-5)


# One layer in several compiled models.


def head(base, name):
    model = keras.Model(base.input, layers.Dense(2, name=name)(base.output), name=name)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(np.zeros((4, 6)), np.zeros((4, 2)), verbose=0)
    return model


def test_a_model_made_from_the_output_of_another_one_sees_it():
    x = keras.Input((6,))
    base = keras.Model(x, layers.Dense(6, name="b")(x), name="base")
    first, second = head(base, "first"), head(base, "second")
    zeros = np.zeros((4, 6)), np.zeros((4, 2))
    add_penalty(base, 1.0)
    expected = squares(base.get_layer("b").kernel)
    for model in (first, second):
        assert model.fit(*zeros, verbose=0).history["loss"][0] == pytest.approx(expected, rel=1e-5)
    add_penalty(first, 1.0, include="b")
    assert second.fit(*zeros, verbose=0).history["loss"][0] == pytest.approx(2 * expected, rel=1e-5)
    assert second.evaluate(*zeros, verbose=0) == pytest.approx(2 * expected, rel=1e-5)
    remove_penalty(second, include="b")
    assert first.fit(*zeros, verbose=0).history["loss"][0] == 0.0


def test_a_part_that_trains_by_itself_is_a_whole_and_its_parent_sees_it_too():
    x = keras.Input((6,))
    disc = keras.Model(x, layers.Dense(2, name="d")(x), name="disc")
    disc.compile(keras.optimizers.SGD(0.0), "mse")
    zeros = np.zeros((4, 6)), np.zeros((4, 2))
    disc.fit(*zeros, verbose=0)
    gan = keras.Model(x, disc(x), name="gan")
    gan.compile(keras.optimizers.SGD(0.0), "mse")
    gan.fit(*zeros, verbose=0)
    add_penalty(disc, 1.0)
    expected = squares(disc.get_layer("d").kernel)
    for model in (disc, gan):
        assert model.fit(*zeros, verbose=0).history["loss"][0] == pytest.approx(expected, rel=1e-5)
    remove_penalty(gan)
    assert disc.fit(*zeros, verbose=0).history["loss"][0] == 0.0


def test_the_kernels_of_an_attention_one_by_one(tmp_path):
    model = models.attention()
    names = ("query", "key", "value", "attention_output")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names[:3]:
            add_penalty(model, 0.1, include=f"attend/{name}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # now all have it, and the config can say so
        add_penalty(model, 0.1, include=f"attend/{names[3]}")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert penalties(loaded).total == pytest.approx(penalties(model).total, rel=1e-5)
    assert len(penalties(loaded)) == 4


def test_the_table_of_no_model():
    for value in (None, "model"):
        with pytest.raises(TypeError, match="`model`"):
            penalties(value)
    with pytest.raises(ValueError, match=r"`include`.*'first'"):
        penalties(models.sequential(), include="fist")


@pytest.mark.parametrize("variables", ["kernels", "biases", "all"])
def test_frozen_layers_are_named_whatever_is_selected(variables):
    model = models.skips()
    model.get_layer("conv_a").trainable = False
    with pytest.warns(UserWarning, match=r"rozen layers.*'conv_a'") as caught:
        add_penalty(model, 0.1, include="conv_*", variables=variables)
    assert len(caught) == 1
    assert len(penalties(model, include="conv_b")) == (2 if variables == "all" else 1)
