"""A dropout rate that changes while the model trains."""

import numbers
from typing import Any

from kerasopt import schedules
from kerasopt._core.checks import bad_type, bad_value, fraction, meant_share
from kerasopt.regularization.layers import ScheduledDropout
from kerasopt.regularization.scheduled_value import Following
from kerasopt.selection import check_built, matching, walk


class DropoutSchedule(Following):
    r"""Set the rate of `ScheduledDropout` layers before each step of `fit`.

    The rate is a variable in the compiled step, so it changes without a new trace, also under XLA
    and with `steps_per_execution` (whose steps run at the rate of the last of them). Until the
    schedule begins the layers keep the rate they have; after `fit` they keep the last one, which
    `kerasopt.regularization.freeze_dropout` makes plain dropout of. As the rate is a weight, best
    weights that come back (`restore_best_weights`) bring back the rate of their epoch.

    A rate that rises from 0 is the curriculum of Morerio et al. (2017, "Curriculum Dropout"):
    `DropoutSchedule(0.5)` is `DropoutSchedule(Exponential(0.0, 0.5, begin=0, end=1.0, decay=10))`.

    `fit`'s history, and the callbacks after this one, get `dropout_rate`: that of the last step of
    each epoch (`dropout_rate_1` those of a second `DropoutSchedule`).

    Args:
        schedule: A `kerasopt.schedules.Schedule` of rates in [0, 1), or a float in [0, 1): the
            final rate of the curriculum above.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all
            `ScheduledDropout` layers at any depth.
        exclude: Which layers not, in the same forms. Defaults to `None`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a rate is outside [0, 1). When `fit` begins: if the model has no
            `ScheduledDropout`, none is selected, or the schedule needs the run's length and that
            is unknown.
        RuntimeError: When `fit` begins, if Keras does not run on TensorFlow.

    Example:
    >>> import keras, numpy as np
    >>> from kerasopt.regularization import insert_dropout
    >>> from kerasopt.schedules import PolynomialDecay
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"),
    ...                           keras.layers.Dense(2)])
    >>> model = insert_dropout(model, 0.0, kind="scheduled")
    >>> model.compile("sgd", "mse")
    >>> schedule = DropoutSchedule(PolynomialDecay(0.0, 0.5, begin=0, end=1.0, power=1))
    >>> history = model.fit(np.ones((8, 4)), np.ones((8, 2)), epochs=2, callbacks=[schedule],
    ...                     verbose=0)
    >>> history.history["dropout_rate"]
    [0.25, 0.5]
    """

    _who = "DropoutSchedule"
    _what = "the rate"
    _limits = (0.0, 1.0)

    def __init__(
        self,
        schedule: schedules.Schedule | float,
        *,
        include: Any = None,
        exclude: Any = None,
    ):
        super().__init__(_checked(schedule), include, exclude)
        self.layers: list[Any] = []

    def _begin(self) -> None:
        check_built(self.model)
        found = [one for one in walk(self.model) if isinstance(one[1], ScheduledDropout)]
        if not found:
            raise bad_value(
                "model",
                "a model with `kerasopt.layers.ScheduledDropout` layers",
                self.model,
                "The rate of any other dropout is a constant of the compiled step. Put them in by "
                '`model = kerasopt.regularization.insert_dropout(model, rate, kind="scheduled")`, '
                "or use them in place of `keras.layers.Dropout`.",
            )
        unwanted = matching(self.model, "exclude", self.exclude)
        wanted = {id(layer) for _, layer in found}
        if self.include is not None:
            wanted = matching(self.model, "include", self.include)
        self.layers = [one for _, one in found if id(one) in wanted and id(one) not in unwanted]
        if not self.layers:
            raise bad_value(
                "exclude" if self.include is None else "include",
                "a selection that leaves a ScheduledDropout layer",
                self.exclude if self.include is None else self.include,
                f"The model has these: {', '.join(path for path, _ in found)}.",
            )

    def _apply(self, value: float) -> None:
        for layer in self.layers:
            layer.rate.assign(value)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Log the rate."""
        if self._value is not None:
            self._log(logs, "dropout_rate", self._value)


def _checked(schedule: Any) -> schedules.Schedule:
    if isinstance(schedule, schedules.Schedule):
        low, high = schedule.bounds()
        if low < 0.0 or high >= 1.0:
            raise bad_value("schedule", "rates in [0, 1)", schedule)
        return schedule
    if isinstance(schedule, bool) or not isinstance(schedule, numbers.Real):
        form = "a kerasopt.schedules.Schedule or a float in [0, 1)"
        raise bad_type("schedule", form, schedule, meant_share(schedule))
    return schedules.Exponential(0.0, fraction("schedule", schedule))
