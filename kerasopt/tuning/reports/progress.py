"""A line a trial: what it gave, the best so far, and how long the search will still take."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kerasopt.tuning.extra import missing
from kerasopt.tuning.storage.records import Record, front_of, ranked


def duration(seconds: float) -> str:
    """Give a time in words.

    Example:
    >>> duration(3.2), duration(75), duration(7380)
    ('3 s', '1 min 15 s', '2 h 3 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def line(
    record: Record,
    done: int,
    most: int | None,
    best: Record | None,
    goals: Sequence[tuple[str, str]],
    left: float | None,
    front: int = 0,
) -> str:
    """Say in a line how a trial ended.

    Args:
        record: The trial.
        done: How many trials have ended.
        most: How many there will be, `None` if nobody knows.
        best: The best so far.
        goals: Name and direction of each objective.
        left: Seconds until the end, if that can be told.
        front: With several objectives, how many trials are on the Pareto front.
    """
    names = [name for name, _ in goals]
    said = f"{record.state.lower()}: {record.reason}" if record.reason else record.state.lower()
    if record.objectives is not None:
        said = _values(names, record.objectives)
        if not record.feasible:
            said += ", breaks the constraints"
    parts = [f"trial {record.id} ({done if most is None else f'{done}/{most}'})", said]
    if len(names) > 1 and front:
        parts.append(f"{front} on the Pareto front")
    elif best is not None and best.objectives is not None:
        parts.append(f"best {_values([], best.objectives)} (trial {best.id})")
    if record.seconds is not None:
        parts.append(f"took {duration(record.seconds)}")
    if left is not None and most is not None and done < most:
        parts.append(f"about {duration(left)} left")
    return " | ".join(parts)


def _values(names: Sequence[str], values: Sequence[float]) -> str:
    if not names:
        return ", ".join(f"{value:.5g}" for value in values)
    return ", ".join(f"{name} {value:.5g}" for name, value in zip(names, values, strict=True))


class Progress:
    """Prints a line for each trial that has ended since it was last asked.

    Args:
        goals: Name and direction of each objective.
        most: Gives how many trials there will be, as far as is known now, or `None`.
        say: Takes a line. Defaults to `print`.
    """

    def __init__(
        self,
        goals: Sequence[tuple[str, str]],
        most: Callable[[], int | None],
        say: Callable[[str], Any] = print,
    ):
        self._goals, self._most, self._say = goals, most, say
        self._told: set[str] = set()
        self._begun = time.monotonic()
        self._before: int | None = None

    def show(self, records: Sequence[Record]) -> None:
        """Look at all trials of the search, and say what is new."""
        ended = [one for one in records if one.state not in ("RUNNING", "WAITING")]
        if self._before is None:
            self._before = len(ended)
            self._told = {one.id for one in ended}
            if ended:
                most = self._most()
                of = "" if most is None else f" of {most}"
                self._say(f"{len(ended)}{of} trials have ended before.")
            return
        new = [one for one in ended if one.id not in self._told]
        if not new:
            return
        each = (time.monotonic() - self._begun) / (len(ended) - self._before)
        most = self._most()
        left = None if most is None else each * max(0, most - len(ended))
        directions = [direction for _, direction in self._goals]
        best = ranked(list(records), directions)[:1]
        front = front_of(list(records), directions) if len(directions) > 1 else []
        for one in new:
            self._told.add(one.id)
            first = best[0] if best else None
            self._say(line(one, len(ended), most, first, self._goals, left, len(front)))


def write(log_dir: str | os.PathLike[str], trial: Any) -> None:
    """Write one trial into a folder of its own.

    Args:
        log_dir: The folder that TensorBoard is given.
        trial: A trial of KerasTuner that has ended.
    """
    import tensorflow as tf

    try:
        from tensorboard.plugins.hparams import api
    except ImportError as error:
        raise missing(error) from error
    folder = Path(log_dir) / f"trial_{trial.trial_id}"
    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams(dict(trial.hyperparameters.values), trial_id=trial.trial_id)
        for name in trial.metrics.metrics:
            tf.summary.scalar(name, trial.metrics.get_best_value(name), step=0)
