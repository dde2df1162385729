"""A weight penalty for the time of a `fit`, constant or scheduled."""

from typing import Any

import keras

from kerasopt import _keras, schedules
from kerasopt._core import fit_state
from kerasopt._core.checks import bad_type, bad_value, flag, not_negative, one_of, warn
from kerasopt._fit_steps import select_trainable
from kerasopt.regularization.assignment import give
from kerasopt.regularization.penalty import added, can_add
from kerasopt.regularization.scheduled_value import Following
from kerasopt.selection import Selection


class WeightPenalty(Following):
    r"""Add an L1 or L2 penalty on weights while the model trains.

    `scale(step) * (l1 * sum(abs(w)) + l2 * sum(w ** 2))` of each selected variable joins the loss
    from the first step of `fit` on, beside the penalties that are there, and is taken off when
    `fit` ends: the model and what other callbacks save of it load without kerasopt. The scale is a
    variable in the compiled step, which follows `schedule` without a new trace.

    `fit`'s history, and the callbacks after this one, get `weight_penalty`: what it adds to the
    loss, with the weights after each epoch; and, with a schedule, `weight_penalty_scale` (those of
    a second one are `weight_penalty_1` and `weight_penalty_scale_1`). As all of
    Keras's penalties it is part of `loss` and `val_loss`: under a changing scale, watch a metric
    without it to stop early, such as `val_accuracy`.

    Args:
        l2: Float >= 0, the one that may be given by position, as to `add_penalty`. Defaults to
            `0.0`.
        l1: Float >= 0; one of the two is above 0. Defaults to `0.0`.
        schedule: A `kerasopt.schedules.Schedule` of values >= 0 that multiply `l1` and `l2`; before
            its `begin` there is no penalty. Defaults to `None`: 1 throughout.
        include: Which layers, as in `kerasopt.selection.select`. Defaults to `None`: all.
        exclude: Which layers not, in the same forms. Defaults to `None`.
        keep: Whether the penalty stays on the model after `fit`, with its last scale, as a plain
            Keras regularizer in the layers' configuration; after a second `fit` it is there twice.
            Defaults to `False`.
        variables: `"kernels"`, `"biases"` or `"all"` trainable ones. Defaults to `"kernels"`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a factor is negative, both are 0, or a scale is negative. When `fit` begins:
            if the model is not built, nothing is selected that trains, the schedule needs the
            run's length and that is unknown, or `keep=True` and a variable has a penalty that
            cannot be summed with this one.
        RuntimeError: When `fit` begins, if Keras does not run on TensorFlow.

    Example:
    >>> import keras, numpy as np
    >>> from kerasopt.schedules import PolynomialDecay
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> model.compile("sgd", "mse")
    >>> warm_up = PolynomialDecay(0.0, 1.0, begin=0, end=0.5, power=1)
    >>> penalty = WeightPenalty(l2=1e-3, schedule=warm_up)
    >>> history = model.fit(np.ones((8, 4)), np.ones((8, 2)), epochs=4, batch_size=4,
    ...                     callbacks=[penalty], verbose=0)
    >>> history.history["weight_penalty_scale"]
    [0.5, 1.0, 1.0, 1.0]
    """

    _who = "WeightPenalty"
    _what = "the scale"

    def __init__(
        self,
        l2: float = 0.0,
        *,
        l1: float = 0.0,
        schedule: schedules.Schedule | None = None,
        include: Any = None,
        exclude: Any = None,
        keep: bool = False,
        variables: str = "kernels",
    ):
        self.l1 = not_negative("l1", l1)
        self.l2 = not_negative("l2", l2)
        if self.l1 == self.l2 == 0.0:
            raise bad_value("l2", "a factor > 0, or one for `l1`", l2)
        self._is_scheduled = schedule is not None
        super().__init__(_checked(schedule), include, exclude)
        self.keep = flag("keep", keep)
        self.variables = one_of("variables", variables, ("kernels", "biases", "all"))
        self.selection = Selection()
        self._penalties: list[tuple[Any, ScheduledPenalty]] = []
        self._is_checked = False

    # What Keras calls, beside `Following`.

    def on_train_begin(self, logs: Any = None) -> None:
        """Select the variables and put the penalty on them."""
        self.release()
        try:
            super().on_train_begin(logs)
        except BaseException:
            self.release()
            self._resumed = None
            raise

    def _begin(self) -> None:
        self.selection = select_trainable(
            self.model, self.include, self.exclude, self.variables, self._who
        )
        if self.keep:
            for target in self.selection:
                self._kept(target, 1.0)
        run, self._trained = self.params, self.model
        self._is_checked = False
        with _keras.scope(self.model):
            self._scale = keras.Variable(0.0, trainable=False, dtype="float32", name="scale")
        for variable in self.model.variables:  # what a run that was broken off has left
            fit_state.take_off(variable, "regularizer", lambda one: one.run is not run)
        for target in self.selection:
            variable = target.variable
            inner = variable.regularizer
            penalty = ScheduledPenalty(self.l1, self.l2, self._scale, inner, run)
            variable.regularizer = penalty
            self._penalties.append((variable, penalty))
        _keras.retrace(self.model, evaluation=True)

    def _apply(self, value: float) -> None:
        self._scale.assign(value)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Say after the first step if it has not asked for the penalty."""
        super().on_train_batch_end(batch, logs)
        if self._is_checked:
            return
        self._is_checked = True
        read = {id(variable) for variable, penalty in self._penalties if penalty.is_read}
        unread = [target.name for target in self.selection if id(target.variable) not in read]
        if unread:
            warn(
                f"WeightPenalty has no effect on {', '.join(map(repr, dict.fromkeys(unread)))}: "
                f"the train step of {type(self.model).__name__!r} does not ask for the losses of "
                "these layers. Add `sum(self.losses)` to the loss in its `train_step`, or use "
                "`compute_loss`."
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Log what the penalty adds to the loss, and its scale."""
        total = sum(
            float(keras.ops.convert_to_numpy(penalty.added(variable.value)))
            for variable, penalty in self._penalties
        )
        name = self._log(logs, "weight_penalty", total)
        if self._is_scheduled:
            scale = name.replace("penalty", "penalty_scale", 1)
            self._log(logs, scale, self._value or 0.0)

    def on_train_end(self, logs: Any = None) -> None:
        """Take the penalty off, or make a plain one of it."""
        super().on_train_end(logs)
        self.release()
        scale = self._value or 0.0
        if self.keep and scale:
            try:
                kept = [self._kept(target, scale) for target in self.selection]
            except ValueError as error:  # another one came in during the run, which is not lost
                warn(f"WeightPenalty does not stay on the model. {error}")
                return
            give(self.model, self.selection, kept, "regularizer")

    # What the user may call.

    def release(self) -> None:
        """Take the penalty off the model, as the end of `fit` does.

        Needed only after a `fit` that was broken off by an exception.
        """
        mine = {id(penalty) for _, penalty in self._penalties}
        for variable, _ in self._penalties:
            fit_state.take_off(variable, "regularizer", lambda one: id(one) in mine)
        if self._penalties:
            _keras.retrace(self._trained, evaluation=True)
        self._penalties = []

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal callback, as plain data where they are."""
        return {
            "l1": self.l1,
            "l2": self.l2,
            **super().get_config(),
            "schedule": schedules.serialize(self.schedule) if self._is_scheduled else None,
            "keep": self.keep,
            "variables": self.variables,
        }

    # How it is done.

    def _kept(self, target: Any, scale: float) -> Any:
        """Give the plain regularizer that stays on a variable."""
        mine = keras.regularizers.L1L2(self.l1 * scale, self.l2 * scale)
        own = fit_state.own(target.variable, "regularizer")
        if own is not None and not can_add(own, mine):
            raise bad_value(
                "keep",
                "False, as a variable has a penalty of another kind",
                self.keep,
                f"{target.path!r} has {type(own).__name__}, and the two have no sum that Keras "
                "could save.",
            )
        return added(keras.regularizers.L1L2(0.0, 0.0) if own is None else own, mine)


def _checked(schedule: Any) -> schedules.Schedule:
    if schedule is None:
        return schedules.Constant(1.0)
    if not isinstance(schedule, schedules.Schedule):
        raise bad_type("schedule", "a kerasopt.schedules.Schedule or None", schedule)
    if schedule.bounds()[0] < 0.0:
        raise bad_value("schedule", "values >= 0, which multiply `l1` and `l2`", schedule)
    return schedule


class ScheduledPenalty(fit_state.Temporary, keras.regularizers.Regularizer):
    """`scale * (l1 * sum(abs(w)) + l2 * sum(w ** 2))`, on top of the variable's own penalty.

    Args:
        l1: Float >= 0.
        l2: Float >= 0.
        scale: Scalar `keras.Variable`, read at every step.
        inner: What was on the variable before, or `None`.
        run: What tells this `fit` from others.

    Attributes:
        is_read: Whether a step has asked for it.
    """

    def __init__(self, l1: float, l2: float, scale: Any, inner: Any, run: Any):
        self.l1 = l1
        self.l2 = l2
        self.scale = scale
        self.inner = inner
        self.run = run
        self.is_read = False

    def added(self, x: Any) -> Any:
        """Give what this penalty adds, without the variable's own."""
        total = keras.ops.zeros((), x.dtype)
        if self.l1:
            total += self.l1 * keras.ops.sum(keras.ops.abs(x))
        if self.l2:
            total += self.l2 * keras.ops.sum(keras.ops.square(x))
        return keras.ops.cast(self.scale, x.dtype) * total

    def __call__(self, x: Any) -> Any:
        """Give the penalty on the weights `x`."""
        self.is_read = True
        mine = self.added(x)
        return mine if self.inner is None else self.inner(x) + mine

    def __repr__(self) -> str:
        factors = [f"l1={self.l1:.6g}"] * bool(self.l1) + [f"l2={self.l2:.6g}"] * bool(self.l2)
        scale = float(keras.ops.convert_to_numpy(self.scale))
        return f"WeightPenalty({', '.join(factors)}) x {scale:.6g}"

    def get_config(self) -> dict[str, Any]:
        """Refuse: it is held during `fit` only and is never part of a saved model."""
        raise TypeError(
            "A WeightPenalty cannot be saved as a layer's regularizer: it is taken off when `fit` "
            "ends, or becomes a plain Keras regularizer with `keep=True`."
        )
