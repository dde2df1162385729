"""What a tuner has found: records, the Pareto front, models, a table."""

import json
from pathlib import Path
from typing import Any

from kerasopt._core.checks import bad_value
from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.storage.records import Record
from kerasopt.tuning.training import checkpoints


class Results:
    """What a tuner has found.

    Args:
        tuner: The tuner.
        study: Its oracle if it has a study; `None` with an oracle of KerasTuner.
    """

    def __init__(self, tuner: Any, study: OptunaOracle | None):
        self._tuner = tuner
        self._study = study

    def records(self) -> list[Record]:
        """Give all trials of the search in their order."""
        return list(self.of_study("results").records())

    def pareto_front(self) -> list[Record]:
        """Give the trials that keep the constraints and that no other one beats in everything.

        They are sorted by the first objective, the best first.
        """
        return list(self.of_study("pareto_front").front())

    def plot_pareto(self, path: Any = None, title: str = "") -> Any:
        """Plot two objectives of all trials, with the Pareto front.

        Args:
            path: Where to write the plot, ending in `.png`, `.svg` or `.pdf`. Defaults to `None`.
            title: Heading. Defaults to none.

        Returns:
            The `matplotlib.figure.Figure`.

        Raises:
            ValueError: If there are not two objectives, or no trial has been completed.
        """
        from kerasopt.reporting.search import plot_pareto

        oracle = self.of_study("plot_pareto")
        return plot_pareto(oracle.records(), oracle.front(), oracle.goals, path, title)

    def of_study(self, what: str) -> OptunaOracle:
        """Give the oracle that has the study.

        Raises:
            TypeError: If there is none.
        """
        if self._study is not None:
            return self._study
        oracle = type(self._tuner.oracle).__name__
        raise TypeError(f"`{what}` needs an `OptunaOracle`, not {oracle}.")

    def load_model(self, trial: Any) -> Any:
        """Build the model of a trial, with the weights of its best epoch.

        Args:
            trial: A trial, a record, or its name.

        Raises:
            ValueError: If there is no such trial.
            FileNotFoundError: If its weights were not kept, or lie on another machine.
        """
        name = trial if isinstance(trial, str) else getattr(trial, "trial_id", None) or trial.id
        if name not in self._tuner.oracle.trials:
            raise bad_value("trial", f"one of {sorted(self._tuner.oracle.trials)}", name)
        folder = checkpoints.folder_of(Path(self._tuner.project_dir), name)
        path = folder / checkpoints.WEIGHTS
        if not path.is_file():
            kept = {one.id: one for one in self.records()} if self._study is not None else {}
            where = f" It ran on {kept[name].host}." if name in kept and kept[name].host else ""
            why = "" if self._study is None else self._study.why_not_kept(name)
            if why:
                raise FileNotFoundError(
                    f"The weights of trial {name} were {why}. Let `build(hp)` return a model that "
                    "has all its layers built: call it, or each of its parts, on a batch of zeros."
                )
            raise FileNotFoundError(
                f"The weights of trial {name} are not at {path}: only those of the best "
                f"{self._tuner.keep_best} trials are kept (`keep_best`).{where}"
            )
        model = self._tuner.build(self._tuner.oracle.get_trial(name).hyperparameters)
        if not model.built and (folder / checkpoints.BUILD_CONFIG).is_file():
            model.build_from_config(json.loads((folder / checkpoints.BUILD_CONFIG).read_text()))
            model.built = True  # Keras builds the layers of a subclass, and does not say so
        if getattr(model, "optimizer", None) is not None:  # one that was not compiled has none
            model.optimizer.build(model.trainable_variables)  # its state is in the file, too
        with checkpoints.as_built(model):
            model.load_weights(path)
        return model

    def summary(self, num_trials: int) -> str:
        """Give the best trials as a table."""
        from kerasopt.tuning.reports.search_report import table_of

        oracle = self.of_study("results_summary")
        return table_of(oracle.best_records()[:num_trials], oracle.goals)
