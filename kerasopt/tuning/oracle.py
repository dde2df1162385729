"""An oracle of KerasTuner that asks Optuna."""

import contextlib
import gc
import threading
import time
import uuid
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import keras_tuner
import optuna
from optuna.trial import TrialState

from kerasopt._checks import at_least, bad_type, bad_value, positive
from kerasopt.tuning import ending, liveness
from kerasopt.tuning.asking import note_new, suggest, surplus
from kerasopt.tuning.configurations import Space, config_of
from kerasopt.tuning.distinct import MOST, Distinct
from kerasopt.tuning.objectives import check_constraints, check_objective, names_of
from kerasopt.tuning.records import (
    BEAT,
    OUT,
    OWNER,
    VALUES,
    Record,
    front_of,
    name_of,
    ranked,
    record_of,
)
from kerasopt.tuning.samplers import check_sampler, make_pruner, make_sampler
from kerasopt.tuning.storages import open_storage, patiently, safe_name
from kerasopt.tuning.study import (
    BEGUN_WITH,
    SPACE,
    check_space,
    delete_study,
    open_study,
    plain_space,
    read_space,
    trials_of,
    tried,
)

Answer = TypeVar("Answer")
_Trial = keras_tuner.engine.trial.Trial

# Who of this process runs which trial: one that nobody runs any more has been left.
_HERE: "weakref.WeakValueDictionary[str, Any]" = weakref.WeakValueDictionary()


class OptunaOracle(keras_tuner.Oracle):
    """An oracle that works in any tuner of KerasTuner and samples with Optuna.

    The study is the only state: a search that is killed and started again goes on, and so do
    several processes that share its storage, without a chief. A trial whose process has ended is
    run again by another one; in a finite space no configuration is run twice.

    Args:
        objective: Name of a metric, a `keras_tuner.Objective`, a (name, direction) pair, or a list
            of these, of which the Pareto front is sought. Defaults to `None`: what is returned as a
            single float is to be small.
        max_trials: Integer >= 1, trials of all processes together. Defaults to `10`.
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
        max_trials: int = 10,
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
        self.goals = names_of(goal)
        at_least("max_trials", max_trials, 1)
        at_least("max_retries_per_trial", max_retries_per_trial, 0)
        at_least("max_consecutive_failed_trials", max_consecutive_failed_trials, 1)
        check_sampler(sampler, len(self.goals))
        make_pruner(pruner, len(self.goals))
        self.limits = check_constraints(constraints)
        self.heartbeat = positive("heartbeat", heartbeat)
        self.wait = positive("wait", wait)
        self.study_name = study_name
        self.initial = check_initial(initial)
        self._sampler, self._pruner = sampler, pruner
        self._given = storage
        self._watch = liveness.Watch(positive("grace", grace))
        self._lock = threading.RLock()
        self._study: Any = None
        self._space: Space | None = None
        self._checked = False
        self._mine: dict[str, ending.Running] = {}
        self._seed = seed
        self.worker = 0  # among those of one machine
        self.note: Callable[[str], None] = print
        super().__init__(
            objective=goal,
            max_trials=int(max_trials),
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        # What cannot be reached is said here; a file in the project's folder has to wait for it.
        self._storage = None if storage is None else open_storage(storage, ".")
        self._project: tuple[str, str] | None = None

    # -- the study ---------------------------------------------------------------------------

    @property
    def storage(self) -> Any:
        """The storage of Optuna that holds the study."""
        return self.study._storage

    def prepare(self) -> None:
        """Make the study with its search space, before other processes look for it."""
        with self._lock:
            self.patiently(self._agree)

    @property
    def study(self) -> optuna.Study:
        """The study of Optuna, opened or made when it is first needed."""
        with self._lock:
            if self._study is None:
                folder, name = self._project or (".", "untitled_project")
                storage = self._storage or open_storage(None, Path(folder) / name)
                self._storage = storage
                study = self.patiently(
                    lambda: open_study(storage, self.study_name or name, self.goals, self.limits)
                )
                # Another process, and this one after a restart, must not draw the same numbers.
                done = len(study.get_trials(deepcopy=False))
                seed = None
                if self._seed is not None:
                    seed = (self._seed + 7919 * done + 104_729 * self.worker) % 2**32
                study.sampler = Distinct(
                    make_sampler(self._sampler, seed), self.space, lambda: self._tried(), seed
                )
                study.pruner = make_pruner(self._pruner) or optuna.pruners.NopPruner()
                self._study = study
            found: optuna.Study = self._study
            return found

    @property
    def prunes(self) -> bool:
        """Whether bad trials are stopped while they train."""
        return self._pruner is not None

    def where(self) -> str:
        """Say where the study is kept, without a password."""
        folder, name = self._project or (".", "")
        shown = safe_name(self._given)
        return str(Path(folder) / name / shown) if self._given is None else shown

    def delete(self) -> None:
        """Delete the study, so that the next trial is the first of a new one."""
        folder, name = self._project or (".", "untitled_project")
        if self._storage is None:
            self._storage = open_storage(None, Path(folder) / name)
        delete_study(self._storage, self.study_name or name)
        self._study, self._checked = None, False
        if self._given is None:
            self._storage = None  # its file may be deleted, too

    def patiently(self, action: Callable[[], Answer]) -> Answer:
        """Do something with the storage, and wait for it if it does not answer."""
        return patiently(action, self.wait, self.note)

    def space(self) -> Space:
        """Give the search space as it is known now."""
        if self._space is None or len(self._space.hps) != len(self.hyperparameters.space):
            self._space = Space(self.hyperparameters.space, grid=self._sampler == "grid")
        return self._space

    def _tried(self) -> set[Any]:
        return tried(self.study, self.space())

    def _agree(self) -> None:
        """Bring this process's space and the study's together."""
        kept = self.study.user_attrs
        if BEGUN_WITH not in kept:
            plain = plain_space(self.hyperparameters.space)
            self.study.set_user_attr(BEGUN_WITH, plain)
            for values in self.initial:
                params = self.space().params(values or self.space().values({}))
                self.study.enqueue_trial(params, skip_if_exists=True)
        elif not self._checked and self.hyperparameters.space:
            check_space(self.study.study_name, kept[BEGUN_WITH], self.hyperparameters.space)
        self._checked = True
        before = len(self.hyperparameters.space)
        new = [
            hp
            for hp in read_space(kept.get(SPACE, kept.get(BEGUN_WITH, [])))
            if not self.hyperparameters._exists(hp.name, hp.conditions)
        ]
        self.hyperparameters.merge(new)
        if len(self.hyperparameters.space) != before:
            self._space = None

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
            self._give_up_the_dead()
            trials = trials_of(study)
            ending.check_failures(trials, self.max_consecutive_failed_trials)
            if len(trials) >= self.max_trials or self._exhausted():
                others = any(one.state == TrialState.RUNNING for one in trials)
                if not others and not any(one.state == TrialState.COMPLETE for one in trials):
                    ending.check_failures(trials, max(1, len(trials)))
                return self._none(tuner_id, wait=others)
            trial = study.ask()
            token = uuid.uuid4().hex
            _HERE[token] = self
            try:
                trial.set_user_attr(OWNER, {**liveness.owner(), "run": token})
                values = suggest(trial, self.space())
                trial.set_user_attr(VALUES, values)
                why = surplus(study, trial.number, self.max_trials, self.space(), values)
            except BaseException:  # also Ctrl-C: nobody would know of this trial
                with contextlib.suppress(Exception):
                    frozen = study.get_trials(deepcopy=False)[trial.number]
                    ending.lose(study, frozen, "it was broken off", free=True)
                raise
            if why is None:
                break
            trial.set_user_attr(OUT, why)
            study.tell(trial, state=TrialState.FAIL)
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = values
        name = name_of(trial.number)
        running = _Trial(hyperparameters=hyperparameters, trial_id=name, status="RUNNING")
        heart = None
        if not isinstance(self._storage, optuna.storages.InMemoryStorage):
            heart = self._beating(name)
        self._mine[name] = ending.Running(trial, running, token, heart)
        self.ongoing_trials[tuner_id] = running
        return running

    def _beating(self, name: str) -> liveness.Heartbeat:
        me = weakref.ref(self)  # an oracle that nobody uses any more does not live by its heart

        def beat(number: int) -> bool:
            oracle = me()
            if oracle is None or name not in oracle._mine:
                return False
            oracle._mine[name].asked.set_user_attr(BEAT, [number, time.time()])
            return True

        return liveness.Heartbeat(beat, self.heartbeat)

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
        states = {one.state for one in self.study.get_trials(deepcopy=False)}
        if not self.hyperparameters.space:  # trials may declare it, if only one got so far
            return TrialState.COMPLETE in states
        size = None if TrialState.WAITING in states else self.space().size(MOST)
        if size is None:
            return False
        known = self._tried()
        return all(config_of(one) in known for one in self.space().configurations())

    def _give_up_the_dead(self) -> None:
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        for trial in running:
            owner = trial.user_attrs.get(OWNER)
            if OUT in trial.user_attrs or name_of(trial.number) in self._mine:
                continue
            if owner is not None and (liveness.has_ended(owner) or _left(owner)):
                why = "its process ended"
            elif self._watch.silent(trial.number, trial.user_attrs.get(BEAT)):
                why = f"no sign of life for {self._watch.grace:.0f} seconds"
            else:
                continue
            ending.lose(self.study, trial, why)

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Any:
        """Note what a trial has measured.

        Raises:
            ValueError: If an objective is not among the metrics, with those that are.
        """
        running = self._mine[trial_id]
        ending.check_reported([name for name, _ in self.goals], self.limits, metrics)
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
                broken off, and is run again without counting); its `message` a traceback.
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
                lambda: ending.end(
                    self.study, running, self.goals, self.limits, self.max_retries_per_trial
                )
            )
            trial.status, trial.score = shown.status, shown.score
            _HERE.pop(running.token, None)
            self._mine.pop(trial.trial_id)
            for tuner_id, one in list(self.ongoing_trials.items()):
                if one.trial_id == trial.trial_id:
                    self.ongoing_trials.pop(tuner_id)
            if shown.status == "FAILED":
                trials = self.patiently(lambda: trials_of(self.study))
                ending.check_failures(trials, self.max_consecutive_failed_trials)

    def update_space(self, hyperparameters: Any) -> None:
        """Add hyperparameters that were not known, for all processes of the search."""
        before = len(self.hyperparameters.space)
        super().update_space(hyperparameters)
        if len(self.hyperparameters.space) != before:
            self._space = None
            if self._checked:
                plain = plain_space(self.hyperparameters.space)
                self.patiently(lambda: self.study.set_user_attr(SPACE, plain))

    # -- what is known -----------------------------------------------------------------------

    def records(self) -> list[Record]:
        """Give all trials of the search in their order, also those that run."""
        return self.patiently(lambda: [record_of(one) for one in trials_of(self.study)])

    def best_records(self) -> list[Record]:
        """Give the completed trials, the best first; those that break constraints come last."""
        return ranked(self.records(), [direction for _, direction in self.goals])

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

    def remaining_trials(self) -> int:
        """Give how many trials of the search have not begun."""
        return max(0, int(self.max_trials) - len(self.records()))

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
        """Take the search space from the study."""
        kept = self.study.user_attrs
        self.hyperparameters.merge(read_space(kept.get(SPACE, kept.get(BEGUN_WITH, []))))

    def leave(self) -> None:
        """Let the trials of this process that still run be run again, as after Ctrl-C."""
        with self._lock:
            for running in list(self._mine.values()):
                running.shown.status = "LOST"
                self.end_trial(running.shown)


def _left(owner: Mapping[str, Any]) -> bool:
    """Tell whether a trial is one of this process that nothing here runs any more."""
    me = liveness.owner()
    if any(owner.get(key) != me[key] for key in ("machine", "pid", "begun")):
        return False
    if owner["run"] in _HERE:
        gc.collect()  # an oracle of an earlier search may only wait for this
    return owner["run"] not in _HERE


def check_initial(initial: Any) -> list[dict[str, Any]]:
    """Check an `initial` argument; an empty dict stands for all defaults.

    Raises:
        TypeError: If it is neither a list of dicts nor a word.
        ValueError: If it is another word than `"default"`.
    """
    if initial is None:
        return []
    expected = '"default" or a list of dicts of hyperparameter -> value'
    if isinstance(initial, str):
        if initial != "default":
            raise bad_value("initial", expected, initial)
        return [{}]
    if not isinstance(initial, Sequence) or not all(
        isinstance(one, Mapping) and one for one in initial
    ):
        raise bad_type("initial", expected, initial)
    return [dict(one) for one in initial]
