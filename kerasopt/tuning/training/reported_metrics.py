"""What training returned, as metrics."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from kerasopt._core.checks import bad_type, bad_value
from kerasopt._core.logs import array_of, metric_of, number_of, scalar, scalars


def metrics_of(
    result: Any, objectives: Sequence[tuple[str, str]], first: int = 0
) -> dict[str, float]:
    """Give metrics of what `HyperModel.fit` or `Tuner.run_trial` returned.

    Args:
        result: A `History`, of which the epoch counts that is best in the first objective (the last
            epoch, if that is not in it); a dict of metrics; a single number, the objective; or a
            list of these, of which the mean counts.
        objectives: Name and direction of each objective.
        first: The first epoch (from 0) that may be the best. Defaults to `0`.

    Returns:
        Metric -> value, as floats; finite or not.

    Raises:
        TypeError: If it is none of these, or a metric is no number.
        ValueError: If it is a single number and there are several objectives.

    Example:
    >>> metrics_of({"val_loss": 0.5, "bytes": 1200}, [("val_loss", "min")])
    {'val_loss': 0.5, 'bytes': 1200.0}
    """
    if isinstance(result, keras.callbacks.History):
        epoch = best_epoch(result.history, objectives[0], first)
        return at_epoch(result.history, epoch, [name for name, _ in objectives])
    if _is_number(result):
        if len(objectives) > 1:
            raise bad_value(
                "objective",
                "one objective, because a single number was returned",
                [name for name, _ in objectives],
                "Return a dict of metrics.",
            )
        return {objectives[0][0]: scalar(objectives[0][0], result)}
    if isinstance(result, list) and result:
        return averaged([metrics_of(one, objectives, first) for one in result])
    if isinstance(result, Mapping):
        for name, value in result.items():
            if not isinstance(name, str) or array_of(value) is None:
                raise _wrong({name: value})
        return _numbers(result, [name for name, _ in objectives])
    raise _wrong(result)


def at_epoch(
    history: Mapping[str, Sequence[Any]], epoch: int, objectives: Sequence[str] = ()
) -> dict[str, float]:
    """Give the metrics of one epoch of a history; what is shorter has its last value.

    Of a metric with a number a class each has its own name, such as `f1_score[0]`; of more than 100
    only those that are objectives.

    Example:
    >>> at_epoch({"loss": [0.5, 0.25], "f1_score": [[0.0, 0.0], [0.5, 1.0]]}, 1)
    {'loss': 0.25, 'f1_score[0]': 0.5, 'f1_score[1]': 1.0}
    """
    last = {
        name: values[epoch] if len(values) > epoch else values[-1]
        for name, values in history.items()
        if len(values)
    }
    return _numbers(last, objectives)


def _numbers(logs: Mapping[str, Any], objectives: Sequence[str]) -> dict[str, float]:
    named = {name: number_of(logs, name, "objective") for name in objectives if name not in logs}
    return {**scalars(logs), **{k: value for k, value in named.items() if value is not None}}


def _is_number(value: Any) -> bool:
    # A scalar of NumPy or of Keras's backend is one, too; a list is several executions.
    array = None if isinstance(value, (list, tuple)) else array_of(value)
    return array is not None and array.size == 1


def _wrong(result: Any) -> TypeError:
    advice = "Did you forget to return the metrics?" if result is None else ""
    return bad_type(
        "result",
        "that `HyperModel.fit` (or `Tuner.run_trial`) returns what `model.fit` returned, a dict of "
        "metric -> number, or a number",
        result,
        advice,
    )


def best_epoch(
    history: Mapping[str, Sequence[float]], objective: tuple[str, str], first: int = 0
) -> int:
    """Give the epoch (from 0) at which an objective was best; the last one if it is not there.

    Example:
    >>> best_epoch({"val_loss": [0.9, 0.4, 0.6]}, ("val_loss", "min"))
    1
    """
    name, direction = objective
    whole = name if name in history else metric_of(name)
    if whole not in history:
        return max((len(values) for values in history.values()), default=1) - 1
    sign = -1.0 if direction == "max" else 1.0
    found = [number_of({whole: value}, name, "objective") for value in history[whole]]
    values = [math.nan if value is None else sign * value for value in found]
    finite = [
        epoch for epoch, value in enumerate(values) if epoch >= first and math.isfinite(value)
    ]
    return min(finite, key=lambda epoch: values[epoch]) if finite else len(values) - 1


def averaged(executions: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Give the mean of each metric that all executions have.

    Example:
    >>> averaged([{"loss": 1.0, "a": 1.0}, {"loss": 3.0}])
    {'loss': 2.0}
    """
    shared = [name for name in executions[0] if all(name in one for one in executions)]
    # In Python's floats: a sum of NumPy's may warn of what is not finite.
    return {name: sum(one[name] for one in executions) / len(executions) for name in shared}
