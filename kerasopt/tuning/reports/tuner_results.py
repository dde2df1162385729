"""What a tuner has found: records, the Pareto front, models, a table."""

import json
from pathlib import Path
from typing import Any

from kerasopt._core.checks import bad_value
from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.storage.records import Record
from kerasopt.tuning.training import checkpoints
from kerasopt.tuning.training.run_trial import Trains


class Shows(Trains):
    """The part of `Tuner` that shows results."""

    def results(self) -> list[Record]:
        """Give all trials of the search in their order."""
        return list(self._optuna("results").records())

    def pareto_front(self) -> list[Record]:
        """Give the trials that keep the constraints and that no other one beats in everything.

        They are sorted by the first objective, the best first.
        """
        return list(self._optuna("pareto_front").front())

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

        oracle = self._optuna("plot_pareto")
        return plot_pareto(oracle.records(), oracle.front(), oracle.goals, path, title)

    def _optuna(self, what: str) -> OptunaOracle:
        if isinstance(self.oracle, OptunaOracle):
            return self.oracle
        raise TypeError(f"`{what}` needs an `OptunaOracle`, not {type(self.oracle).__name__}.")

    def load_model(self, trial: Any) -> Any:
        """Build the model of a trial, with the weights of its best epoch.

        Args:
            trial: A trial, a record, or its name.

        Raises:
            ValueError: If there is no such trial.
            FileNotFoundError: If its weights were not kept, or lie on another machine.
        """
        name = trial if isinstance(trial, str) else getattr(trial, "trial_id", None) or trial.id
        if name not in self.oracle.trials:
            raise bad_value("trial", f"one of {sorted(self.oracle.trials)}", name)
        folder = checkpoints.folder_of(Path(self.project_dir), name)
        path = folder / checkpoints.WEIGHTS
        if not path.is_file():
            kept = {one.id: one for one in self.results()} if self._is_optuna() else {}
            where = f" It ran on {kept[name].host}." if name in kept and kept[name].host else ""
            why = self.oracle.why_not_kept(name) if isinstance(self.oracle, OptunaOracle) else ""
            if why:
                raise FileNotFoundError(
                    f"The weights of trial {name} were {why}. Let `build(hp)` return a model that "
                    "has all its layers built: call it, or each of its parts, on a batch of zeros."
                )
            raise FileNotFoundError(
                f"The weights of trial {name} are not at {path}: only those of the best "
                f"{self.keep_best} trials are kept (`keep_best`).{where}"
            )
        model = self.build(self.oracle.get_trial(name).hyperparameters)
        if not model.built and (folder / checkpoints.BUILD_CONFIG).is_file():
            model.build_from_config(json.loads((folder / checkpoints.BUILD_CONFIG).read_text()))
            model.built = True  # Keras builds the layers of a subclass, and does not say so
        if getattr(model, "optimizer", None) is not None:  # one that was not compiled has none
            model.optimizer.build(model.trainable_variables)  # its state is in the file, too
        with checkpoints.as_built(model):
            model.load_weights(path)
        return model

    def _is_optuna(self) -> bool:
        return isinstance(self.oracle, OptunaOracle)

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials."""
        if not self._is_optuna():
            super().results_summary(num_trials)
            return
        from kerasopt.tuning.reports.search_report import table_of

        oracle = self._optuna("results_summary")
        print(table_of(oracle.best_records()[:num_trials], oracle.goals))  # noqa: T201
