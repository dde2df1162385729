"""Small objects that are what their arguments are: a schedule, a criterion, a pattern, a scope."""

from collections.abc import Mapping
from typing import Any, Self


class Configured:
    """Mixin: shown, compared and made again by what `get_config` gives."""

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make one from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and repr(other) == repr(self)

    def __hash__(self) -> int:
        return hash(repr(self))
