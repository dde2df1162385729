"""Whether a model has collapsed while it was pruned."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasopt._core import fit_state
from kerasopt._core.checks import warn

_LOST = 0.75  # of what it was above chance, an accuracy has lost when it is said to be gone
_TIMES = 5.0  # of the loss that it began with
_NEAR = 0.9  # of the loss of a guess


def collapsed(
    logs: Sequence[Mapping[str, Any]], classes: int | None = None, entropy: bool = False
) -> str:
    """Say in what a model has collapsed in the last of some epochs; `""` if it has not.

    An accuracy has where it lost three quarters of what its best epoch had above chance, a loss
    where it is five times that of the first epoch, a cross-entropy where it is back at that of a
    guess.
    Where there are validation values they count, not those of the training.

    Args:
        logs: What each epoch reported.
        classes: How many classes there are, where that is known. Defaults to `None`.
        entropy: Whether the loss is a cross-entropy of them. Defaults to `False`.

    Example:
    >>> collapsed([{"val_accuracy": 0.88}, {"val_accuracy": 0.84}, {"val_accuracy": 0.11}], 10)
    'val_accuracy fell from 0.88 to 0.11'
    >>> collapsed([{"loss": 0.4}, {"loss": 0.5}])
    ''
    """
    if len(logs) < 2:
        return ""
    chance = 1.0 / classes if classes else 0.0
    names = [name for name in logs[-1] if _is_accuracy(name)]
    for name in [one for one in names if one.startswith("val_")] or names:
        values = _values(logs, name)
        best, now = max(values), values[-1]
        if best - chance > 0.2 and now - chance < (1.0 - _LOST) * (best - chance):
            return f"{name} fell from {best:.3g} to {now:.3g}"
    if names:
        return ""
    for name in ("val_loss", "loss"):
        if name not in logs[-1]:
            continue
        values = _values(logs, name)
        first, now = values[0], values[-1]
        if not math.isfinite(now):
            return f"{name} rose from {first:.3g} to {now:.3g}"
        if entropy and classes:  # many times of next to nothing is still a good model
            guess = math.log(classes)
            if min(values) < 0.5 * guess and now > _NEAR * guess:
                return f"{name} rose from {min(values):.3g} to {now:.3g}, that of a guess"
        elif first > 0.0 and now > _TIMES * first:
            return f"{name} rose from {first:.3g} to {now:.3g}"
        return ""
    return ""


def _is_accuracy(name: str) -> bool:
    return name.removeprefix("val_").rsplit("_", 1)[-1] in ("acc", "accuracy")


def _values(logs: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    found = [np.asarray(one[name], float) for one in logs if name in one]
    return [float(value.mean()) for value in found]


class Collapse:
    """Watches the epochs of one run, and warns once.

    Args:
        who: The name of the callback that prunes.
        callback: It.
    """

    def __init__(self, who: str, callback: Any):
        self._who, self._callback = who, callback
        self._logs: list[dict[str, Any]] = []
        self._shares: list[float] = []
        self._since_the_end = 0

    def watch(
        self, logs: Mapping[str, Any], share: float, advice: Sequence[str], settled: bool
    ) -> None:
        """Note an epoch, and say so if the model has collapsed by what the ramp did.

        Args:
            logs: What the epoch reported.
            share: How much was pruned at its end.
            advice: What to try.
            settled: Whether the schedule has ended. One more epoch is looked at, as a training
                metric is the mean of an epoch.
        """
        if self._since_the_end > 1:
            return
        self._since_the_end += settled
        self._logs.append(dict(logs))
        self._shares.append(share)
        if share <= 0.0:
            return
        what = collapsed(self._logs, *_task(self._callback.model))
        if what and fit_state.first(self._callback, "collapse"):
            before = self._shares[-2]
            where = f"between {before:.0%} and {share:.0%}" if before < share else f"at {share:.0%}"
            warn(
                f"{self._who}: the model collapsed {where}: {what}. "
                f"Try {', '.join(advice[:-1])} or {advice[-1]}."
            )


def _task(model: Any) -> tuple[int | None, bool]:
    """Give the number of classes of a classifier, and whether its loss is a cross-entropy."""
    loss = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "name", "")
    name = str(name).replace("_", "").lower()
    entropy = "crossentropy" in name
    shape = getattr(model, "output_shape", None) if hasattr(model, "outputs") else None
    last = (
        shape[-1]
        if isinstance(shape, tuple) and shape and not isinstance(shape[0], tuple)
        else None
    )
    if not isinstance(last, int) or not entropy:
        return None, False
    return 2 if "binary" in name else max(last, 2), True
