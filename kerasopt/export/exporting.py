"""From a Keras model to a TFLite file that was run and compared before it was written."""

import os
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from kerasopt._checks import at_least, bad_value, one_of
from kerasopt._files import write_bytes
from kerasopt._keras import require_tensorflow
from kerasopt.export.agreement import sqnr
from kerasopt.export.convert import CALIBRATED, Traced, convert, refuse_loops, refuse_unfit
from kerasopt.export.cost import measure
from kerasopt.export.errors import ExportError
from kerasopt.export.operations import operations
from kerasopt.export.precision import in_float32
from kerasopt.export.reading import read
from kerasopt.export.report import Report
from kerasopt.export.runner import Runner
from kerasopt.export.samples import Samples, random_samples
from kerasopt.export.schema import Contents, contents
from kerasopt.export.signature import Signature, signature_of
from kerasopt.export.structure import structure
from kerasopt.export.tflite_model import TFLiteModel, check_path
from kerasopt.export.verify import keras_outputs, refuse_float, verify
from kerasopt.selection import check_built, walk

MODES = ("float32", "float16", "dynamic", "int8", "int16x8")
IO = ("float32", "int8", "uint8")

_ENOUGH = 100
_CHECKED = 100
_COPY_DB = 10.0
_COPY_DIFFERENCE = 1e-3


def to_tflite(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    mode: str = "float32",
    calibration: Any = None,
    io: str = "float32",
    check: Any = None,
    batch_size: int | None = None,
) -> TFLiteModel:
    """Convert a Keras model to TFLite, and make sure that the file does what the model does.

    The file is loaded and run with LiteRT and its outputs are compared with the model's before
    anything is written; its size and latency are measured. The model is left as it is. Inputs and
    outputs keep the model's own names. A model in mixed precision is exported as a float32 copy.

    Args:
        model: A built Keras model: Sequential, functional or a class of its own.
        path: Where to write the file, ending in `.tflite`. Defaults to `None`: not written.
        mode: `"float32"`; `"float16"`, half the size; `"dynamic"`, int8 weights; `"int8"`, int8
            weights and activations; `"int16x8"`, int8 weights and int16 activations, closer but
            slow. Defaults to `"float32"`.
        calibration: What the model will see, for `"int8"` and `"int16x8"` at least 100 samples: an
            array, a list
            (in the order of `model.inputs`), a dict by input name, or batches of these as a
            `tf.data.Dataset`, a `keras.utils.PyDataset`, an iterable or a function that gives one.
            Labels are dropped. At most 256 samples are used: of arrays evenly spread, of batches
            the first. In other modes it is only used to check the file. Defaults to `None`.
        io: Type of the inputs and outputs of an int8 file: `"float32"`, `"int8"` or `"uint8"`.
            Defaults to `"float32"`.
        check: Data to compare the file with the model on, in the same forms. Defaults to `None`:
            up to 100 samples of `calibration`, or else random numbers in [0, 1).
        batch_size: Fixes the batch axis of the file, which recurrent layers need that are not
            unrolled. Defaults to `None`: as in the model, usually any.

    Returns:
        A `TFLiteModel` with `bytes`, `report`, `save`, `predict` and `benchmark`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value; nothing was converted.
        ExportError: If the model cannot be converted, or the file does not run or is too far off;
            nothing was written.
        RuntimeError: If Keras does not run on TensorFlow.

    Example:
    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> exported = to_tflite(model)
    >>> exported.report.sqnr_db > 80
    True
    >>> exported.predict(np.zeros((2, 4))).shape
    (2, 3)
    """
    begun = time.perf_counter()
    require_tensorflow("kerasopt.export.to_tflite")
    _check_model(model)
    one_of("mode", mode, MODES)
    one_of("io", io, IO)
    if io != "float32" and mode != "int8":
        raise bad_value("io", f"'float32' in mode {mode!r}", io, "Integer io needs mode='int8'.")
    target = None if path is None else check_path(path)
    if batch_size is not None:
        at_least("batch_size", batch_size, 1)
    refuse_unfit(model)
    plain = in_float32(model)
    signature = signature_of(plain, batch_size)
    given = None if calibration is None else read("calibration", calibration, signature.inputs)
    data = _check_data(signature, given, check)
    if mode in CALIBRATED and given is None:
        raise bad_value(
            "calibration",
            f"data for mode {mode!r}, 100 samples or more",
            None,
            "Give a part of the training data: it sets the ranges of the activations.",
        )
    constant = given.constant_inputs() if given is not None and mode in CALIBRATED else []
    if len(constant) == len(signature.inputs):
        raise bad_value(
            "calibration",
            "samples that differ",
            f"the same number throughout for {', '.join(map(repr, constant))}",
            "It sets the ranges of the activations: give a part of the training data.",
        )

    traced = Traced(plain, signature)
    if mode in CALIBRATED:
        refuse_loops(plain, traced)
    # The model itself may take larger batches than the file.
    expected = _expected(model, plain, signature_of(plain), data)
    content = convert(traced, signature, mode, given, io)
    agreement = verify(content, mode, signature, data, expected)
    found = contents(content)
    refuse_float(mode, found)
    sample = next(data.in_batches(signature.batch or 1, exact=True))
    runner = Runner(content)
    losses = _losses(mode, given, found, constant)
    report = Report(
        mode=mode,
        io=io,
        inputs=tuple(runner.inputs[one.name] for one in signature.inputs),
        outputs=tuple(runner.outputs[name] for name in agreement),
        agreement=agreement,
        check=data.source,
        calibration_samples=len(given) if given and mode in CALIBRATED else 0,
        cost=measure(content, sample, found),
        ops=found.ops,
        float_ops=found.float_ops if mode in CALIBRATED else {},
        operations=tuple(operations(structure(content)[0])),
        notes=(*losses, *_remarks(plain is not model, data.source == "random")),
        seconds=time.perf_counter() - begun,
        versions={name: version(name) for name in ("tensorflow", "keras", "ai-edge-litert")},
    )
    exported = TFLiteModel(content, report, signature, sample)
    for loss in losses:
        warnings.warn(loss, stacklevel=2)
    if target is not None:
        write_bytes(target, content)
    return exported


def _check_model(model: Any) -> None:
    check_built(model)
    for path, layer in walk(model):
        if getattr(layer, "quantization_mode", None):
            raise bad_value(
                "model",
                "a model in float",
                model,
                f"Layer {path!r} was quantized by Keras, which TFLite cannot read: export the "
                "model as it was before `model.quantize`.",
            )
    for variable in model.variables:
        values = np.asarray(variable)
        if values.dtype.kind not in "biu" and not np.isfinite(values).all():
            raise bad_value(
                "model",
                "weights that are finite numbers",
                variable.path,
                "It has NaN or infinity: the training went wrong before.",
            )


def _check_data(signature: Signature, given: Samples | None, check: Any) -> Samples:
    if check is not None:
        return read("check", check, signature.inputs)
    if given is not None:
        return given.thinned(_CHECKED)
    return random_samples(signature.inputs)


def _expected(model: Any, plain: Any, signature: Signature, data: Samples) -> dict[str, np.ndarray]:
    try:
        expected = keras_outputs(plain, signature, data)
    except Exception as error:
        if data.source != "random":
            raise bad_value(
                data.source, "data that the model runs on", f"{type(error).__name__}: {error}"
            ) from error
        raise ExportError(
            f"The Keras model does not run on random data of shapes "
            f"{[array.shape for array in data.batches[0].values()]}: {error}. Give a few real "
            "samples as `check`."
        ) from error
    for name, output in expected.items():
        if output.dtype.kind == "f" and not np.isfinite(output).any():
            raise bad_value(
                data.source if data.source != "random" else "model",
                "data on which the Keras model gives finite numbers",
                f"output {name!r} without any",
            )
    if plain is not model:
        _check_copy(model, plain, signature, data.thinned(8))
    return expected


def _check_copy(model: Any, plain: Any, signature: Signature, data: Samples) -> None:
    copied = keras_outputs(plain, signature, data)
    for name, output in keras_outputs(model, signature, data).items():
        reference = np.asarray(output, dtype=np.float32)
        ratio = sqnr(reference, copied[name])
        if ratio < _COPY_DB and np.abs(reference - copied[name]).max() > _COPY_DIFFERENCE:
            raise ExportError(
                f"The float32 copy of the model gives another output {name!r} ({ratio:.1f} dB). "
                "Build the model in float32 and load its weights."
            )


def _remarks(is_copy: bool, is_random: bool) -> list[str]:
    """Say what the user should know but need not be warned of."""
    remarks = ["Exported as a float32 copy."] if is_copy else []
    if is_random:
        remarks.append(
            "Compared on random inputs in [0, 1), of an integer input 0 and 1: real samples as "
            "`check` say more."
        )
    return remarks


def _losses(
    mode: str, given: Samples | None, found: Contents, constant: Sequence[str]
) -> list[str]:
    """Say what is less than what was asked for."""
    losses = [
        f"Input {name!r} was the same number in all calibration samples; with any other its range "
        "does not fit."
        for name in constant
    ]
    if mode in CALIBRATED and given is not None and len(given) < _ENOUGH:
        losses.append(
            f"Calibrated on {len(given)} samples; {_ENOUGH} or more make the ranges reliable."
        )
    if mode in CALIBRATED and found.float_ops:
        names = ", ".join(f"{count} {name}" for name, count in sorted(found.float_ops.items()))
        losses.append(f"Not all of the file is {mode}; these operations stay in float: {names}.")
    if mode == "dynamic" and not found.constants.get("INT8"):
        losses.append(
            "No weights became int8: TensorFlow leaves those with fewer than 1024 entries in "
            "float, so this file is a float32 file."
        )
    return losses
