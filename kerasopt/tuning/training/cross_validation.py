"""Cross-validation: the same configuration on several parts of the data."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kerasopt._core.checks import at_least, bad_type, bad_value


def check_folds(folds: int | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Check that what `fit` gets can be divided.

    Raises:
        TypeError: If x or y is no array, or a dict or list of arrays.
        ValueError: If there are validation data, or fewer samples than folds.
    """
    if folds is None:
        return
    at_least("folds", folds, 2)
    for name in ("validation_data", "validation_split"):
        if kwargs.get(name):
            raise bad_value("folds", f"`None` with `{name}`", folds, "Each fold has its own.")
    x, y, _ = _data(args, kwargs)
    count = _length(x, "x")
    if y is None or _length(y, "y") != count:
        raise bad_value("y", f"{count} targets, one for each sample", y)
    if count < folds:
        raise bad_value("folds", f"at most {count}, the number of samples", folds)


def divided(
    folds: int, args: tuple[Any, ...], kwargs: Mapping[str, Any], seed: int | None
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Go through the folds, of each the arguments of `fit`.

    Where y holds classes, one integer a sample, each fold has about the same share of each class.

    Args:
        folds: How many.
        args: Positional arguments of `fit`: x and y, unless they are in `kwargs`.
        kwargs: The others.
        seed: Of the order of the samples; `None` counts as 0, so that all trials
            see the same folds.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    x, y, weights = _data(args, kwargs)
    targets = np.asarray(y) if not isinstance(y, (Mapping, list, tuple)) else None
    kind = KFold
    if targets is not None and targets.ndim == 1 and targets.dtype.kind in "iub":
        _, counts = np.unique(targets, return_counts=True)
        kind = StratifiedKFold if counts.min() >= folds else KFold
    parts = kind(folds, shuffle=True, random_state=seed or 0)
    indices = np.arange(_length(x, "x"))
    rest = {
        name: value for name, value in kwargs.items() if name not in ("x", "y", "sample_weight")
    }
    for train, held in parts.split(indices, targets if kind is StratifiedKFold else None):
        some = {} if weights is None else {"sample_weight": _part(weights, train)}
        held_data: tuple[Any, ...] = (_part(x, held), _part(y, held))
        if weights is not None:
            held_data = (*held_data, _part(weights, held))
        yield (
            (_part(x, train), _part(y, train), *args[2:]),
            {**rest, **some, "validation_data": held_data},
        )


def _data(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    x = args[0] if args else kwargs.get("x")
    y = args[1] if len(args) > 1 else kwargs.get("y")
    return x, y, kwargs.get("sample_weight")


def _length(data: Any, name: str) -> int:
    arrays = list(data.values()) if isinstance(data, Mapping) else data
    arrays = arrays if isinstance(arrays, list) and not np.isscalar(arrays[0]) else [arrays]
    if not all(hasattr(one, "shape") and hasattr(one, "__getitem__") for one in arrays):
        raise bad_type(name, "an array, or a dict or list of arrays, which folds can divide", data)
    return int(arrays[0].shape[0])


def _part(data: Any, indices: Any) -> Any:
    if isinstance(data, Mapping):
        return {name: one[indices] for name, one in data.items()}
    if isinstance(data, list):
        return [one[indices] for one in data]
    return np.asarray(data)[indices]
