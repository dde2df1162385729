"""How sparse a model is, layer by layer."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import keras
import numpy as np

from kerasopt import _kernels
from kerasopt._shown import Shown
from kerasopt._text import columns
from kerasopt.pruning.finding import found_pattern
from kerasopt.pruning.layout import layout_of
from kerasopt.selection import Selection, reasons, select


@dataclass(frozen=True)
class Row:
    """One kernel: where it is, its shape, how many of its weights are zero, and in what pattern."""

    path: str
    shape: tuple[int, ...]
    parameters: int
    zeros: int
    pattern: str

    @property
    def sparsity(self) -> float:
        """The share of zeros."""
        return self.zeros / self.parameters if self.parameters else 0.0


@dataclass(frozen=True, repr=False)
class Sparsity(Shown):
    """The zeros of a model's kernels.

    Attributes:
        rows: One `Row` a kernel, in the model's order.
        left_out: Path of every other layer with weights -> why it is not among them.
        notes: What is to be known of them: that zeros of a pruning were filled since.
    """

    rows: tuple[Row, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The share of zeros in all kernels together."""
        parameters = sum(row.parameters for row in self.rows)
        return sum(row.zeros for row in self.rows) / parameters if parameters else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain data."""
        rows = [{**asdict(row), "shape": list(row.shape)} for row in self.rows]
        left_out, notes = dict(self.left_out), list(self.notes)
        return {"total": self.total, "rows": rows, "left_out": left_out, "notes": notes}

    def brief(self) -> str:
        """Give the share of zeros and the number of kernels."""
        return f"{self.total:.4f} of {len(self.rows)} kernels"

    def _table(self) -> list[list[str]]:
        rows = [["kernel", "shape", "parameters", "zeros", "sparsity", "pattern"]]
        rows += [
            [
                row.path,
                " x ".join(map(str, row.shape)),
                f"{row.parameters:,}",
                f"{row.zeros:,}",
                f"{row.sparsity:.4f}",
                row.pattern,
            ]
            for row in self.rows
        ]
        parameters = sum(row.parameters for row in self.rows)
        zeros = sum(row.zeros for row in self.rows)
        rows.append(["all", "", f"{parameters:,}", f"{zeros:,}", f"{self.total:.4f}", ""])
        return rows

    def parts(self) -> list[Any]:
        """Give the table, and what was left out."""
        said = [f"left out: {reasons(self.left_out)}"] if self.left_out else []
        return [self._table(), *said, *self.notes]

    def __str__(self) -> str:
        table, *said = self.parts()
        return "\n".join([columns(table, right=[2, 3, 4]), *said])


def sparsity(model: Any, include: Any = None, exclude: Any = None) -> Sparsity:
    """Count the zeros in the kernels of a model.

    Args:
        model: A built Keras model.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not, in the same forms. Defaults to `None`.

    Returns:
        A `Sparsity`: `total`, `rows`, `to_dict()`; it prints as a table. If a training since the
        pruning has filled zeros, it says so, unless the model was saved and loaded in between.

    Raises:
        TypeError: If `model` is no Keras 3 model.
        ValueError: If the model is not built, or nothing is selected.

    Example:
    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "relu", name="a")])
    >>> model.get_layer("a").kernel.assign(np.eye(4, 5))
    <...>
    >>> sparsity(model).total
    0.8
    """
    chosen = select(model, include, exclude)
    note = _kernels.filled(target.variable for target in chosen)
    return replace(table_of(chosen), notes=(note,) if note else ())


def table_of(chosen: Selection) -> Sparsity:
    """Count the zeros of selected kernels."""
    rows = []
    for target in chosen:
        weights = keras.ops.convert_to_numpy(target.variable)
        zeros = weights.size - int(np.count_nonzero(weights))
        layout = layout_of(target.layer, target.variable)
        pattern = found_pattern(layout.view(weights), layout.channels)
        rows.append(Row(target.path, weights.shape, weights.size, zeros, pattern))
    return Sparsity(tuple(rows), chosen.left_out)
