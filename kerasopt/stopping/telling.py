"""What `EarlyStopping` warns of: that no epoch counted, or too few are left to count."""

from collections.abc import Sequence

from kerasopt._checks import warn

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
