"""Stochastic depth: a residual branch that is sometimes not there."""

from typing import Any

import keras
from keras import ops

from kerasopt._core.checks import fraction, one_of
from kerasopt.regularization.layers.random_layer import RandomLayer


@keras.saving.register_keras_serializable(package="kerasopt")
class StochasticDepth(RandomLayer):
    r"""Drop a whole residual branch at random; stands at its end, before the addition.

    In training y = x + b f(x) / (1 - rate), with b = 0 with probability `rate` and else 1; in
    inference y = x + f(x)
    (Huang et al., 2016, "Deep Networks with Stochastic Depth"). The layer is the factor before
    f(x), so the block is `add([x, StochasticDepth(0.2)(f(x))])`.

    The paper leaves the branch that survives as it is, and multiplies it by `1 - rate` at test
    time. Here it is divided by `1 - rate` in training: the mean is the same up to that factor, and
    inference computes what it would without the layer. The paper draws one b for the whole batch
    and skips the work of a dropped branch; here the branch is always computed.

    Args:
        rate: Float in [0, 1): the probability that the branch is dropped. The paper has it rise
            linearly from the first block to the last, up to 0.5.
        mode: `"sample"` for one b a sample, or `"batch"` for one for the whole batch, as in the
            paper. Defaults to `"sample"`.
        seed: Integer >= 0, or `None` for a random one. Defaults to `None`.
        **kwargs: Those of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `rate` is outside [0, 1), or `mode` is another word.

    Example:
    >>> import numpy as np
    >>> branch = np.ones((6, 3), "float32")
    >>> rows = np.array(StochasticDepth(0.5, seed=3)(branch, training=True))
    >>> np.unique(rows, axis=0).tolist()
    [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]
    """

    def __init__(self, rate: float, mode: str = "sample", seed: int | None = None, **kwargs: Any):
        super().__init__(seed=seed, **kwargs)
        self.rate = fraction("rate", rate)
        self.mode = one_of("mode", mode, ("sample", "batch"))

    def _drop(self, inputs: Any) -> Any:
        sizes = ops.shape(inputs)
        draws = sizes[0] if self.mode == "sample" else 1
        kept = self._uniform((draws, *(1 for _ in sizes[1:]))) >= self.rate
        return ops.where(kept, inputs / (1.0 - self.rate), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments as plain data."""
        return {**super().get_config(), "rate": self.rate, "mode": self.mode}
