"""A tensor of a model, as far as its channels go."""

from dataclasses import dataclass, field

from kerasopt.pruning.channels.atoms import Labels


@dataclass(eq=False)
class Signal:
    """One tensor, with the channels along those of its axes that may lose some.

    Attributes:
        shape: Its shape, batch first, `None` for what is not known.
        dtype: Name of its type.
        labels: Axis -> the atom at each place of it. An axis that is not named keeps its size.
    """

    shape: tuple[int | None, ...]
    dtype: str = "float32"
    labels: dict[int, Labels] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    def at(self, axis: int) -> Labels | None:
        """Give the channels along an axis, which may be counted from the end."""
        return self.labels.get(axis % self.rank)

    def all(self) -> list[Labels]:
        """Give the channels of all axes."""
        return list(self.labels.values())

    def like(self, labels: dict[int, Labels]) -> "Signal":
        """Give the same tensor with other channels."""
        return Signal(self.shape, self.dtype, labels)
