"""Samples that a model is calibrated with or checked on: batches by input name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kerasopt.export.model.signature import Input
from kerasopt.export.runtime.interpreter import ANY_SIZE

MOST = 256
"""Most samples that are used; the ranges of an int8 file hardly move after the first hundred."""

Batch = dict[str, np.ndarray]


@dataclass(frozen=True)
class Samples:
    """Checked batches, each a dict of input name -> array with the batch axis first.

    Attributes:
        source: Where they come from: the name of the argument, or `"random"`.
        batches: The batches; those of one size are one.
    """

    source: str
    batches: tuple[Batch, ...]

    def __len__(self) -> int:
        return sum(length(batch) for batch in self.batches)

    def in_batches(self, size: int, exact: bool = False) -> Iterator[Batch]:
        """Give all samples in batches of at most `size`, or of exactly that (the last repeats)."""
        for batch in self.batches:
            for begin in range(0, length(batch), size):
                part = {name: array[begin : begin + size] for name, array in batch.items()}
                yield filled(part, size) if exact else part

    def constant_inputs(self) -> list[str]:
        """Name the inputs that are the same number throughout."""
        names = list(self.batches[0]) if self.batches else []
        values = {name: np.concatenate([b[name].ravel() for b in self.batches]) for name in names}
        return [name for name in names if values[name].min() == values[name].max()]

    def thinned(self, most: int) -> "Samples":
        """Give at most `most` of them, evenly spread."""
        if len(self) <= most:
            return self
        wanted = spread(len(self), most)
        kept, begin = [], 0
        for batch in self.batches:
            inside = wanted[(wanted >= begin) & (wanted < begin + length(batch))] - begin
            begin += length(batch)
            if len(inside):
                kept.append({name: array[inside] for name, array in batch.items()})
        return Samples(self.source, tuple(kept))


def length(batch: Batch) -> int:
    """Give the number of samples in a batch."""
    return len(next(iter(batch.values())))


def filled(batch: Batch, size: int) -> Batch:
    """Repeat the last sample until the batch has `size` of them."""
    missing = size - length(batch)
    if missing <= 0:
        return batch
    return {n: np.concatenate([a, np.repeat(a[-1:], missing, axis=0)]) for n, a in batch.items()}


def spread(count: int, most: int) -> np.ndarray:
    """Choose at most `most` of `count` positions, evenly spread, first and last included.

    Example:
    >>> spread(10, 4)
    array([0, 3, 6, 9])
    """
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(int)


def random_samples(inputs: Iterable[Input], count: int = 16, seed: int = 0) -> Samples:
    """Make data where the user gave none: floats in [0, 1), integers 0 or 1.

    An integer input is usually an index, and 0 and 1 are in range everywhere. An axis of any size
    gets 32 entries.
    """
    generator = np.random.default_rng(seed)
    batch = {}
    for one in inputs:
        shape = [count, *(ANY_SIZE if size is None else size for size in one.shape[1:])]
        whole = np.dtype(one.dtype).kind in "biu"
        values = generator.integers(0, 2, shape) if whole else generator.random(shape)
        batch[one.name] = values.astype(one.dtype)
    return Samples("random", (batch,))
