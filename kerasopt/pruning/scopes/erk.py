"""By the shape of the layer."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasopt.pruning.scopes.scope import Kernel, Scope, check_expressible, number_kept

Numbers = NDArray[np.float64]


class Erk(Scope):
    """Erdos-Renyi-Kernel: the density of a kernel is proportional to sum(shape) / product(shape).

    Big kernels get sparser than small ones; kernels whose density would exceed 1 stay dense, those
    where it would fall below what their pattern can express (or one unit) stay there, and the
    others make up for it, so that all together have the sparsity, exact to one weight (to one unit
    a kernel for channels, and for blocks where these divide the kernels). (Evci et al., 2020,
    "Rigging the Lottery: Making All Tickets Winners")
    """

    def allocate(self, kernels: Sequence[Kernel], sparsity: float, share: float = 1.0) -> list[int]:
        """Give the units that each kernel's density leaves."""
        del share
        check_expressible(kernels, sparsity)
        shapes = [kernel.shape for kernel in kernels]
        sizes = np.array([float(math.prod(shape)) for shape in shapes])
        units = np.array([float(kernel.units) for kernel in kernels])
        stay = np.array([float(kernel.stay) for kernel in kernels])
        least = np.divide(stay, units, out=np.zeros_like(stay), where=units > 0)
        wanted = units * erk_densities(shapes, 1.0 - sparsity, least)
        kept = np.clip(np.rint(wanted), stay, units)
        weight = sizes / np.maximum(units, 1.0)
        missing = number_kept(int(sizes.sum()), sparsity) - float((kept * weight).sum())
        _even_out(kept, missing, stay, units, weight, _raw(shapes) * units)
        return [int(count) for count in kept]


def _even_out(
    kept: Numbers, missing: float, stay: Numbers, units: Numbers, weight: Numbers, rate: Numbers
) -> None:
    """Move single units until the sum of weights is right, in the order in which they would come.

    Along a falling density each kernel then only loses units, which it would not if the largest
    remainders were rounded up (Webster's and Hamilton's methods of apportionment).
    """
    rate = np.maximum(rate, np.finfo(float).tiny)
    while (kept < units).any():
        number = int(np.where(kept < units, (kept + 0.5) / rate, np.inf).argmin())
        if missing <= weight[number] / 2.0:
            break
        kept[number] += 1.0
        missing -= weight[number]
    while (kept > stay).any():
        came = np.where(kept > stay, (kept - 0.5) / rate, -np.inf)
        number = came.size - 1 - int(came[::-1].argmax())  # of equals the last one came last
        if -missing < weight[number] / 2.0:
            break
        kept[number] -= 1.0
        missing += weight[number]


def _raw(shapes: Sequence[tuple[int, ...]]) -> Numbers:
    return np.array([max(sum(shape), 1) / max(math.prod(shape), 1) for shape in shapes])


def erk_densities(
    shapes: Sequence[tuple[int, ...]], density: float, least: ArrayLike = 0.0
) -> Numbers:
    """Give the density of each kernel for a density of all of them together.

    Args:
        shapes: The kernels' shapes.
        density: Float in (0, 1].
        least: The density below which a kernel must not come, one number or one a kernel. Defaults
            to `0.0`.

    Returns:
        Array of floats in [0, 1], one a kernel.

    Example:
    >>> erk_densities([(10, 10), (100, 100)], 0.1).round(3)
    array([0.918, 0.092])
    """
    sizes = np.array([float(math.prod(shape)) for shape in shapes])
    raw = _raw(shapes)
    if not shapes:
        return raw
    # The number kept grows with the factor along straight lines, with a bend wherever a kernel
    # leaves its least density or becomes dense.
    bends = np.sort(np.concatenate([np.broadcast_to(least, raw.shape) / raw, 1.0 / raw]))
    totals = np.clip(np.outer(bends, raw), least, 1.0) @ sizes
    factor = np.interp(density * sizes.sum(), totals, bends)
    densities: Numbers = np.clip(factor * raw, least, 1.0)
    return densities
