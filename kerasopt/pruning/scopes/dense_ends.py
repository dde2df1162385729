"""The first and the last layer stay dense."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from kerasopt._core.checks import at_least
from kerasopt.pruning.scopes.scope import Kernel, Scope


class DenseEnds(Scope):
    """Keep the first and the last kernels dense, and share among the others as another scope does.

    The first layer sees few inputs and the last one gives the answer: both are small and lose most
    by pruning. The sparsity is that of the others.

    Args:
        scope: The scope of the others, or its name. Defaults to `"layer"`.
        first: Integer >= 0, how many kernels at the beginning. Defaults to `1`.
        last: Integer >= 0, how many at the end. Defaults to `1`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a count is negative, or the scope not known.
    """

    def __init__(self, scope: Any = "layer", first: int = 1, last: int = 1):
        from kerasopt.pruning.scopes.registry import get

        self.scope: Scope = get(scope)
        self.first = at_least("first", first, 0)
        self.last = at_least("last", last, 0)

    def allocate(self, kernels: Sequence[Kernel], sparsity: float, share: float = 1.0) -> list[int]:
        """Give all units of the ends, and those that the other scope leaves."""
        inside = self._inside(len(kernels))
        inner = kernels[inside]
        counts = [kernel.units for kernel in kernels]
        counts[inside] = self.scope.allocate(inner, sparsity, share) if inner else []
        return counts

    def check(self, names: Sequence[str]) -> None:
        """Check that the other scope fits the other kernels.

        Raises:
            ValueError: If it does not.
        """
        self.scope.check(names[self._inside(len(names))])

    def names(self, path: str) -> bool:
        """Tell whether the other scope does."""
        return self.scope.names(path)

    def asks(self, sparsity: float) -> float:
        """Give what the other scope asks."""
        return self.scope.asks(sparsity)

    def _inside(self, count: int) -> slice:
        return slice(self.first, max(count - self.last, self.first))

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal scope, as plain data."""
        from kerasopt.pruning.scopes.registry import serialize

        return {"scope": serialize(self.scope), "first": self.first, "last": self.last}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, type[Scope]] | None = None
    ) -> Self:
        """Make a scope from what `get_config` gave.

        Args:
            config: The dict.
            custom_objects: Scopes of your own, by name. Defaults to `None`.
        """
        from kerasopt.pruning.scopes.registry import deserialize

        return cls(**{**config, "scope": deserialize(config["scope"], custom_objects)})
