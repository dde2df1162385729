"""By magnitude."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt._core.checks import at_least
from kerasopt.pruning.criteria.criterion import Context, Criterion


class Magnitude(Criterion):
    """|w|: small weights matter least.

    (Han et al., 2015, "Learning both Weights and Connections for Efficient Neural Networks")

    Example:
    >>> Magnitude().scores(np.array([-2.0, 1.0]), Context())
    array([2., 1.])
    """

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the absolute weights."""
        del context
        result: NDArray[Any] = np.abs(weights)
        return result


class Lamp(Criterion):
    """w^2 over the sum of all w^2 of the layer that are not smaller.

    (Lee et al., 2021, "Layer-Adaptive Sparsity for the Magnitude-based Pruning".) Within a layer it
    keeps what `Magnitude` keeps; it is meant for `scope="global"`. Of equal weights the first one
    scores higher, as if it was larger.

    Example:
    >>> Lamp().scores(np.array([1.0, -2.0, 2.0]), Context()).round(3)
    array([0.111, 1.   , 0.5  ])
    """

    def scores(self, weights: NDArray[Any], context: Context) -> NDArray[Any]:
        """Give the scores, in float64 as the sums are long."""
        del context
        sizes = np.abs(weights.ravel().astype(np.float64))
        order = np.argsort(-sizes, kind="stable")
        # The sums do not change by it, and huge or tiny weights keep a square.
        falling = np.square(sizes[order] / max(sizes.max(initial=0.0), np.finfo(float).tiny))
        rest = np.cumsum(falling)
        scores = np.empty_like(sizes)
        scores[order] = np.divide(falling, rest, out=np.zeros_like(rest), where=rest > 0)
        return scores.reshape(weights.shape)


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
