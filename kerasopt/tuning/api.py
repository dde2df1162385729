"""A whole search in one call."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kerasopt._core.checks import at_least, bad_type, bad_value, fraction
from kerasopt._core.messages import tell
from kerasopt.tuning.reports.result import SearchResult
from kerasopt.tuning.training.trial_runner import has_own_fit
from kerasopt.tuning.tuner import Tuner


def search(
    hypermodel: Any,
    x: Any = None,
    y: Any = None,
    validation_data: Any = None,
    objective: Any = None,
    max_trials: int = 30,
    sampler: Any = "tpe",
    storage: Any = None,
    workers: int = 1,
    *,
    epochs: int | None = None,
    validation_split: float | None = None,
    callbacks: Any = None,
    pruner: Any = None,
    constraints: Mapping[str, Any] | None = None,
    initial: Sequence[Mapping[str, Any]] | str | None = "default",
    seed: int | None = None,
    directory: Any = None,
    project_name: str = "search",
    overwrite: bool = False,
    trials_per_process: int | None = None,
    verbose: int | str | None = None,
    fit: Mapping[str, Any] | None = None,
    **tuner_arguments: Any,
) -> SearchResult:
    """Search for the best hyperparameters of a model, or go on with a search that was broken off.

    Args:
        hypermodel: A `keras_tuner.HyperModel` or a function `build(hp)` that returns a compiled
            model. Defaults to what `suggest_hypermodel(x, y)` says if it is `None`.
        x: Training data, as `fit` takes them.
        y: Targets, as `fit` takes them. Defaults to `None`, for a `tf.data.Dataset` or `PyDataset`.
        validation_data: As `fit` takes them. Defaults to `None`: the last fifth of the arrays.
        objective: As in `Tuner`. Defaults to `None`: what the hypermodel names as its `objective`,
            else `"val_loss"`.
        max_trials: Integer >= 1. Defaults to `30`.
        sampler: As in `Tuner`. Defaults to `"tpe"`.
        storage: As in `Tuner`. Defaults to `None`: a journal file in the project's folder.
        workers: How many processes of this machine run trials; with more than one, `hypermodel` and
            `callbacks` must be importable, and a script needs its
            `if __name__ == "__main__":`. Defaults to `1`: this process.
        epochs: Of each trial. A `HyperModel` with its own `fit` gets this, `verbose` and
            `validation_split` unasked only if its `fit` takes them. Defaults to `None`: 10.
        validation_split: As `fit` takes it. Defaults to `None`: `0.2` without `validation_data`,
            for arrays.
        callbacks: A list, or a function that gives one. Defaults to `None`.
        pruner: As in `Tuner`. Defaults to `None`.
        constraints: As in `Tuner`. Defaults to `None`.
        initial: As in `Tuner`. Defaults to `"default"`: the first trial has all defaults.
        seed: As in `Tuner`. Defaults to `None`.
        directory: As in `Tuner`. Defaults to `None`.
        project_name: As in `Tuner`. Defaults to `"search"`.
        overwrite: As in `Tuner`. Defaults to `False`.
        trials_per_process: As in `Tuner.search`. Defaults to `None`.
        verbose: As in `Tuner.search`. Defaults to `None`: `1`.
        fit: Further arguments of `fit`, such as `{"batch_size": 64}`. Defaults to `None`.
        **tuner_arguments: Of `Tuner`, such as `executions_per_trial`, `folds`, `keep_best`,
            `log_dir`.

    Returns:
        A `SearchResult`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value.
        StorageError: If the storage cannot be reached.
        RuntimeError: If too many trials have failed in a row.

    Example:
    >>> import keras, numpy as np
    >>> def build(hp):
    ...     model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("n", 2, 8)),
    ...                               keras.layers.Dense(1)])
    ...     model.compile("adam", "mse")
    ...     return model
    >>> found = search(build, np.ones((40, 4)), np.ones(40), max_trials=2, epochs=1, verbose=0,
    ...                directory=getfixture("tmp_path"))
    >>> len(found.trials), sorted(found.best_values)
    (2, ['n'])
    """
    if hypermodel is None:
        from kerasopt.tuning.hypermodels import suggest_hypermodel

        hypermodel = suggest_hypermodel(x, y)
        if verbose is None or verbose:
            tell(hypermodel.why)
    if fit is not None and not isinstance(fit, Mapping):
        raise bad_type("fit", "a dict of arguments of `fit`", fit)
    if fit is not None and "callbacks" in fit:
        raise bad_value("fit", "no `callbacks`, which are an argument of their own", sorted(fit))
    if x is None and not has_own_fit(hypermodel):
        raise bad_value("x", "training data", x, "Only a `HyperModel` with its own `fit` has them.")
    if epochs is not None and not has_own_fit(hypermodel):
        at_least("epochs", epochs, 1)
    if validation_split is not None:
        fraction("validation_split", validation_split)
    goal = objective if objective is not None else getattr(hypermodel, "objective", "val_loss")
    tuner = Tuner(
        hypermodel,
        goal,
        max_trials,
        sampler,
        storage,
        seed=seed,
        pruner=pruner,
        constraints=constraints,
        initial=initial,
        directory=directory,
        project_name=project_name,
        overwrite=overwrite,
        **tuner_arguments,
    )
    takes = _taken(hypermodel)
    # Given or not, a `fit` of the user's own is not handed what it cannot take.
    arguments = {name: value for name, value in {"x": x, "y": y}.items() if value is not None}
    if epochs is not None or takes("epochs"):
        arguments["epochs"] = 10 if epochs is None else epochs
    if verbose is not None or takes("verbose"):
        arguments["verbose"] = 1 if verbose is None else verbose
    if validation_data is not None:
        arguments["validation_data"] = validation_data
    elif validation_split is not None:
        arguments["validation_split"] = validation_split
    elif y is not None and tuner.folds is None and takes("validation_split"):
        arguments["validation_split"] = 0.2
    tuner.search(
        callbacks=callbacks,
        workers=workers,
        trials_per_process=trials_per_process,
        **{**arguments, **(fit or {})},
    )
    return SearchResult(tuner)


def _taken(hypermodel: Any) -> Callable[[str], bool]:
    """Give what tells whether the `fit` of a hypermodel takes an argument of that name."""
    inner = getattr(hypermodel, "inner", hypermodel)
    if not has_own_fit(inner):
        return lambda _: True
    found = inspect.signature(inner.fit).parameters
    anything = any(one.kind is one.VAR_KEYWORD for one in found.values())
    return lambda name: anything or name in found
