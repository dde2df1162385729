"""Every layer the same."""

from collections.abc import Sequence
from typing import ClassVar

from kerasopt.pruning.scopes.scope import Kernel, Scope


class PerLayer(Scope):
    """Each kernel has the sparsity by itself."""

    together: ClassVar[bool] = False

    def allocate(self, kernels: Sequence[Kernel], sparsity: float, share: float = 1.0) -> list[int]:
        """Give `round(units * (1 - sparsity))` for each kernel, at least one."""
        del share
        return [kernel.kept_at(sparsity) for kernel in kernels]
