"""What each kind of layer does with channels: one rule a kind."""

from typing import TYPE_CHECKING

from kerasopt.dependency.rules import (  # noqa: F401  each registers its rules
    attention,
    convolution,
    elementwise,
    normalization,
    recurrent,
    shapes,
    wrappers,
)
from kerasopt.dependency.rules import dense as linear  # noqa: F401  each registers its rules
from kerasopt.dependency.rules import merge as merging  # noqa: F401  each registers its rules
from kerasopt.dependency.rules.layer_rule import Step, apply
from kerasopt.dependency.tensor_channels import Signal
from kerasopt.graph import Node

if TYPE_CHECKING:
    from kerasopt.dependency.dependency_graph import Trace


def follow(trace: "Trace", node: Node, given: list[Signal]) -> list[Signal]:
    """Follow the channels of what a call is given into what it makes."""
    made = [Signal(port.shape, port.dtype) for port in node.outputs]
    return apply(Step(trace, node.layer, node.layer, given, made, node=node))
