"""By the shape of the layer."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.scopes.scope import Kernel, Scope


class Erk(Scope):
    """Erdos-Renyi-Kernel: the density of a kernel is proportional to sum(shape) / product(shape).

    Big kernels get sparser than small ones; kernels whose density would exceed 1 stay dense, and
    the others make up for it, so that all together have the sparsity, exact to one unit a kernel
    (Evci et al., 2020, "Rigging the Lottery: Making All Tickets Winners").
    """

    def allocate(self, kernels: Sequence[Kernel], sparsity: float, share: float = 1.0) -> list[int]:
        """Give the units that each kernel's density leaves."""
        del share
        sizes = np.array([float(np.prod(kernel.shape)) for kernel in kernels])
        densities = erk_densities([kernel.shape for kernel in kernels], 1.0 - sparsity)
        wanted = densities * np.array([float(kernel.units) for kernel in kernels])
        kept = np.floor(wanted + 1e-9)
        # The largest remainders are rounded up, so that the sum of all is right.
        weight = np.divide(sizes, [max(float(k.units), 1.0) for k in kernels])
        missing = (1.0 - sparsity) * sizes.sum() - (kept * weight).sum()
        for number in np.argsort(-(wanted - kept), kind="stable"):
            if missing >= weight[number] / 2.0 and kept[number] < kernels[number].units:
                kept[number] += 1
                missing -= weight[number]
        counts = []
        for kernel, count in zip(kernels, kept, strict=True):
            least = min(1, kernel.units)
            counts.append(max(int(count), least))
            if counts[-1] < kernel.stay:
                kernel.kept_at(1.0 - counts[-1] / kernel.units)  # says what the pattern can do
        return counts


def erk_densities(shapes: Sequence[tuple[int, ...]], density: float) -> NDArray[np.float64]:
    """Give the density of each kernel for a density of all of them together.

    Args:
        shapes: The kernels' shapes.
        density: Float in (0, 1].

    Returns:
        Array of floats in (0, 1], one a kernel.

    Example:
    >>> erk_densities([(10, 10), (100, 100)], 0.1).round(3)
    array([0.918, 0.092])
    """
    sizes = np.array([float(np.prod(shape)) for shape in shapes])
    raw = np.array([sum(shape) / max(math.prod(shape), 1) for shape in shapes], float)
    dense = np.zeros(len(shapes), bool)
    while True:
        left = density * sizes.sum() - sizes[dense].sum()
        free = (raw * sizes)[~dense].sum()
        factor = left / free if free else 0.0
        too_dense = ~dense & (factor * raw > 1.0)
        if not too_dense.any():
            break
        dense |= too_dense
    return np.where(dense, 1.0, max(float(factor), 0.0) * raw)
