"""The weights of the best epoch, kept in memory or on disk."""

import copy
import tempfile
import weakref
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt._core import files
from kerasopt._core.checks import one_of


class BestWeights:
    """One copy of a model's weights, taken and given back variable by variable.

    Args:
        where: `"memory"`, or `"disk"` for temporary files, for models of which two copies would
            not fit into memory.
    """

    def __init__(self, where: str):
        self.where = one_of("keep_best", where, ("memory", "disk"))
        self._arrays: Any = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._paths: list[Path] = []
        self._copies = 0

    @property
    def kept(self) -> bool:
        """Whether there are any."""
        return self._arrays is not None or bool(self._paths)

    def keep(self, model: Any) -> None:
        """Take a copy of the model's weights in place of the one before."""
        if not isinstance(model, keras.Model):  # one that only has `get_weights`
            self._arrays = copy.deepcopy(model.get_weights())
            return
        if self.where == "disk":
            self._write(model.weights)
            return
        shapes = [tuple(weight.shape) for weight in model.weights]
        if not _have_shapes(self._arrays, shapes):
            self._arrays = [np.array(_numpy(weight)) for weight in model.weights]
            return
        for array, weight in zip(self._arrays, model.weights, strict=True):
            np.copyto(array, _numpy(weight))

    def give_back(self, model: Any) -> None:
        """Give the model its best weights."""
        if self._arrays is not None:
            model.set_weights(self._arrays)
        elif self._paths:
            for weight, path in zip(model.weights, self._paths, strict=True):
                weight.assign(files.load(path)["weight"])

    def to_arrays(self) -> Any:
        """Give the weights in the order of `model.weights`, or `None`."""
        if self._paths:
            return [files.load(path)["weight"] for path in self._paths]
        return self._arrays

    def set(self, arrays: Any) -> None:
        """Take weights that were saved before: what `model.set_weights` takes, or `None`."""
        self.forget()
        if isinstance(arrays, (list, tuple)) and self.where == "disk":
            self._write(list(arrays))
        elif isinstance(arrays, (list, tuple)):
            self._arrays = [np.array(array) for array in arrays]
        else:
            self._arrays = arrays

    def forget(self) -> None:
        """Let the weights go, and the files."""
        self._arrays = None
        if self._folder is not None:
            self._folder.cleanup()
        self._folder, self._paths = None, []

    def _write(self, weights: list[Any]) -> None:
        if self._folder is None:
            # Goes with this object at the latest, or with the process.
            self._folder = tempfile.TemporaryDirectory(
                prefix="kerasopt-", ignore_cleanup_errors=True
            )
            weakref.finalize(self, self._folder.cleanup)
        self._copies += 1
        before, new = self._paths, []
        for index, weight in enumerate(weights):
            path = Path(self._folder.name) / f"best-{self._copies}-{index}.npz"
            files.save(path, {"weight": _numpy(weight)})
            new.append(path)
        # Only a whole copy takes the place of the one before.
        self._paths = new
        for path in before:
            path.unlink()


def _have_shapes(arrays: Any, shapes: list[tuple[int, ...]]) -> bool:
    return isinstance(arrays, list) and [array.shape for array in arrays] == shapes


def _numpy(weight: Any) -> NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(weight))
