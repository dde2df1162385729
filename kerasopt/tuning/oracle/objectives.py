"""What a search looks for: objectives, and limits that must be kept."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner

from kerasopt._core.checks import bad_type, bad_value, is_real
from kerasopt._core.logs import direction, metric_of

# What this library measures, and names that Keras's metrics do not have.
_SMALLER = ("bytes", "latency", "memory", "macs", "params", "parameters", "error", "loss", "time")
_LARGER = ("sparsity", "accuracy", "auc", "precision", "recall", "f1_score", "iou", "r2_score")

Limits = dict[str, tuple[float, float]]
"""By metric, the least and the largest value that is allowed."""


def check_objective(objective: Any) -> Any:
    """Give objectives in KerasTuner's form.

    Args:
        objective: The name of a metric, such as `"val_accuracy"`; a `keras_tuner.Objective`; a
            `(name, direction)` pair; a list of these for several objectives; or `None`: what
            `HyperModel.fit` returns as a single float is to be small.

    Returns:
        What `keras_tuner.Oracle` takes: an `Objective`, a list of several, or `None`.

    Raises:
        TypeError: If it is none of these.
        ValueError: If the direction of a metric is not known, or a name comes twice.

    Example:
    >>> one = check_objective("tflite_bytes")
    >>> one.name, one.direction
    ('tflite_bytes', 'min')
    """
    if objective is None:
        return None
    if isinstance(objective, keras_tuner.Objective):  # KerasTuner's sum of several holds them
        objective = getattr(objective, "objectives", objective)
    if isinstance(objective, (list, tuple)) and not _is_pair(objective):
        found = [_one(one) for one in objective]
        names = [one.name for one in found]
        if not found or len(set(names)) != len(names):
            raise bad_value("objective", "at least one metric, each of them once", objective)
        return found[0] if len(found) == 1 else found
    return _one(objective)


def _is_pair(objective: Sequence[Any]) -> bool:
    # An `Objective` cannot be compared with a string: its `==` raises.
    strings = all(isinstance(one, str) for one in objective)
    return strings and len(objective) == 2 and objective[1] in ("min", "max")


def _one(objective: Any) -> Any:
    if isinstance(objective, keras_tuner.Objective):
        if objective.direction not in ("min", "max"):
            raise bad_value(
                "objective", 'a direction that is "min" or "max"', str(objective.direction)
            )
        return objective
    if isinstance(objective, (list, tuple)) and _is_pair(objective):
        return keras_tuner.Objective(objective[0], objective[1])
    if not isinstance(objective, str):
        raise bad_type(
            "objective",
            "the name of a metric, a `keras_tuner.Objective`, a (name, direction) pair or a list",
            objective,
        )
    told = direction_of(objective)
    if told is None:
        raise bad_value(
            "objective",
            "a metric whose direction is known",
            objective,
            f'Say it: objective=("{objective}", "min") or ("{objective}", "max").',
        )
    return keras_tuner.Objective(objective, told)


def direction_of(metric: str) -> str | None:
    """Tell from a metric's name whether `"min"` or `"max"` is good, or `None`."""
    name = metric_of(metric.removeprefix("val_"))
    # KerasTuner takes each metric of Keras that it does not know, such as F1Score, for an error.
    if (told := direction(name)) is not None:
        return told
    try:
        known = keras_tuner.engine.metrics_tracking.infer_metric_direction(name)
    except Exception:  # Keras raises what it likes for a name that is none of its own
        known = None
    if known is not None:
        return str(known)
    words = name.lower().split("_")
    if any(name.endswith(word) for word in _LARGER):
        return "max"
    return "min" if any(word in words for word in _SMALLER) else None


def names_of(objective: Any) -> list[tuple[str, str]]:
    """Give names and directions of what `check_objective` gave, or of an oracle's objective."""
    if objective is None:
        return [("default_objective", "min")]
    many = getattr(objective, "objectives", objective)
    many = many if isinstance(many, list) else [many]
    return [(one.name, one.direction) for one in many]


def check_constraints(constraints: Any) -> Limits:
    """Check limits that a trial must keep to be the best.

    Args:
        constraints: By metric, the largest value that is allowed, or a pair of the least and the
            largest, either of which may be `None`; or `None`.

    Raises:
        TypeError: If it is no dict, or a limit is no number.
        ValueError: If a least value lies above the largest.

    Example:
    >>> check_constraints({"tflite_bytes": 50_000, "val_accuracy": (0.9, None)})
    {'tflite_bytes': (-inf, 50000.0), 'val_accuracy': (0.9, inf)}
    """
    if constraints is None:
        return {}
    expected = "a dict of metric -> largest value, or -> (least, largest)"
    if not isinstance(constraints, Mapping):
        raise bad_type("constraints", expected, constraints)
    limits: Limits = {}
    for name, limit in constraints.items():
        pair = tuple(limit) if isinstance(limit, (list, tuple)) else (None, limit)
        known = [one for one in pair if one is not None]
        if not isinstance(name, str) or len(pair) != 2 or not all(map(is_real, known)) or not known:
            raise bad_type("constraints", expected, {name: limit})
        least = -math.inf if pair[0] is None else float(pair[0])
        largest = math.inf if pair[1] is None else float(pair[1])
        if least > largest:
            raise bad_value("constraints", "a least value below the largest", {name: limit})
        limits[name] = (least, largest)
    return limits


def violations(limits: Limits, metrics: Mapping[str, float]) -> dict[str, float]:
    """Tell by how much each limit is broken; 0 or less means kept.

    Raises:
        ValueError: If a metric with a limit is not there, with those that are.
    """
    found = {}
    for name, (least, largest) in limits.items():
        if name not in metrics:
            raise bad_value("constraints", f"metrics of {sorted(metrics)}", name)
        value = metrics[name]
        broken = max(least - value, value - largest)
        # A limit is a size of its own: 1000 bytes too many count like 0.01 of accuracy too few.
        scale = max(abs(one) for one in (least, largest) if math.isfinite(one)) or 1.0
        found[name] = broken / scale if broken > 0 else 0.0
    return found
