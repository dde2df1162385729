"""What was given to `fit`: where its validation data are, and what a file can be calibrated on."""

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasopt._core.logs import scalars
from kerasopt.export.data.samples import MOST, spread


@dataclass(frozen=True)
class Given:
    """The data of one call of `fit`.

    Attributes:
        x: The validation data: arrays, or an object that gives batches; `None` if there are none.
        y: Their labels, or `None`.
        weights: Their sample weights, or `None`.
        calibration: Up to 256 of the training samples if they are arrays, else the object that
            gives batches; `None` if that can be read only once.
        options: What `evaluate` is to be told beside data.
    """

    x: Any
    y: Any
    weights: Any
    calibration: Any
    options: Mapping[str, Any]

    @classmethod
    def of(cls, arguments: Sequence[Any], named: Mapping[str, Any]) -> "Given":
        """Read the arguments of `fit`.

        Args:
            arguments: Those without a name.
            named: Those with one.
        """
        names = list(inspect.signature(keras.Model.fit).parameters)[1:]
        found = {**dict(zip(names, arguments, strict=False)), **named}
        training = (found.get("x"), found.get("y"), found.get("sample_weight"))
        held = found.get("validation_data")
        share = found.get("validation_split") or 0.0
        x = y = weights = None
        if held is not None:
            unpacked = list(held) if isinstance(held, (tuple, list)) else [held]
            x, y, weights = [*unpacked, None, None][:3]
        elif share and is_arrays(training[0]):
            # As Keras does it: the last samples, and one more where it does not come out even.
            begin = math.floor(count(training[0]) * (1.0 - share))
            x, y, weights = (_part(one, slice(begin, None)) for one in training)
            training = (_part(training[0], slice(begin)), None, None)
        size = found.get("validation_batch_size") or found.get("batch_size")
        options = {"batch_size": size if is_arrays(x) else None}
        if found.get("validation_steps") is not None:
            options["steps"] = found["validation_steps"]
        return cls(x, y, weights, _calibration(training[0]), options)

    @property
    def judged(self) -> bool:
        """Whether these are arrays with labels, of which a file's accuracy can be told."""
        return is_arrays(self.x) and self.y is not None and "steps" not in self.options

    def few(self, most: int = 8) -> tuple[Any, Any]:
        """Give the first samples and their labels."""
        return _part(self.x, slice(most)), _part(self.y, slice(most))

    def evaluate(self, model: Any) -> dict[str, float]:
        """Measure the validation metrics of a model as it is now.

        Returns:
            Empty without validation data, or if training has used them up.
        """
        if self.x is None or reads_once(self.x):
            return {}
        found = model.evaluate(
            self.x,
            self.y,
            sample_weight=self.weights,
            return_dict=True,
            verbose=0,
            **self.options,
        )
        return scalars({f"val_{name}": value for name, value in found.items()})


def is_arrays(value: Any) -> bool:
    """Tell whether this is an array, or several in a list, tuple or dict."""
    leaves = keras.tree.flatten(value)
    return bool(leaves) and all(hasattr(leaf, "shape") for leaf in leaves)


def reads_once(data: Any) -> bool:
    """Tell whether this gives its batches a single time, and has done so in training."""
    return isinstance(data, Iterator)


def count(value: Any) -> int:
    """Give the number of samples in an array, or several."""
    return int(keras.tree.flatten(value)[0].shape[0])


def _part(value: Any, positions: Any) -> Any:
    return keras.tree.map_structure(
        lambda one: None if one is None else np.asarray(one)[positions], value
    )


def _calibration(x: Any) -> Any:
    if is_arrays(x):
        return _part(x, spread(count(x), MOST))
    return None if reads_once(x) else x
