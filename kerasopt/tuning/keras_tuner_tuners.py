"""KerasTuner's own tuners by their names and arguments, on this library's `Tuner`."""

import math
from typing import Any

from optuna import pruners

from kerasopt._core.checks import at_least, bad_value, warn
from kerasopt.tuning.tuner import Tuner


class RandomSearch(Tuner):
    """`keras_tuner.RandomSearch`, on a study of Optuna.

    Args:
        hypermodel: As in `Tuner`.
        objective: As in `Tuner`. Defaults to `None`.
        max_trials: Integer >= 1. Defaults to `10`.
        seed: Integer. Defaults to `None`.
        **kwargs: Of `Tuner`.

    Example:
    >>> import keras
    >>> def build(hp):
    ...     model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("n", 1, 9))])
    ...     model.compile("adam", "mse")
    ...     return model
    >>> tuner = RandomSearch(build, "val_loss", directory=getfixture("tmp_path"))
    >>> tuner.oracle.max_trials
    10
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(hypermodel, objective, max_trials, "random", seed=seed, **kwargs)


class GridSearch(Tuner):
    """`keras_tuner.GridSearch`, on a study of Optuna: it can be gone on with after a crash.

    Numbers without steps have ten values and their default, as in KerasTuner. Combinations come in
    order, all defaults first. A hyperparameter that appears only while a trial runs is gone through
    where it was asked for.

    Args:
        hypermodel: As in `Tuner`.
        objective: As in `Tuner`. Defaults to `None`.
        max_trials: Integer >= 1. Defaults to `None`: all combinations.
        seed: Integer. Defaults to `None`.
        **kwargs: Of `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(hypermodel, objective, max_trials, "grid", seed=seed, **kwargs)


class BayesianOptimization(Tuner):
    """`keras_tuner.BayesianOptimization`, with Optuna's samplers.

    Gaussian processes where torch is installed (the extra `gp`), else trees of Parzen estimators
    (TPE), which take milliseconds and serve conditional spaces better.

    Args:
        hypermodel: As in `Tuner`.
        objective: As in `Tuner`. Defaults to `None`.
        max_trials: Integer >= 1. Defaults to `10`.
        num_initial_points: How many trials are random. Defaults to `None`: 10.
        alpha: Of KerasTuner's own process; these samplers find it themselves. Defaults to `None`.
        beta: Likewise. Defaults to `None`.
        seed: Integer. Defaults to `None`.
        **kwargs: Of `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        num_initial_points: int | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        from optuna import samplers

        if alpha is not None or beta is not None:
            warn(
                "`alpha` and `beta` are of KerasTuner's own Gaussian process; Optuna's samplers "
                "find these settings themselves."
            )
        first = 10 if num_initial_points is None else num_initial_points
        at_least("num_initial_points", first, 1)
        sampler: Any
        try:
            import torch  # noqa: F401

            sampler = samplers.GPSampler(
                seed=seed, n_startup_trials=first, warn_independent_sampling=False
            )
        except ImportError:
            sampler = samplers.TPESampler(seed=seed, n_startup_trials=first)
        super().__init__(hypermodel, objective, max_trials, sampler, seed=seed, **kwargs)


class Hyperband(Tuner):
    """`keras_tuner.Hyperband` (Li et al., 2018) without stops: trials that are bad end early.

    KerasTuner trains each bracket's trials to a rung and builds them again for the next one,
    without their optimizer's state. Here a trial trains on, and is stopped at a rung if it is not
    among the best `1 / factor` of those that have reached it.

    Args:
        hypermodel: As in `Tuner`.
        objective: As in `Tuner`; it must be in the history. Defaults to `None`.
        max_epochs: Epochs of a trial that is never stopped. Defaults to `100`.
        factor: Integer >= 2, by which trials become fewer from rung to rung. Defaults to `3`.
        hyperband_iterations: How often the whole algorithm runs. Defaults to `1`.
        seed: Integer. Defaults to `None`.
        **kwargs: Of `Tuner`; `max_trials` is computed, unless it is given.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: float = 1,
        seed: int | None = None,
        **kwargs: Any,
    ):
        at_least("max_epochs", max_epochs, 1)
        at_least("factor", factor, 2)
        if hyperband_iterations <= 0:
            raise bad_value("hyperband_iterations", "a number > 0", hyperband_iterations)
        self.max_epochs = max_epochs
        trials = math.ceil(hyperband_iterations * trials_of_a_run(max_epochs, factor))
        super().__init__(
            hypermodel,
            objective,
            kwargs.pop("max_trials", trials),
            kwargs.pop("sampler", "random"),
            seed=seed,
            pruner=pruners.HyperbandPruner(
                min_resource=1, max_resource=max_epochs, reduction_factor=factor
            ),
            **kwargs,
        )

    def search(self, *fit_args: Any, **kwargs: Any) -> None:
        """Run trials as `Tuner.search` does; `epochs` is `max_epochs`."""
        super().search(*fit_args, **{"epochs": self.max_epochs, **kwargs})


def trials_of_a_run(max_epochs: int, factor: int) -> int:
    """Give how many trials one run of Hyperband begins.

    Bracket s of 0 to s_max = floor(log_factor(max_epochs)) begins ceil((s_max + 1) factor^s /
    (s + 1)) of them (Li et al., 2018).

    Example:
    >>> trials_of_a_run(81, 3)
    143
    """
    top = 0
    while factor ** (top + 1) <= max_epochs:
        top += 1
    return sum(math.ceil((top + 1) * factor**s / (s + 1)) for s in range(top + 1))
