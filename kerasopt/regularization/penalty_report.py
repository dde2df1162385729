"""Which weights of a model have a penalty, and what it comes to."""

from dataclasses import asdict, dataclass
from typing import Any

import keras

from kerasopt._core import fit_state
from kerasopt._core.display import Shown, text_of
from kerasopt.selection import select


@dataclass(frozen=True)
class Row:
    """One variable with a penalty.

    Attributes:
        layer: Path of its layer.
        variable: Its name in the layer.
        regularizer: The regularizer with its arguments, as text.
        value: What it adds to the loss now; 0 for a frozen variable, on which it does nothing.
        frozen: Whether the variable does not train.
    """

    layer: str
    variable: str
    regularizer: str
    value: float
    frozen: bool


@dataclass(frozen=True, repr=False)
class Penalties(Shown):
    """The weight penalties of a model.

    Attributes:
        rows: One `Row` a variable that has one, in the model's order.
    """

    rows: tuple[Row, ...]

    @property
    def total(self) -> float:
        """What all of them add to the loss now."""
        return sum(row.value for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain data."""
        return {"total": self.total, "rows": [asdict(row) for row in self.rows]}

    def __len__(self) -> int:
        return len(self.rows)

    def brief(self) -> str:
        """Give their number and sum."""
        return f"{len(self)} variables, {self.total:.6g} in all" if self.rows else "none"

    def parts(self) -> list[Any]:
        """Give the table, or that there are none."""
        if not self.rows:
            return ["no penalties"]
        rows = [["layer", "variable", "regularizer", "value"]]
        for row in self.rows:
            value = "frozen" if row.frozen else f"{row.value:.6g}"
            rows.append([row.layer, row.variable, row.regularizer, value])
        rows.append(["all", "", "", f"{self.total:.6g}"])
        return [rows]

    def __str__(self) -> str:
        return text_of(self.parts(), right=[3])


def penalties(
    model: Any,
    *,
    include: Any = None,
    exclude: Any = None,
) -> Penalties:
    """List the weight penalties of a model and what each adds to the loss.

    Args:
        model: A built Keras model of any style, or a layer.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not, in the same forms. Defaults to `None`.

    Returns:
        A `Penalties`: `rows`, `total`, `to_dict()`; it prints as a table.

    Raises:
        TypeError: If `model` is no Keras 3 model.
        ValueError: If the model is not built, or nothing is selected.

    Example:
    >>> import keras
    >>> from kerasopt.regularization import add_penalty, penalties
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(
    ...     2, kernel_initializer="ones", name="top")])
    >>> _ = add_penalty(model, 0.01)
    >>> print(penalties(model))
    layer  variable  regularizer  value
    top    kernel    L2(l2=0.01)   0.06
    all                            0.06
    """
    chosen = select(model, include, exclude, "any")
    trained = {id(variable) for variable in model.trainable_variables}
    rows = []
    for target in chosen:
        penalty = getattr(target.variable, "regularizer", None)
        if penalty is not None:
            frozen = id(target.variable) not in trained
            value = 0.0 if frozen else float(keras.ops.convert_to_numpy(penalty(target.variable)))
            text = _described(penalty)
            rows.append(Row(target.name, target.variable.name, text, value, frozen))
    return Penalties(tuple(rows))


def _described(penalty: Any) -> str:
    if isinstance(penalty, fit_state.Temporary):
        own = "" if penalty.inner is None else f"{_described(penalty.inner)} + "
        return f"{own}{penalty!r}"
    try:
        arguments = penalty.get_config()
    except (NotImplementedError, TypeError):
        return type(penalty).__name__
    inside = ", ".join(
        f"{name}={float(value):.6g}" if isinstance(value, (int, float)) else f"{name}={value!r}"
        for name, value in arguments.items()
    )
    return f"{type(penalty).__name__}({inside})"
