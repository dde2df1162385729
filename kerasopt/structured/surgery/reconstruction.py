"""Kernels that make up for the channels that go, by least squares.

What a layer was given of a channel that goes is nearly a combination of what stays; its kernel
takes that combination instead (He et al., 2017, "Channel Pruning for Accelerating Very Deep Neural
Networks"; Luo et al., 2017, "ThiNet").
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt._core import fit_state
from kerasopt._core.checks import bad_value
from kerasopt._kernels import numbers
from kerasopt._layers import CONVOLUTIONS
from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.rules.layer_rule import channel_axis
from kerasopt.dependency.tensor_channels import Place
from kerasopt.dependency.union_find import Labels
from kerasopt.structured.importance.layer_inputs import look

Array = NDArray[Any]
MOST = 4096  # positions of a batch that are read of each layer


def reconstructed(
    trace: Trace,
    kept: Callable[[Labels], NDArray[np.bool_]],
    batches: Sequence[Any],
) -> dict[int, Array]:
    """Give kernels, and biases, with which layers give nearly what they gave.

    Left alone are variables that are not trainable, weights that are zero, grouped convolutions,
    and kernels that take what is made inside their layer.

    Args:
        trace: What is known of the model.
        kept: Tells which places along an axis stay.
        batches: Tuples that begin with the inputs of a batch.

    Returns:
        By the `id` of a variable its new value, of the whole shape.

    Raises:
        ValueError: If the model cannot take a batch, or a layer is given what is not finite.
    """
    readers: dict[int, list[_Reader]] = defaultdict(list)
    for place in trace.places.values():
        stays = kept(place.labels)
        trains = place.owner.trainable and place.variable.trainable
        if place.role == "takes" and place.reads is not None and trains and not stays.all():
            readers[id(place.owner)].append(_Reader(trace, place, stays))
    rng = np.random.default_rng(0)
    wild: list[str] = []

    def see(layer: Any, argument: str, labels: Labels, axis: int, value: Array) -> None:
        roots = trace.atoms.roots(labels)
        for reader in readers[id(layer)]:
            if reader.place.reads == argument and np.array_equal(roots, reader.roots):
                reader.add(value, axis, rng)
                if not np.isfinite(value).all():
                    wild.append(layer.name)

    look(trace.graph.model, trace, readers, batches, see)
    if wild:
        advice = "Look for NaN or infinity in `data`, or weights that are too large."
        expected = f"samples with which all that layer {wild[0]!r} is given is finite"
        raise bad_value("data", expected, "NaN or infinity there", advice)
    found: dict[int, Array] = {}
    for reader in (one for several in readers.values() for one in several):
        variable, bias = reader.place.variable, reader.bias
        before = found.get(id(variable), numbers(variable))
        value, more = reader.kernel(before)
        found[id(variable)] = _held(variable, value)
        if bias is not None:
            found[id(bias)] = _held(bias, numbers(bias) + more.astype(before.dtype))
    return found


def _held(variable: Any, value: Array) -> Array:
    """Give a value as the variable's constraint would have it."""
    own = fit_state.own(variable, "constraint")
    return value if own is None else np.asarray(keras.ops.convert_to_numpy(own(value)))


class _Reader:
    """A kernel that takes channels some of which go, and what it is given of them.

    Channels that stand at as many places each (such as pixels behind a `Flatten`) are combined
    alike at all of these.
    """

    def __init__(self, trace: Trace, place: Place, kept: NDArray[np.bool_]):
        self.place = place
        self.layer = _layer_of(place)
        bias = None if self.layer is None else self.layer.bias
        self.bias = bias if bias is not None and bias.trainable else None
        self.shifts = self.bias is not None or _is_normalized(trace, self.layer)
        self.roots = trace.atoms.roots(place.labels)
        order = np.argsort(self.roots, kind="stable")
        _, begin, many = np.unique(self.roots[order], return_index=True, return_counts=True)
        self.parts: list[tuple[Array, NDArray[np.bool_], Moments]] = []
        for number in np.unique(many):
            at = np.stack([order[one : one + number] for one in begin[many == number]])
            stays = kept[at[:, 0]]
            if stays.any() and not stays.all():
                self.parts.append((at, stays, Moments(len(at))))

    def add(self, value: Array, axis: int, rng: np.random.Generator) -> None:
        """Note what the layer is given, an array whose channels stand along an axis."""
        zeros = 1.0 / self._inside(value.shape, axis) - 1.0
        rows = np.moveaxis(value, axis, -1).reshape(-1, value.shape[axis])
        for at, _, moments in self.parts:
            several = at.shape[1]
            most = max(1, MOST // several)
            some = rows if len(rows) <= most else rows[rng.choice(len(rows), most, replace=False)]
            moments.add(np.moveaxis(some[:, at], 1, 2).reshape(-1, len(at)), zeros)

    def _inside(self, shape: tuple[int, ...], axis: int) -> float:
        """Give which part of what the kernel takes is not padding, at which no shift holds."""
        layer = self.layer
        if not isinstance(layer, CONVOLUTIONS):
            return 1.0
        places = [size for one, size in enumerate(shape) if one not in (0, axis % len(shape))]
        sizes = zip(
            places[-layer.rank :], layer.kernel_size, layer.strides, layer.dilation_rate,
            strict=True,
        )  # fmt: skip
        return math.prod(taps_inside(*one, layer.padding) for one in sizes)

    def kernel(self, value: Array) -> tuple[Array, Array]:
        """Give the kernel of which those that go may be cut, and what to add to the bias."""
        turned = np.moveaxis(np.array(value), self.place.axis, 0)
        more = np.zeros(turned.shape[-1])
        for at, stays, moments in self.parts:
            weights, shift = moments.combination(stays, self.shifts)
            goes, makes = turned[at[~stays]].astype(np.float64), turned[at[stays]]
            # Pruned weights stay zero.
            new = makes + np.tensordot(weights, goes, 1).astype(turned.dtype)
            turned[at[stays]] = np.where(makes == 0, makes, new)
            shifts = np.tensordot(shift, goes, 1)
            more += shifts.reshape(-1, shifts.shape[-1]).sum(0)
        return np.moveaxis(turned, 0, self.place.axis), more


def _layer_of(place: Place) -> Any:
    """Give the layer whose bias is added to what a kernel gives, `None` where that is not known."""
    for layer in (place.owner, getattr(place.owner, "layer", None)):
        if isinstance(layer, (keras.layers.Dense, *CONVOLUTIONS)):
            return layer if layer.kernel is place.variable else None
    return None


def _is_normalized(trace: Trace, layer: Any) -> bool:
    """Tell whether only batch normalization takes a layer's channels: their means are no matter."""
    graph = trace.graph
    calls = [] if layer is None else graph.calls_of(layer)
    if not calls or layer.bias is not None or any(map(graph.is_output, calls)):
        return False
    if layer.activation is not keras.activations.linear:
        return False
    rank = len(calls[0].outputs[0].shape)
    return all(
        isinstance(one.layer, keras.layers.BatchNormalization)
        and one.layer.trainable
        and one.layer.axis % rank == channel_axis(layer, rank)
        for call in calls
        for one in graph.followers(call)
    )


RIDGE = 1e-3  # of the mean square of a channel


class Moments:
    """Sums over positions: of channels, and of the products of any two.

    Args:
        channels: How many there are.
    """

    def __init__(self, channels: int):
        self.positions = 0.0
        self.sums = np.zeros(channels)
        self.products = np.zeros((channels, channels))

    def add(self, values: Array, zeros: float = 0.0) -> None:
        """Add positions, an array of shape (positions, channels).

        Args:
            values: What is there.
            zeros: How many more positions there are for each of these, at which all is zero.
        """
        self.positions += len(values) * (1.0 + zeros)
        self.sums += values.sum(0, dtype=np.float64)
        self.products += values.T @ values

    def combination(self, kept: NDArray[np.bool_], shifted: bool) -> tuple[Array, Array]:
        """Give how channels that go are best made of those that stay.

        Least squares with a ridge of `(0.001 + channels / positions)` times the mean square of what
        stays: the less was seen, the less is made of it.

        Args:
            kept: Which channels stay.
            shifted: Whether a constant may be added.

        Returns:
            An array of shape (those that stay, those that go), and the constants; zeros where the
            numbers are too large, or there are none.

        Example:
        >>> seen = Moments(2)
        >>> seen.add(np.array([[1.0, 2.0], [-1.0, -2.0]] * 1000))
        >>> seen.combination(np.array([True, False]), shifted=False)[0].round(2)
        array([[2.]])
        """
        many = max(self.positions, 1.0)
        means = self.sums / many * shifted
        products = self.products / many - np.outer(means, means)
        inner, across = products[np.ix_(kept, kept)], products[np.ix_(kept, ~kept)]
        weights = np.zeros(across.shape)
        if not np.isfinite(products).all():
            return weights, np.zeros(across.shape[1])
        ridge = np.trace(inner) / len(inner) * (RIDGE + len(inner) / many)
        if ridge > 0.0:
            weights = np.linalg.solve(inner + ridge * np.eye(len(inner)), across)
        return weights, means[~kept] - means[kept] @ weights


def taps_inside(size: int, taps: int, stride: int, dilation: int, padding: str) -> float:
    """Give which part of what a kernel takes along an axis is not padding.

    Args:
        size: Of the axis.
        taps: How many places the kernel takes at a time.
        stride: From one time to the next.
        dilation: From one place to the next.
        padding: `"valid"`, `"same"` or `"causal"`, as in Keras.

    Example:
    >>> taps_inside(4, 3, 1, 1, "same"), taps_inside(4, 3, 1, 1, "valid")
    (0.8333333333333334, 1.0)
    """
    if padding == "valid":
        return 1.0
    reach = (taps - 1) * dilation
    times = -(-size // stride)
    left = reach if padding == "causal" else max((times - 1) * stride + reach + 1 - size, 0) // 2
    at = np.arange(times)[:, None] * stride + np.arange(taps) * dilation - left
    return float(np.mean((at >= 0) & (at < size)))
