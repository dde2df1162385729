"""What an export needs before the first file is made: signature, data, and what is right."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kerasopt._core.checks import bad_value
from kerasopt._core.quiet import held_back
from kerasopt.export.convert.converter import Saved, Traced, refuse_loops, refuse_unfit
from kerasopt.export.data.calibration_data import read
from kerasopt.export.data.samples import Batch, Samples, random_samples
from kerasopt.export.errors import ExportError
from kerasopt.export.file.buffers import refuse_too_large
from kerasopt.export.model.float32 import in_float32
from kerasopt.export.model.loops import recurrent, traced_lengths
from kerasopt.export.model.saved_model import SavedModel, inner_layers
from kerasopt.export.model.signature import Signature, signature_of
from kerasopt.export.options import CALIBRATED
from kerasopt.export.validation.agreement import sqnr
from kerasopt.export.validation.validator import keras_outputs
from kerasopt.selection import check_built, walk

_CHECKED = 100
# What a weight takes at least; files of the other modes are made of float32 ones.
_BYTES = {"float16": 2, "dynamic": 1}
_COPY_DB = 10.0
_COPY_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class Prepared:
    """A model that is ready to be exported.

    Attributes:
        model: The Keras model.
        plain: The same, or a copy in float32.
        signature: Its signature.
        given: The calibration data, or `None`.
        data: What files are compared with the model on.
        constant: Inputs that are the same number in all calibration samples.
        traced: The model as a TensorFlow function.
        expected: By output name, what the model, or its float32 copy, gives for `data`.
        notes: What the user should know of it.
        layers: By the path that the user knows, the layers of `plain`.
        copy_db: Ratio of the model to its float32 copy on a few samples, in dB; else `None`.
    """

    model: Any
    plain: Any
    signature: Signature
    given: Samples | None
    data: Samples
    constant: tuple[str, ...]
    traced: Traced
    expected: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    layers: Mapping[str, Any] = field(default_factory=dict)
    copy_db: float | None = None

    @property
    def sample(self) -> Batch:
        """One sample with its batch axis, or the file's fixed batch."""
        return next(self.data.in_batches(self.signature.batch or 1, exact=True))

    @property
    def has_float32(self) -> bool:
        """Whether a float32 file of the model can be, beside which others are set."""
        try:
            refuse_too_large(count_weights(self.plain), "float32", 4)
        except ExportError:
            return False
        return True

    def saved(self) -> Saved:
        """Give the SavedModel of which files are made: a context."""
        return Saved(self.traced, self.signature, self.given)

    def refuse(self, mode: str) -> None:
        """Refuse a mode that this model cannot have.

        Raises:
            ExportError: If it cannot.
        """
        refuse_too_large(count_weights(self.plain), mode, _BYTES.get(mode, 4))
        if mode in CALIBRATED:
            refuse_loops(self.layers, self.traced)


def prepare(
    model: Any, modes: Sequence[str], calibration: Any, check: Any, batch_size: int | None
) -> Prepared:
    """Check a model and its data for an export in some modes, and run it.

    Args:
        model: As `to_tflite` takes it.
        modes: Those that are wanted.
        calibration: As `to_tflite` takes it.
        check: Likewise.
        batch_size: Likewise.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If one has a wrong value.
        ExportError: If the model cannot be exported.
    """
    if isinstance(model, SavedModel):
        model.refuse_unfit()
        plain: Any = model
    else:
        check_model(model)
        refuse_unfit(model)
        plain = in_float32(model)
    for mode in modes if len(modes) == 1 else ():
        refuse_too_large(count_weights(plain), mode, _BYTES.get(mode, 4))
    layers = known_layers(model, plain)
    whole = signature_of(plain)
    with held_back():
        loops = recurrent(
            layers,
            modes,
            batch_size,
            whole.batch is not None,
            lambda: traced_lengths(plain, signature_of(plain, batch_size), layers),
        )
    signature = whole if loops.batch is None else signature_of(plain, loops.batch)
    given = None if calibration is None else read("calibration", calibration, signature.inputs)
    data = check_data(signature, given, check)
    wanted = [mode for mode in modes if mode in CALIBRATED]
    if wanted and given is None:
        raise bad_value(
            "calibration",
            f"data for mode {wanted[0]!r}, 100 samples or more",
            None,
            "Give a part of the training data: it sets the ranges of the activations.",
        )
    constant = given.constant_inputs() if given is not None and wanted else []
    if len(constant) == len(signature.inputs):
        raise bad_value(
            "calibration",
            "samples that differ",
            f"the same number throughout for {', '.join(map(repr, constant))}",
            "It sets the ranges of the activations: give a part of the training data.",
        )
    # One thread at a time: unrolling and naming are written on the layers.
    with held_back(), loops.applied():
        traced = Traced(plain, signature, layers)
    noted = (loops.note,) if loops.note else ()
    prepared = Prepared(
        model, plain, signature, given, data, tuple(constant), traced, {}, noted, layers
    )
    for mode in wanted if len(modes) == 1 else ():
        prepared.refuse(mode)
    # The model itself may take larger batches than the file.
    prepared.expected.update(expected_of(plain, whole, data))
    if plain is model:
        return prepared
    return replace(prepared, copy_db=_check_copy(model, plain, whole, data.thinned(8)))


def count_weights(model: Any) -> int:
    """Give how many weights a Keras model or a `SavedModel` has."""
    held = model.non_trainable_variables if isinstance(model, SavedModel) else model.weights
    return sum(math.prod(variable.shape) for variable in held)


def known_layers(model: Any, plain: Any) -> dict[str, Any]:
    """Give the layers of a model's float32 copy by the paths that they have in the model itself.

    A copy of a layer of one's own may give other names to the layers inside it.
    """
    if plain is model:
        return inner_layers(model)
    paths, copies = [path for path, _ in walk(model)], inner_layers(plain)
    if len(paths) != len(copies):
        return copies
    return dict(zip(paths, copies.values(), strict=True))


def check_model(model: Any) -> None:
    """Refuse what Keras has quantized, and weights that are no numbers."""
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


def check_data(signature: Signature, given: Samples | None, check: Any) -> Samples:
    """Give what files are compared on."""
    if check is not None:
        return read("validation_data", check, signature.inputs)
    if given is not None:
        return given.thinned(_CHECKED)
    return random_samples(signature.inputs)


def expected_of(plain: Any, signature: Signature, data: Samples) -> dict[str, np.ndarray]:
    """Run the Keras model, or its float32 copy."""
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
            "samples as `validation_data`."
        ) from error
    for name, output in expected.items():
        if output.dtype.kind == "f" and not np.isfinite(output).any():
            raise bad_value(
                data.source if data.source != "random" else "model",
                "data on which the Keras model gives finite numbers",
                f"output {name!r} without any",
            )
    return expected


def _check_copy(model: Any, plain: Any, signature: Signature, data: Samples) -> float:
    copied = keras_outputs(plain, signature, data)
    worst = math.inf
    for name, output in keras_outputs(model, signature, data).items():
        reference = np.asarray(output, dtype=np.float32)
        ratio = sqnr(reference, copied[name])
        if ratio < _COPY_DB and np.abs(reference - copied[name]).max() > _COPY_DIFFERENCE:
            raise ExportError(
                f"The float32 copy of the model gives another output {name!r} ({ratio:.1f} dB). "
                "Build the model in float32 and load its weights."
            )
        worst = min(worst, ratio)
    return worst
