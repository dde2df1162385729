"""An oracle of KerasTuner that asks Optuna."""

import contextlib
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner
import optuna
from optuna.trial import TrialState

from kerasopt._core.checks import at_least, bad_type, positive, warn
from kerasopt.tuning.oracle import heartbeat as liveness
from kerasopt.tuning.oracle import retry, tell
from kerasopt.tuning.oracle.ask import check_initial, exhausted, note_new, suggest, surplus
from kerasopt.tuning.oracle.objectives import check_constraints, check_objective, names_of
from kerasopt.tuning.oracle.ownership import Running, beating, claim, let_go
from kerasopt.tuning.oracle.study_store import HasStudy
from kerasopt.tuning.oracle.trials import HasTrials
from kerasopt.tuning.sampling.samplers import check_sampler, make_pruner
from kerasopt.tuning.storage.records import OUT, VALUES, name_of
from kerasopt.tuning.storage.search_interrupt import uninterrupted
from kerasopt.tuning.storage.study import BEGUN_WITH, SPACE, plain_space, read_space, trials_of

_Trial = keras_tuner.engine.trial.Trial


class OptunaOracle(HasTrials, keras_tuner.Oracle):
    """An oracle that works in any tuner of KerasTuner and samples with Optuna.

    The study is the only state: a search that is killed and started again goes on, and so do
    several processes that share its storage, without a chief. A trial whose process has ended is
    run again by another one; in a finite space no configuration is run twice.

    Args:
        objective: Name of a metric, a `keras_tuner.Objective`, a (name, direction) pair, or a list
            of these, of which the Pareto front is sought. Defaults to `None`: what is returned as a
            single float is to be small.
        max_trials: Integer >= 1, trials of all processes together; `None` for no limit, as for a
            grid. Defaults to `10`.
        sampler: `"tpe"`, `"random"`, `"grid"`, `"gp"` (also `"bayesian"`; needs torch), `"nsga2"`,
            `"cmaes"`, `"qmc"`, or a sampler of Optuna. Defaults to `"tpe"`.
        storage: `None`: a journal file in the project's folder; `"memory"`; the path of a journal
            file, which may lie on NFS; the URL of a database; or a storage of Optuna. Defaults to
            `None`.
        study_name: Defaults to `None`: the project's name.
        seed: Integer, of the sampler. Defaults to `None`.
        pruner: What stops bad trials while they train, as in `Tuner`. Defaults to `None`.
        constraints: Limits that the best trial must keep, such as `{"tflite_bytes": 50_000}` or
            `{"val_accuracy": (0.9, None)}`. Defaults to `None`.
        initial: `"default"`: the first trial has the default of every hyperparameter; or a list of
            dicts of hyperparameter -> value that are tried first, of which what a dict does not
            name is sampled. Defaults to `None`: `"grid"` begins with all defaults, others sample.
        hyperparameters: `keras_tuner.HyperParameters` declared in advance. Defaults to `None`.
        allow_new_entries: As in KerasTuner. Defaults to `True`.
        tune_new_entries: As in KerasTuner. Defaults to `True`.
        max_retries_per_trial: How often a trial that raised is run again. Defaults to `0`.
        max_consecutive_failed_trials: After so many crashes in a row the search ends. Defaults
            to `3`.
        heartbeat: Seconds between two signs of life. Defaults to `15.0`.
        grace: Seconds without one after which a process on another machine counts as dead; on the
            same machine that is known at once. Defaults to `60.0`.
        wait: Seconds to wait for a database that does not answer. Defaults to `600.0`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value.
        StorageError: If the storage cannot be reached.
        ImportError: If what a sampler or a storage needs is not installed.

    Example:
    >>> import keras_tuner
    >>> class Parabola(keras_tuner.Tuner):
    ...     def run_trial(self, trial, **kwargs):
    ...         return (trial.hyperparameters.Float("x", -1.0, 1.0) - 0.5) ** 2
    >>> oracle = OptunaOracle(max_trials=20, storage="memory", seed=0)
    >>> tuner = Parabola(oracle, directory=getfixture("tmp_path"))
    >>> tuner.search(verbose=0)
    >>> oracle.get_best_trials()[0].score < 0.01
    True
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        sampler: Any = "tpe",
        storage: Any = None,
        study_name: str | None = None,
        seed: int | None = None,
        pruner: Any = None,
        constraints: Mapping[str, Any] | None = None,
        initial: Sequence[Mapping[str, Any]] | str | None = None,
        hyperparameters: Any = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        heartbeat: float = 15.0,
        grace: float = 60.0,
        wait: float = 600.0,
    ):
        goal = check_objective(objective)
        goals = names_of(goal)
        if max_trials is not None:
            max_trials = at_least("max_trials", max_trials, 1)
        at_least("max_retries_per_trial", max_retries_per_trial, 0)
        at_least("max_consecutive_failed_trials", max_consecutive_failed_trials, 1)
        check_sampler(sampler, len(goals))
        make_pruner(pruner, len(goals))
        self.heartbeat = positive("heartbeat", heartbeat)
        self.watch = liveness.Watch(positive("grace", grace))
        self._mine: dict[str, Running] = {}
        self._since: int | None = None
        HasStudy.__init__(
            self,
            goals,
            check_constraints(constraints),
            sampler,
            pruner,
            storage,
            study_name,
            seed,
            check_initial(initial),
            positive("wait", wait),
        )
        keras_tuner.Oracle.__init__(
            self,
            objective=goal,
            max_trials=max_trials,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )

    # -- what a tuner calls ------------------------------------------------------------------

    def create_trial(self, tuner_id: str) -> Any:
        """Give the next trial to run; waits a little where there is none yet.

        Raises:
            RuntimeError: If too many trials have failed in a row.
            ValueError: If the study was begun with another search space.
        """
        with self._lock:
            if tuner_id in self.ongoing_trials:
                return self.ongoing_trials[tuner_id]
            self.tuner_ids.add(tuner_id)
            return self.patiently(lambda: self._create(tuner_id))

    def _create(self, tuner_id: str) -> Any:
        study = self.study
        self._agree()
        while True:
            retry.give_up_the_dead(study, self._mine, self.watch)
            trials = trials_of(study)
            if self._since is None:  # what failed before this search was begun may be mended
                self._since = max((one.number for one in trials), default=-1) + 1
            tell.check_failures(self._recent(trials), self.max_consecutive_failed_trials)
            row = tell.passed_over(study, self._since, self.max_model_size)
            too_many = len(row) >= tell.MOST_PASSED
            if len(trials) >= self.limit() or self._exhausted() or too_many:
                others = any(one.state == TrialState.RUNNING for one in trials)
                if not others and not any(one.state == TrialState.COMPLETE for one in trials):
                    tell.check_failures(trials, max(1, len(trials)))
                    if row:
                        raise RuntimeError(tell.told_of(row))
                elif too_many and not others:
                    warn(tell.told_of(row))
                return self._none(tuner_id, wait=others)
            # Of a trial that is not among those of this process nobody would know.
            with uninterrupted():
                running = self._ask(study, tuner_id)
            if running is not None:
                return running

    def _ask(self, study: optuna.Study, tuner_id: str) -> Any:
        """Begin a trial; gives `None` if it was one too many."""
        trial = study.ask()
        token = ""
        try:
            token = claim(trial, self)
            values = suggest(trial, self.space())
            trial.set_user_attr(VALUES, values)
            why = surplus(study, trial.number, self.limit(), self.space(), values)
        except BaseException:
            let_go(token)
            with contextlib.suppress(Exception):
                frozen = study.get_trials(deepcopy=False)[trial.number]
                retry.lose(study, frozen, "it was broken off", free=True)
            raise
        if why is not None:
            trial.set_user_attr(OUT, why)
            study.tell(trial, state=TrialState.FAIL)
            return None
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = values
        name = name_of(trial.number)
        running = _Trial(hyperparameters=hyperparameters, trial_id=name, status="RUNNING")
        heart = None
        if not isinstance(self._storage, optuna.storages.InMemoryStorage):
            heart = beating(self, name, self.heartbeat)
        self._mine[name] = Running(trial, running, token, heart)
        self.ongoing_trials[tuner_id] = running
        return running

    def _recent(self, trials: list[Any]) -> list[Any]:
        return [one for one in trials if one.number >= (self._since or 0)]

    def _none(self, tuner_id: str, wait: bool) -> Any:
        if wait:
            time.sleep(0.25)
        else:
            self.tuner_ids.discard(tuner_id)
        return _Trial(
            hyperparameters=self.hyperparameters.copy(),
            trial_id=None,
            status="IDLE" if wait else "STOPPED",
        )

    def _exhausted(self) -> bool:
        whole = self._sampler == "grid"
        return exhausted(self.study, self.space(), whole, self._tried)

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Any:
        """Note what a trial has measured.

        Raises:
            ValueError: If an objective is not among the metrics, with those that are.
        """
        running = self._mine[trial_id]
        tell.check_reported([name for name, _ in self.goals], self.limits, metrics)
        directions = dict(self.goals)
        running.measure(metrics, step, directions)
        for name, value in metrics.items():
            if not running.shown.metrics.exists(name):
                running.shown.metrics.register(name, direction=directions.get(name))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of NaN
                running.shown.metrics.update(name, value, step=step)
        return running.shown

    def report(self, trial_id: str, value: float, step: int) -> bool:
        """Tell what the objective is while a trial trains.

        Args:
            trial_id: The trial.
            value: The objective, finite or not.
            step: Epochs so far.

        Returns:
            Whether the trial is so bad that it should be stopped.
        """
        trial = self._mine[trial_id].asked
        self.patiently(lambda: trial.report(value, step))
        return bool(self.patiently(trial.should_prune))

    def keep(self, trial_id: str, name: str, value: Any) -> None:
        """Keep an attribute, JSON data, of a running trial."""
        self.patiently(lambda: self._mine[trial_id].asked.set_user_attr(name, value))

    def end_trial(self, trial: Any, status: Any = None) -> None:
        """End a trial.

        Args:
            trial: The trial, its `status` `"COMPLETED"`, `"INVALID"` (it is run again if
                `max_retries_per_trial` allows it), `"FAILED"`, `"PRUNED"`, or `"LOST"` (it was
                broken off, and is run again without counting), or `"PASSED"` (its model is too
                large: another one takes its place); its `message` a traceback.
            status: For tuners that give the trial's name and a status.

        Raises:
            RuntimeError: If too many have failed in a row; the first one's error is shown.
        """
        if isinstance(trial, str):
            trial = self._mine[trial].shown
            trial.status = status or "COMPLETED"
        if not isinstance(trial, _Trial):
            raise bad_type("trial", "a trial that `create_trial` gave", trial)
        with self._lock:
            running = self._mine[trial.trial_id]
            shown = running.shown
            shown.status, shown.message = trial.status, trial.message
            if trial is not shown:
                shown.hyperparameters = trial.hyperparameters
            if running.heart is not None:
                running.heart.stop()
            self.update_space(shown.hyperparameters)
            if shown.status in ("COMPLETED", "PRUNED"):
                values = dict(shown.hyperparameters.values)
                self.patiently(lambda: note_new(running.asked, self.space(), values))
            self.patiently(
                lambda: tell.end(
                    self.study, running, self.goals, self.limits, self.max_retries_per_trial
                )
            )
            trial.status, trial.score = shown.status, shown.score
            let_go(running.token)
            self._mine.pop(trial.trial_id)
            for tuner_id, one in list(self.ongoing_trials.items()):
                if one.trial_id == trial.trial_id:
                    self.ongoing_trials.pop(tuner_id)
            if shown.status == "FAILED":
                trials = self._recent(self.patiently(lambda: trials_of(self.study)))
                tell.check_failures(trials, self.max_consecutive_failed_trials)

    def update_space(self, hyperparameters: Any) -> None:
        """Add hyperparameters that were not known, for all processes of the search."""
        before = len(self.hyperparameters.space)
        super().update_space(hyperparameters)
        if len(self.hyperparameters.space) != before:
            self._space = None
            if self._checked:
                plain = plain_space(self.hyperparameters.space)
                self.patiently(lambda: self.study.set_user_attr(SPACE, plain))

    # -- KerasTuner's files: the study holds everything ------------------------------------------

    def _set_project_dir(self, directory: str, project_name: str) -> None:
        super()._set_project_dir(directory, project_name)
        self._project = (str(directory), str(project_name))

    def get_state(self) -> dict[str, Any]:
        """Give what is not in the study: nothing but its name."""
        return {"study_name": self.study.study_name}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take what `get_state` gave."""
        self.study_name = state["study_name"]

    def save(self) -> None:
        """Do nothing: every change is in the storage already."""

    def reload(self) -> None:
        """Take the search space from the study; there is no other to compare it with."""
        self._checked = True
        kept = self.study.user_attrs
        self.hyperparameters.merge(read_space(kept.get(SPACE, kept.get(BEGUN_WITH, []))))

    def leave(self) -> None:
        """Let the trials of this process that still run be run again, as after Ctrl-C."""
        with self._lock:
            for running in list(self._mine.values()):
                running.shown.status = "LOST"
                self.end_trial(running.shown)
