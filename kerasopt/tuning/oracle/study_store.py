"""The part of an oracle that has a study: where it is kept, what space it has, who may look."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import optuna

from kerasopt.tuning import _keras_tuner, _optuna
from kerasopt.tuning.oracle.heartbeat import Watch
from kerasopt.tuning.oracle.objectives import Limits
from kerasopt.tuning.sampling.distinct import Distinct
from kerasopt.tuning.sampling.samplers import make_pruner, make_sampler
from kerasopt.tuning.search_space.configurations import Space
from kerasopt.tuning.storage.storages import open_storage, patiently, safe_name
from kerasopt.tuning.storage.study import (
    BEGUN_WITH,
    SPACE,
    check_space,
    covered,
    delete_study,
    open_study,
    plain_space,
    read_space,
    tried,
)

Answer = TypeVar("Answer")


class HasStudy:
    """Mixin of `OptunaOracle`: opens the study when it is needed, and keeps its space.

    Attributes:
        goals: Name and direction of each objective.
        limits: By metric, the least and the largest value.
        study_name: The study's name, or `None` for the project's.
        worker: This process's place among those of one machine.
        note: Told what a user should know.
        max_model_size: Parameters of a model from which on it is passed over, or `None`.
    """

    hyperparameters: Any
    watch: Watch

    def __init__(
        self,
        goals: list[tuple[str, str]],
        limits: Limits,
        sampler: Any,
        pruner: Any,
        storage: Any,
        study_name: str | None,
        seed: int | None,
        initial: list[dict[str, Any]],
        wait: float,
    ):
        self.goals, self.limits = goals, limits
        self.study_name = study_name
        self.wait = wait
        self.initial = initial
        self.worker = 0
        self.max_model_size: int | None = None
        self.note: Callable[[str], None] = print
        self._sampler, self._pruner, self._seed = sampler, pruner, seed
        self._given = storage
        self._lock = threading.RLock()
        self._study: Any = None
        self._space: Space | None = None
        self._checked = False
        self._project: tuple[str, str] | None = None
        # What cannot be reached is said here; a file in the project's folder has to wait for it.
        self._storage = None if storage is None else open_storage(storage, ".")

    @property
    def storage(self) -> Any:
        """The storage of Optuna that holds the study."""
        return _optuna.storage_of(self.study)

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
                    make_sampler(self._sampler, seed, len(self.goals)),
                    self.space,
                    lambda: self._tried(),
                    seed,
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

        def waited(what: str) -> None:
            self.watch.forget()  # nobody could give a sign of life
            self.note(what)

        return patiently(action, self.wait, waited)

    def space(self) -> Space:
        """Give the search space as it is known now."""
        if self._space is None or len(self._space.hps) != len(self.hyperparameters.space):
            self._space = Space(self.hyperparameters.space, grid=self._sampler == "grid")
        return self._space

    def _tried(self) -> Any:
        taken = covered if self._sampler == "grid" else tried
        return taken(self.study, self.space(), self.max_model_size)

    def _agree(self) -> None:
        """Bring this process's space and the study's together."""
        kept = self.study.user_attrs
        if BEGUN_WITH not in kept:
            # Last what says that it is done: a process may end, or another begin, in between.
            for values in self.initial:
                params = self.space().params(values or self.space().values({}))
                self.study.enqueue_trial(params, skip_if_exists=True)
            self.study.set_user_attr(BEGUN_WITH, plain_space(self.hyperparameters.space))
        elif not self._checked and self.hyperparameters.space:
            check_space(self.study.study_name, kept[BEGUN_WITH], self.hyperparameters.space)
        self._checked = True
        before = len(self.hyperparameters.space)
        new = [
            hp
            for hp in read_space(kept.get(SPACE, kept.get(BEGUN_WITH, [])))
            if not _keras_tuner.knows(self.hyperparameters, hp)
        ]
        self.hyperparameters.merge(new)
        if len(self.hyperparameters.space) != before:
            self._space = None
