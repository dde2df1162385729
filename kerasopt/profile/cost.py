"""What a model costs, and what it would cost with fewer channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasopt.dependency.dependency_graph import Trace
from kerasopt.dependency.groups import Group
from kerasopt.dependency.tensor_channels import Signal, Work
from kerasopt.dependency.union_find import Labels

_IN_PLACE = (
    keras.layers.Activation, keras.layers.ActivityRegularization, keras.layers.BatchNormalization,
    keras.layers.Dropout, keras.layers.ELU, keras.layers.Flatten, keras.layers.Identity,
    keras.layers.LeakyReLU, keras.layers.PReLU, keras.layers.ReLU, keras.layers.Reshape,
    keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D, keras.layers.SpatialDropout3D,
)  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """What a model costs for one sample.

    Attributes:
        parameters: Numbers in all its weights.
        macs: Multiplications of its layers, each with an addition.
        peak_bytes: Bytes of the tensors that live at the same time at most, one sample, weights
            not counted; activations, normalization and reshapes work in place.
        weight_bytes: Bytes of all its weights.
    """

    parameters: int
    macs: int
    peak_bytes: int
    weight_bytes: int


@dataclass(frozen=True)
class _Length:
    """A number of channels, less so many for each channel that a group loses."""

    whole: int
    groups: NDArray[np.int64]
    counts: NDArray[np.int64]

    def left(self, gone: NDArray[np.int64]) -> int:
        return int(self.whole - self.counts @ gone[self.groups])


class Costs:
    """The cost of a model as a function of how many channels each group loses.

    Args:
        trace: What is known of the model.
        groups: Its groups.
    """

    def __init__(self, trace: Trace, groups: Sequence[Group]):
        self._trace = trace
        self._count = len(groups)
        self._roots = np.concatenate([one.roots for one in groups] or [np.zeros(0, np.int64)])
        self._of = np.concatenate(
            [np.full(len(one), n) for n, one in enumerate(groups)] or [np.zeros(0, np.int64)]
        )
        order = np.argsort(self._roots)
        self._roots, self._of = self._roots[order], self._of[order]
        self._known: dict[int, tuple[Labels, _Length]] = {}
        self._axes: dict[int, list[int | _Length]] = {}
        for variable in trace.graph.model.variables:
            axes: list[int | _Length] = [int(size) for size in variable.shape]
            for axis in range(len(axes)):
                place = trace.places.get((id(variable), axis))
                if place is not None:
                    axes[axis] = self._length(place.labels)
            self._axes[id(variable)] = axes
        self._buffers, self._order = _lives(trace)

    def of(self, gone: Sequence[int] | NDArray[np.int64] | None = None, peak: bool = True) -> Cost:
        """Give the cost once each group has lost so many channels; `None`: as it is.

        Without `peak`, which takes the longest, `peak_bytes` is 0.
        """
        lost = np.zeros(self._count, np.int64) if gone is None else np.asarray(gone, np.int64)
        parameters = weight_bytes = 0
        for variable in self._trace.graph.model.weights:
            size = self.size(variable, lost)
            parameters += size
            weight_bytes += size * _bytes(str(variable.dtype))
        macs = sum(self.macs(work, lost) for call in self._trace.calls for work in call.works)
        return Cost(parameters, macs, self._peak(lost) if peak else 0, weight_bytes)

    def size(self, variable: Any, gone: NDArray[np.int64]) -> int:
        """Give how many numbers a variable has left."""
        result = 1
        for axis in self._axes.get(id(variable), [int(size) for size in variable.shape]):
            result *= axis if isinstance(axis, int) else axis.left(gone)
        return result

    def macs(self, work: Work, gone: NDArray[np.int64]) -> int:
        """Give the multiplications of one piece of work."""
        result = 1 if work.variable is None else self.size(work.variable, gone)
        for times in work.times:
            result *= times if isinstance(times, int) else self._length(times).left(gone)
        return result

    def activation(self, signal: Signal, gone: NDArray[np.int64]) -> int:
        """Give the bytes of a tensor, of one sample."""
        result = _bytes(signal.dtype)
        for axis, size in enumerate(signal.shape):
            labels = signal.labels.get(axis)
            if labels is not None:
                result *= self._length(labels).left(gone)
            elif axis and size is not None:
                result *= size
        return result

    def _peak(self, gone: NDArray[np.int64]) -> int:
        sizes: dict[int, int] = {}
        for key, signal in self._buffers.items():
            sizes[key] = self.activation(signal, gone)
        live = most = 0
        for born, dead in self._order:
            live += sum(sizes[key] for key in born)
            most = max(most, live)
            live -= sum(sizes[key] for key in dead)
        return most

    def _length(self, labels: Labels) -> _Length:
        known = self._known.get(id(labels))
        if known is not None and known[0] is labels:
            return known[1]
        roots = self._trace.atoms.roots(labels)
        # A root that no group has is found beside one that is another.
        at = np.searchsorted(self._roots[:-1], roots)
        hits = self._of[at[self._roots[at] == roots]] if len(self._roots) else at[:0]
        # Of each group every channel stands at as many places here.
        groups, counts = np.unique(hits, return_counts=True)
        if len(groups):
            channels = np.bincount(self._of, minlength=self._count)[groups]
            counts = counts // channels
        length = _Length(len(labels), groups.astype(np.int64), counts.astype(np.int64))
        self._known[id(labels)] = (labels, length)
        return length


def _bytes(dtype: str) -> int:
    if dtype in ("bool", "string"):
        return 1
    digits = "".join(one for one in dtype if one.isdigit())
    return max(1, int(digits or 32) // 8)


def _lives(trace: Trace) -> tuple[dict[int, Signal], list[tuple[list[int], list[int]]]]:
    """Give the tensors with memory of their own, and which begin and end with each call."""
    from kerasopt.graph.node import ports

    buffer: dict[int, int] = {}
    signals: dict[int, Signal] = {}
    last: dict[int, int] = {}
    born: list[list[int]] = [[]]
    used = {id(one): at for at, call in enumerate(trace.calls, start=1) for one in call.given}
    used |= {id(trace.signal(port)): len(trace.calls) for port in ports(trace.graph.top.outputs)}

    def begin(signal: Signal, step: int) -> None:
        buffer[id(signal)] = id(signal)
        signals[id(signal)] = signal
        born[step].append(id(signal))
        last[id(signal)] = step

    for port in ports(trace.graph.top.inputs):
        begin(trace.signal(port), 0)
    for step, call in enumerate(trace.calls, start=1):
        born.append([])
        for signal in call.given:
            if id(signal) not in buffer:
                begin(signal, step)
            last[buffer[id(signal)]] = step
        for signal in call.made:
            # In place, unless what it is given is needed later.
            if isinstance(call.layer, _IN_PLACE) and call.given and used[id(call.given[0])] <= step:
                buffer.setdefault(id(signal), buffer[id(call.given[0])])
            elif id(signal) not in buffer:
                begin(signal, step)
    end = len(born) - 1
    for port in ports(trace.graph.top.outputs):
        signal = trace.signal(port)
        if id(signal) not in buffer:
            begin(signal, end)
        last[buffer[id(signal)]] = end
    dead: list[list[int]] = [[] for _ in born]
    for key, step in last.items():
        dead[step].append(key)
    return signals, list(zip(born, dead, strict=True))
