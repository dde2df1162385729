"""Pruning in rounds, each trained before the next: iterative pruning and lottery tickets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasopt import _keras
from kerasopt._core.checks import at_least, bad_type, bad_value, fraction
from kerasopt.pruning.api import prune
from kerasopt.pruning.callback import Pruning
from kerasopt.pruning.report.sparsity import Sparsity
from kerasopt.selection import Selection, select


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes:
        sparsity: The `Sparsity` after its pruning.
        result: What the user's function returned for it, such as a history.
    """

    sparsity: Sparsity
    result: Any


def prune_in_rounds(
    model: Any,
    fit_fn: Callable[[Any, list[Any]], Any],
    sparsity: float,
    *,
    rounds: int = 5,
    criterion: Any = "magnitude",
    pattern: Any = "weight",
    scope: Any = "auto",
    data: Any = None,
    include: Any = None,
    exclude: Any = None,
    rewind_to: int | None = None,
) -> list[Round]:
    """Prune a little, train, and again: in each round the same share of what is left goes.

    After round `r` of `n` the sparsity is `1 - (1 - sparsity) ** (r / n)` (Han et al., 2015,
    "Learning both Weights and Connections for Efficient Neural Networks"). With `rewind_to` the
    weights that stay go back, before each round, to what they were at that step of the first
    training, and the optimizer with them: lottery tickets (Frankle & Carbin, 2019, "The Lottery
    Ticket Hypothesis"; Frankle et al., 2020, "Linear Mode Connectivity and the Lottery Ticket
    Hypothesis", for steps other than 0).

    Args:
        model: A built, compiled Keras model; it is changed in place. Without `rewind_to` it should
            be trained.
        fit_fn: Function `fit_fn(model, callbacks)` that trains it with `model.fit(...,
            callbacks=callbacks)` and returns what you want to keep of a round.
        sparsity: Float in [0, 1), after the last round.
        rounds: Integer >= 1. Defaults to `5`.
        criterion: As in `kerasopt.pruning.prune`. Defaults to `"magnitude"`.
        pattern: Likewise. Defaults to `"weight"`.
        scope: Likewise. Defaults to `"auto"`.
        data: Likewise. Defaults to `None`.
        include: Likewise. Defaults to `None`.
        exclude: Likewise. Defaults to `None`.
        rewind_to: Integer >= 0, the step (batch) of the first training to go back to (with
            `steps_per_execution` the first at which weights can be seen after it); an additional
            training before the first round finds it. Defaults to `None`: no going back.

    Returns:
        A list of `Round(sparsity, result)`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is wrong.

    Example:
    >>> import keras
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
    >>> model.compile("sgd", "mse")
    >>> def fit(model, callbacks):
    ...     return model.fit(np.ones((8, 8)), np.ones((8, 4)), callbacks=callbacks, verbose=0)
    >>> [round(one.sparsity.total, 3) for one in prune_in_rounds(model, fit, 0.75, rounds=2)]
    [0.5, 0.75]
    """
    _keras.require_tensorflow("kerasopt.pruning.prune_in_rounds")
    sparsity = fraction("sparsity", sparsity)
    at_least("rounds", rounds, 1)
    if not callable(fit_fn):
        raise bad_type("fit_fn", "a function `fit_fn(model, callbacks)`", fit_fn)
    start: _Snapshot | None = None
    if rewind_to is not None:
        start = _Snapshot(at_least("rewind_to", rewind_to, 0))
        fit_fn(model, [start])
        start.check()
    done = []
    for number in range(1, rounds + 1):
        share = 1.0 - (1.0 - sparsity) ** (number / rounds)
        found = prune(
            model,
            share,
            criterion=criterion,
            pattern=pattern,
            scope=scope,
            data=data,
            include=include,
            exclude=exclude,
        )
        if start is not None:
            start.restore(select(model, include, exclude))
        pruning = Pruning("keep", include=include, exclude=exclude)
        result = fit_fn(model, [pruning])
        if not pruning.selection:
            raise bad_value(
                "fit_fn", _PASSES, fit_fn, "It called none of them: the zeros did not stay."
            )
        done.append(Round(found, result))
    return done


_PASSES = "a function that passes its callbacks to `model.fit(..., callbacks=callbacks)`"


class _Snapshot(keras.callbacks.Callback):
    """Keeps weights and optimizer as they are after so many steps."""

    def __init__(self, step: int):
        super().__init__()
        self._step = step
        self._begun = False
        self._seen = self._epoch_start = 0
        self._kept: list[tuple[Any, Any]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self._begun = True
        if self._step == 0 and not self._kept:
            self._keep()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_start = self._seen

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # Not every batch is seen: with `steps_per_execution` only the last of several.
        self._seen = self._epoch_start + batch + 1
        if not self._kept and self._seen >= self._step:
            self._keep()

    def check(self) -> None:
        """Check, after the first training, that it was long enough."""
        if not self._begun:
            raise bad_value("fit_fn", _PASSES, "one that called none of them")
        if not self._kept:
            raise ValueError(
                f"The first training ended after {self._seen} steps, before the step to go back "
                f"to: rewind_to={self._step}."
            )

    def _keep(self) -> None:
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        variables = [*self.model.variables, *optimizer.variables]
        self._kept = [(v, keras.ops.convert_to_numpy(v)) for v in variables]

    def restore(self, targets: Selection) -> None:
        """Set everything back, but keep the zeros that pruning has made."""
        masks = [
            (target.variable, keras.ops.convert_to_numpy(target.variable) != 0)
            for target in targets
        ]
        for variable, value in self._kept:
            variable.assign(value)
        for variable, kept in masks:
            variable.assign(np.where(kept, keras.ops.convert_to_numpy(variable), 0.0))
