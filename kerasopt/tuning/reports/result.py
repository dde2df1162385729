"""What a search has found: models, tables, importances, pictures, a report."""

import json
import math
import os
from pathlib import Path
from typing import Any

from kerasopt._core.checks import bad_value
from kerasopt._core.display import Shown
from kerasopt.tuning.reports.optuna_study import copied, importances_of
from kerasopt.tuning.reports.search_report import table_of
from kerasopt.tuning.storage.records import Record


class SearchResult(Shown):
    """The result of a search.

    Args:
        tuner: The tuner that has searched.

    Attributes:
        tuner: The tuner.
        objectives: Name and direction of each objective.
    """

    def __init__(self, tuner: Any):
        self.tuner = tuner
        self.objectives: list[tuple[str, str]] = list(tuner.oracle.goals)
        self._model: Any = None

    @property
    def trials(self) -> list[Record]:
        """All trials in their order."""
        return list(self.tuner.results())

    @property
    def best(self) -> Record:
        """The best trial; with several objectives the best in the first one on the Pareto front.

        Raises:
            ValueError: If no trial has been completed.
        """
        order = self.tuner.oracle.best_records()
        if not order:
            raise bad_value("trials", "at least one that was completed", self._states())
        found: Record = order[0]
        return found

    @property
    def best_values(self) -> dict[str, Any]:
        """The hyperparameters of the best trial."""
        return dict(self.best.values)

    @property
    def best_model(self) -> Any:
        """The model of the best trial, with the weights of its best epoch."""
        if self._model is None:
            self._model = self.tuner.load_model(self.best)
        return self._model

    def pareto_front(self) -> list[Record]:
        """Give the trials that no other one beats in every objective."""
        return list(self.tuner.pareto_front())

    def table(self) -> Any:
        """Give all trials as a `DataFrame` if pandas is there, else as a dict of lists.

        Columns are `trial`, `state`, the metrics, `seconds`, `feasible`, `reason` and `hp/...`.
        """
        rows = self.trials
        metrics = list(dict.fromkeys(name for one in rows for name in one.metrics))
        values = list(dict.fromkeys(name for one in rows for name in one.values))
        columns: dict[str, list[Any]] = {
            "trial": [one.id for one in rows],
            "state": [one.state for one in rows],
            **{name: [one.metrics.get(name) for one in rows] for name in metrics},
            "seconds": [one.seconds for one in rows],
            "feasible": [one.feasible for one in rows],
            "reason": [one.reason for one in rows],
            **{f"hp/{name}": [one.values.get(name) for one in rows] for name in values},
        }
        try:
            import pandas
        except ImportError:
            return columns
        return pandas.DataFrame(columns)

    def importances(self, objective: str | None = None) -> dict[str, float]:
        """Tell how much each hyperparameter matters for reaching good values, as shares of 1.

        PED-ANOVA (Watanabe et al., 2023) of the completed trials; hyperparameters that never
        changed are left out.

        Args:
            objective: Name of an objective. Defaults to `None`: the first.

        Raises:
            ValueError: If fewer than two trials have been completed.
        """
        return importances_of(self.trials, self.objectives, objective)

    def to_optuna(self, storage: Any = None) -> Any:
        """Give the completed trials as a study of Optuna, with the values as `build` saw them.

        The study of the search holds ordered choices and logarithmic steps as places, in which form
        a sampler knows their order. This one is a copy for Optuna's plots and its dashboard.

        Args:
            storage: Where to write it, as in `Tuner`. Defaults to `None`: in memory.

        Returns:
            An `optuna.Study`, named as that of the search.

        Raises:
            ValueError: If the storage holds a study of that name.
        """
        return copied(self.trials, self.objectives, self.tuner.oracle.study.study_name, storage)

    def plot_history(self, path: Any = None) -> Any:
        """Plot the objective of each trial, and the best so far, also into a file at `path`."""
        from kerasopt.reporting.search import plot_search

        return plot_search(self.trials, self.objectives, path)

    def plot_importances(self, path: Any = None) -> Any:
        """Plot how much each hyperparameter matters."""
        from kerasopt.reporting.search import plot_importances

        return plot_importances(self.importances(), self.objectives[0][0], path)

    def plot_parallel(self, path: Any = None) -> Any:
        """Plot the trials as lines through their hyperparameters."""
        from kerasopt.reporting.search import plot_parallel

        return plot_parallel(self.trials, self.objectives, path)

    def plot_pareto(self, path: Any = None) -> Any:
        """Plot two objectives of all trials, with the Pareto front."""
        from kerasopt.reporting.search import plot_pareto

        return plot_pareto(self.trials, self.pareto_front(), self.objectives, path)

    def save_report(self, folder: str | os.PathLike[str]) -> Path:
        """Write everything into a folder: `trials.csv`, `search.json`, `report.md` and the plots.

        Args:
            folder: Where; it is made.

        Returns:
            The path of `report.md`.
        """
        from kerasopt.tuning.reports.search_report import write

        return write(self, Path(folder))

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain JSON data."""
        return {
            "objectives": [list(one) for one in self.objectives],
            "constraints": {
                name: [value if math.isfinite(value) else None for value in limit]
                for name, limit in self.tuner.oracle.limits.items()
            },
            "best": self.best.id if self._done() else None,
            "pareto_front": [one.id for one in self.pareto_front()],
            "trials": [json.loads(json.dumps(one.to_dict())) for one in self.trials],
        }

    def _done(self) -> bool:
        return any(one.state == "COMPLETED" for one in self.trials)

    def _states(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.trials:
            found[one.state] = found.get(one.state, 0) + 1
        return found

    def __str__(self) -> str:
        states = ", ".join(f"{count} {name.lower()}" for name, count in self._states().items())
        best: list[Record] = self.tuner.oracle.best_records()[:5]
        return f"{len(self.trials)} trials: {states}\n\n{table_of(best, self.objectives)}"

    def __repr__(self) -> str:
        best = f", best {self.best.id} {self.best.objectives}" if self._done() else ""
        return f"SearchResult({len(self.trials)} trials{best})"
