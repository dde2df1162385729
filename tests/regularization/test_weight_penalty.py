"""WeightPenalty: a penalty for the time of a fit."""

import json
import warnings

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.callbacks import WeightPenalty
from kerasopt.regularization import add_penalty, penalties
from kerasopt.schedules import Constant, PolynomialDecay
from tests.behaviour.models import WAYS, Losses, Traced
from tests.graph import models

X, Y = np.zeros((8, 4), "float32"), np.zeros((8, 3), "float32")
RAMP = PolynomialDecay(0.0, 1.0, begin=0, end=1.0, power=1)


def squares(*variables):
    return sum(float(np.sum(np.square(np.asarray(v, "float64")))) for v in variables)


def small(optimizer=None, **arguments):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, name="hidden"), layers.Dense(3, name="top")]
    )
    model.compile(optimizer or keras.optimizers.SGD(0.0), "mse", **arguments)
    return model


def kernels(model):
    return [layer.kernel for layer in model.layers]


def fit(model, *callbacks, epochs=1, **arguments):
    given = {"x": X, "y": Y, "batch_size": 2, "epochs": epochs, "verbose": 0, **arguments}
    return model.fit(**given, callbacks=list(callbacks)).history


def test_a_constant_penalty_is_that_of_keras():
    model, other = small(keras.optimizers.SGD(0.1)), small(keras.optimizers.SGD(0.1))
    other.set_weights(model.get_weights())
    for layer in other.layers:
        layer.kernel_regularizer = layer.kernel.regularizer = keras.regularizers.L1L2(0.01, 0.1)
    mine = fit(model, WeightPenalty(l1=0.01, l2=0.1), epochs=3, validation_data=(X, Y))
    its = fit(other, epochs=3, validation_data=(X, Y))
    for name in its:
        np.testing.assert_allclose(mine[name], its[name], rtol=1e-5)
    for one, another in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(one, another, rtol=1e-5)
    # The data ask for nothing, so what is left in the end is the penalty alone.
    expected = sum(float(keras.regularizers.L1L2(0.01, 0.1)(k)) for k in kernels(model))
    assert mine["weight_penalty"][-1] == pytest.approx(expected, rel=1e-5)
    assert "weight_penalty_scale" not in mine


@pytest.mark.parametrize("arguments", WAYS, ids=str)
def test_a_schedule_is_followed_at_every_step(arguments):
    model = Traced([keras.Input((4,)), layers.Dense(3, name="top")])
    model.compile(keras.optimizers.SGD(0.0), "mse", **arguments)
    losses = Losses()
    history = fit(model, WeightPenalty(l2=0.5, schedule=RAMP), losses, epochs=2)
    total = 0.5 * squares(model.layers[0].kernel)
    several = arguments.get("steps_per_execution", 1)
    # Within an epoch Keras's `loss` is the mean up to the batch; eight steps in all.
    scales = [np.ceil(step / several) * several / 8 for step in range(1, 9)]
    expected = [np.mean(scales[:4][: b + 1]) * total for b in range(several - 1, 4, several)]
    np.testing.assert_allclose(losses.seen[: len(expected)], expected, rtol=1e-5)
    assert history["weight_penalty_scale"] == [0.5, 1.0]
    np.testing.assert_allclose(history["weight_penalty"], [total / 2, total], rtol=1e-5)
    if not arguments.get("run_eagerly"):
        assert model.traces <= 2  # Keras itself traces once or twice, never once a step


def test_it_leaves_nothing_behind(tmp_path):
    model = small()
    add_penalty(model, 0.25, include="top")
    own = model.get_layer("top").kernel.regularizer
    before = float(sum(model.losses))

    class Saves(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert float(sum(self.model.losses)) > before
            self.model.save(tmp_path / "model.keras")

    fit(model, WeightPenalty(l2=1.0, schedule=RAMP), Saves())
    assert model.get_layer("top").kernel.regularizer is own
    assert model.get_layer("hidden").kernel.regularizer is None
    assert float(sum(model.losses)) == before
    # A checkpoint from within holds the user's own penalty only.
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(sum(loaded.losses)) == pytest.approx(before, rel=1e-5)
    logs = fit(model)
    assert logs["loss"][0] == pytest.approx(before, rel=1e-5)


@pytest.mark.parametrize("schedule", [None, Constant(0.5)])
def test_keep(schedule, tmp_path):
    model = small()
    add_penalty(model, 0.25, include="top")
    callback = WeightPenalty(l1=0.5, l2=1.0, schedule=schedule, keep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(model, callback)
    scale = 0.5 if schedule else 1.0
    assert model.get_layer("hidden").kernel_regularizer.get_config() == {
        "l1": 0.5 * scale, "l2": scale
    }  # fmt: skip
    assert float(model.get_layer("top").kernel_regularizer.l2) == pytest.approx(0.25 + scale)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert penalties(loaded).total == pytest.approx(penalties(model).total, rel=1e-6)
    assert fit(model)["loss"][0] == pytest.approx(penalties(model).total, rel=1e-5)


def test_keep_beside_a_penalty_that_has_no_sum_says_so_before_training():
    model = small()
    add_penalty(model, keras.regularizers.OrthogonalRegularizer(), include="top")
    weights = model.get_weights()
    with pytest.raises(ValueError, match=r"`keep`.*'top/kernel' has OrthogonalRegularizer"):
        fit(model, WeightPenalty(l2=1.0, keep=True))
    assert model.get_layer("hidden").kernel.regularizer is None
    for one, other in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    # Without `keep` the two add up.
    expected = squares(*kernels(model)) + float(sum(model.losses))
    assert fit(model, WeightPenalty(l2=1.0))["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_nothing_before_the_schedule_begins():
    model = small()
    history = fit(model, WeightPenalty(l2=1.0, schedule=Constant(2.0, begin="1 epoch")), epochs=2)
    total = squares(*kernels(model))
    assert history["loss"] == pytest.approx([0.0, 2 * total], rel=1e-5)
    assert history["weight_penalty_scale"] == [0.0, 2.0]
    late = small(steps_per_execution=4)
    late.set_weights(model.get_weights())
    half = WeightPenalty(l2=1.0, schedule=Constant(2.0, begin=2))  # in the middle of an execution
    assert fit(late, half, epochs=2)["loss"] == pytest.approx([0.0, 2 * total], rel=1e-5)


def test_two_of_them_add_up_and_both_are_logged():
    model = small()
    one = WeightPenalty(l2=1.0, include="hidden")
    other = WeightPenalty(l1=1.0, schedule=RAMP)
    logs = fit(model, one, other)
    l1 = sum(float(np.abs(np.asarray(k)).sum()) for k in kernels(model))
    assert logs["weight_penalty"][0] == pytest.approx(squares(kernels(model)[0]), rel=1e-5)
    assert logs["weight_penalty_1"][0] == pytest.approx(l1, rel=1e-5)
    assert logs["weight_penalty_scale_1"] == [1.0]
    assert all(k.regularizer is None for k in kernels(model))


def test_a_run_that_is_broken_off_leaves_nothing_to_the_next():
    class Crash(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise InterruptedError

    model = small()
    callback = WeightPenalty(l2=1.0)
    with pytest.raises(InterruptedError):
        fit(model, callback, Crash())
    assert kernels(model)[0].regularizer is not None
    # Another one, which knows nothing of the first, and is on another layer.
    logs = fit(model, WeightPenalty(l2=3.0, include="top"))
    assert logs["loss"][0] == pytest.approx(3 * squares(kernels(model)[1]), rel=1e-5)
    assert all(kernel.regularizer is None for kernel in kernels(model))
    with pytest.raises(InterruptedError):
        fit(model, callback, Crash())
    callback.release()
    assert kernels(model)[0].regularizer is None
    assert fit(model)["loss"][0] == 0.0


def test_one_callback_on_two_models_one_after_the_other():
    callback = WeightPenalty(l2=1.0)
    for model in (small(), small()):
        logs = fit(model, callback)
        assert logs["loss"][0] == pytest.approx(squares(*kernels(model)), rel=1e-5)


def test_include_variables_frozen_and_nested():
    model = models.nested()
    model.get_layer("inner").get_layer("inner_dense").trainable = False
    model.compile(keras.optimizers.SGD(0.0), "mse")
    callback = WeightPenalty(l2=1.0, exclude="top")
    both = [callback, WeightPenalty(l1=1.0, include="outer_dense", variables="all")]
    with pytest.warns(UserWarning, match="WeightPenalty leaves out frozen layers: 'inner/inner_d"):
        model.fit(np.zeros((4, 6)), np.zeros((4, 2)), verbose=0, callbacks=both)
    found = {target.path for target in callback.selection}
    assert "inner/deepest/d1/kernel" in found
    assert not any(path.startswith(("top", "inner/inner_dense")) for path in found)
    paths = [target.path for target in both[1].selection]
    assert paths == ["outer_dense/kernel", "outer_dense/bias"]


def test_half_precision_and_a_strategy(mirrored):
    keras.config.set_dtype_policy("mixed_float16")
    model = small()
    logs = fit(model, WeightPenalty(l2=1.0))
    # Kernels are float32, and so is their penalty.
    assert logs["loss"][0] == pytest.approx(squares(*kernels(model)), rel=1e-5)
    keras.config.set_dtype_policy("float32")
    with mirrored.scope():
        model = small()
    logs = fit(model, WeightPenalty(l2=1.0, schedule=RAMP), epochs=2)
    assert logs["weight_penalty_scale"] == [0.5, 1.0]
    assert logs["weight_penalty"][1] == pytest.approx(squares(*kernels(model)), rel=1e-5)


def test_a_run_that_is_too_short_is_told():
    callback = WeightPenalty(l2=1.0, schedule=PolynomialDecay(0.0, 1.0, 0, 100, power=1))
    with pytest.warns(UserWarning, match=r"WeightPenalty: this run ends at step 4.*0\.04 inst"):
        fit(small(), callback)


def test_configuration_and_state():
    callback = WeightPenalty(l1=0.1, l2=0.2, schedule=RAMP, include=["a*"], keep=True)
    config = json.loads(json.dumps(callback.get_config()))
    again = WeightPenalty.from_config(config)
    assert again.get_config() == callback.get_config()
    assert WeightPenalty.from_config(WeightPenalty(l2=1.0).get_config()).get_config()["l2"] == 1.0
    model = small()
    callback = WeightPenalty(l2=1.0, schedule=RAMP)
    fit(model, callback, epochs=2)
    state = json.loads(json.dumps(callback.get_state()))
    assert state == {"step": 8, "in_epoch": 4, "value": 1.0}
    resumed = WeightPenalty(l2=1.0, schedule=RAMP)
    resumed.set_state(state)
    history = fit(model, resumed, epochs=4, initial_epoch=2)
    assert history["weight_penalty_scale"] == [0.75, 1.0]
    with pytest.raises(TypeError, match="`state`"):
        resumed.set_state(3)
    with pytest.raises(ValueError, match="`state`"):
        resumed.set_state({"step": 1})


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({}, ValueError, "`l2`.*> 0"),
        ({"l2": -0.1}, ValueError, "`l2`.*>= 0"),
        ({"l1": "0.1"}, TypeError, "`l1`"),
        ({"l1": float("nan")}, ValueError, "`l1`"),
        ({"l2": 0.1, "schedule": 0.5}, TypeError, "`schedule`"),
        ({"l2": 0.1, "schedule": Constant(-1.0)}, ValueError, "`schedule`.*>= 0"),
        ({"l2": 0.1, "keep": "yes"}, TypeError, "`keep`"),
        ({"l2": 0.1, "variables": "kernel"}, ValueError, "'kernels'"),
        ({"l2": 0.1, "include": 3}, TypeError, "`include`"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        WeightPenalty(**arguments)


def test_errors_come_before_training():
    model = small()
    with pytest.raises(ValueError, match=r"`include`.*'hidden'"):
        fit(model, WeightPenalty(l2=0.1, include="hiden"))
    model.trainable = False
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="variables that train"):
        fit(model, WeightPenalty(l2=0.1))
    data = ((X[:2], Y[:2]) for _ in range(4))
    with pytest.raises(ValueError, match="`end`"):
        small().fit(data, verbose=0, callbacks=[WeightPenalty(l2=0.1, schedule=RAMP)])


def test_the_table_in_fit_shows_both():
    class Looks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.text = str(penalties(self.model, include="top"))

    model, looks = small(), Looks()
    add_penalty(model, 0.25, include="top")
    fit(model, WeightPenalty(l1=0.5, l2=1.0), looks)
    assert "L2(l2=0.25) + WeightPenalty(l1=0.5, l2=1) x 1" in looks.text


def test_keep_beside_one_that_came_in_meanwhile_does_not_lose_the_run():
    class Adds(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            orthogonal = keras.regularizers.OrthogonalRegularizer()
            add_penalty(self.model, orthogonal, include="top")

    model = small()
    with pytest.warns(UserWarning, match="does not stay on the model.*OrthogonalRegularizer"):
        history = fit(model, WeightPenalty(l2=1.0, keep=True), Adds())
    assert len(history["loss"]) == 1
    assert kernels(model)[0].regularizer is None


def test_keep_twice_is_there_twice():
    model = small()
    callback = WeightPenalty(l2=1.0, keep=True)
    fit(model, callback)
    fit(model, callback)
    assert float(model.get_layer("top").kernel_regularizer.l2) == 2.0


def test_frozen_layers_are_named_whatever_is_selected():
    model = small()
    model.get_layer("hidden").trainable = False
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="leaves out frozen layers: 'hidden'"):
        fit(model, WeightPenalty(l2=1.0, variables="all"))
