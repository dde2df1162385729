"""What each kind of layer does with channels: one rule a kind."""

from typing import TYPE_CHECKING

from kerasopt.graph import Node
from kerasopt.pruning.channels.rules import (  # noqa: F401  each registers its rules
    attention,
    convolution,
    elementwise,
    linear,
    merging,
    normalization,
    recurrent,
    shapes,
    wrappers,
)
from kerasopt.pruning.channels.rules.rule import Step, apply
from kerasopt.pruning.channels.signal import Signal

if TYPE_CHECKING:
    from kerasopt.pruning.channels.trace import Trace


def follow(trace: "Trace", node: Node, given: list[Signal]) -> list[Signal]:
    """Follow the channels of what a call is given into what it makes."""
    made = [Signal(port.shape, port.dtype) for port in node.outputs]
    return apply(Step(trace, node.layer, node.layer, given, made, node=node))
