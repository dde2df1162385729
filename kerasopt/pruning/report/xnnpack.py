"""Which layers XNNPACK's sparse inference can make faster, and why the others cannot."""

from dataclasses import dataclass, field
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.display import Shown, text_of
from kerasopt.graph import Graph, Node

_ELEMENTWISE = ("abs", "ceil", "elu", "floor", "hard_swish", "hard_silu", "leaky_relu", "linear",
                "negative", "relu", "relu6", "sigmoid", "sqrt", "square")  # fmt: skip
# What the converter folds into its neighbours, or drops.
_GONE = (
    keras.layers.AlphaDropout,
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.SpatialDropout2D,
)
_OPERATIONS = {"Add", "Multiply", "Relu", "Relu6", "Sigmoid", "HardSilu", "LeakyRelu", "Elu"}


@dataclass(frozen=True, repr=False)
class SparseInference(Shown):
    """What `sparse_inference` found.

    Attributes:
        include: Paths of the layers to prune: 1x1 convolutions within a part of the model that
            XNNPACK runs sparse. Give them to `Pruning(include=...)`.
        reasons: Path of every other layer with a kernel -> why it gains nothing.
    """

    include: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.include)

    def brief(self) -> str:
        """Give how many layers gain."""
        return f"{len(self.include)} of {len(self.include) + len(self.reasons)} layers"

    def parts(self) -> list[Any]:
        """Give the table."""
        rows = [["layer", "sparse inference"]]
        rows += [[path, "yes"] for path in self.include]
        rows += [[path, f"no: {why}"] for path, why in self.reasons.items()]
        return [rows]

    def __str__(self) -> str:
        return text_of(self.parts())


def sparse_inference(model: Any) -> SparseInference:
    """Find the layers that XNNPACK's sparse inference can make faster.

    XNNPACK runs a part of a float model sparse if it begins with a 3x3 convolution of stride 2 on
    three channels, padded by 1 on each side; ends with a mean over all places; holds between them
    only 1x1 convolutions, 3x3 and 5x5 depthwise ones of stride 1 or 2 padded on each side,
    additions, multiplications and elementwise activations; and if at least two thirds of the
    weights of its 1x1 convolutions are zero (Elsen et al., 2020, "Fast Sparse ConvNets"; the
    README of TensorFlow Lite's XNNPACK delegate). The file must hold the weights sparsely encoded.

    Args:
        model: A built Functional or Sequential model.

    Returns:
        A `SparseInference`: `include`, `reasons`; it is true if there is such a part, and prints as
        a table.

    Raises:
        TypeError: If `model` is no Keras 3 model.
        ValueError: If it is not built, or has no graph.

    Example:
    >>> model = keras.Sequential([keras.Input((9, 9, 3)), keras.layers.Conv2D(
    ...     8, 3, strides=2, padding="same", name="stem"), keras.layers.Conv2D(8, 1, name="point"),
    ...     keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, name="top")])
    >>> print(sparse_inference(model))
    layer  sparse inference
    point  yes
    stem   no: it begins the sparse part, and stays dense
    top    no: it lies outside the sparse part
    """
    graph = Graph.of(model)
    starts = [node for node in graph.nodes if not _no_start(node)]
    found = SparseInference()
    inside: dict[int, str] = {}
    broken: dict[int, str] = {}
    for start in starts:
        part, why = _part(graph, start)
        target = broken if why else inside
        for node in part:
            target.setdefault(id(node.layer), why)
    first = next((n for n in graph.nodes if isinstance(n.layer, keras.layers.Conv2D)), None)
    whole = "it lies outside the sparse part"
    if not starts:
        whole = "no part of the model can run sparse: "
        whole += (
            "it has no 2D convolution"
            if first is None
            else (f"{first.path!r} cannot begin one, as {_no_start(first)}")
        )
    seen: set[int] = set()
    for node in graph.nodes:
        if id(node.layer) in seen or not getattr(node.layer, "weights", None):
            continue
        seen.add(id(node.layer))
        if node.inner is not None or isinstance(node.layer, _GONE):
            continue
        if any(node is start for start in starts):
            why = broken.get(id(node.layer)) or "it begins the sparse part, and stays dense"
        elif id(node.layer) in inside:
            why = "" if _is_pointwise(node) else "only 1x1 convolutions run sparse"
        else:
            why = broken.get(id(node.layer), whole)
        if why:
            found.reasons[node.path] = why
        else:
            found.include.append(node.path)
    return found


def _part(graph: Graph, start: Node) -> tuple[list[Node], str]:
    """Give the calls from a start up to the mean, and what breaks the part, if anything does."""
    part, waiting, why = [start], graph.followers(start), ""
    seen = {id(start)}
    ends = False
    while waiting:
        node = waiting.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node.layer, keras.layers.GlobalAveragePooling2D):
            ends = True
            if node.layer.keepdims:  # squeeze-and-excitation goes on within the part
                part.append(node)
                waiting += graph.followers(node)
            continue
        reason = _refusal(node)
        if reason:
            why = why or f"{node.path!r} breaks the sparse part, as {reason}"
            continue
        part.append(node)
        waiting += graph.followers(node)
    if not why and not ends:
        why = f"no mean over all places ends the part that {start.path!r} begins"
    return part, why


def _refusal(node: Node) -> str:
    """Say why a call cannot be in a sparse part; nothing if it can."""
    layer = node.layer
    if isinstance(layer, (*_GONE, keras.layers.ZeroPadding2D)):
        return ""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        size, strides = tuple(layer.kernel_size), tuple(layer.strides)
        if size not in ((3, 3), (5, 5)) or strides not in ((1, 1), (2, 2)):
            return "only 3x3 and 5x5 depthwise convolutions of stride 1 or 2 can be in one"
        if layer.depth_multiplier != 1:
            return "its depth multiplier is not 1"
        return _no_padding(node, size[0]) or _no_activation(layer)
    if isinstance(layer, keras.layers.Conv2D):
        if not _is_pointwise(node):
            return "its kernel is not 1x1 with stride 1"
        return _no_activation(layer)
    kind = _keras.operation_kind(layer)
    if isinstance(layer, keras.layers.Activation):
        return _no_activation(layer)
    is_layer = isinstance(layer, keras.layers.Layer)
    if kind in ("Add", "Multiply", "ReLU", "LeakyReLU", "ELU", "UpSampling2D"):
        if kind == "UpSampling2D" and layer.interpolation != "bilinear":
            return "it does not interpolate bilinearly"
        return ""
    if not is_layer and kind in _OPERATIONS:
        return ""
    return f"{kind} is no operator of it"


def _no_start(node: Node) -> str:
    layer = node.layer
    if not isinstance(layer, keras.layers.Conv2D):
        return "it is no 2D convolution"
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return "it is a depthwise convolution"
    if tuple(layer.kernel_size) != (3, 3) or tuple(layer.strides) != (2, 2):
        return "it is not 3x3 with stride 2"
    if node.inputs[0].shape[-1] != 3:
        return f"it takes {node.inputs[0].shape[-1]} channels, not 3"
    return _no_padding(node, 3) or _no_activation(layer)


def _no_padding(node: Node, size: int) -> str:
    """Say if a convolution is not padded alike on all sides."""
    layer, given = node.layer, node.inputs[0]
    if tuple(layer.dilation_rate) != (1, 1):
        return "it is dilated"
    wanted = size // 2
    before = given.node.layer
    if layer.padding == "valid":
        padded = isinstance(before, keras.layers.ZeroPadding2D)
        if padded and before.padding == ((wanted, wanted), (wanted, wanted)):
            return ""
    elif layer.strides[0] == 1 or all(n is not None and n % 2 for n in given.shape[1:3]):
        return ""
    return f"it is not padded by {wanted} on each side (put ZeroPadding2D({wanted}) before it)"


def _no_activation(layer: Any) -> str:
    name = getattr(layer.activation, "__name__", "")
    return "" if name in _ELEMENTWISE else f"its activation {name!r} is no operator of it"


def _is_pointwise(node: Node) -> bool:
    layer = node.layer
    return (
        isinstance(layer, keras.layers.Conv2D)
        and not isinstance(layer, keras.layers.DepthwiseConv2D)
        and tuple(layer.kernel_size) == tuple(layer.strides) == tuple(layer.dilation_rate) == (1, 1)
        and layer.groups == 1
    )
