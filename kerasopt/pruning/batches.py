"""Batches of samples for criteria that need gradients or activations."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

from kerasopt._checks import bad_type, bad_value

_FORM = (
    "a pair of arrays (x, y), or batches (x, y) or (x, y, weight) as `fit` takes them: a "
    "`tf.data.Dataset`, a `PyDataset` or a list"
)


class Batches:
    """Some batches at a time of what the user gave, in turn: after the last comes the first.

    Args:
        data: `(x, y)` or `(x, y, sample_weight)` of arrays (or structures of them), or batches of
            that form.
        size: Samples a batch, where `data` is arrays. Defaults to `32`.

    Raises:
        TypeError: If `data` is neither.
        ValueError: If it is empty, or the numbers of samples differ.
    """

    def __init__(self, data: Any, size: int = 32):
        self._size = size
        self._data = data
        self._is_arrays = isinstance(data, tuple) and all(
            hasattr(leaf, "shape") for leaf in keras.tree.flatten(data)
        )
        if self._is_arrays:
            lengths = {len(leaf) for leaf in keras.tree.flatten(data)}
            if len(data) not in (1, 2, 3) or len(lengths) != 1:
                raise bad_value("data", f"{_FORM}, of as many samples each", sorted(lengths))
            if 0 in lengths:
                raise bad_value("data", "at least one sample", data)
        elif isinstance(data, Iterator):
            raise bad_type(
                "data", _FORM, data, "A generator can be read only once: make a list of it."
            )
        elif not isinstance(data, (Iterable, keras.utils.PyDataset)) or isinstance(
            data, (str, dict)
        ):
            raise bad_type("data", _FORM, data)
        self._running: Iterator[Any] = iter(())

    def take(self, count: int) -> list[tuple[Any, ...]]:
        """Give the next batches, each a tuple (x, y) or (x, y, weight), or (x,)."""
        found: list[tuple[Any, ...]] = []
        empty = False
        while len(found) < count:
            batch = next(self._running, None)
            if batch is not None:
                found.append(batch if isinstance(batch, tuple) else (batch,))
                empty = False
                continue
            if empty:
                raise bad_value("data", "at least one batch", self._data)
            self._running, empty = self._begin(), True
        return found

    def _begin(self) -> Iterator[Any]:
        if isinstance(self._data, keras.utils.PyDataset):
            return (_tuple(self._data[index]) for index in range(self._data.num_batches or 0))
        if not self._is_arrays:
            return (_tuple(batch) for batch in self._data)
        length = len(keras.tree.flatten(self._data)[0])
        parts = itertools.pairwise([*range(0, length, self._size), length])
        return (
            keras.tree.map_structure(lambda leaf: np.asarray(leaf[begin:end]), self._data)  # noqa: B023
            for begin, end in parts
        )


def _tuple(batch: Any) -> tuple[Any, ...]:
    return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
