"""Kernels that make up for the channels that go, by least squares.

What a layer was given of a channel that goes is nearly a combination of what stays; its kernel
takes that combination instead (He et al., 2017, "Channel Pruning for Accelerating Very Deep Neural
Networks"; Luo et al., 2017, "ThiNet").
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt.pruning.channels.atoms import Labels
from kerasopt.pruning.channels.trace import Place, Trace
from kerasopt.pruning.channels.watching import look
from kerasopt.pruning.constraint import numbers

Array = NDArray[Any]
MOST = 4096  # positions of a batch that are read of each layer
RIDGE = 1e-3  # of the mean square of a channel

_WITH_BIAS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


class Moments:
    """Sums over positions: of channels, and of the products of any two.

    Args:
        channels: How many there are.
    """

    def __init__(self, channels: int):
        self.rows = 0
        self.sums = np.zeros(channels)
        self.products = np.zeros((channels, channels))

    def add(self, values: Array) -> None:
        """Add positions, an array of shape (positions, channels)."""
        self.rows += len(values)
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
            An array of shape (those that stay, those that go), and the constants.

        Example:
        >>> seen = Moments(2)
        >>> seen.add(np.array([[1.0, 2.0], [-1.0, -2.0]] * 1000))
        >>> seen.combination(np.array([True, False]), shifted=False)[0].round(2)
        array([[2.]])
        """
        means = self.sums / max(self.rows, 1) * shifted
        products = self.products / max(self.rows, 1) - np.outer(means, means)
        inside, across = products[np.ix_(kept, kept)], products[np.ix_(kept, ~kept)]
        ridge = np.trace(inside) / len(inside) * (RIDGE + len(inside) / max(self.rows, 1))
        if not np.isfinite(ridge) or ridge <= 0.0:
            return np.zeros(across.shape), means[~kept]
        weights = np.linalg.solve(inside + ridge * np.eye(len(inside)), across)
        return weights, means[~kept] - means[kept] @ weights


class _Reader:
    """A kernel that takes channels some of which go, and what it is given of them.

    Channels that stand at as many places each (such as pixels behind a `Flatten`) are combined
    alike at all of these.
    """

    def __init__(self, trace: Trace, place: Place, kept: NDArray[np.bool_], shifts: bool):
        self.place, self.shifts = place, shifts
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
        rows = np.moveaxis(value, axis, -1).reshape(-1, value.shape[axis])
        for at, _, moments in self.parts:
            several = at.shape[1]
            most = max(1, MOST // several)
            some = rows if len(rows) <= most else rows[rng.choice(len(rows), most, replace=False)]
            moments.add(np.moveaxis(some[:, at], 1, 2).reshape(-1, len(at)))

    def kernel(self, value: Array) -> tuple[Array, Array]:
        """Give the kernel of which those that go may be cut, and what to add to the bias."""
        turned = np.moveaxis(np.array(value), self.place.axis, 0)
        more = np.zeros(turned.shape[-1])
        for at, stays, moments in self.parts:
            weights, shift = moments.combination(stays, self.shifts)
            # Once for all places: what goes changes nothing of what is read here.
            goes = turned[at[~stays]].astype(np.float64)
            turned[at[stays]] += np.tensordot(weights, goes, 1).astype(turned.dtype)
            shifts = np.tensordot(shift, goes, 1)
            more += shifts.reshape(-1, shifts.shape[-1]).sum(0)
        return np.moveaxis(turned, 0, self.place.axis), more


def reconstructed(
    trace: Trace,
    kept: Callable[[Labels], NDArray[np.bool_]],
    batches: Sequence[Any],
) -> dict[int, Array]:
    """Give kernels, and biases, with which layers give nearly what they gave.

    Kernels of layers that are not trainable, of grouped and the pointwise ones of separable
    convolutions, and those that take what is made inside their layer are left alone.

    Args:
        trace: What is known of the model.
        kept: Tells which places along an axis stay.
        batches: Tuples that begin with the inputs of a batch.

    Returns:
        By the `id` of a variable its new value, of the whole shape.
    """
    readers: dict[int, list[_Reader]] = defaultdict(list)
    for place in trace.places.values():
        stays = kept(place.labels)
        trains = place.owner.trainable and place.variable.trainable
        if place.role == "takes" and not place.inside and trains and not stays.all():
            shifts = _bias(place) is not None or _is_normalized(trace, place)
            readers[id(place.owner)].append(_Reader(trace, place, stays, shifts))
    rng = np.random.default_rng(0)

    def see(layer: Any, labels: Labels, axis: int, value: Array) -> None:
        roots = trace.atoms.roots(labels)
        for reader in readers[id(layer)]:
            if np.array_equal(roots, reader.roots):
                reader.add(value, axis, rng)

    look(trace.graph.model, trace, readers, batches, see)
    found: dict[int, Array] = {}
    for reader in (one for several in readers.values() for one in several):
        variable, bias = reader.place.variable, _bias(reader.place)
        value = found.get(id(variable), numbers(variable))
        found[id(variable)], more = reader.kernel(value)
        if bias is not None:
            value = np.array(numbers(bias))
            found[id(bias)] = value + more.astype(value.dtype)
    return found


def _bias(place: Place) -> Any:
    """Give the bias that is added to what a kernel gives, `None` where that is not known."""
    for layer in (place.owner, getattr(place.owner, "layer", None)):
        if isinstance(layer, _WITH_BIAS) and layer.kernel is place.variable:
            return layer.bias
    return None


def _is_normalized(trace: Trace, place: Place) -> bool:
    """Tell whether only batch normalization takes a layer's outputs: their means are no matter."""
    layer = place.owner
    if getattr(layer, "activation", None) is not keras.activations.linear:
        return False
    graph = trace.graph
    calls = graph.calls_of(layer)
    followers = [one for call in calls for one in graph.followers(call)]
    return not any(map(graph.is_output, calls)) and all(
        isinstance(one.layer, keras.layers.BatchNormalization) and one.layer.trainable
        for one in followers
    )
