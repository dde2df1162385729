"""How sparse a model is, layer by layer."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt import _kernels
from kerasopt._core.display import Shown, columns
from kerasopt.pruning.masks.kernel_layout import layout_of
from kerasopt.pruning.patterns import Block
from kerasopt.pruning.patterns.pattern import as_matrix
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


def sparsity(
    model: Any,
    *,
    include: Any = None,
    exclude: Any = None,
) -> Sparsity:
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


_GROUPS = ((1, 4), (1, 2), (2, 4), (4, 8))
_FULL = 0.9
_BLOCKS = ((16, 16), (8, 8), (4, 4), (16, 1), (1, 16), (8, 1), (1, 8), (2, 2), (4, 1), (1, 4))


def found_pattern(weights: NDArray[Any], channel_axis: int = -1) -> str:
    """Name the most regular pattern that all zeros of a kernel fit.

    Args:
        weights: Array of any shape, a matrix of (inputs, outputs) with spatial axes before.
        channel_axis: The axis of the output channels. Defaults to `-1`.

    Returns:
        `"dense"` (no zeros), `"channel"` (only whole channels are zero), `"block 4x4"` (only whole
        blocks are), `"2:4"` (no group of four inputs has more than two that are not zero), or
        `"weight"`.

    Example:
    >>> found_pattern(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 4.0]]))
    '2:4'
    """
    kept = np.asarray(weights) != 0
    zeros = kept.size - int(np.count_nonzero(kept))
    if not zeros:
        return "dense"
    if kept.ndim > 1 and _by_channel(kept, channel_axis):
        return "channel"
    for h, w in _BLOCKS:
        rows, columns = as_matrix(kept).shape
        if h <= rows and w <= columns and zeros >= h * w and _by_block(kept, Block(h, w)):
            return f"block {h}x{w}"
    for n, m in _GROUPS:
        if _by_group(kept, n, m):
            return f"{n}:{m}"
    return "weight"


def _by_channel(kept: NDArray[np.bool_], axis: int) -> bool:
    others = tuple(a for a in range(kept.ndim) if a != axis % kept.ndim)
    alive = kept.any(axis=others)
    per_channel = kept.size // max(alive.size, 1)
    return int(np.count_nonzero(kept)) == int(alive.sum()) * per_channel


def _by_block(kept: NDArray[np.bool_], block: Block) -> bool:
    alive = block.units(kept.astype(np.float32)) > 0
    return bool((block.expand(alive, kept.shape) == kept).all())


def _by_group(kept: NDArray[np.bool_], n: int, m: int) -> bool:
    matrix = as_matrix(kept)
    rows = len(matrix)
    if rows < m:
        return False
    whole = np.zeros((math.ceil(rows / m) * m, matrix.shape[1]), bool)
    whole[:rows] = matrix
    counts = whole.reshape(-1, m, matrix.shape[1]).sum(1)
    if counts.max() > n:
        return False
    # Very sparse single weights fit as well, by chance: most groups of a pattern are full.
    full = counts[: rows // m]
    return bool((full == n).mean() >= _FULL)
