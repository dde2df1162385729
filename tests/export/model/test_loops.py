"""Recurrent layers convert without a word from the user: unrolled, or one sample at a time."""

import keras
import numpy as np
import pytest

from kerasopt.export import ExportError, export_all, to_tflite
from kerasopt.export.model.loops import MOST_CALIBRATED, MOST_STEPS
from kerasopt.export.model.loops import recurrent as plan
from kerasopt.export.model.saved_model import inner_layers

layers = keras.layers


def recurrent(built, *rest, **options):
    return plan(inner_layers(built), *rest, **options)


KINDS = {
    "LSTM": lambda: layers.LSTM(6, name="memory"),
    "GRU": lambda: layers.GRU(6, name="memory"),
    "SimpleRNN": lambda: layers.SimpleRNN(6, name="memory"),
    "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(4), name="memory"),
    "cells": lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(4)], name="memory"),
}


def model(kind="LSTM", steps=6, batch=None):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((steps, 4), batch, name="x"), KINDS[kind](), layers.Dense(3, name="y")]
    )


@pytest.fixture(scope="module")
def series():
    return np.random.default_rng(0).normal(size=(120, 6, 4)).astype("float32")


@pytest.mark.parametrize("kind", KINDS)
def test_unrolled_for_any_batch(kind, series):
    built = model(kind)
    found = export_all(built, ["float32", "int8"], calibration=series)
    for file in found.files.values():
        assert file.report.inputs[0].shape == (None, 6, 4)
        assert "WHILE" not in file.report.ops
        assert any(note.startswith("Unrolled 'memory") for note in file.report.notes)
        assert not file.report.warnings
        assert file.predict(series[:7]).shape == (7, 3)
    assert found["float32"].report.sqnr_db > 100
    assert found["int8"].report.sqnr_db > 20
    memory = built.get_layer("memory")
    inner = getattr(memory, "forward_layer", memory)
    assert inner.unroll is False
    assert not memory.get_config().get("unroll", False)


@pytest.mark.parametrize("steps", [None, MOST_STEPS + 1])
def test_one_sample_at_a_time_where_the_steps_are_many_or_not_known(steps):
    series = np.random.default_rng(0).normal(size=(20, MOST_STEPS + 1, 4))
    report = to_tflite(model(steps=steps), validation_data=series).report
    assert report.inputs[0].shape == (1, steps, 4)
    assert report.ops["WHILE"] == 1
    assert report.notes[-1] == (
        "The file takes one sample at a time: in it 'memory' loops over time."
    )


def test_a_fixed_batch_is_the_users_choice(series):
    report = to_tflite(model(), validation_data=series, batch_size=4).report
    assert report.inputs[0].shape == (4, 6, 4)
    assert "WHILE" in report.ops
    assert "WHILE" in to_tflite(model(batch=2), validation_data=series).report.ops
    # A loop cannot be calibrated.
    report = to_tflite(model(), None, "int8", calibration=series, batch_size=4).report
    assert report.inputs[0].shape == (4, 6, 4)
    assert "WHILE" not in report.ops


@pytest.mark.usefixtures("no_converter")
def test_calibrating_a_loop_is_refused(series):
    with pytest.raises(ExportError, match="'memory' loops over time, and TensorFlow crashes"):
        to_tflite(model(steps=None), None, "int8", calibration=series)


def test_the_choice():
    assert recurrent(model(), ["float32"], None).unrolled
    assert not recurrent(model(steps=200), ["float32"], None).unrolled
    assert recurrent(model(steps=200), ["float32", "int8"], None).unrolled
    assert recurrent(model(steps=MOST_CALIBRATED + 1), ["int8"], None).batch == 1
    several = {"memory": [6, MOST_STEPS + 1]}  # of a layer that is called twice
    assert not recurrent(model(), ["float32"], None, lengths=lambda: several).unrolled
    assert recurrent(model(batch=2), ["float16"], None, fixed=True) == recurrent(
        keras.Sequential([keras.Input((2,)), layers.Dense(2)]), ["int8"], None
    )


def test_unrolling_ends_with_the_context_even_if_something_fails():
    built = model()
    memory = built.get_layer("memory")

    def fail():
        with recurrent(built, ["int8"], None).applied():
            assert memory.unroll is True
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert memory.unroll is False


def test_a_layer_that_was_built_unrolled_stays_so(series):
    memory = layers.LSTM(6, unroll=True, name="memory")
    built = keras.Sequential([keras.Input((6, 4)), memory, layers.Dense(3)])
    assert not to_tflite(built, validation_data=series).report.notes
    assert memory.unroll is True


@pytest.fixture(scope="module")
def given_states():
    """Layers of every kind that start from states which are inputs, and give how they end."""
    keras.utils.set_random_seed(0)
    x = keras.Input((1, 4), name="x")
    h, c = keras.Input((5,), name="h"), keras.Input((5,), name="c")
    kept = {"return_state": True}
    outputs = [
        *layers.LSTM(5, name="lstm", **kept)(x, initial_state=[h, c]),
        *layers.GRU(5, name="gru", **kept)(x, initial_state=h),
        *layers.SimpleRNN(5, name="simple", **kept)(x, initial_state=[h]),
        layers.Bidirectional(layers.GRU(5, name="gru"), name="both")(x, initial_state=[h, c]),
        *layers.RNN([layers.GRUCell(5), layers.SimpleRNNCell(5)], name="cells", **kept)(
            x, initial_state=[h, c]
        ),
    ]
    return keras.Model([x, h, c], [layers.Dense(3, name="y")(outputs[0]), *outputs[1:]])


def test_layers_that_are_given_a_state(given_states):
    rng = np.random.default_rng(0)
    data = [
        rng.uniform(-1, 1, (120, *one.shape[1:])).astype("float32") for one in given_states.inputs
    ]
    found = export_all(given_states, ["float32", "int8"], calibration=data)
    assert not found.refused
    for mode, floor in (("float32", 100), ("int8", 20)):
        report = found[mode].report
        assert report.sqnr_db > floor
        assert "WHILE" not in report.ops
        assert {port.shape[0] for port in (*report.inputs, *report.outputs)} == {None}
        assert any(
            note.startswith(
                "Unrolled 'lstm', 'gru', 'simple', 'both/forward_gru', 'both/backward_gru', 'cells'"
            )
            for note in report.notes
        )


def encoder_and_decoder(steps, decoded):
    """Two models that share a decoder, which was built with the steps of training."""
    keras.utils.set_random_seed(0)
    a, b = keras.Input((steps, 4), name="a"), keras.Input((steps, 4), name="b")
    _, h, c = layers.LSTM(5, return_state=True, name="encoder")(a)
    decoder = layers.LSTM(5, return_sequences=True, return_state=True, name="decoder")
    top = layers.Dense(3, name="y")
    trained = keras.Model([a, b], top(decoder(b, initial_state=[h, c])[0]))
    one = keras.Input((decoded, 4), name="one")
    states = [keras.Input((5,), name="h"), keras.Input((5,), name="c")]
    output, *after = decoder(one, initial_state=states)
    return trained, keras.Model([one, *states], [top(output), *after])


def test_an_encoder_whose_state_begins_a_decoder(series):
    trained, _ = encoder_and_decoder(6, 1)
    found = export_all(trained, ["float32", "int8"], calibration=[series, series[::-1]])
    assert {file.report.inputs[0].shape for file in found.files.values()} == {(None, 6, 4)}
    assert found["int8"].report.sqnr_db > 20
    assert "Unrolled 'encoder', 'decoder' over 6 steps" in found["int8"].report.notes[-1]


def test_the_steps_are_those_of_the_model_that_is_exported():
    """A decoder that was trained on sequences of any length, and works step by step."""
    _, one_step = encoder_and_decoder(None, 1)
    report = to_tflite(one_step).report
    assert report.inputs[0].shape == (None, 1, 4)
    assert any("Unrolled 'decoder' over 1 step," in note for note in report.notes)
    _, any_steps = encoder_and_decoder(6, None)
    assert to_tflite(any_steps).report.inputs[0].shape == (1, None, 4)


class Broken(layers.Layer):
    """A layer that cannot be called any more once the model is built."""

    now = False

    def call(self, x):
        if self.now:
            raise RuntimeError("the table is gone")
        return x


@pytest.mark.usefixtures("no_converter")
@pytest.mark.parametrize("steps", [6, None])
def test_what_a_trace_raises_is_said(steps):
    memory, broken = layers.LSTM(3), Broken()
    built = keras.Sequential([keras.Input((steps, 4)), memory, broken])
    broken.now = True
    with pytest.raises(ExportError, match=r"the table is gone \(in Broken\.call\).*any samples"):
        to_tflite(built)
    assert "call" not in vars(memory)


def test_the_users_batch_is_traced(series):
    """A layer that takes no batch of any size, behind one that is unrolled."""

    class Whole(layers.Layer):
        def call(self, x):
            return keras.ops.reshape(x, (int(x.shape[0]), 3))

        def compute_output_shape(self, shape):
            return shape

    built = keras.Sequential([keras.Input((6, 4)), layers.LSTM(3), Whole()])
    with pytest.raises(ExportError, match="could not trace the model"):
        to_tflite(built)
    report = to_tflite(built, None, "int8", calibration=series, batch_size=1).report
    assert report.inputs[0].shape == (1, 6, 4)
    assert "WHILE" not in report.ops
