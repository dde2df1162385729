"""Constraints added to models that exist."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt._core import fit_state
from kerasopt.callbacks import Pruning
from kerasopt.regularization import add_constraint, remove_constraint
from kerasopt.schedules import Constant
from tests.graph import models
from tests.regularization.test_penalty import KINDS

MAX_NORM = keras.constraints.MaxNorm(0.5)


def norms(kernel):
    return np.linalg.norm(np.asarray(kernel), axis=0)


def constraints(model):
    return [type(v.constraint).__name__ for v in model.trainable_variables if v.constraint]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_layer(kind, tmp_path):
    model = KINDS[kind]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        selection = add_constraint(model, "non_neg")
    expected = ["NonNeg"] * len(selection)
    assert constraints(model) == expected
    model.save(tmp_path / "model.keras")
    assert constraints(keras.saving.load_model(tmp_path / "model.keras")) == expected
    assert constraints(keras.models.clone_model(model)) == expected
    assert len(remove_constraint(model)) == len(selection)
    assert constraints(model) == []
    model.save(tmp_path / "model.keras")
    assert constraints(keras.saving.load_model(tmp_path / "model.keras")) == []


def trained(**arguments):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="hidden"), layers.Dense(3)])
    model.compile(keras.optimizers.SGD(0.02), "mse", **arguments)
    return model, np.ones((8, 4), "float32"), 9 * np.ones((8, 3), "float32")


@pytest.mark.parametrize("arguments", [{}, {"jit_compile": True}, {"steps_per_execution": 2}])
def test_the_next_fit_of_a_trained_model_has_it(arguments):
    model, x, y = trained(**arguments)
    model.fit(x, y, verbose=0, batch_size=2)
    assert norms(model.get_layer("hidden").kernel).max() > 0.5
    add_constraint(model, MAX_NORM, include="hidden")
    model.fit(x, y, verbose=0, batch_size=2)
    assert norms(model.get_layer("hidden").kernel).max() <= 0.5 + 1e-5
    assert norms(model.layers[1].kernel).max() > 0.5
    remove_constraint(model)
    model.fit(x, y, verbose=0, batch_size=2)
    assert norms(model.get_layer("hidden").kernel).max() > 0.5


def test_it_composes_with_a_pruning_mask():
    model, x, y = trained()
    unit = keras.constraints.UnitNorm(axis=0)
    add_constraint(model, unit, include="hidden")
    model.fit(x, y, epochs=3, verbose=0, callbacks=[Pruning(Constant(0.5), scope="layer")])
    kernel = np.asarray(model.get_layer("hidden").kernel)
    assert (kernel == 0).sum() == 6
    # The norm is that of the weights that stay; a column may have lost all of its own.
    left = norms(kernel)[(kernel != 0).any(0)]
    np.testing.assert_allclose(left, 1.0, atol=1e-5)
    assert fit_state.own(model.get_layer("hidden").kernel, "constraint") is unit


def test_added_while_a_mask_is_on():
    class Adds(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                add_constraint(self.model, MAX_NORM, include="hidden")

    class Removes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                remove_constraint(self.model)

    model, x, y = trained()
    kernel = model.get_layer("hidden").kernel
    model.fit(x, y, epochs=2, verbose=0, callbacks=[Pruning(Constant(0.5), scope="layer"), Adds()])
    assert fit_state.own(kernel, "constraint") is MAX_NORM
    assert model.get_layer("hidden").get_config()["kernel_constraint"]
    assert (np.asarray(kernel) == 0).sum() == 6
    assert norms(kernel).max() <= 0.5 + 1e-5
    model.fit(
        x, y, epochs=4, verbose=0, callbacks=[Pruning(Constant(0.5), scope="layer"), Removes()]
    )
    assert (np.asarray(kernel) == 0).sum() == 6
    assert fit_state.own(kernel, "constraint") is None


def test_another_one_asks_for_replace():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, kernel_constraint="non_neg")])
    add_constraint(model, "non_neg")  # the same again
    with pytest.raises(ValueError, match=r"`constraint`.*NonNeg already.*replace=True"):
        add_constraint(model, MAX_NORM)
    assert constraints(model) == ["NonNeg"]
    add_constraint(model, MAX_NORM, replace=True)
    assert constraints(model) == ["MaxNorm"]


def test_frozen_layers_and_attention_are_named():
    model = models.attention()
    model.get_layer("hidden").trainable = False
    with pytest.warns(UserWarning, match="constraint does nothing on frozen layers: 'hidden'"):
        add_constraint(model, "non_neg", include="hidden")
    with pytest.warns(UserWarning, match="'attend/query' works now"):
        add_constraint(model, "non_neg", include="attend/query")


def test_wrong_arguments():
    class Half(keras.constraints.Constraint):
        def __call__(self, w):
            return w[:1]

    class Fails(keras.constraints.Constraint):
        def __call__(self, w):
            raise RuntimeError("too odd")

    model = models.sequential()
    for value in (None, 3, 0.5, lambda w: w):
        with pytest.raises(TypeError, match="`constraint`"):
            add_constraint(model, value)
    with pytest.raises(ValueError, match="'unit_norm'"):
        add_constraint(model, "unitnorn")
    with pytest.raises(ValueError, match="keeps the shape of 'first/kernel'"):
        add_constraint(model, Half())
    with pytest.raises(ValueError, match="'first/kernel'.*too odd"):
        add_constraint(model, Fails())
    with pytest.raises(TypeError, match="`replace`"):
        add_constraint(model, "non_neg", replace=1)
    with pytest.raises(ValueError, match=r"`include`.*'first'"):
        add_constraint(model, "non_neg", include="fist")
    with pytest.raises(ValueError, match="built"):
        add_constraint(keras.Sequential([layers.Dense(2)]), "non_neg")
    assert constraints(model) == []
    assert len(remove_constraint(model)) == 0
