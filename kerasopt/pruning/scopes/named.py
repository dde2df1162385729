"""A sparsity for each layer that is named."""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from typing import Any

from kerasopt._core.checks import bad_type, bad_value, did_you_mean, fraction
from kerasopt.pruning.scopes.scope import Kernel, Scope


class Named(Scope):
    """Layers by name have sparsities of their own; all others have the schedule's.

    Along a schedule they grow in proportion: half of the way, half of their sparsity.

    Args:
        sparsities: Dict of layer name or path (shell wildcards allowed) or compiled regular
            expression -> float in [0, 1). The first that matches counts.

    Raises:
        TypeError: If it is no dict of this form.
        ValueError: If a sparsity is outside [0, 1). When it is used: if a name matches no kernel.
    """

    def __init__(self, sparsities: Mapping[Any, float]):
        if not isinstance(sparsities, Mapping):
            raise bad_type("scope", "a dict of layer name -> sparsity", sparsities)
        for pick in sparsities:
            if not isinstance(pick, (str, re.Pattern)):
                raise bad_type("scope", "layer names or compiled regular expressions", pick)
        self.sparsities = {
            pick: fraction(f"scope[{pick!r}]", value) for pick, value in sparsities.items()
        }

    def allocate(self, kernels: Sequence[Kernel], sparsity: float, share: float = 1.0) -> list[int]:
        """Give the units that each kernel's own sparsity leaves."""
        self.check([kernel.name for kernel in kernels])
        counts = []
        for kernel in kernels:
            own = next((s for p, s in self.sparsities.items() if _matches(p, kernel.name)), None)
            counts.append(kernel.kept_at(sparsity if own is None else own * share))
        return counts

    def check(self, names: Sequence[str]) -> None:
        """Check that every name is that of a kernel.

        Raises:
            ValueError: If one is not.
        """
        for pick in self.sparsities:
            if not any(_matches(pick, name) for name in names):
                hint = did_you_mean(pick, [*names, *(name.rsplit("/", 1)[0] for name in names)])
                raise bad_value(
                    "scope",
                    "names that match a kernel",
                    pick,
                    f"{hint} The kernels are: {', '.join(names)}.".strip(),
                )

    def names(self, path: str) -> bool:
        """Tell whether a sparsity is given for the kernel of this path alone, not for all."""
        return any(_matches(pick, path) for pick in self.sparsities if pick != "*")

    def asks(self, sparsity: float) -> float:
        """Give the most of the schedule's sparsity and its own."""
        return max([sparsity, *self.sparsities.values()])

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal scope; a regular expression is no plain data."""
        return {"sparsities": dict(self.sparsities)}


def _matches(pick: Any, name: str) -> bool:
    if isinstance(pick, re.Pattern):
        return bool(pick.search(name))
    layer = name.rsplit("/", 1)[0]
    parts = (name, layer, layer.rsplit("/", 1)[-1])
    return pick in parts or any(fnmatch.fnmatchcase(part, pick) for part in parts)
