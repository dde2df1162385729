"""What `EarlyStopping` refuses and warns of: its arguments, and epochs that do not count."""

from collections.abc import Sequence
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, warn
from kerasopt.stopping.probe import Probe
from kerasopt.stopping.rules.patience import Patience
from kerasopt.stopping.rules.rule import Rule


def checked_rules(rules: Any, plain: Patience) -> Rule | None:
    """Check the rules, and that no argument of the plain rule is given beside them.

    Args:
        rules: What the user gave as `rules`.
        plain: The `Patience` made of the other arguments.

    Raises:
        TypeError: If it is no rule.
        ValueError: If `patience`, `min_delta` or `baseline` is given, too.
    """
    if rules is None:
        return None
    if not isinstance(rules, Rule):
        advice = "Combine several with `|` or `&`." if isinstance(rules, (list, tuple)) else ""
        raise bad_type("rules", "a rule of kerasopt.stopping, or a combination", rules, advice)
    given = {
        "patience": plain.patience or None,
        "min_delta": plain.min_delta or None,
        "baseline": plain.baseline,
    }
    for name, value in given.items():
        if value is not None:
            raise bad_value(
                name,
                "no value beside `rules`",
                value,
                f"Write it as a rule: `rules=Patience({name}={value!r}) | ...`.",
            )
    return rules


def checked_probe(probe: Any, rule: Rule) -> Probe | None:
    """Make the probe, which must be there if, and only if, a rule needs gradients.

    Raises:
        TypeError: If it is no batch.
        ValueError: If it is missing, or there is no use for it, or its sizes are wrong.
    """
    names = [type(leaf).__name__ for leaf in rule.leaves() if leaf.needs]
    if names and probe is None:
        raise bad_value(
            "probe",
            "(x, y), a hundred training samples or so at which to compute gradients",
            probe,
            f"{' and '.join(names)} cannot decide without.",
        )
    if probe is not None and not names:
        raise bad_value(
            "probe",
            "None, as no rule looks at gradients",
            type(probe).__name__,
            "It is for GradientEvidence and GradientDisparity.",
        )
    return None if probe is None else Probe(probe)


Waiting = Sequence[tuple[str, int | None]]


def _until(waiting: Waiting) -> int | None:
    return max((step for _, step in waiting if step is not None), default=None)


def _names(waiting: Waiting) -> str:
    return " and ".join(name for name, _ in waiting)


def waited_for(waiting: Waiting) -> str:
    """Say what comparing epochs waits for.

    Args:
        waiting: Who is still changing the model, and until which step.

    Example:
    >>> waited_for([("Pruning", 40)])
    'Pruning was done, at step 40'
    """
    until = _until(waiting)
    return _names(waiting) if until is None else f"{_names(waiting)} was done, at step {until}"


def too_few_epochs_left(
    waiting: Waiting, total: int | None, per_epoch: int | None, patience: int
) -> None:
    """Warn if the epochs that will count are too few for a rule to stop the run.

    Args:
        waiting: Who is still changing the model, and until which step.
        total: Steps of the run, if they are known.
        per_epoch: Steps of an epoch, if they are known.
        patience: Epochs that the most patient rule waits.
    """
    until = _until(waiting)
    if until is None or total is None or not per_epoch or until > total:
        return
    left = (total - until) // per_epoch
    if left <= max(patience, 1):
        warn(
            f"EarlyStopping: only epochs after {_names(waiting)} count, which is done at step "
            f"{until} of {total}. The {left} epochs left are too few to stop with "
            f"patience={patience}; it will only pick the best of them."
        )


def in_vain(monitor: str, epochs: Sequence[int], start_from_epoch: int, waited: str) -> None:
    """Warn that no epoch counted, and say why.

    Args:
        monitor: The metric.
        epochs: The epochs that reported it.
        start_from_epoch: The first that counts.
        waited: What comparing epochs waited for; empty if nothing.
    """
    if not epochs:
        warn(
            f"EarlyStopping: no epoch reported {monitor!r}, so it did nothing. Was there a "
            "validation at all (`validation_data`, `validation_freq`)?"
        )
        return
    cause = "no value was a finite number"
    if waited:
        cause = f"training ended before {waited}"
    elif max(epochs) < start_from_epoch:
        cause = f"training ended before start_from_epoch={start_from_epoch}"
    warn(f"EarlyStopping: {cause}, so no epoch counted and no weights were restored.")
