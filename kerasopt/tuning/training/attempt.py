"""How a trial went: what it returned or raised, as its status."""

import sys
import traceback
from typing import Any

import keras_tuner

from kerasopt._core.checks import warn
from kerasopt.tuning.oracle.objectives import names_of
from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.oracle.tell import not_finite, plain
from kerasopt.tuning.storage.records import EXECUTIONS, SIZE
from kerasopt.tuning.training.reported_metrics import averaged
from kerasopt.tuning.training.trial_callbacks import TooLarge, TrialPruned
from kerasopt.tuning.training.trial_runner import TrialRunner

_OVERSIZED = (
    "Under an oracle of KerasTuner it is a failed trial, as in KerasTuner. Raise the oracle's "
    "`max_consecutive_failed_trials`, or leave `oracle` out: then another configuration takes its "
    "place."
)


def attempt(
    tuner: Any, runner: TrialRunner, study: OptunaOracle | None, trial: Any, args: Any, kwargs: Any
) -> None:
    """Run a trial, and write down how it went as its status and message.

    Args:
        tuner: Whose `run_trial` is called.
        runner: What trains for it.
        study: Its oracle if it has a study.
        trial: The trial.
        args: As `search` got them.
        kwargs: Likewise.

    Raises:
        FatalError: What ends the search; the trial has failed then.
    """
    try:
        results = tuner.run_trial(trial, *args, **kwargs)
        goals = names_of(tuner.oracle.objective)
        if results is None and _has_reported(tuner, trial, goals):
            trial.status = "COMPLETED"
            return
        many = results if isinstance(results, list) and results else [results]
        executions = [runner.metrics_of(one) for one in many]
        metrics = averaged(executions)
        runner.keep(trial, EXECUTIONS, [plain(one) for one in executions])
        tuner.oracle.update_trial(trial.trial_id, metrics, step=trial.best_step or 0)
        wrong = not_finite(metrics, [name for name, _ in goals])
        if wrong and study is None:
            trial.status, trial.message = "FAILED", wrong
            return
        trial.status = "COMPLETED"
    except TrialPruned as pruned:
        trial.status, trial.message = "PRUNED", str(pruned)
        if study is None:
            trial.status = "FAILED"
    except keras_tuner.errors.FatalError as fatal:
        _fail(tuner, trial, fatal)
        raise
    except TooLarge as large:
        runner.keep(trial, SIZE, large.size)
        if study is not None:
            trial.status, trial.message = "PASSED", str(large)
        else:
            trial.status, trial.message = "FAILED", f"{large} {_OVERSIZED}"
    except keras_tuner.errors.FailedTrialError:
        trial.status, trial.message = "FAILED", traceback.format_exc()
    except (Exception, SystemExit):  # whatever a user's model raises is the trial's own
        trial.status, trial.message = "INVALID", traceback.format_exc()


def _has_reported(tuner: Any, trial: Any, goals: Any) -> bool:
    """Tell whether `run_trial` gave its metrics to the oracle itself, as it once had to."""
    seen = tuner.oracle.get_trial(trial.trial_id).metrics
    if not all(seen.exists(name) for name, _ in goals):
        return False
    warn(
        "A `run_trial` that calls `tuner.oracle.update_trial` is deprecated in KerasTuner. "
        "Return the metrics instead.",
        DeprecationWarning,
    )
    return True


def _fail(tuner: Any, trial: Any, error: BaseException) -> None:
    trial.status, trial.message = "FAILED", f"{type(error).__name__}: {error}"
    most = tuner.oracle.max_consecutive_failed_trials
    tuner.oracle.max_consecutive_failed_trials = sys.maxsize  # this error is the one to show
    try:
        tuner.oracle.end_trial(trial)
    finally:
        tuner.oracle.max_consecutive_failed_trials = most
