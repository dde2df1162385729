"""The three ways from a Keras model to a TFLite file, with the same settings."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasopt._core.quiet import held_back
from kerasopt.export import to_tflite
from kerasopt.export.convert.converter import CALIBRATED, Saved, Traced, refuse_loops, refuse_unfit
from kerasopt.export.data.calibration_data import read
from kerasopt.export.model.float32 import in_float32
from kerasopt.export.model.signature import signature_of
from kerasopt.export.preparation import check_model

OURS, PLAIN, LITERT = "kerasopt", "from_keras_model", "model.export"
PATHS = (OURS, PLAIN, LITERT)
Arrays = list[np.ndarray]


def arrays_of(model: Any, data: Any) -> Arrays:
    """Give the data of each input, in the order of `model.inputs`."""
    if isinstance(data, dict):
        return [np.asarray(data[one.name]) for one in model.inputs]
    return [np.asarray(data)]


def with_batch(model: Any, batch_size: int | None) -> Any:
    """Give what the peers need for a fixed batch: another model around this one."""
    if batch_size is None:
        return model
    inputs = [keras.Input(batch_shape=(batch_size, *one.shape[1:])) for one in model.inputs]
    return keras.Model(inputs, model(inputs if len(inputs) > 1 else inputs[0]))


def _samples(arrays: Arrays) -> Callable[[], Iterator[list[np.ndarray]]]:
    """Give calibration as TensorFlow's guide does: a list of one sample an input."""

    def samples() -> Iterator[list[np.ndarray]]:
        for position in range(len(arrays[0])):
            yield [array[position : position + 1] for array in arrays]

    return samples


def _specification(mode: str) -> dict[str, Any]:
    ops = tf.lite.OpsSet
    exact = {
        "int8": ops.TFLITE_BUILTINS_INT8,
        "int16x8": ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
    }
    if mode == "float16":
        return {"supported_types": [tf.float16]}
    return {"supported_ops": [exact[mode], ops.TFLITE_BUILTINS]} if mode in exact else {}


def plain(model: Any, mode: str, arrays: Arrays) -> bytes:
    """Convert by `tf.lite.TFLiteConverter.from_keras_model`, with the settings of our child."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode in CALIBRATED:
        converter.representative_dataset = _samples(arrays)
    for name, value in _specification(mode).items():
        setattr(converter.target_spec, name, value)
    return bytes(converter.convert())


def litert(model: Any, mode: str, arrays: Arrays) -> bytes:
    """Convert by `model.export(format="litert")`, which takes settings by name.

    Its own set of operations stays, except for int16x8, which there is no other way to ask for.
    """
    settings: dict[str, Any] = {}
    if mode != "float32":
        settings["optimizations"] = [tf.lite.Optimize.DEFAULT]
    if mode in CALIBRATED:
        settings["representative_dataset"] = _samples(arrays)
    if mode in ("float16", "int16x8"):
        settings["target_spec"] = _specification(mode)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        model.export(str(path), format="litert", verbose=False, **settings)
        return path.read_bytes()


def ours(model: Any, mode: str, data: Any, batch_size: int | None = None) -> bytes:
    """Convert as `to_tflite` does, all checks of model and data included, but do not verify."""
    check_model(model)
    refuse_unfit(model)
    plain = in_float32(model)
    signature = signature_of(plain, batch_size)
    given = read("calibration", data, signature.inputs) if mode in CALIBRATED else None
    traced = Traced(plain, signature)
    if mode in CALIBRATED:
        refuse_loops(plain, traced)
    with Saved(traced, signature, given) as saved:
        return saved.convert(mode)


def whole(model: Any, mode: str, data: Any, batch_size: int | None = None) -> bytes:
    """Export by `to_tflite`: converted, verified, measured."""
    return to_tflite(model, None, mode, calibration=data, batch_size=batch_size).bytes


def convert(path: str, model: Any, mode: str, data: Any) -> bytes:
    """Convert by one of `PATHS`, without verification, quietly."""
    if path == OURS:
        return ours(model, mode, data)
    peer = plain if path == PLAIN else litert
    with held_back():
        return peer(model, mode, arrays_of(model, data))
