"""At random: what any other criterion has to beat."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._checks import at_least
from kerasopt.pruning.criteria.criterion import Context, Criterion


class Random(Criterion):
    """Uniform random numbers, the same ones for the same seed, kernel and `draw` of the context.

    Weights that are zero already score lowest, so that a mask chosen anew at a higher sparsity
    lies within the one before.

    Args:
        seed: Integer >= 0. Defaults to `0`.

    Raises:
        TypeError: If `seed` is no integer.
        ValueError: If it is negative.

    Example:
    >>> scores = Random(seed=1).scores(np.array([1.0, 0.0, 2.0]), Context())
    >>> int(scores.argmin())
    1
    """

    def __init__(self, seed: int = 0):
        self.seed = at_least("seed", seed, 0)

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give a number in [0, 1) for each weight, and -1 for zeros."""
        name = int.from_bytes(context.name.encode(), "little")
        generator = np.random.default_rng([self.seed, context.draw, name])
        drawn = generator.random(weights.shape, np.float32)
        result: NDArray[Any] = np.where(weights == 0, np.float32(-1.0), drawn)
        return result

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal criterion, as plain data."""
        return {"seed": self.seed}
