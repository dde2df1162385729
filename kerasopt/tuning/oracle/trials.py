"""Trials of a study as KerasTuner shows them."""

from collections.abc import Callable
from typing import Any

import keras_tuner

from kerasopt.tuning.oracle.ownership import Running
from kerasopt.tuning.oracle.study_store import HasStudy
from kerasopt.tuning.storage.records import (
    FOLDER,
    PASSED,
    UNKEPT,
    Record,
    counts,
    front_of,
    name_of,
    ranked,
    record_of,
)
from kerasopt.tuning.storage.study import trials_of
from kerasopt.tuning.training.checkpoints import chosen

_Trial = keras_tuner.engine.trial.Trial

UNLIMITED = 10**9
"""Trials of a search that only ends with its space."""


class HasTrials(HasStudy):
    """Mixin of `OptunaOracle`: what is known of its trials."""

    max_trials: Any
    _mine: dict[str, Running]

    def records(self) -> list[Record]:
        """Give all trials of the search in their order, also those that run."""
        return self.patiently(lambda: [record_of(one) for one in trials_of(self.study)])

    def best_records(self) -> list[Record]:
        """Give the completed trials, the best first; those that break constraints come last."""
        return ranked(self.records(), [direction for _, direction in self.goals])

    def why_not_kept(self, name: str) -> str:
        """Tell why a trial's weights were not kept, where it is not for being none of the best."""
        trials = self.patiently(lambda: self.study.get_trials(deepcopy=False))
        return next(
            (str(one.user_attrs.get(UNKEPT, "")) for one in trials if name_of(one.number) == name),
            "",
        )

    def passed_over(self) -> int:
        """Give how many configurations were passed over, because their models are too large."""
        trials = self.patiently(lambda: self.study.get_trials(deepcopy=False))
        return sum(PASSED in one.user_attrs for one in trials)

    def not_best(self, count: int, there: Callable[[str], bool]) -> list[str]:
        """Give the trials whose files are not to be kept.

        Args:
            count: How many are kept.
            there: Tells whether a trial's files are still there.
        """
        trials = self.patiently(lambda: self.study.get_trials(deepcopy=False))
        directions = [direction for _, direction in self.goals]
        records = [record_of(one) for one in trials if counts(one) and there(name_of(one.number))]
        front = front_of(records, directions) if len(directions) > 1 else []
        kept = {one.id for one in chosen(ranked(records, directions), front, count)}
        return [
            name_of(one.number)
            for one in trials
            if one.state.is_finished()
            and FOLDER in one.user_attrs
            and name_of(one.number) not in kept
        ]

    def front(self) -> list[Record]:
        """Give the Pareto front: no other trial is better in every objective."""
        return front_of(self.records(), [direction for _, direction in self.goals])

    @property
    def trials(self) -> dict[str, Any]:
        """All trials in KerasTuner's form, by name."""
        if self._study is None and self._project is None:
            return {}
        return {one.id: self._as_trial(one) for one in self.records()}

    @trials.setter
    def trials(self, value: Any) -> None:  # KerasTuner's constructor sets an empty dict
        del value

    def get_trial(self, trial_id: str) -> Any:
        """Give one trial in KerasTuner's form."""
        if trial_id in self._mine:
            return self._mine[trial_id].shown
        return self.trials[trial_id]

    def get_best_trials(self, num_trials: int = 1) -> list[Any]:
        """Give the best completed trials; with several objectives the Pareto front comes first."""
        return [self._as_trial(one) for one in self.best_records()[:num_trials]]

    def remaining_trials(self) -> int | None:
        """Give how many of `max_trials` have not begun; `None` without such a limit.

        A finite space may end the search before.
        """
        return None if self.max_trials is None else max(0, self.limit() - len(self.records()))

    def limit(self) -> int:
        """Give the largest number of trials."""
        return UNLIMITED if self.max_trials is None else int(self.max_trials)

    def expected(self) -> int | None:
        """Give how many trials there will be: `max_trials`, or as many as a finite space has.

        `None` if there is neither.
        """
        size = self.space().size()
        if size is None:
            return None if self.max_trials is None else self.limit()
        return min(self.limit(), size)

    def _as_trial(self, record: Record) -> Any:
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = dict(record.values)
        trial = _Trial(hyperparameters, record.id, record.state, record.message or None)
        directions = dict(self.goals)
        for name, value in record.metrics.items():
            trial.metrics.register(name, direction=directions.get(name))
            trial.metrics.update(name, value, step=record.best_step)
        if record.objectives is not None:
            trial.score = record.objectives[0]
        trial.best_step = record.best_step
        return trial
