"""A tuner of KerasTuner that survives faults and runs trials one by one or side by side."""

import gc
import inspect
import os
from pathlib import Path
from typing import Any, Self

import keras_tuner

from kerasopt._core.checks import at_least, bad_value, did_you_mean, verbosity, warn
from kerasopt._core.messages import tell
from kerasopt._core.quiet import without_retracing_advice
from kerasopt.tuning import _keras_tuner
from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.reports.progress import Progress
from kerasopt.tuning.reports.results import Results
from kerasopt.tuning.storage.records import Record
from kerasopt.tuning.training import checkpoints
from kerasopt.tuning.training.attempt import attempt
from kerasopt.tuning.training.cross_validation import check_folds
from kerasopt.tuning.training.trial_callbacks import (
    check_callbacks,
)
from kerasopt.tuning.training.trial_runner import TrialRunner


class Tuner(keras_tuner.Tuner):
    """Search for the best hyperparameters of a model.

    Takes the place of KerasTuner's tuners, with their words. What is different: the search is kept
    in an Optuna study, so that it goes on after a crash, several processes can share it, and
    finished trials are never run again; callbacks may be of any kind; metrics that are not finite
    never win; what a trial raised is kept; a bad trial can be stopped while it trains; several
    objectives give a Pareto front; and only the best models stay on the disk.

    Args:
        hypermodel: A `keras_tuner.HyperModel`, or a function `build(hp)` that returns a compiled
            model. Defaults to `None`, for a subclass with its own `run_trial`.
        objective: Name of a metric, a `keras_tuner.Objective`, a (name, direction) pair, or a list
            of these, of which the Pareto front is sought. It is in the history of `fit`, or in the
            dict that `HyperModel.fit` returns, which may hold what was measured after training.
            Defaults to `None`: `HyperModel.fit` returns a float that is to be small.
        max_trials: Integer >= 1, trials of all processes together; `None` for no limit. Defaults
            to `10`.
        sampler: `"tpe"`, `"random"`, `"grid"`, `"gp"` (also `"bayesian"`; needs torch), `"nsga2"`,
            `"cmaes"`, `"qmc"`, or a sampler of Optuna. Defaults to `"tpe"`.
        storage: `None`: a journal file in the project's folder; `"memory"`; the path of a journal
            file; the URL of a database; or a storage of Optuna. Defaults to `None`.
        study_name: Defaults to `None`: `project_name`.
        seed: Integer, of the sampler, of each trial's random numbers (by the trial's name) and of
            the folds. Defaults to `None`.
        pruner: What stops bad trials while they train: `"median"`, `"asha"` (also
            `"successive_halving"`), `"hyperband"`, or a pruner of Optuna. The objective must be in
            the history. Defaults to `None`: every trial trains to its end.
        constraints: Limits that the best trial must keep, such as `{"tflite_bytes": 50_000}` or
            `{"val_accuracy": (0.9, None)}`. Defaults to `None`.
        initial: `"default"`, or a list of dicts of hyperparameter -> value, tried first. Defaults
            to `None`.
        executions_per_trial: How often each configuration is trained; the mean counts. Defaults
            to `1`.
        folds: Integer >= 2, k-fold cross-validation: each configuration is trained on each part of
            the data, and the mean counts. Defaults to `None`.
        keep_best: Of how many trials the weights and other files stay on the disk. Defaults to `5`.
        log_dir: Folder in which TensorBoard finds hyperparameters and metrics of each trial.
            Defaults to `None`.
        oracle: An oracle to use in place of the arguments from `objective` to `initial`: an
            `OptunaOracle`, or one of KerasTuner's own. Defaults to `None`.
        directory: Where the project's folder lies. Defaults to `None`: here.
        project_name: Name of the project's folder. Defaults to `None`: `"untitled_project"`.
        overwrite: Whether a search of this name is deleted; else it is gone on with. Defaults to
            `False`.
        **kwargs: Of `OptunaOracle` (`max_retries_per_trial`, `max_consecutive_failed_trials`,
            `hyperparameters`, `heartbeat`, `grace`, ...) and of `keras_tuner.Tuner` (`optimizer`,
            `loss`, `metrics`, `max_model_size`, `distribution_strategy`, `tuner_id`).

    Raises:
        TypeError: If an argument is of the wrong type, or `build` returns no model.
        ValueError: If an argument has a wrong value.
        StorageError: If the storage cannot be reached.

    Example:
    >>> import keras, numpy as np
    >>> def build(hp):
    ...     model = keras.Sequential([keras.Input((4,)),
    ...                               keras.layers.Dense(hp.Int("units", 4, 8)),
    ...                               keras.layers.Dense(1)])
    ...     model.compile("adam", "mse")
    ...     return model
    >>> tuner = Tuner(build, "val_loss", max_trials=2, directory=getfixture("tmp_path"))
    >>> x, y = np.ones((32, 4)), np.ones(32)
    >>> tuner.search(x, y, validation_split=0.25, epochs=2, verbose=0)
    >>> len(tuner.results()), tuner.get_best_models()[0].count_params() > 20
    (2, True)
    """

    _made_with: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Remember the arguments: a worker makes its own tuner of them."""
        tuner: Self = super().__new__(cls)
        tuner._made_with = (args, kwargs)
        return tuner

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = 10,
        sampler: Any = "tpe",
        storage: Any = None,
        study_name: str | None = None,
        seed: int | None = None,
        pruner: Any = None,
        constraints: Any = None,
        initial: Any = None,
        executions_per_trial: int = 1,
        folds: int | None = None,
        keep_best: int = 5,
        log_dir: Any = None,
        oracle: Any = None,
        directory: Any = None,
        project_name: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,
    ):
        at_least("executions_per_trial", executions_per_trial, 1)
        at_least("keep_best", keep_best, 0)
        if folds is not None:
            at_least("folds", folds, 2)
        own = {
            name: kwargs.pop(name)
            for name in ("max_model_size", "optimizer", "loss", "metrics", "distribution_strategy",
                         "tuner_id")
            if name in kwargs
        }  # fmt: skip
        if own.get("max_model_size") is not None:
            own["max_model_size"] = at_least("max_model_size", own["max_model_size"], 1)
        self._check_names(kwargs)
        if oracle is None:
            oracle = OptunaOracle(
                objective, max_trials, sampler, storage, study_name, seed, pruner, constraints,
                initial, **kwargs,
            )  # fmt: skip
        elif kwargs:
            raise bad_value("oracle", f"`None` with {sorted(kwargs)}, which are its own", oracle)
        elif not isinstance(oracle, keras_tuner.Oracle):
            raise bad_value("oracle", "a `keras_tuner.Oracle`", oracle)
        self.folds, self.keep_best, self.log_dir, self.seed = folds, keep_best, log_dir, seed
        # Asked once: with an oracle of KerasTuner there is no study.
        self._study = study = oracle if isinstance(oracle, OptunaOracle) else None
        self._runner = TrialRunner(self, study)
        self._results = Results(self, study)
        name = project_name or "untitled_project"
        if study is not None:
            check_no_chief()
            if overwrite:
                _keras_tuner.set_project_dir(study, str(directory or "."), name)
                study.delete()
        super().__init__(
            oracle=oracle,
            hypermodel=hypermodel,
            directory=directory,
            project_name=name,
            overwrite=overwrite,
            executions_per_trial=executions_per_trial,
            **own,
        )
        if study is not None:
            study.max_model_size = self.max_model_size

    def _check_names(self, kwargs: dict[str, Any]) -> None:
        """Check the names of further arguments, of which an old one is let go."""
        if kwargs.pop("logger", None) is not None:
            warn(
                "The argument `logger` has no effect, as in KerasTuner since 1.1.",
                DeprecationWarning,
            )
        known = set(inspect.signature(OptunaOracle.__init__).parameters) - {"self"}
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            close = did_you_mean(unknown[0], known)
            raise ValueError(
                f"Unrecognized arguments of `{type(self).__name__}`: {unknown}. {close}".rstrip()
            )

    # -- the search --------------------------------------------------------------------------

    def search(
        self,
        *fit_args: Any,
        callbacks: Any = None,
        verbose: Any = None,
        workers: int = 1,
        trials_per_process: int | None = None,
        most: int | None = None,
        **fit_kwargs: Any,
    ) -> None:
        """Run trials until there are `max_trials`, or go on with a search that was broken off.

        After Ctrl-C the trial that ran is run again when the search goes on.

        Args:
            *fit_args: Of `HyperModel.fit`, by default those of `model.fit`.
            callbacks: A list, each of which is copied for each trial, or a function that gives one
                and may take the hyperparameters. Defaults to `None`.
            verbose: `0`, `1`: a line a trial, or `2`: a line an epoch, too. A `run_trial` or
                `HyperModel.fit` of your own gets it only if it is given. Defaults to `None`: `1`.
            workers: How many processes run trials here at the same time; `hypermodel` and
                `callbacks` must then be importable. Defaults to `1`: this process.
            trials_per_process: Trials after which a process is followed by a new one, so that no
                memory is lost to earlier ones. Defaults to `None`: no limit.
            most: Most trials that this call runs. Defaults to `None`: up to `max_trials`.
            **fit_kwargs: Of `HyperModel.fit`.

        Raises:
            RuntimeError: If too many trials have failed in a row; the first one's error is shown.
            ValueError: If the objective is not among what the first trial reports.
            TypeError: If `callbacks` are none, or the first trial returns no result.
            FatalValueError: If a callback cannot be copied.
        """
        level = 1 if verbose in (None, "auto") else verbosity(verbose)
        check_callbacks(callbacks)
        check_folds(self.folds, fit_args, fit_kwargs)
        at_least("workers", workers, 1)
        if verbose is not None:
            fit_kwargs["verbose"] = verbose
        progress = self._progress(level)
        if workers > 1 or trials_per_process is not None:
            from kerasopt.tuning.workers.pool import run_workers

            if trials_per_process is not None:
                at_least("trials_per_process", trials_per_process, 1)
            run_workers(
                self, workers, trials_per_process, callbacks, fit_args, fit_kwargs, progress
            )
            return
        self._run_here(fit_args, fit_kwargs, callbacks, progress, most)

    def _run_here(
        self, args: Any, kwargs: Any, callbacks: Any, progress: Any, most: int | None
    ) -> bool:
        """Run trials in this process; tell whether the search has come to its end."""
        # What is there now need not be looked through after each trial. Where the user has frozen
        # objects, that is done already, and only he may undo it.
        freezes = gc.get_freeze_count() == 0
        if freezes:
            gc.collect()
            gc.freeze()
        try:
            with without_retracing_advice():
                return self._run_trials(args, kwargs, callbacks, progress, most)
        finally:
            if freezes:
                gc.unfreeze()
            if self._study is not None:
                self._study.leave()

    def _run_trials(
        self, args: Any, kwargs: Any, callbacks: Any, progress: Any, most: int | None
    ) -> bool:
        self.on_search_begin()
        begun = 0
        while most is None or begun < most:
            self.pre_create_trial()
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status == "STOPPED":
                self.on_search_end()
                return True
            if trial.status != "IDLE":
                begun += 1
                self.on_trial_begin(trial)
                given = {} if callbacks is None else {"callbacks": callbacks}
                attempt(self, self._runner, self._study, trial, args, {**kwargs, **given})
                self.on_trial_end(trial)
            if progress is not None:
                progress()
        self.on_search_end()
        return False

    # -- one trial ---------------------------------------------------------------------------

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """Train one configuration, as often as `executions_per_trial` and `folds` say.

        A subclass may do anything else here: it gets the trial and what `search` got, and returns
        what `HyperModel.fit` may return, or a list of that.

        Args:
            trial: The trial, with its `hyperparameters`.
            *args: As `search` got them.
            **kwargs: As `search` got them; `callbacks` and `verbose` only if it got them.
        """
        return self._runner.run(trial, args, kwargs)

    def _build_and_fit_model(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """Build the model of a trial and train it once; a subclass may do it in its own way."""
        return self._runner.build_and_fit(trial, *args, **kwargs)

    def build(self, hp: Any) -> Any:
        """Build the model of one configuration.

        Raises:
            FatalTypeError: If `build` returns no model.
            FailedTrialError: If it has more than `max_model_size` parameters.
        """
        return self._runner.build(hp)

    # -- what was found ----------------------------------------------------------------------

    def results(self) -> list[Record]:
        """Give all trials of the search in their order."""
        return self._results.records()

    def pareto_front(self) -> list[Record]:
        """Give the trials that keep the constraints and that no other one beats in everything.

        They are sorted by the first objective, the best first.
        """
        return self._results.pareto_front()

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
        return self._results.plot_pareto(path, title)

    def load_model(self, trial: Any) -> Any:
        """Build the model of a trial, with the weights of its best epoch.

        Args:
            trial: A trial, a record, or its name.

        Raises:
            ValueError: If there is no such trial.
            FileNotFoundError: If its weights were not kept, or lie on another machine.
        """
        return self._results.load_model(trial)

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials."""
        if self._study is None:
            super().results_summary(num_trials)
            return
        print(self._results.summary(num_trials))  # noqa: T201

    # -- what a trial leaves -----------------------------------------------------------------

    def on_trial_end(self, trial: Any) -> None:
        """Write down how a trial ended, and delete what is not of the best."""
        try:
            self.oracle.end_trial(trial)
        finally:
            if self._study is not None:
                project = Path(self.project_dir)
                checkpoints.delete(
                    project,
                    self._study.not_best(
                        self.keep_best, lambda name: checkpoints.folder_of(project, name).is_dir()
                    ),
                )
            if self.log_dir is not None:
                from kerasopt.tuning.reports.progress import write

                write(self.log_dir, trial)
        self.save()

    def save(self) -> None:
        """Save what KerasTuner's own oracles need; a study needs nothing."""
        if self._study is None:
            super().save()

    def reload(self) -> None:
        """Take the search up as it stands; a study needs no files but its own."""
        if self._study is not None:
            self._study.reload()
        else:
            super().reload()

    def _progress(self, level: int) -> Any:
        self.oracle.verbose = 0
        oracle = self._study
        if level < 1 or oracle is None:
            self.oracle.verbose = level
            return None
        told: list[bool] = []
        lines = Progress(oracle.goals, oracle.expected)

        def show() -> None:
            lines.show(oracle.records())
            if oracle.passed_over() and not told:
                told.append(True)
                tell(f"Models of more than {self.max_model_size:,} parameters are passed over.")

        show()
        return show


def check_no_chief() -> None:
    """Check that KerasTuner's variables for a chief and its workers are not set.

    Raises:
        RuntimeError: If they are: a process would wait for a chief that does not exist.
    """
    found = sorted(name for name in os.environ if name.startswith("KERASTUNER_"))
    if "KERASTUNER_ORACLE_IP" in found:
        raise RuntimeError(
            f"{found} are set, for a chief and its workers. Here there is no chief: unset them, "
            "and give every process the same `storage` (a journal file on a shared disk, or the "
            "URL of a database), or call `search(workers=n)` on one machine."
        )
