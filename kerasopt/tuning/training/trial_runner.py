"""How one configuration is trained: models, callbacks, executions, folds, the files it leaves."""

import gc
import json
import math
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import keras_tuner

from kerasopt._core.checks import bad_type, warn
from kerasopt._core.files import write_text
from kerasopt.tuning.oracle.objectives import names_of
from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.oracle.tell import check_reported
from kerasopt.tuning.storage.records import FOLDER, UNKEPT
from kerasopt.tuning.training import checkpoints
from kerasopt.tuning.training.cross_validation import divided
from kerasopt.tuning.training.reported_metrics import metrics_of
from kerasopt.tuning.training.trial_callbacks import (
    TooLarge,
    TrialCallback,
    TunerHooks,
    fresh_callbacks,
    place_tensorboard,
)

_LARGE = 1_000_000  # parameters of a model of which two shall not be in memory for long
_SMALL_MODELS = 5


class TrialRunner:
    """Trains one configuration after the other for a tuner.

    Args:
        tuner: Whose settings, hypermodel and methods are used: `build`, `_build_and_fit_model` and
            the hooks of KerasTuner, which a subclass may override.
        study: The tuner's oracle if it has a study; `None` with an oracle of KerasTuner.
    """

    def __init__(self, tuner: Any, study: OptunaOracle | None):
        self._tuner = tuner
        self._study = study
        self._unseen = False
        self._uncollected = self._last_size = 0
        self._built: Any = None
        self._shapes: list[tuple[int, ...]] | None = None

    def run(self, trial: Any, args: Any, kwargs: Any) -> list[dict[str, float]]:
        """Train one configuration, as often as `executions_per_trial` and `folds` say.

        Args:
            trial: The trial, with its `hyperparameters`.
            args: As `search` got them.
            kwargs: As `search` got them; `callbacks` and `verbose` only if it got them.

        Returns:
            The metrics of each execution.
        """
        tuner = self._tuner
        callbacks = kwargs.pop("callbacks", None)
        if "verbose" in kwargs or not has_own_fit(tuner.hypermodel):
            kwargs["verbose"] = _of_an_epoch(kwargs.get("verbose"))
        goals = names_of(tuner.oracle.objective)
        executions: list[dict[str, float]] = []
        best, epochs = None, 0
        folder = checkpoints.folder_of(Path(tuner.project_dir), trial.trial_id)
        self.keep(trial, FOLDER, str(folder.resolve()))
        for number, (fit_args, fit_kwargs) in enumerate(self._parts(args, kwargs)):
            if tuner.seed is not None:
                keras.utils.set_random_seed(tuner.seed + 1000 * number + _number(trial.trial_id))
            made = fresh_callbacks(callbacks, trial.hyperparameters)
            place_tensorboard(made, f"{trial.trial_id}/execution{number}")
            part = folder / f"execution{number}"
            watcher = TrialCallback(goals[0], part, self._reporter(trial), epochs, self._check_size)
            made += [*TunerHooks.of(tuner, trial), watcher]
            try:
                result = tuner._build_and_fit_model(trial, *fit_args, callbacks=made, **fit_kwargs)
            finally:
                model, self._built = self._built or watcher.model, None
            epochs += watcher.epochs
            self._note_unseen(watcher, goals[0][0])
            # Without the callback no epoch's weights were kept: the last ones are what there is.
            first = watcher.first if watcher.epochs else sys.maxsize
            metrics = self.metrics_of(result, first)
            executions.append(metrics)
            self._last_size = model.count_params() if model is not None and model.built else 0
            value = metrics.get(goals[0][0])
            if best is None or (value is not None and _better(value, best, goals[0][1])):
                best = value
                if model is not None and isinstance(result, keras.callbacks.History):
                    watcher.give_back(model)
                    trial.best_step = watcher.best_epoch or 0
                if model is not None and self._may_be_kept(value):
                    self._write(model, folder, trial)
                checkpoints.adopt(part, folder)
            shutil.rmtree(part, ignore_errors=True)
            del model, watcher, result, made  # a history holds its model
        return executions

    def build_and_fit(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """Build the model of a trial and train it once."""
        self._built = model = self._tuner.build(trial.hyperparameters)
        self._shapes = [tuple(weight.shape) for weight in model.weights]
        return self._tuner.hypermodel.fit(trial.hyperparameters, model, *args, **kwargs)

    def metrics_of(self, result: Any, first: int = 0) -> dict[str, float]:
        """Give the metrics of a result; what is wrong with that of a first trial is of all of them.

        Raises:
            TypeError: If it is no result, or no single number without an objective.
            ValueError: If an objective, or what has a limit, is not in it.
            FatalTypeError: Instead of it, as long as no trial has been completed.
            FatalValueError: Likewise.
        """
        goals = names_of(self._tuner.oracle.objective)
        try:
            metrics = metrics_of(result, goals, first)
            if _has_no_objective(self._tuner.oracle) and goals[0][0] not in metrics:
                raise bad_type(
                    "objective",
                    "a single float from `HyperModel.fit` or `Tuner.run_trial`, or the name of "
                    "one of its metrics",
                    None,
                    f"They are {sorted(metrics)}.",
                )
            limits = {} if self._study is None else self._study.limits
            check_reported([name for name, _ in goals], limits, metrics)
        except (TypeError, ValueError) as error:
            if any(one.status == "COMPLETED" for one in self._tuner.oracle.trials.values()):
                raise
            fatal = keras_tuner.errors.FatalTypeError
            if isinstance(error, ValueError):
                fatal = keras_tuner.errors.FatalValueError
            raise fatal(str(error)) from None
        return metrics

    def build(self, hp: Any) -> Any:
        """Build the model of one configuration.

        Raises:
            FatalTypeError: If `build` returns no model.
            FailedTrialError: If it has more than `max_model_size` parameters.
        """
        policy = keras.config.dtype_policy()
        keras.utils.clear_session(free_memory=False)
        keras.config.set_dtype_policy(policy)  # of which the session is cleared, too
        self._collect()
        model = self._tuner._build_hypermodel(hp)
        if not isinstance(model, keras.Model):
            raise keras_tuner.errors.FatalTypeError(
                "Expected `build(hp)` of the hypermodel to return a `keras.Model`. Received: "
                f"{model!r} of type {type(model).__name__}."
            )
        if model.built:
            self._check_size(model)
        return model

    def _check_size(self, model: Any) -> None:
        size = sum(math.prod(weight.shape) for weight in model.weights)
        if self._tuner.max_model_size and size > self._tuner.max_model_size:
            raise TooLarge(size, self._tuner.max_model_size)

    def _collect(self) -> None:
        """Let go of earlier models: of a large one at once, of small ones now and then."""
        self._uncollected += 1
        if self._uncollected >= _SMALL_MODELS or self._last_size > _LARGE:
            gc.collect()
            self._uncollected = 0

    def _parts(self, args: Any, kwargs: Any) -> Iterator[tuple[Any, Any]]:
        for _ in range(self._tuner.executions_per_trial):
            if self._tuner.folds is None:
                yield args, dict(kwargs)
            else:
                yield from divided(self._tuner.folds, args, kwargs, self._tuner.seed)

    def _reporter(self, trial: Any) -> Any:
        if self._study is None or not self._study.prunes:
            return None
        oracle, name = self._study, trial.trial_id
        return lambda value, step: oracle.report(name, value, step)

    def _note_unseen(self, watcher: Any, name: str) -> None:
        if self._reporter_is_idle(watcher, name) and not self._unseen:
            self._unseen = True
            warn(
                f"No trial can be pruned: {name!r} is not among what an epoch reports, "
                f"{sorted(watcher.seen)}."
            )

    def _reporter_is_idle(self, watcher: Any, name: str) -> bool:
        prunes = self._study is not None and self._study.prunes
        return bool(prunes and watcher.epochs and name not in watcher.seen)

    def _may_be_kept(self, value: float | None) -> bool:
        """Tell whether a trial may be one of the best; where that is hard to tell it may."""
        tuner, oracle = self._tuner, self._study
        if not tuner.keep_best:
            return False
        if oracle is None or len(oracle.goals) > 1 or oracle.limits:
            return True
        if value is None or self._tuner.executions_per_trial > 1 or self._tuner.folds is not None:
            return True
        best = oracle.best_records()[: self._tuner.keep_best]
        if len(best) < self._tuner.keep_best:
            return True
        worst = (best[-1].objectives or (value,))[0]
        return not _better(worst, value, oracle.goals[0][1])

    def _write(self, model: Any, folder: Path, trial: Any) -> None:
        if not self._tuner.keep_best:
            return
        shapes = [tuple(one.shape) for one in model.weights]
        if not model.built and (not shapes or shapes != self._shapes):
            # A model without a `call` that makes its layers while it trains.
            why = f"the class {type(model).__name__} has no `call` that builds its layers"
            if not model.weights:
                why = "it was not trained: it has no weights"
            self.keep(trial, UNKEPT, f"not kept: {why}")
            return
        checkpoints.write_weights(model, folder)
        if not model.built:
            return
        config = model.get_build_config()
        if config is not None:
            write_text(folder / checkpoints.BUILD_CONFIG, json.dumps(config))

    def keep(self, trial: Any, name: str, value: Any) -> None:
        """Write down something of a trial, where there is a study."""
        if self._study is not None:
            self._study.keep(trial.trial_id, name, value)


def has_own_fit(hypermodel: Any) -> bool:
    """Tell whether a hypermodel, or the one it is put around, trains in its own way."""
    inner = getattr(hypermodel, "inner", hypermodel)
    return getattr(type(inner), "fit", keras_tuner.HyperModel.fit) is not keras_tuner.HyperModel.fit


def _of_an_epoch(verbose: Any) -> int:
    """Give the `verbose` of `fit` for that of a search."""
    return 2 if verbose not in (None, "auto") and int(verbose) > 1 else 0


def _has_no_objective(oracle: Any) -> bool:
    return names_of(oracle.objective) == names_of(None)


def _number(trial_id: str) -> int:
    return int(trial_id) if trial_id.isdigit() else 0


def _better(value: float, best: float, direction: str) -> bool:
    return value > best if direction == "max" else value < best
