"""What a criterion needs beside the weights, collected from a model and some data."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from kerasopt._checks import bad_value
from kerasopt.pruning.activations import input_norms
from kerasopt.pruning.batches import Batches
from kerasopt.pruning.constraint import numbers
from kerasopt.pruning.criteria import Context
from kerasopt.pruning.gradients import Gradients
from kerasopt.selection import Selection

_OF_GRADIENTS = {"gradient", "gradient_magnitude", "moved"}


class Collector:
    """Collects the contexts of the kernels of a model, a few batches at a time.

    Args:
        model: The model; compiled, where the criterion needs gradients.
        targets: Its kernels.
        needs: Names of the fields of `Context` that are wanted.
        who: What needs them, for the error.
        data: As `Batches` takes it, or `None` if nothing is wanted.
        batches: How many batches each time. Defaults to `4`.

    Raises:
        TypeError: If `data` is of another form.
        ValueError: If something is wanted and there are no data.
    """

    def __init__(
        self,
        model: Any,
        targets: Selection,
        needs: Collection[str],
        who: Any,
        data: Any,
        batches: int = 4,
    ):
        self.needs = set(needs)
        self._model, self._targets, self._count = model, targets, batches
        self._moved: list[Any] = [0.0] * len(targets)
        self._taken = 0
        self._gradients: Gradients | None = None
        self._batches: Batches | None = None
        if not self.needs:
            return
        if data is None:
            raise bad_value(
                "data",
                f"batches (x, y), of which {who!r} takes {', '.join(sorted(needs))}",
                data,
                "Give some of the training data: `data=(x[:512], y[:512])`.",
            )
        self._batches = Batches(data)
        if self.needs & _OF_GRADIENTS:
            self._gradients = Gradients(model, [target.variable for target in targets])

    def get_state(self) -> dict[str, Any]:
        """Give as plain data how many batches were taken, and the movement so far by path."""
        moved = {
            target.path: np.array(value)
            for target, value in zip(self._targets, self._moved, strict=True)
            if not isinstance(value, float)
        }
        return {"taken": self._taken, "moved": moved}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take that back: the batches that were taken are passed over."""
        self._taken = int(state.get("taken", 0))
        if self._batches is not None and self._taken:
            self._batches.take(self._taken)
        moved = list(state.get("moved", {}).values())
        if moved:
            self._moved = [np.asarray(value) for value in moved]

    def collect(self) -> dict[str, Context]:
        """Give the context of each kernel by its path, from the next batches."""
        count = len(self._targets)
        found: list[dict[str, Any]] = [{"name": target.path} for target in self._targets]
        if self._batches is not None:
            batches = self._batches.take(self._count)
            self._taken += len(batches)
            if self._gradients is not None:
                for row, mean, size in zip(found, *self._gradients.over(batches), strict=True):
                    row.update(gradient=mean, gradient_magnitude=size)
                for index in range(count):
                    weights = np.asarray(numbers(self._targets[index].variable), np.float32)
                    self._moved[index] = self._moved[index] - weights * found[index]["gradient"]
                    found[index]["moved"] = self._moved[index]
            if "input_norm" in self.needs:
                norms = input_norms(self._model, self._targets, batches)
                for row, norm in zip(found, norms, strict=True):
                    row["input_norm"] = norm
        return {row["name"]: Context(**row) for row in found}
