"""What layers share that drop some of their input at random."""

from typing import Any

import keras

from kerasopt._core.checks import at_least, bad_type, is_integer


def checked_seed(seed: Any) -> int | None:
    """Check a `seed` argument: an integer >= 0, NumPy's included, or `None`.

    Raises:
        TypeError: If it is something else.
        ValueError: If it is negative.
    """
    if seed is None:
        return None
    if not is_integer(seed):
        raise bad_type("seed", "an integer >= 0 or None", seed)
    return at_least("seed", seed, 0)


class RandomLayer(keras.layers.Layer):
    """A layer that drops some of its input in training, and gives it as it is in inference.

    Shape, dtype and mask of the input stay. A subclass says in `_drop` what goes.

    Attributes:
        keeps_channels: That in inference no channel depends on another: they may be removed.

    Args:
        seed: Integer >= 0, or `None` for a random one. Defaults to `None`.
        **kwargs: Those of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: If `seed` is neither an integer nor `None`.
        ValueError: If `seed` is negative.
    """

    keeps_channels = True

    def __init__(self, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = checked_seed(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Give `inputs` as they are, or in training without what is dropped."""
        return self._drop(inputs) if training else inputs

    def _drop(self, inputs: Any) -> Any:
        raise NotImplementedError

    def _uniform(self, shape: tuple[Any, ...]) -> Any:
        # In half precision so few numbers lie in [0, 1) that a rate would be off by up to 0.0005.
        return keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Give the shape of the output: the one of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Give the arguments as plain data."""
        return {**super().get_config(), "seed": self.seed}
