"""Gradients at the probe: right, harmless, and what the rules make of them."""

import keras
import numpy as np
import pytest

from kerasopt.callbacks import EarlyStopping
from kerasopt.stopping import GradientDisparity, GradientEvidence, Patience
from kerasopt.stopping.probe import Probe
from kerasopt.stopping.rules.gradient_rules import disparity, evidence, moments

NEEDS = {"sample_gradients", "batch_gradients"}


def linear(l2=0.0):
    penalty = keras.regularizers.L2(l2) if l2 else None
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_regularizer=penalty)])
    model.compile("sgd", "mse")
    return model


def closed_form(model, x, y, l2=0.0):
    """Give the gradients of the squared error of a linear model, one row a sample."""
    kernel, bias = model.get_weights()
    error = x @ kernel + bias - y
    rows = np.concatenate([2 * error * x, 2 * error], axis=1)
    rows[:, :3] += 2 * l2 * kernel[:, 0]
    return rows


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_they_are_those_of_the_loss_that_is_trained(rng, l2):
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.normal(size=(20, 1)).astype("float32")
    model = linear(l2)
    rows = closed_form(model, x, y, l2)
    found = Probe((x, y)).look(model, NEEDS)
    expected = moments(rows)
    assert found["sample_gradients"].samples == 20
    assert np.allclose(found["sample_gradients"].mean, expected.mean, atol=1e-5)
    assert np.allclose(found["sample_gradients"].variance, expected.variance, rtol=1e-4)
    batches = rows.reshape(5, 4, 4).mean(1)
    assert np.allclose(found["batch_gradients"], batches, atol=1e-5)
    assert evidence(found["sample_gradients"]) == pytest.approx(evidence(expected), rel=1e-3)
    assert disparity(found["batch_gradients"]) == pytest.approx(disparity(batches), rel=1e-4)


def deep():
    keras.utils.set_random_seed(5)
    inputs = keras.Input((12,), name="features")
    hidden = keras.layers.Dense(16, activation="relu")(inputs)
    hidden = keras.layers.BatchNormalization()(hidden)
    hidden = keras.layers.Dropout(0.5)(hidden)
    outputs = {
        "kind": keras.layers.Dense(3, name="kind")(hidden),
        "size": keras.layers.Dense(1, name="size")(hidden),
    }
    model = keras.Model({"features": inputs}, outputs)
    losses = {"kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "size": "mse"}
    model.compile("adam", losses, metrics={"kind": "accuracy"})
    return model


def test_training_is_the_same_as_without_it(blobs):
    x, labels = blobs
    data = {"features": x}, {"kind": labels, "size": labels[:, None].astype("float32")}
    probe = keras.tree.map_structure(lambda array: array[:20], data)
    runs = []
    for rules in (Patience(99), Patience(99) | GradientEvidence(99) | GradientDisparity(99)):
        model = deep()
        given = {"probe": probe} if len(rules.leaves()) > 1 else {}
        stopper = EarlyStopping("val_loss", rules=rules, **given)
        history = model.fit(
            *data, epochs=3, validation_data=data, shuffle=False, callbacks=[stopper], verbose=0
        )
        runs.append((history.history, model.get_weights()))
    (plain, weights), (probed, probed_weights) = runs
    added = {"gradient_evidence", "gradient_disparity"}
    assert set(probed) - set(plain) == added
    assert len(probed["gradient_evidence"]) == len(probed["gradient_disparity"]) == 3
    assert {name: curve for name, curve in probed.items() if name not in added} == plain
    for a, b in zip(weights, probed_weights, strict=True):
        assert np.array_equal(a, b)


def test_no_validation_data_is_needed(rng):
    # The labels are noise: there is nothing to learn but the noise.
    x, y = rng.normal(size=(64, 3)).astype("float32"), rng.normal(size=(64, 1)).astype("float32")
    stopper = EarlyStopping(rules=GradientEvidence(), probe=(x, y))
    model = linear()
    model.optimizer.learning_rate = 0.1
    history = model.fit(x, y, epochs=60, batch_size=64, callbacks=[stopper], verbose=0)
    assert stopper.stopped
    assert 1 < len(history.epoch) < 60
    assert stopper.reason.startswith("GradientEvidence: the gradient is within the noise")
    assert history.history["gradient_evidence"][0] < 0 < history.history["gradient_evidence"][-1]


def test_a_model_that_is_compiled_anew(rng):
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.normal(size=(20, 1)).astype("float32")
    stopper, model, found = EarlyStopping(rules=GradientDisparity(9), probe=(x, y)), linear(), []
    weights = model.get_weights()
    for factor in (1.0, 100.0):
        model.set_weights(weights)
        model.compile(keras.optimizers.SGD(0.0), "mse", loss_weights=[factor])
        history = model.fit(x, y, callbacks=[stopper], verbose=0)
        found += history.history["gradient_disparity"]
    assert found[1] == pytest.approx(100 * found[0], rel=1e-4)


def test_one_value_an_epoch_in_the_history(rng):
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.normal(size=(20, 1)).astype("float32")
    stopper = EarlyStopping(rules=GradientDisparity(9), probe=(x, y), start_from_epoch=2)
    history = linear().fit(x, y, epochs=4, callbacks=[stopper], verbose=0)
    values = history.history["gradient_disparity"]
    assert np.isnan(values).tolist() == [True, True, False, False]


def test_layers_that_are_looked_up_and_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Embedding(9, 3), keras.layers.Flatten()]
    )
    model.add(keras.layers.Dense(1, dtype="float32"))
    model.compile("adam", "mse")
    x, y = np.arange(80).reshape(20, 4) % 9, np.ones((20, 1), "float32")
    model.fit(x, y, verbose=0)
    found = Probe((x, y)).look(model, NEEDS)
    assert found["batch_gradients"].shape == (5, 27 + 12 + 1)
    assert np.isfinite(found["sample_gradients"].variance).all()


def test_under_a_strategy(rng, mirrored):
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.normal(size=(20, 1)).astype("float32")
    with mirrored.scope():
        model = linear()
    stopper = EarlyStopping(rules=GradientDisparity(9) | GradientEvidence(9), probe=(x, y))
    history = model.fit(x, y, epochs=2, callbacks=[stopper], verbose=0)
    rows = closed_form(model, x, y)
    assert history.history["gradient_evidence"][-1] == pytest.approx(
        evidence(moments(rows)), rel=1e-3
    )


@pytest.mark.parametrize(
    ("probe", "error"),
    [
        (None, ValueError),
        (np.ones((20, 3)), TypeError),
        ((np.ones((20, 3)), np.ones(19)), ValueError),
        ((np.ones((9, 3)), np.ones(9)), ValueError),
        ((np.ones((20, 3)), 1.0), ValueError),
    ],
)
def test_wrong_probes(probe, error):
    with pytest.raises(error, match="`probe`"):
        EarlyStopping(rules=GradientEvidence(), probe=probe)


@pytest.fixture
def rng():
    return np.random.default_rng(1)
