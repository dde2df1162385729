"""Batches of samples for criteria that need gradients or activations."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from kerasopt._core.checks import bad_type, bad_value

_FORM = (
    "an array x, a pair of arrays (x, y), or batches (x, y) or (x, y, weight) as `fit` takes them: "
    "a `tf.data.Dataset`, a `PyDataset` or a list"
)


class Batches:
    """Some batches at a time of what the user gave, in turn: after the last comes the first.

    Args:
        data: `x`, `(x, y)` or `(x, y, sample_weight)` of arrays (or structures of them; a dict is
            the x of a model with several inputs), or batches of that form.
        size: Samples a batch, where `data` is arrays. Defaults to `32`.

    Raises:
        TypeError: If `data` is neither.
        ValueError: If it is empty, or the numbers of samples differ.
    """

    def __init__(self, data: Any, size: int = 32):
        self.taken = 0
        self._size = size
        self._length: int | None = None  # of samples, where there are arrays
        self._waiting: list[tuple[Any, ...]] = []
        self._running: Iterator[Any] = iter(())
        if isinstance(data, dict) or hasattr(data, "shape"):
            data = (data,)
        while isinstance(data, tuple) and len(data) > 1 and data[-1] is None:
            data = data[:-1]
        self._data = data
        leaves = keras.tree.flatten(data) if isinstance(data, tuple) else []
        if leaves and all(hasattr(leaf, "shape") for leaf in leaves):
            if any(len(leaf.shape) == 0 for leaf in leaves):
                raise bad_value("data", _FORM, Shapes([data]), "A sample is a row of the arrays.")
            if len(data) > 3:
                raise bad_value("data", _FORM, Shapes([data]))
            _check_lengths(data)
            self._length = len(leaves[0])
            if self._length == 0:
                raise bad_value("data", "at least one sample", Shapes([data]))
        elif isinstance(data, Iterator):
            raise bad_type(
                "data", _FORM, data, "A generator can be read only once: make a list of it."
            )
        elif not isinstance(data, (Iterable, keras.utils.PyDataset)) or isinstance(data, str):
            raise bad_type("data", _FORM, data)
        elif isinstance(data, tuple) and len(data) == 1 and isinstance(data[0], dict):
            raise bad_type("data", _FORM, data[0], "The values of a dict must be arrays.")

    def take(self, count: int) -> list[tuple[Any, ...]]:
        """Give the next batches, each a tuple (x, y) or (x, y, weight), or (x,)."""
        found = []
        for _ in range(count):
            found.append(self._next())
            self.taken += 1
        return found

    def peek(self) -> tuple[Any, ...]:
        """Give the next batch, which stays the next one."""
        self._waiting = [self._next()]
        return self._waiting[0]

    def go_to(self, position: int) -> None:
        """Pass over batches, or go back, until so many have been taken since the first."""
        if self._length is not None or isinstance(self._data, (Sequence, keras.utils.PyDataset)):
            self._waiting = [] if position != self.taken else self._waiting
            self.taken = position
            return
        if position < self.taken:
            self._running, self._waiting, self.taken = iter(()), [], 0
        while self.taken < position:
            self._next()
            self.taken += 1

    def _next(self) -> tuple[Any, ...]:
        if self._waiting:
            return self._waiting.pop()
        try:
            batch = self._read()
        except Exception as error:
            advice = f"Reading one raised {said(error)}"
            raise bad_value("data", "batches that can be read", self._data, advice) from error
        if batch is None:
            raise bad_value("data", "at least one batch", self._data)
        found = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
        _check_lengths(found)
        return found

    def _read(self) -> Any:
        """Give the next batch, `None` if there are none."""
        if self._length is not None:
            number = -(-self._length // self._size)
            begin = self.taken % number * self._size
            return keras.tree.map_structure(
                lambda leaf: np.asarray(leaf[begin : begin + self._size]), self._data
            )
        if isinstance(self._data, (Sequence, keras.utils.PyDataset)):
            data: Any = self._data
            count = len(data) if isinstance(data, Sequence) else data.num_batches
            if count == 0:
                return None
            return data[self.taken if count is None else self.taken % count]
        batch = next(self._running, None)
        if batch is None:
            self._running = iter(self._data)
            batch = next(self._running, None)
        return batch


class Shapes:
    """The shapes of some batches, in the place of their numbers in a message.

    Example:
    >>> Shapes([(np.zeros((32, 9)), np.zeros(32)), (np.zeros((4, 9)), np.zeros(4))])
    batches of x (32, 9), y (32,) and of x (4, 9), y (4,)
    """

    def __init__(self, batches: Sequence[tuple[Any, ...]]):
        self._batches = batches

    def __repr__(self) -> str:
        texts = [
            ", ".join(
                f"{name} {_shape(part)}"
                for name, part in zip(("x", "y", "weights"), batch, strict=False)
            )
            for batch in self._batches
        ]
        return f"batches of {' and of '.join(dict.fromkeys(texts))}"


def _shape(part: Any) -> str:
    if isinstance(part, dict):
        return f"{{{', '.join(f'{name!r}: {_shape(one)}' for name, one in part.items())}}}"
    if isinstance(part, (list, tuple)) and len(part) < 9:
        return f"[{', '.join(map(_shape, part))}]"
    return str(tuple(part.shape)) if hasattr(part, "shape") else f"({type(part).__name__})"


def _check_lengths(batch: tuple[Any, ...]) -> None:
    """Check that x, the targets and the weights are of as many samples."""
    shapes = [
        [tuple(getattr(leaf, "shape", ())) for leaf in keras.tree.flatten(part)] for part in batch
    ]
    lengths = [[shape[0] for shape in found if shape] for found in shapes]
    if len({one for found in lengths for one in found}) <= 1:
        return
    names = zip(("x", "y", "the weights"), lengths, strict=False)
    each = [f"{name} has {' and '.join(map(str, found))}" for name, found in names if found]
    raise bad_value(
        "data",
        "as many samples in each array",
        Shapes([batch]),
        f"{', '.join(each)} samples: give each sample its own target and weight.",
    )


def said(error: Exception) -> str:
    """Give in one line what an error of Keras or TensorFlow says."""
    text = re.sub(r"\x1b\[[\d;]*m|{{.*?}}|\[Op:\w+\]", "", str(error)).replace("[[]]", "")
    # After a traceback stands what was raised.
    if text.startswith("Graph execution error"):
        text = re.split(r'\n *File "[^\n]*\n', text)[-1]
    if "in user code:" in text:
        text = re.split(r"\n\s*[\w.]+(?:Error|Exception): ", text)[-1]
    text = re.sub(r"Exception encountered when calling [^\n]*\n", "", text)
    text = text.split("Arguments received")[0]
    text = " ".join(text.split())
    text = text if len(text) <= 300 else f"{text[:300]}..."
    return f"{type(error).__name__}: {text.rstrip('.')}."
