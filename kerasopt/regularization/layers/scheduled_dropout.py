"""Dropout with a rate that may change while a model trains."""

from typing import Any

import keras
from keras import ops

from kerasopt._core.checks import at_least, bad_type, bad_value, fraction, is_integer
from kerasopt.regularization.layers.random_layer import RandomLayer


@keras.saving.register_keras_serializable(package="kerasopt")
class ScheduledDropout(RandomLayer):
    r"""Dropout whose rate is a weight of the layer, so that training may change it.

    In training each number of the input is zero with probability `rate`, and else divided by
    `1 - rate`, so that its mean stays; in inference nothing changes
    (Srivastava et al., 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting").

    `keras.layers.Dropout` puts its rate into the compiled train step as a constant, and does not
    notice a new one. Here `layer.rate` is a float32 `keras.Variable` that is not trained: after
    `layer.rate.assign(0.3)`, or `layer.rate = 0.3`, the next step drops 30 %, and nothing is
    compiled again. It counts among the layer's weights and is saved with them. The config holds the
    rate that the layer was made with: a loaded layer has the rate it was saved with, a layer made
    from a config or by `keras.models.clone_model` the first one.

    Args:
        rate: Float in [0, 1): the share of numbers to drop at first. What is assigned later may be
            1.0 too, which drops everything.
        noise_shape: Tuple with one entry per axis of the input: `None` or the axis's size for
            numbers dropped on their own, 1 for numbers dropped together along the axis.
            `(None, 1, None)` drops whole features of a sequence. Defaults to `None`: each number on
            its own.
        seed: Integer >= 0, or `None` for a random one. Defaults to `None`.
        **kwargs: Those of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `rate` is outside [0, 1), or `noise_shape` does not fit the input.

    Example:
    >>> import numpy as np
    >>> layer = ScheduledDropout(0.5, seed=1)
    >>> ones = np.ones((4, 8), "float32")
    >>> np.unique(layer(ones, training=True)).tolist()
    [0.0, 2.0]
    >>> layer.rate = 0.75
    >>> np.unique(layer(ones, training=True)).tolist()
    [0.0, 4.0]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, **kwargs)
        self._first_rate = fraction("rate", rate)
        self.noise_shape = _checked(noise_shape)
        self._rate = self.add_weight(
            name="rate",
            shape=(),
            initializer=keras.initializers.Constant(self._first_rate),
            dtype="float32",
            trainable=False,
            autocast=False,
        )

    @property
    def rate(self) -> Any:
        """The present rate: a scalar float32 `keras.Variable`."""
        return self._rate

    @rate.setter
    def rate(self, value: float) -> None:
        self._rate.assign(fraction("rate", value))

    def build(self, input_shape: Any) -> None:
        """Make sure that `noise_shape` fits the input.

        Raises:
            ValueError: If it does not.
        """
        if self.noise_shape is None:
            return
        same_rank = len(self.noise_shape) == len(input_shape)
        if not same_rank or any(
            noise not in (None, 1, size) and size is not None
            for noise, size in zip(self.noise_shape, input_shape, strict=True)
        ):
            raise bad_value(
                "noise_shape",
                f"None, 1 or the size for each axis of the input, whose shape is {input_shape}",
                self.noise_shape,
            )

    def _drop(self, inputs: Any) -> Any:
        keep = 1.0 - ops.convert_to_tensor(self._rate)
        sizes = ops.shape(inputs)
        noise = self.noise_shape or sizes
        shape = tuple(s if n is None else n for n, s in zip(noise, sizes, strict=True))
        kept = self._uniform(shape) < keep
        # Where nothing is kept, a division by zero would make the gradient NaN.
        divisor = ops.where(keep > 0.0, keep, 1.0)
        return ops.where(kept, inputs / ops.cast(divisor, inputs.dtype), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments as plain data; `rate` is the one the layer was made with."""
        config = {"rate": self._first_rate, "noise_shape": self.noise_shape}
        return {**super().get_config(), **config}


def _checked(noise_shape: Any) -> tuple[int | None, ...] | None:
    if noise_shape is None:
        return None
    sizes = "a tuple of integers >= 1 or None"
    if not isinstance(noise_shape, (tuple, list)):
        raise bad_type("noise_shape", sizes, noise_shape)
    if not all(size is None or is_integer(size) for size in noise_shape):
        raise bad_type("noise_shape", sizes, noise_shape)
    if not all(size is None or size >= 1 for size in noise_shape):
        raise bad_value("noise_shape", sizes, noise_shape)
    return tuple(None if size is None else at_least("noise_shape", size, 1) for size in noise_shape)
