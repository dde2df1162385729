"""Single weights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.patterns.pattern import Pattern


class Weight(Pattern):
    """Each weight by itself: any of them may go.

    Files get smaller when they are compressed; dense hardware gets no faster.

    Example:
    >>> import numpy as np
    >>> Weight().units(np.array([3.0, 1.0]))
    array([3., 1.])
    """

    def units(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Give the scores as they are."""
        return scores

    def expand(self, kept: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Give the mask as it is."""
        return kept.reshape(shape)
