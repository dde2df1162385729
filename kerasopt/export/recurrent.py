"""Recurrent layers: a loop needs a file with a fixed batch, and cannot be calibrated."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from kerasopt.export.modes import MODES

MOST_STEPS = 128
"""Most steps over which a layer is unrolled where a loop with a batch of one will do."""

MOST_CALIBRATED = 512
"""Most steps over which a layer is unrolled where a loop cannot be calibrated."""


@dataclass(frozen=True)
class Recurrent:
    """How the recurrent layers of a model are exported.

    Attributes:
        unrolled: Layers that are unrolled.
        batch: Batch size of the file; `None` for any, or as the model has it.
        note: What the user should know of it, or nothing.
    """

    unrolled: tuple[Any, ...] = ()
    batch: int | None = None
    note: str = ""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Have the layers unroll when they are traced."""
        try:
            for layer in self.unrolled:
                layer.unroll = True
            yield
        finally:
            for layer in self.unrolled:
                layer.unroll = False


def recurrent(
    layers: Mapping[str, Any], modes: Sequence[str], batch_size: int | None, fixed: bool = False
) -> Recurrent:
    """Choose between unrolling and a fixed batch.

    Layers that loop over time convert with a fixed batch only, and TensorFlow crashes when it
    calibrates them. So they are unrolled, unless the user fixed the batch, or their steps are not
    known or too many; then the batch is one.

    Args:
        layers: By path, those of a built Keras model.
        modes: Modes of the files that will be made.
        batch_size: What the user wants, or `None`.
        fixed: Whether the model has a batch of its own. Defaults to `False`.
    """
    loops = {
        path: layer
        for path, layer in layers.items()
        if isinstance(layer, keras.layers.RNN) and not layer.unroll
    }
    if not loops:
        return Recurrent(batch=batch_size)
    calibrated = any(MODES[mode].calibrated for mode in modes)
    if not calibrated and (fixed or batch_size is not None):
        return Recurrent(batch=batch_size)
    steps = {path: _steps(layer) for path, layer in loops.items()}
    names = ", ".join(map(repr, loops))
    most = MOST_CALIBRATED if calibrated else MOST_STEPS
    if all(one is not None and one <= most for one in steps.values()):
        counts = sorted({one for one in steps.values() if one is not None})
        return Recurrent(
            tuple(loops.values()),
            batch_size,
            f"Unrolled {names} over {', '.join(map(str, counts))} steps"
            f"{', so that the file takes any batch' if batch_size is None and not fixed else ''}.",
        )
    if batch_size is not None or fixed:
        return Recurrent(batch=batch_size)
    verb = "loops" if len(loops) == 1 else "loop"
    return Recurrent((), 1, f"The file takes one sample at a time: in it {names} {verb} over time.")


def _steps(layer: Any) -> int | None:
    config = layer.get_build_config() or {}
    shape = config.get("input_shape") or config.get("sequences_shape")
    return shape[1] if shape and len(shape) > 1 else None
