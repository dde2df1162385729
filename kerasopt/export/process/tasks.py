"""Making files out of a SavedModel, in the process that may crash."""

import gc
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from kerasopt.export.file.buffers import inside
from kerasopt.export.options import quantizer_modules

Answer = dict[str, Any]
"""What a task gives back: plain JSON data."""


def convert(folder: Path, mode: str, io: str, batch: int, sparse: bool = False) -> Answer:
    """Convert the SavedModel in a folder; `samples.npz` there has the calibration data.

    Writes `model.tflite` there.
    """
    import tensorflow as tf

    converter = _converter(folder, mode, batch)
    if sparse:
        sparsity = tf.lite.Optimize.EXPERIMENTAL_SPARSITY
        converter.optimizations = [*converter.optimizations, sparsity]
    if mode in ("int8", "int16x8"):
        opsets = tf.lite.OpsSet
        exact = {
            "int8": opsets.TFLITE_BUILTINS_INT8,
            "int16x8": opsets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
        }
        converter.target_spec.supported_ops = [exact[mode], opsets.TFLITE_BUILTINS]
        converter.inference_input_type = getattr(tf, io)
        converter.inference_output_type = getattr(tf, io)
    (folder / "model.tflite").write_bytes(bytes(converter.convert()))
    return {}


@cache
def _settle() -> None:
    """Hide what the imports made from the garbage collector, which the converter runs."""
    gc.collect()
    gc.freeze()


def _converter(folder: Path, mode: str, batch: int) -> Any:
    import numpy as np
    import tensorflow as tf

    _settle()
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
    if mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if mode in ("int8", "int16x8"):
        with np.load(folder / "samples.npz") as stored:
            arrays = dict(stored)

        def samples() -> Iterator[dict[str, Any]]:
            # By name: given as lists, two inputs are silently swapped.
            for group in sorted({int(key.split("/", 1)[0]) for key in arrays}):
                mine = {
                    key.split("/", 1)[1]: value
                    for key, value in arrays.items()
                    if int(key.split("/", 1)[0]) == group
                }
                for begin in range(0, len(next(iter(mine.values()))), batch):
                    yield {name: value[begin : begin + batch] for name, value in mine.items()}

        converter.representative_dataset = samples
    return converter


def partly(
    folder: Path, mode: str, batch: int, io: str, denied: list[str] | None, kinds: list[str]
) -> Answer:
    """Convert to int8, except for the operations whose outputs have these names.

    Nor operations of these kinds. Writes `model.tflite` there; if `denied` is `None`, the
    calibrated model.
    """
    import tensorflow as tf

    if _calibrated.get("folder") != str(folder):
        converter = _converter(folder, mode, batch)
        try:
            _calibrated["debugger"] = tf.lite.experimental.QuantizationDebugger(
                converter=converter, debug_dataset=converter.representative_dataset
            )
        except ValueError as error:
            if "debug mode" not in str(error):
                raise
            raise ValueError("no operation of the model can be quantized to int8") from error
        _calibrated["folder"] = str(folder)
    debugger = _calibrated["debugger"]
    if denied is None:
        file = debugger.calibrated_model
    else:
        # It takes the options, and then complains if nothing is left that it could look into.
        with suppress(ValueError):
            debugger.options = tf.lite.experimental.QuantizationDebugOptions(
                denylisted_nodes=denied, denylisted_ops=kinds
            )
        file = debugger.get_nondebug_quantized_model()
    if io != "float32":
        # What the converter calls at its end; nothing public does it to a file that is there.
        from tensorflow.lite.python.util import modify_model_io_type

        file = modify_model_io_type(file, getattr(tf, io), getattr(tf, io))
    (folder / "model.tflite").write_bytes(bytes(file))
    return {}


_calibrated: dict[str, Any] = {}
"""Of the last folder: calibrating again for every file would take minutes."""


def weights(folder: Path, mode: str, denied: list[str] | None, **_: Any) -> Answer:
    """Quantize the weights of `float.tflite`, except for operations with outputs of these names.

    Writes `model.tflite` there; if `denied` is `None`, the float file itself.
    """
    qtyping, quantizer = quantizer_modules()

    names = qtyping.TFLOperationName
    file = (folder / "float.tflite").read_bytes()
    if denied is not None:
        made = quantizer.Quantizer(file)
        if mode == "dynamic_no_depthwise":
            # With these two alone; `ALL_SUPPORTED` takes depthwise convolutions too.
            for name in (names.CONV_2D, names.FULLY_CONNECTED):
                made.add_dynamic_config(".*", name, 8)
        else:
            made.add_weight_only_config(".*", names.ALL_SUPPORTED, 4 if mode == "int4" else 8)
        for name in denied:
            # An operation is known there by the names of its outputs, each with a semicolon.
            made.update_quantization_recipe(
                f"^{re.escape(name)}(;|$)", names.ALL_SUPPORTED, algorithm_key="no_quantize"
            )
        # It writes large weights behind the flatbuffer, where other runtimes do not find them.
        file = inside(bytes(made.quantize(enable_progress_report=False).quantized_model))
    (folder / "model.tflite").write_bytes(file)
    return {}
