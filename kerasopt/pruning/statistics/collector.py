"""What a criterion needs beside the weights, collected from a model and some data."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import bad_value
from kerasopt._kernels import numbers
from kerasopt.pruning.criteria import Context
from kerasopt.pruning.statistics.activations import input_norms
from kerasopt.pruning.statistics.batches import Batches, Shapes, said
from kerasopt.pruning.statistics.gradients import Gradients
from kerasopt.selection import Selection

_OF_GRADIENTS = {"gradient", "gradient_magnitude", "moved"}


class Collector:
    """Collects the contexts of the kernels of a model, a few batches at a time.

    The first batch is tried out at once, without a trace, so that data that do not fit are found
    before the training.

    Args:
        model: The model; compiled, where the criterion needs gradients.
        targets: Its kernels.
        needs: Names of the fields of `Context` that are wanted.
        who: What needs them, for the error.
        data: As `Batches` takes it, or `None` if nothing is wanted.
        batches: How many batches each time. Defaults to `4`.

    Raises:
        TypeError: If `data` is of another form.
        ValueError: If something is wanted and there are no data, the model cannot take them, or
            the inputs of a kernel are wanted and cannot be known.
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
        self._model, self._targets, self._count, self._who = model, targets, batches, who
        self._moved: dict[str, NDArray[Any]] = {}
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
        self._measured([self._batches.peek()])

    def get_state(self) -> dict[str, Any]:
        """Give as plain data how many batches were taken, and the movement so far by path."""
        taken = 0 if self._batches is None else self._batches.taken
        return {"taken": taken, "moved": {path: np.array(v) for path, v in self._moved.items()}}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take that back: the batches that were taken are passed over.

        Raises:
            ValueError: If the movement is that of other kernels.
        """
        moved = _matching(state.get("moved", {}), self._targets) if "moved" in self.needs else {}
        if self._batches is not None:
            self._batches.go_to(int(state.get("taken", 0)))
        self._moved = moved

    def collect(self) -> dict[str, Context]:
        """Give the context of each kernel by its path, from the next batches."""
        batches = [] if self._batches is None else self._batches.take(self._count)
        rows = self._measured(batches)
        if "moved" in self.needs:
            for target, row in zip(self._targets, rows, strict=True):
                weights = np.asarray(numbers(target.variable), np.float32)
                before = self._moved.get(target.path, 0.0)
                row["moved"] = self._moved[target.path] = before - weights * row["gradient"]
        return {row["name"]: Context(**row) for row in rows}

    def _measured(self, batches: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Give for each kernel what some batches tell of it; no state moves."""
        rows: list[dict[str, Any]] = [{"name": target.path} for target in self._targets]
        if self._gradients is not None:
            self._gradients.require_targets(batches)
        try:
            if self._gradients is not None:
                for row, mean, size in zip(rows, *self._gradients.over(batches), strict=True):
                    row.update(gradient=mean, gradient_magnitude=size)
            if "input_norm" in self.needs:
                norms = input_norms(self._model, self._targets, batches)
                for row, norm in zip(rows, norms, strict=True):
                    row["input_norm"] = norm
        except Exception as error:
            inputs = [tuple(one.shape) for one in getattr(self._model, "inputs", None) or ()]
            what = f" (x {', '.join(map(str, inputs))})" if inputs else ""
            if self._gradients is None:
                expected = f"batches of x that the model takes{what}"
            else:
                expected = f"batches (x, y) that the model{what} and its loss take"
            advice = f"{said(error)} Give data of the form that `fit` gets."
            raise bad_value("data", expected, Shapes(batches), f"It raised {advice}") from error
        self._require_norms(rows)
        return rows

    def _require_norms(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if "input_norm" not in self.needs:
            return
        unknown = [
            target
            for target, row in zip(self._targets, rows, strict=True)
            if row["input_norm"] is None
        ]
        if unknown:
            layers = list(dict.fromkeys(target.name for target in unknown))
            raise bad_value(
                "criterion",
                "one that does without the inputs of "
                f"{', '.join(repr(target.path) for target in unknown)}: they cannot be known, as "
                "they are made inside the layer, or the layer is not called",
                self._who,
                f"Leave out what it cannot score: `exclude={layers}`; or use another criterion.",
            )


def _matching(saved: Mapping[str, Any], targets: Selection) -> dict[str, NDArray[Any]]:
    """Give saved arrays by the paths of kernels; by their order, where no path is known.

    Keras numbers unnamed layers anew for each model of a process.
    """
    paths = [target.path for target in targets]
    if saved and not set(saved) & set(paths) and len(saved) == len(paths):
        saved = dict(zip(paths, saved.values(), strict=True))
    found = {}
    for target in targets if saved else ():
        value, shape = saved.get(target.path), tuple(target.variable.shape)
        if value is None or np.shape(value) != shape:
            raise bad_value(
                "state",
                f"the movement of {target.path!r}, of the shape {shape}",
                sorted(saved) if value is None else np.shape(value),
                "Give the state of the same model with the same `include` and `exclude`.",
            )
        found[target.path] = np.array(value)
    return found
