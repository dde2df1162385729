"""Recurrent layers: a loop needs a file with a fixed batch, and cannot be calibrated."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from kerasopt._layers import Call, calls_through
from kerasopt.export.convert.converter import trace
from kerasopt.export.model.signature import Signature
from kerasopt.export.options import MODES

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


Lengths = Mapping[str, tuple[int | None, ...]]
"""By path of a recurrent layer, the steps of each sequence that it is called on."""


def recurrent(
    layers: Mapping[str, Any],
    modes: Sequence[str],
    batch_size: int | None,
    fixed: bool = False,
    lengths: Callable[[], Lengths] | None = None,
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
        lengths: Tells the steps, as `traced_lengths` does; asked only if they matter. Defaults to
            `None`: those that the layers were built with.
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
    seen = {} if lengths is None else lengths()
    steps = {path: _most(seen.get(path) or (built_steps(one),)) for path, one in loops.items()}
    names = ", ".join(map(repr, loops))
    most = MOST_CALIBRATED if calibrated else MOST_STEPS
    if all(one is not None and one <= most for one in steps.values()):
        counts = sorted({one for one in steps.values() if one is not None})
        return Recurrent(
            tuple(loops.values()),
            batch_size,
            f"Unrolled {names} over {', '.join(map(str, counts))} step{'s' * (counts != [1])}"
            f"{', so that the file takes any batch' if batch_size is None and not fixed else ''}.",
        )
    if batch_size is not None or fixed:
        return Recurrent(batch=batch_size)
    verb = "loops" if len(loops) == 1 else "loop"
    return Recurrent((), 1, f"The file takes one sample at a time: in it {names} {verb} over time.")


def traced_lengths(model: Any, signature: Signature, layers: Mapping[str, Any]) -> Lengths:
    """Find how many steps the sequences have that the recurrent layers of a model are called on.

    A layer remembers only what it was built with, which in an encoder with a decoder is often the
    model that was trained, and not the one that is exported.

    Args:
        model: A built Keras model.
        signature: Its signature.
        layers: By path, its layers.

    Returns:
        By path, a number a call, `None` where it is not known; nothing of layers that are not
        called.

    Raises:
        ExportError: If TensorFlow cannot trace the model.
    """
    found: dict[str, list[int | None]] = {}
    paths = {
        id(layer): path for path, layer in layers.items() if isinstance(layer, keras.layers.RNN)
    }

    def noting(layer: Any, call: Call) -> Call:
        def called(sequences: Any, *args: Any, **kwargs: Any) -> Any:
            found.setdefault(paths[id(layer)], []).append(sequences.shape[1])
            return call(sequences, *args, **kwargs)

        return called

    with calls_through((one for one in layers.values() if id(one) in paths), noting):
        trace(model, signature)
    return {path: tuple(lengths) for path, lengths in found.items()}


def built_steps(layer: Any) -> int | None:
    """Give the steps that a layer was built with, or `None` if any will do.

    Example:
    >>> layer = keras.layers.GRU(2)
    >>> _ = layer(keras.Input((5, 3)), initial_state=keras.Input((2,)))
    >>> built_steps(layer)
    5
    """
    config = layer.get_build_config() or {}
    # With states there are several shapes.
    shapes = config.get("shapes_dict", config)
    shape = shapes.get("input_shape") or shapes.get("sequences_shape")
    return shape[1] if shape and len(shape) > 1 else None


def _most(lengths: Sequence[int | None]) -> int | None:
    known = [one for one in lengths if one is not None]
    return max(known) if len(known) == len(lengths) else None
