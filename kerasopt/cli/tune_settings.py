"""What `kerasopt tune` is told, and what of it a study keeps for who joins."""

from collections.abc import Mapping, Sequence
from typing import Any

from kerasopt._core.checks import bad_value, is_real

COMMAND = "kerasopt:command"
"""The attribute of a study that holds it; objectives and constraints are in the study's own."""

DEFAULTS: dict[str, Any] = {
    "data": None,
    "max_trials": 30,
    "sampler": "tpe",
    "pruner": None,
    "seed": None,
    "epochs": None,
    "batch_size": None,
    "executions": 1,
    "folds": None,
}


def objectives(given: Sequence[str]) -> list[Any] | None:
    """Read objectives; `None` if there are none.

    Args:
        given: Of each its name, behind which `:min` or `:max` may stand.

    Example:
    >>> objectives(["val_accuracy", "tflite_bytes:min"])
    ['val_accuracy', ('tflite_bytes', 'min')]
    """
    found: list[Any] = []
    for one in given:
        name, colon, direction = one.partition(":")
        if not name or (colon and direction not in ("min", "max")):
            raise bad_value("objective", "NAME, NAME:min or NAME:max", one)
        found.append((name, direction) if colon else name)
    return found or None


def constraints(given: Sequence[str]) -> dict[str, list[float | None]] | None:
    """Read limits; `None` if there are none.

    Args:
        given: Of each the metric, `=`, and its largest value or `LEAST..LARGEST`, of which one may
            be left out.

    Example:
    >>> constraints(["tflite_bytes=50_000", "val_accuracy=0.9.."])
    {'tflite_bytes': [None, 50000.0], 'val_accuracy': [0.9, None]}
    """
    found: dict[str, list[float | None]] = {}
    for one in given:
        name, _, limit = one.partition("=")
        least, _, largest = limit.rpartition("..")
        try:
            pair = [float(word) if word.strip() else None for word in (least, largest)]
        except ValueError:
            pair = [None, None]
        known = [value for value in pair if value is not None]
        if not name or not known or not all(map(is_real, known)):
            raise bad_value("constraint", "NAME=LARGEST, NAME=LEAST..LARGEST or NAME=LEAST..", one)
        found[name] = pair
    return found or None


def read(kept: Mapping[str, Any], settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Read what a search was begun with.

    Args:
        kept: The attribute `COMMAND` of its study.
        settings: The study's own settings, or `None`.
    """
    found = dict(kept)
    if settings is not None:
        found["objective"] = [
            tuple(one) for one in settings["objectives"] if one[0] != "default_objective"
        ]
        found["constraint"] = plain(settings["constraints"])
    return found


def plain(value: Any) -> Any:
    """Give data as JSON knows them: a number that is not finite as `None`."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not is_real(value) else value
