"""An L1 / L2 penalty whose strength is a variable, so that it changes without a new trace."""

from typing import Any

import keras

from kerasopt import _temporary


class ScheduledPenalty(_temporary.Temporary, keras.regularizers.Regularizer):
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
