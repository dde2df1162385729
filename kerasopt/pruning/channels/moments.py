"""How channels are best made of others: least squares on what was seen of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
RIDGE = 1e-3  # of the mean square of a channel


class Moments:
    """Sums over positions: of channels, and of the products of any two.

    Args:
        channels: How many there are.
    """

    def __init__(self, channels: int):
        self.positions = 0.0
        self.sums = np.zeros(channels)
        self.products = np.zeros((channels, channels))

    def add(self, values: Array, zeros: float = 0.0) -> None:
        """Add positions, an array of shape (positions, channels).

        Args:
            values: What is there.
            zeros: How many more positions there are for each of these, at which all is zero.
        """
        self.positions += len(values) * (1.0 + zeros)
        self.sums += values.sum(0, dtype=np.float64)
        self.products += values.T @ values

    def combination(self, kept: NDArray[np.bool_], shifted: bool) -> tuple[Array, Array]:
        """Give how channels that go are best made of those that stay.

        Least squares with a ridge of `(0.001 + channels / positions)` times the mean square of what
        stays: the less was seen, the less is made of it.

        Args:
            kept: Which channels stay.
            shifted: Whether a constant may be added.

        Returns:
            An array of shape (those that stay, those that go), and the constants; zeros where the
            numbers are too large, or there are none.

        Example:
        >>> seen = Moments(2)
        >>> seen.add(np.array([[1.0, 2.0], [-1.0, -2.0]] * 1000))
        >>> seen.combination(np.array([True, False]), shifted=False)[0].round(2)
        array([[2.]])
        """
        many = max(self.positions, 1.0)
        means = self.sums / many * shifted
        products = self.products / many - np.outer(means, means)
        inner, across = products[np.ix_(kept, kept)], products[np.ix_(kept, ~kept)]
        weights = np.zeros(across.shape)
        if not np.isfinite(products).all():
            return weights, np.zeros(across.shape[1])
        ridge = np.trace(inner) / len(inner) * (RIDGE + len(inner) / many)
        if ridge > 0.0:
            weights = np.linalg.solve(inner + ridge * np.eye(len(inner)), across)
        return weights, means[~kept] - means[kept] @ weights


def taps_inside(size: int, taps: int, stride: int, dilation: int, padding: str) -> float:
    """Give which part of what a kernel takes along an axis is not padding.

    Args:
        size: Of the axis.
        taps: How many places the kernel takes at a time.
        stride: From one time to the next.
        dilation: From one place to the next.
        padding: `"valid"`, `"same"` or `"causal"`, as in Keras.

    Example:
    >>> taps_inside(4, 3, 1, 1, "same"), taps_inside(4, 3, 1, 1, "valid")
    (0.8333333333333334, 1.0)
    """
    if padding == "valid":
        return 1.0
    reach = (taps - 1) * dilation
    times = -(-size // stride)
    left = reach if padding == "causal" else max((times - 1) * stride + reach + 1 - size, 0) // 2
    at = np.arange(times)[:, None] * stride + np.arange(taps) * dilation - left
    return float(np.mean((at >= 0) & (at < size)))
