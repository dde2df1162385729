"""How much each layer alone costs when it is quantized."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from kerasopt._core.checks import at_least, bad_value, one_of
from kerasopt._core.display import Shown, text_of
from kerasopt._keras import require_tensorflow
from kerasopt.export.accuracy_control.mixed_precision import Partly
from kerasopt.export.data.calibration_data import with_labels
from kerasopt.export.model.saved_model import NO_LAYERS, SavedModel, load
from kerasopt.export.options import EXCLUDING, require_quantizer
from kerasopt.export.preparation import Prepared, prepare
from kerasopt.export.validation.agreement import sqnr
from kerasopt.export.validation.validator import file_outputs


@dataclass(frozen=True)
class LayerError:
    """What one layer does to the outputs when it alone is quantized.

    Attributes:
        layer: Its path; of fused layers the one with the most weights.
        sqnr_db: Signal-to-noise ratio of the worst output, in dB; `inf` if nothing changes, `-inf`
            if the file does not run.
        share: Its noise as a share of that of all layers, by power.
        weights: Number of its weights.
    """

    layer: str
    sqnr_db: float
    share: float
    weights: int


@dataclass(frozen=True, repr=False)
class Sensitivity(Shown):
    """The layers of a model, the most sensitive first.

    Attributes:
        mode: What they were quantized to.
        layers: One `LayerError` each.
        sqnr_db: Of the file in which all layers are quantized.
        compared_on: `"validation_data"`, `"calibration"` or `"random"`.
    """

    mode: str
    layers: tuple[LayerError, ...]
    sqnr_db: float
    compared_on: str

    def __iter__(self) -> Iterator[LayerError]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain JSON data (an infinite ratio is `None`)."""

        def plain(value: float) -> float | None:
            return value if np.isfinite(value) else None

        return {
            "mode": self.mode,
            "compared_on": self.compared_on,
            "sqnr_db": plain(self.sqnr_db),
            "layers": [{**asdict(one), "sqnr_db": plain(one.sqnr_db)} for one in self],
        }

    def brief(self) -> str:
        """Give the mode and the most sensitive layer."""
        worst = f", most sensitive {self.layers[0].layer!r}" if self.layers else ""
        return f"{self.mode}, {len(self)} layers, {self.sqnr_db:.1f} dB{worst}"

    def parts(self) -> list[Any]:
        """Give a line of all layers together, and the table."""
        heads = ["layer", "dB alone", "share of noise", "weights"]
        rows = [
            [one.layer, f"{one.sqnr_db:.1f}", f"{one.share:.1%}", f"{one.weights:,}"]
            for one in self
        ]
        whole = f"{self.mode}, all layers: {self.sqnr_db:.1f} dB"
        return [whole, [heads, *rows]]

    def __str__(self) -> str:
        return text_of(self.parts(), right=[1, 2, 3])


def sensitivity(
    model: Any,
    mode: str = "int8",
    *,
    calibration: Any = None,
    validation_data: Any = None,
    batch_size: int | None = None,
) -> Sensitivity:
    """Measure the error that each layer contributes when it alone is quantized.

    For every layer a file is made in which all others stay in float, of one calibration, and its
    outputs are compared with the Keras model's.

    Args:
        model: As in `to_tflite`.
        mode: `"int8"`; or `"dynamic_no_depthwise"`, `"weight_only"` or `"int4"` of the extra
            `int4`. Defaults to `"int8"`.
        calibration: As in `to_tflite`; `"int8"` wants it. Defaults to `None`.
        validation_data: x to compare on; labels beside it are not used. Defaults to `None`: up to
            100 samples of `calibration`.
        batch_size: As in `to_tflite`. Defaults to `None`.

    Returns:
        A `Sensitivity`, the most sensitive layer first; it prints as a table.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If one has a wrong value; nothing was converted.
        ExportError: If the model cannot be converted.
        ImportError: If the mode needs a package that is not installed.

    Example:
    >>> import keras
    >>> _ = keras.utils.set_random_seed(0)
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="hidden"),
    ...                           keras.layers.Dense(3, name="top")])
    >>> x = np.random.default_rng(0).normal(size=(120, 4))
    >>> found = sensitivity(model, calibration=x)
    >>> sorted(one.layer for one in found), round(sum(one.share for one in found), 6)
    (['hidden', 'top'], 1.0)
    """
    require_tensorflow("kerasopt.export.sensitivity")
    one_of("mode", mode, EXCLUDING)
    require_quantizer(mode)
    if batch_size is not None:
        at_least("batch_size", batch_size, 1)
    if isinstance(model, (str, os.PathLike)):
        model = load(model)
    if isinstance(model, SavedModel):
        raise bad_value("model", "a Keras model", model, NO_LAYERS)
    check, _ = with_labels(validation_data)
    prepared = prepare(model, [mode], calibration, check, batch_size)
    with prepared.saved() as saved:
        parts = Partly(prepared, saved, mode)
        if not parts.layers:
            raise bad_value("model", "a model with operations", model)
        return ranked(prepared, parts, mode)


def ranked(prepared: Prepared, parts: Partly, mode: str) -> Sensitivity:
    """Measure every layer of a model that is calibrated."""

    def worst(file: bytes) -> float:
        try:
            actual = file_outputs(file, prepared.signature, prepared.data)
        except (RuntimeError, ValueError):  # it does not run, which is as bad as can be
            return -math.inf
        return min(sqnr(right, actual[name]) for name, right in prepared.expected.items())

    found = {
        layer: worst(parts.grouped([one for one in parts.layers if one != layer]))
        for layer in steps(parts.layers, f"{mode}, layer by layer")
    }
    broken = [layer for layer, db in found.items() if not db > -math.inf]
    noise = {layer: 10.0 ** (-db / 10.0) for layer, db in found.items()}
    if broken:
        noise = {layer: float(layer in broken) for layer in found}
    total = sum(noise.values())
    return Sensitivity(
        mode=mode,
        layers=tuple(
            LayerError(
                layer=layer,
                sqnr_db=found[layer],
                share=noise[layer] / total if total else 0.0,
                weights=parts.weights(layer),
            )
            for layer in sorted(found, key=lambda one: found[one])
        ),
        sqnr_db=worst(parts.without([])),
        compared_on=prepared.data.source,
    )


def steps(work: Sequence[str], title: str) -> Iterator[str]:
    """Go through work with a line on standard error, at a terminal, that is gone at the end.

    Args:
        work: Its parts.
        title: What is done.
    """
    console = Console(stderr=True)
    yield from track(work, title, console=console, transient=True, disable=not console.is_terminal)
