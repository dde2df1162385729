"""The samplers and pruners of Optuna by name."""

import warnings
from typing import Any

import optuna
from optuna import pruners, samplers

from kerasopt._core.checks import bad_type, bad_value, one_of
from kerasopt.tuning.extra import missing

SAMPLERS = ("tpe", "random", "grid", "gp", "bayesian", "nsga2", "cmaes", "qmc")
PRUNERS = ("median", "successive_halving", "asha", "hyperband")
_ONE_OBJECTIVE = ("cmaes",)


def check_sampler(sampler: Any, objectives: int = 1) -> None:
    """Check a `sampler` argument before anything is opened.

    Raises:
        TypeError: If it is neither a name nor a sampler of Optuna.
        ValueError: If the name is unknown, or the sampler does not take several objectives.
        ImportError: If what it needs is not installed.
    """
    if isinstance(sampler, samplers.BaseSampler):
        return
    if not isinstance(sampler, str):
        raise bad_type("sampler", f"one of {list(SAMPLERS)} or a sampler of Optuna", sampler)
    one_of("sampler", sampler, SAMPLERS)
    if objectives > 1 and sampler in _ONE_OBJECTIVE:
        raise bad_value(
            "sampler", "one that takes several objectives", sampler, 'Take "nsga2" or "tpe".'
        )
    needed = {"gp": "torch", "bayesian": "torch", "cmaes": "cmaes"}.get(sampler)
    if needed is not None:
        try:
            __import__(needed)
        except ImportError as error:
            raise missing(error) from error


def make_sampler(
    sampler: Any, seed: int | None, objectives: int = 1
) -> samplers.BaseSampler | None:
    """Make the sampler that an argument names; `None` for the grid, which needs none.

    Args:
        sampler: As `check_sampler` takes it.
        seed: Of its random numbers, or `None`.
        objectives: How many there are.
    """
    if isinstance(sampler, samplers.BaseSampler):
        return sampler
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if sampler == "tpe":
            many = True if objectives > 1 else None
            return samplers.TPESampler(seed=seed, group=True, multivariate=many)
        if sampler in ("gp", "bayesian"):
            return samplers.GPSampler(seed=seed, warn_independent_sampling=False)
        if sampler == "nsga2":
            return samplers.NSGAIISampler(seed=seed)
        if sampler == "cmaes":
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        if sampler == "qmc":
            # Without a seed, processes would scramble their sequences differently.
            return samplers.QMCSampler(
                seed=seed, scramble=seed is not None, warn_independent_sampling=False,
                warn_asynchronous_seeding=False,
            )  # fmt: skip
        return samplers.RandomSampler(seed=seed) if sampler == "random" else None


def make_pruner(pruner: Any, objectives: int = 1) -> pruners.BasePruner | None:
    """Make what an argument names: what stops bad trials while they train.

    Args:
        pruner: `None`; `"median"`: worse than the median of the others at this epoch, from the
            sixth trial on; `"successive_halving"` or `"asha"` (Li et al., 2020): only the best
            third goes on at epochs 1, 3, 9, ...; `"hyperband"` (Li et al., 2018): several of these
            that begin later; or a pruner of Optuna.
        objectives: How many there are.

    Raises:
        TypeError: If it is none of these.
        ValueError: If the name is unknown, or there are several objectives.
    """
    if pruner is None:
        return None
    if objectives > 1:
        raise bad_value(
            "pruner", "`None` with several objectives", pruner, "Trials are compared by one value."
        )
    if isinstance(pruner, pruners.BasePruner):
        return pruner
    if not isinstance(pruner, str):
        raise bad_type("pruner", f"one of {list(PRUNERS)} or a pruner of Optuna", pruner)
    one_of("pruner", pruner, PRUNERS)
    if pruner == "median":
        return pruners.MedianPruner()
    if pruner == "hyperband":
        return pruners.HyperbandPruner(min_resource=1, reduction_factor=3)
    return pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
