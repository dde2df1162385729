"""A tensor of a model, as far as its channels go."""

from dataclasses import dataclass, field
from typing import Any

from kerasopt.dependency.union_find import Labels
from kerasopt.graph import Node


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


@dataclass(eq=False)
class Place:
    """An axis of a variable along which channels stand.

    Attributes:
        owner: The layer of the graph that holds the variable, perhaps inside it.
        variable: The variable.
        axis: The axis.
        labels: The atom at each place of it.
        role: `"makes"` (a kernel's outputs, a bias), `"takes"` (a kernel's inputs), or `"scales"`
            (what belongs to a channel on its way: normalization, slopes, depthwise kernels).
        reads: Where channels are taken: the argument of the layer's call that holds them, `""` for
            its first one; `None` where they are made inside the layer.
    """

    owner: Any
    variable: Any
    axis: int
    labels: Labels
    role: str
    reads: str | None = ""


@dataclass(frozen=True)
class Size:
    """An argument of a layer that counts channels.

    Attributes:
        owner: The layer of the graph.
        key: Where it stands in the layer's config.
        labels: The channels that it counts, each atom that is kept once.
        index: Which number of a tuple it is; `None` where it is a number itself.
        always: Whether it is set whenever the layer changes, as its default would be another.
    """

    owner: Any
    key: tuple[str, ...]
    labels: Labels
    index: int | None = None
    always: bool = False


@dataclass(eq=False)
class Work:
    """Multiplications of one call of a layer.

    Attributes:
        owner: The layer of the graph.
        variable: The kernel whose every weight takes part, or `None`.
        times: How often each does, for one sample: the product of these, of channels their number.
    """

    owner: Any
    variable: Any
    times: list[int | Labels]


@dataclass(eq=False)
class Call:
    """One call of a layer or operation, for what lives in memory at a time."""

    path: str
    layer: Any
    given: list[Signal]
    made: list[Signal]
    works: list[Work] = field(default_factory=list)
    node: Node | None = None


@dataclass(frozen=True)
class Slice:
    """A call `x[..., begin:end]` that cuts channels.

    Attributes:
        node: The call.
        place: Which part of the key it is.
        labels: The channels of the whole axis.
        begin: The first that is taken.
        end: The first that is not.
    """

    node: Node
    place: int
    labels: Labels
    begin: int
    end: int
