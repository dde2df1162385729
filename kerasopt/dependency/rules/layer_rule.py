"""The contract of a rule: what a layer does with the channels it is given."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from kerasopt.dependency.tensor_channels import Signal
from kerasopt.dependency.union_find import Labels
from kerasopt.graph import Node
from kerasopt.selection import has_kernel, walk

if TYPE_CHECKING:
    from kerasopt.dependency.dependency_graph import Trace


@dataclass(eq=False)
class Step:
    """One call that a rule follows.

    Attributes:
        trace: What is known so far.
        layer: The layer, perhaps inside another one.
        owner: The layer of the graph that it is, or is in.
        given: The tensors it takes, without masks.
        made: The tensors it gives, without channels yet.
        key: Where its config stands in its owner's.
        node: The call in the graph, or `None` inside another layer.
    """

    trace: "Trace"
    layer: Any
    owner: Any
    given: list[Signal]
    made: list[Signal]
    key: tuple[str, ...] = ()
    node: Node | None = None

    def counts(
        self, name: str, labels: Any, index: int | None = None, always: bool = False
    ) -> None:
        """Note that an argument of the layer counts channels."""
        self.trace.counts(self.owner, (*self.key, name), labels, index, always)

    def works(self, variable: Any, signal: Signal, but: Sequence[int] = (0, -1)) -> None:
        """Note that a kernel works at each place of a tensor, along all axes but some."""
        left = {axis % signal.rank for axis in but}
        self.trace.works(self.owner, variable, extent(signal, left))

    def freeze(self, reason: str) -> list[Signal]:
        """Keep all channels that are given, and give tensors without any."""
        for signal in self.given:
            self.trace.freeze(signal, reason)
        self.trace.fix(self.layer)
        return [one.like({}) for one in self.made]


Rule = Callable[[Step], list[Signal]]

RULES: dict[type, Rule] = {}
"""By class of layer. It holds for subclasses that have no `call` of their own."""

# What multiplies without weights, and is not followed.
_MULTIPLYING = ("Attention", "AdditiveAttention", "Dot", "Einsum", "Inner", "Matmul", "Tensordot")

OPERATIONS: dict[str, Rule] = {}
"""By name of the operation behind a function of `keras.ops`."""


def rule(*kinds: type) -> Callable[[Rule], Rule]:
    """Make a function the rule of some classes of layers."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return register


def operation(*names: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of some operations."""

    def register(function: Rule) -> Rule:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def rule_of(layer: Any) -> Rule | None:
    """Give the rule of a layer, `None` if there is none."""
    if not isinstance(layer, keras.layers.Layer):
        from kerasopt import _keras

        return OPERATIONS.get(_keras.operation_kind(layer))
    for cls in type(layer).__mro__:
        if cls in RULES:
            return RULES[cls] if _is_like(layer, cls) else None
        if vars(cls).get("keeps_channels"):  # as our own layers say of themselves
            from kerasopt.dependency.rules.elementwise import keep

            return keep if _is_like(layer, cls) else None
    return None


def _is_like(layer: Any, cls: type) -> bool:
    """Tell whether a layer computes what its base class does."""
    return all(
        getattr(type(layer), name, None) is getattr(cls, name, None) for name in ("call", "kernel")
    )


def apply(step: Step) -> list[Signal]:
    """Follow one call; where that cannot be done safely, nothing it is given may change."""
    layer = step.layer
    found = rule_of(layer)
    altered = is_altered(layer)
    if found is not None and not altered:
        return found(step)
    if has_kernel(layer) or type(layer).__name__ in _MULTIPLYING:
        step.trace.uncounted.append(step.trace.calls[-1].path)
    if altered:
        return step.freeze(f"{layer.name!r} is quantized or has LoRA weights")
    return step.freeze(f"{type(layer).__name__} may mix channels")


def is_altered(layer: Any) -> bool:
    """Tell whether a layer, or one inside it, is quantized or has LoRA."""
    if not isinstance(layer, keras.layers.Layer):
        return False
    return any(
        getattr(one, "quantization_mode", None) or getattr(one, "lora_enabled", False)
        for one in (layer, *(part for _, part in walk(layer)))
    )


def channel_axis(layer: Any, rank: int) -> int:
    """Give the axis of the channels of a layer's tensors."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else rank - 1


def only(step: Step, axis: int, why: str) -> Signal:
    """Give the first tensor that is given, after keeping the channels of all other axes."""
    signal = step.given[0]
    for other, labels in signal.labels.items():
        if other != axis % signal.rank:
            step.trace.freeze(labels, why)
    return signal


def extent(signal: Signal, but: Collection[int]) -> list[int | Labels]:
    """Give the sizes of a tensor's axes but some: channels, or a number; one if it is not known."""
    sizes: list[int | Labels] = []
    for axis, size in enumerate(signal.shape):
        if axis not in but:
            labels = signal.labels.get(axis)
            sizes.append(labels if labels is not None else 1 if size is None else int(size))
    return sizes
