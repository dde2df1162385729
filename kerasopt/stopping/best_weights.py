"""The weights of the best epoch, kept in memory or on disk."""

import tempfile
import weakref
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt import _store
from kerasopt._checks import one_of


class BestWeights:
    """One copy of a model's weights.

    Args:
        where: `"memory"`, or `"disk"` for a temporary file, for models of which two copies would
            not fit into memory.
    """

    def __init__(self, where: str):
        self.where = one_of("keep_best", where, ("memory", "disk"))
        self._arrays: list[NDArray[Any]] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._path: Path | None = None

    @property
    def kept(self) -> bool:
        """Whether there are any."""
        return self._arrays is not None or self._path is not None

    def keep(self, model: Any) -> None:
        """Take a copy of the model's weights in place of the one before."""
        weights = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
        if self.where == "disk":
            self._write(weights)
        elif self._arrays is None or [a.shape for a in self._arrays] != [w.shape for w in weights]:
            self._arrays = [np.array(weight) for weight in weights]
        else:
            # Into the arrays that are there: never two copies at once.
            for array, weight in zip(self._arrays, weights, strict=True):
                np.copyto(array, weight)

    def give_back(self, model: Any) -> None:
        """Give the model its best weights."""
        arrays = self.to_arrays()
        if arrays is not None:
            model.set_weights(arrays)

    def to_arrays(self) -> list[NDArray[Any]] | None:
        """Give the weights in the order of `model.weights`, or `None`."""
        if self._path is not None:
            return list(_store.load(self._path)["weights"])
        return self._arrays

    def set(self, arrays: list[Any] | None) -> None:
        """Take weights that were saved before."""
        self.forget()
        if arrays is None:
            return
        weights = [np.array(array) for array in arrays]
        if self.where == "disk":
            self._write(weights)
        else:
            self._arrays = weights

    def forget(self) -> None:
        """Let the weights go, and the file."""
        self._arrays = None
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = self._path = None

    def _write(self, weights: list[NDArray[Any]]) -> None:
        if self._folder is None:
            # Goes with this object at the latest, or with the process.
            self._folder = tempfile.TemporaryDirectory(
                prefix="kerasopt-", ignore_cleanup_errors=True
            )
            weakref.finalize(self, self._folder.cleanup)
        path = Path(self._folder.name) / "best_weights.npz"
        _store.save(path, {"weights": weights})
        self._path = path
