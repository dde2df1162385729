"""Which metrics the rules of a run watch: their names, their directions, and whether they exist."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.logs import has, metric_of
from kerasopt.stopping.rules.monitor import MonitoringRule, missing_metric
from kerasopt.stopping.rules.rule import Rule


def _monitoring(rule: Rule, best: MonitoringRule) -> list[MonitoringRule]:
    leaves = [leaf for leaf in rule.leaves() if isinstance(leaf, MonitoringRule)]
    return [*leaves, best]


def name_defaults(rule: Rule, best: MonitoringRule, given: str | None) -> None:
    """Tell the rules which metric to watch where they name none.

    The metric whose best epoch is kept is that of the callback, else that of the first rule that
    compares epochs and names one.

    Args:
        rule: The rule or combination that decides.
        best: What keeps track of the best epoch.
        given: The name that the callback was given, or `None`.
    """
    for leaf in _monitoring(rule, best):
        leaf.default_monitor = given or "val_loss"
        if leaf.monitor is not None and "early" not in leaf.moments and best.monitor is None:
            best.monitor = leaf.monitor
            if best.mode == "auto":
                best.mode = leaf.mode


def forget_directions(rule: Rule, best: MonitoringRule, mode: str) -> None:
    """Forget what was learned of directions; rules without a metric of their own take `mode`."""
    for leaf in _monitoring(rule, best):
        inherits = leaf.monitor is None and mode != "auto"
        leaf.known_mode = mode if inherits else None


def learn_directions(
    rule: Rule, best: MonitoringRule, model: Any, only: Mapping[str, Any] | None = None
) -> None:
    """Ask Keras's metrics, then the names, whether lower or higher is better.

    Args:
        rule: The rule or combination that decides.
        best: What keeps track of the best epoch.
        model: The model that trains.
        only: What was reported, if only those metrics matter now; `None` for all.

    Raises:
        ValueError: If neither tells.
    """
    for leaf in _monitoring(rule, best):
        wanted = only is None or has(only, leaf.metric)
        if wanted and leaf.mode == "auto" and leaf.known_mode is None:
            leaf.known_mode = _keras.direction(model, metric_of(leaf.metric.removeprefix("val_")))
            leaf.resolved_mode()


def check_missing(
    names: Iterable[str], logs: Mapping[str, Any], seen: set[str], model: Any
) -> None:
    """Check that the metrics are there, unless they are only missing this once.

    With `validation_freq` above 1 an epoch without validation is nothing to complain about, nor is
    a metric that was there before.

    Args:
        names: The metrics that rules watch.
        logs: What the epoch reported.
        seen: The names that were there before; brought up to date.
        model: The model that trains.

    Raises:
        ValueError: If one of them does not exist, with the names that do.
    """
    names = list(names)
    seen.update(logs, (name for name in names if has(logs, name)))
    validated = any(name.startswith("val_") for name in logs)
    for name in names:
        if name in seen:
            continue
        base = name.removeprefix("val_")
        if base == name or validated:
            raise missing_metric(name, logs)
        if _keras.validates(model) is False:
            raise missing_metric(name, logs, "`fit` was given no validation data.")
        own = getattr(type(model), "test_step", None)
        if not has(logs, base) and own is keras.Model.test_step:
            raise missing_metric(name, logs)
